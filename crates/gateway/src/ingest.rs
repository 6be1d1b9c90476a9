//! What comes in: events over HTTP, and the bodies of sources.

mod admit;
mod answer;
mod durability;
mod events;
mod history;
mod inlet;
mod source;

pub use self::inlet::{Inlet, Taken};
pub(crate) use self::{
    admit::sync,
    events::{Fate, Form, VIA, again, answer_again, post as post_events},
    history::{admit as admit_owned, answer as answer_owned, append as append_owned},
    inlet::UPSTREAM,
    source::{
        post as post_source, post_again, post_of_server as post_source_of_server,
        post_with_token as post_source_with_token,
    },
};
