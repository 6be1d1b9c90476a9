//! A post of a game server: its body and what its headers say of it.

use crate::source::hash;

/// Where a post stands in the server's log.
pub(super) const HEADERS: &[&str] = &[TOKEN_HEADER, BEGIN_HEADER, END_HEADER];
const TOKEN_HEADER: &str = "x-server-instance-token";
const BEGIN_HEADER: &str = "x-logbytes-beginoffset";
const END_HEADER: &str = "x-logbytes-endoffset";

/// The longest token that is taken.
const MAX_TOKEN_BYTES: usize = 256;

/// A body as it was posted.
#[derive(Debug, Clone)]
pub struct Post<'a> {
    /// The lines.
    pub body: &'a [u8],
    /// Where the body stands in the server's log; `None` if the headers do not tell.
    pub offsets: Option<Offsets>,
}

/// Where a post stands in a server's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offsets {
    /// The instance of the server, as a hash: 16 hexadecimal digits.
    pub feed: String,
    /// The first byte.
    pub begin: u64,
    /// The first byte after it.
    pub end: u64,
}

impl Offsets {
    /// From the values of `X-Server-Instance-Token`, `X-Logbytes-Beginoffset` and `-Endoffset` and
    /// the length of the body in bytes.
    ///
    /// `None` where they cannot be relied on: one is missing or no number, or they do not agree
    /// with the body. A post that lost its last line ending on the way (one or two bytes) agrees.
    pub fn from_headers(
        token: Option<&str>,
        begin: Option<&str>,
        end: Option<&str>,
        body: &[u8],
    ) -> Option<Self> {
        let token = token.filter(|t| !t.is_empty() && t.len() <= MAX_TOKEN_BYTES)?;
        let (begin, end): (u64, u64) = (begin?.trim().parse().ok()?, end?.trim().parse().ok()?);
        let missing = end.checked_sub(begin)?.checked_sub(body.len() as u64)?;
        let agrees = missing == 0 || (missing <= 2 && !body.is_empty() && !body.ends_with(b"\n"));
        agrees.then(|| Self { feed: hash(token), begin, end })
    }
}

impl<'a> Post<'a> {
    /// A post with what its headers say of its place.
    pub fn of(post: &crate::Post<'a>) -> Self {
        let header = |name: &str| post.headers.get(name).map(String::as_str);
        let offsets = Offsets::from_headers(
            header(TOKEN_HEADER),
            header(BEGIN_HEADER),
            header(END_HEADER),
            post.body,
        );
        Self { body: post.body, offsets }
    }

    /// The identity of the post as a whole.
    pub fn identity(&self) -> String {
        let content = hash(self.body);
        match &self.offsets {
            Some(Offsets { feed, begin, end }) => format!("{feed}.{begin}-{end}.{content}"),
            None => content,
        }
    }
}
