//! Webhooks of the plug-ins MatchZy and Get5: one event of a match in each post.
//!
//! A post has no time, and nothing that tells one from another but what it says; so its identity is
//! its content. Events of a map have a number of the map, from 0 on, which decides where the path says
//! `auto`, and of the round, which is their place in the order of play: one that arrives after a later
//! one is folded where it belongs. A round that is told a second time, otherwise, was played again.
//!
//! What is of the series, as vetoes and results are, belongs into the stream of the match and is
//! unknown here; of a map that was picked only the name is kept, for when it goes live.

mod carry;
mod event;
mod reader;

#[cfg(test)]
mod tests;

pub use carry::Carry;

use serde_json::Value;

use crate::{Answer, Post, Source, source::hash};

/// Webhooks of MatchZy and Get5, as a source.
#[derive(Debug, Clone, Copy)]
pub struct MatchZy;

impl Source for MatchZy {
    type Carry = Carry;

    const NAME: &'static str = "matchzy";

    fn identity(&self, post: &Post<'_>) -> String {
        let value = serde_json::from_slice::<Value>(post.body);
        // Whatever spaces and order the fields came in.
        value.map_or_else(|_| hash(post.body), |value| hash(value.to_string()))
    }

    fn read(
        &self,
        map: Option<u16>,
        carry: Carry,
        post: &Post<'_>,
        exchange: &mut dyn FnMut(&str) -> String,
    ) -> Answer<Carry> {
        let identity = self.identity(post);
        let value = serde_json::from_slice::<Value>(post.body).ok();
        reader::read(map, carry, value.as_ref(), &identity, exchange)
    }
}
