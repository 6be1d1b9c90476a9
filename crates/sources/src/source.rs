//! The seam that every format is behind.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::Draft;

/// The headers of a request that are text, by their names in lower case.
pub type Headers = BTreeMap<String, String>;

/// A body as it was posted.
#[derive(Debug, Clone, Copy)]
pub struct Post<'a> {
    /// The body, decompressed.
    pub body: &'a [u8],
    /// What came with it.
    pub headers: &'a Headers,
}

/// What a post came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<C> {
    /// The events, in order.
    pub drafts: Vec<Draft>,
    /// Parts that tell something and had come before, or were overtaken.
    pub duplicate: usize,
    /// Parts that tell nothing we know.
    pub unknown: usize,
    /// What to carry to the next post.
    pub carry: C,
}

/// Why a post is not read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The token in the body is missing, or is not the one that is asked for.
    #[error("the token in the body, {0}, is missing or not the one that this server asks for")]
    Token(&'static str),
}

/// A format of another system, with a reader for it.
///
/// A reader keeps nothing itself. Its answer depends on its arguments alone, so a post whose outcome
/// is unknown is read again with the same carry and gives the same events. It is total: what it does
/// not understand it counts, and whatever the body is, it answers.
///
/// Posts of one match and map are read one after another. A post whose [`identity`](Self::identity)
/// was read before is not read again, so the identity must differ where the content does, and be the
/// same after the post was read as before it; and each draft has an id that is the same when the feed says the same again in another post.
pub trait Source: Send + Sync + 'static {
    /// What the reader remembers from post to post; bounded, since it is stored with every post
    /// that changes it. It may hold text of people, as it is served to nobody.
    type Carry: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + 'static;

    /// The name in the path, as in `/sources/cs-log/…`, and in the events' source.
    const NAME: &'static str;

    /// The headers that it reads, in lower case.
    const HEADERS: &'static [&'static str] = &[];

    /// Whether the post may be read, as far as its body tells.
    fn admits(&self, _post: &Post<'_>) -> Result<(), Refused> {
        Ok(())
    }

    /// The body without the secret that lets it in, if it has one, so that it may be kept.
    fn without_secret(&self, _body: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Whether nothing of a body is in the source's format, so that there is nothing in it to know or not.
    fn is_foreign(&self, post: &Post<'_>) -> bool;

    /// The identity of a post as a whole, after what was carried; it must be good as an event's id, and
    /// holds no secret. It depends on the post alone, unless the feed says new things in the same words,
    /// as that a match is paused.
    fn identity(&self, carry: &Self::Carry, post: &Post<'_>) -> String;

    /// Reads a post after what was carried, for a map by its number or counting maps as they are
    /// played. `exchange` gives a player id for an account; what has no colon it gives back.
    fn read(
        &self,
        map: Option<u16>,
        carry: Self::Carry,
        post: &Post<'_>,
        exchange: &mut dyn FnMut(&str) -> String,
    ) -> Answer<Self::Carry>;
}

/// The first 64 bits of a SHA-256, as 16 hexadecimal digits.
pub(crate) fn hash(bytes: impl AsRef<[u8]>) -> String {
    let digest = Sha256::digest(bytes);
    format!("{:016x}", digest.iter().take(8).fold(0, |hash, byte| (hash << 8) | u64::from(*byte)))
}
