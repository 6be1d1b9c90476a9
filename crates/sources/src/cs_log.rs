//! The log of a Counter-Strike server, CS2 or CS:GO, as `logaddress_add_http` posts it.
//!
//! A line is at most one fact ([`parse_line`]); a block between `JSON_BEGIN` and `JSON_END` is one
//! too. What the reader must remember from post to post is its [`Carry`].

mod line;
mod mention;
mod parse;

mod block;

mod carry;
mod post;
mod reader;

#[cfg(test)]
mod tests;

pub use carry::Carry;
pub use line::line_time;
pub use parse::{Parsed, parse_line};
pub use post::{Offsets, Post};
pub use reader::Reader;

use crate::{Answer, Source};

/// The log of a Counter-Strike server, as a source.
#[derive(Debug, Clone, Copy)]
pub struct CsLog;

impl Source for CsLog {
    type Carry = Carry;

    const NAME: &'static str = "cs-log";

    const HEADERS: &'static [&'static str] = post::HEADERS;

    fn is_foreign(&self, post: &crate::Post<'_>) -> bool {
        let mut lines = post.body.split(|byte| *byte == b'\n');
        !lines.any(|line| line::split(&String::from_utf8_lossy(line)).is_some())
    }

    fn identity(&self, _: &Carry, post: &crate::Post<'_>) -> String {
        Post::of(post).identity()
    }

    fn read(
        &self,
        map: Option<u16>,
        carry: Carry,
        post: &crate::Post<'_>,
        exchange: &mut dyn FnMut(&str) -> String,
    ) -> Answer<Carry> {
        Reader::new(map).read(carry, &Post::of(post), exchange)
    }
}
