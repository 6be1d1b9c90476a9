//! Dead letters: what was refused is kept, sealed, until an operator has seen to it.
//!
//! [`DeadLetters::keep`] is the way in, for every part of the server: it only queues, and never waits.
//! The keeper takes letters from the queue, seals what may be personal, and appends them to their own
//! stream, of which the open ones are a fold. So a request may be answered before its letters are on
//! disk. What finds no room is counted as lost and told of; it never holds anything else up.

mod api;
mod envelope;
mod keeper;
mod queue;
mod redrive;
mod seal;
mod stream;

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use matchwire_domain::dead_letter::{Bounds, Origin, Refused};
use matchwire_log::Log;

pub use self::seal::Seal;
pub(crate) use self::{
    api::{drop, list, show},
    envelope::origin,
    redrive::post as redrive,
};
use self::{keeper::Keeper, queue::Queue, stream::Stream};
use crate::{
    metrics::Meter,
    problem::{Code, Problem},
};

/// How much of a body is kept, in bytes. An event that is longer can be looked at, and not be tried
/// again.
pub const MAX_BODY_BYTES: usize = 64 << 10;

/// The longest header of a post that is kept, in bytes.
const MAX_HEADER_BYTES: usize = 1_024;

/// Something that was refused.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Where it came in: `http` for events over HTTP, else the name of a source or an effect.
    pub via: &'static str,
    /// Why it was refused: a stable code. It is a label of a metric, so there are few.
    pub reason: &'static str,
    /// Why, for a person. It may quote the body.
    pub detail: String,
    /// What it says of itself, where that can be read.
    pub origin: Origin,
    /// A post of a source: where it was for, and its headers.
    pub post: Option<Posted>,
    /// How often it has been tried.
    pub attempts: u32,
    /// The size of the body as it came, in bytes.
    pub body_bytes: usize,
    /// The body, or its first [`MAX_BODY_BYTES`].
    pub body: Bytes,
}

/// What belongs to the post of a source beside its body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Posted {
    /// Where it was for: `m1/auto`, or `@server`.
    pub place: String,
    /// The headers that its reader looks at, in their order.
    pub headers: Vec<(String, String)>,
}

impl Posted {
    /// Of a request's headers those of some names, as far as they are text.
    pub(crate) fn new(place: String, names: &[&str], headers: &HeaderMap) -> Self {
        let told = |name: &&str| {
            let value = headers.get(*name)?.to_str().ok()?;
            // No reader looks at longer ones.
            let value = Some(value).filter(|value| value.len() <= MAX_HEADER_BYTES)?;
            Some(((*name).to_owned(), value.to_owned()))
        };
        Self { place, headers: names.iter().filter_map(told).collect() }
    }

    /// The headers as a request has them.
    pub(crate) fn header_map(&self) -> HeaderMap {
        let told = |(name, value): &(String, String)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        };
        self.headers.iter().filter_map(told).collect()
    }
}

impl Letter {
    /// A letter about a body that was tried once; no more of the body is copied than is kept.
    pub fn new(
        via: &'static str,
        reason: &'static str,
        detail: impl Into<String>,
        origin: Origin,
        body: &[u8],
    ) -> Self {
        let kept = body.get(..MAX_BODY_BYTES).unwrap_or(body);
        Self {
            via,
            reason,
            detail: detail.into(),
            origin,
            post: None,
            attempts: 1,
            body_bytes: body.len(),
            body: Bytes::copy_from_slice(kept),
        }
    }
}

/// What is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterStats {
    /// So many letters.
    pub open: u64,
    /// So many bytes of their bodies.
    pub open_bytes: u64,
    /// Whether there is no room for another one.
    pub is_full: bool,
}

/// The dead letters. Clones are handles to the same ones.
#[derive(Clone)]
pub struct DeadLetters {
    stream: Arc<Stream>,
    queue: Arc<Queue>,
    keeper: keeper::Handle,
}

impl DeadLetters {
    /// Reads which letters of a log are open, which may block, and begins to keep more. It must be
    /// called where tokio runs.
    ///
    /// Damage of their stream is told of and not an error: then nothing can be kept until it is
    /// repaired.
    pub fn open(
        log: Log,
        seal: Arc<dyn Seal>,
        bounds: Bounds,
        meter: Arc<Meter>,
    ) -> Result<Self, matchwire_log::Error> {
        let queue = Arc::new(Queue::new(bounds.letters, meter));
        let stream = Arc::new(Stream::open(log, seal, bounds)?);
        let keeper = Keeper::start(stream.clone(), queue.clone());
        Ok(Self { stream, queue, keeper })
    }

    /// Keeps a letter, without waiting. The same one, from the same origin, is kept once as long as it
    /// is open.
    pub fn keep(&self, letter: Letter) {
        let Some(admitted) = self.queue.admit(letter, self.stats().is_full) else { return };
        if let Some(left) = self.keeper.put(admitted) {
            self.queue.lost(&left, "too many come at once");
        }
    }

    /// Waits until everything that was given to [`keep`](Self::keep) before is on disk, or lost.
    pub async fn flush(&self) {
        self.keeper.flush().await;
    }

    /// Closes a letter: it was taken, or is wanted no more.
    pub(crate) async fn close(&self, seq: u64, is_taken: bool) -> Result<(), Problem> {
        self.stream.close(seq, is_taken).await?;
        self.queue.closed(is_taken);
        Ok(())
    }

    /// Closes every letter, since their key is destroyed and nobody can read them any more.
    pub(crate) async fn drop_all(&self) -> Result<(), Problem> {
        let open: Vec<u64> = self.stream.read(|state| state.open().keys().copied().collect());
        for seq in open {
            match self.close(seq, false).await {
                // Somebody else was quicker.
                Err(problem) if problem.code == Code::NotFound => {}
                closed => closed?,
            }
        }
        Ok(())
    }

    /// What is open now.
    pub fn stats(&self) -> LetterStats {
        self.stream.stats()
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::NotOpen(_) => Code::NotFound,
            Refused::Known | Refused::Full => Code::Conflict,
        };
        Self::new(code, refused.to_string())
    }
}
