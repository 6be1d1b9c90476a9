//! What comes in: events over HTTP, and the bodies of sources.

mod admit;
mod answer;
mod durability;
mod events;
mod inlet;
mod source;

pub use self::inlet::{Inlet, Taken};
pub(crate) use self::{
    events::{VIA, again, answer_again, post as post_events},
    inlet::UPSTREAM,
    source::{
        post as post_source, post_again, post_of_server as post_source_of_server,
        post_with_token as post_source_with_token,
    },
};
