//! Webhooks of the plug-ins MatchZy and Get5: one event of a match in each post.
//!
//! ```text
//! post ──► play    what is done on a map: deaths, bombs, people, pauses     ──► match/<match>/<map>
//!          rounds  how a map goes: live, rounds, back-ups, its end          ──► match/<match>/<map>
//!          series  who plays, how long, the veto, who won                   ──► match/<match>
//! ```
//!
//! A post has no time, and nothing that tells one from another but what it says; so its identity is its
//! content. Only pauses are told in the same words each time: such a post is new if it changes whether
//! the match is paused. Events of a map have a number of the map, from 0 on, which decides where the path
//! says `auto`, and of the round, which is their place in the order of play: one that arrives after a
//! later one is folded where it belongs. A round that is told a second time, otherwise, was played again.
//!
//! Both plug-ins speak one language, with differences that are read here: Get5 numbers the reasons of
//! rounds from 0, its match id is text, and older versions name teams and scores beside each other;
//! MatchZy numbers sides as the game does, leaves out which team is on which, and counts picked maps from 1.
//!
//! What these say of a match gives way to what its organiser said (`fills` in `match.scheduled`).

mod carry;
mod event;
mod play;
mod reader;
mod rounds;
mod series;

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

    fn is_foreign(&self, post: &Post<'_>) -> bool {
        let value = serde_json::from_slice::<Value>(post.body);
        value.map_or(true, |value| !value.get("event").is_some_and(Value::is_string))
    }

    fn identity(&self, carry: &Carry, post: &Post<'_>) -> String {
        let Ok(value) = serde_json::from_slice::<Value>(post.body) else { return hash(post.body) };
        // Whatever spaces and order the fields came in.
        let content = value.to_string();
        match play::number_of_pause(carry, &value) {
            Some(number) => hash(format!("{content}#{number}")),
            None => hash(content),
        }
    }

    fn read(
        &self,
        map: Option<u16>,
        carry: Carry,
        post: &Post<'_>,
        exchange: &mut dyn FnMut(&str) -> String,
    ) -> Answer<Carry> {
        let identity = self.identity(&carry, post);
        let value = serde_json::from_slice::<Value>(post.body).ok();
        reader::read(map, carry, value.as_ref(), &identity, exchange)
    }
}
