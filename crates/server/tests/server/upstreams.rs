//! Events that a server fetches from elsewhere: nothing is lost, nothing comes twice, and an upstream
//! that fails is told of.

mod between;
mod harness;
mod polled;
mod streamed;
