//! Posts in other systems' formats, on their way into the log: the same way for every source.
//!
//! A post becomes appends in one call: its facts, to the streams of the maps, and after them what
//! the reader carries on, to the reader's own stream. They are one group, so a crash leaves all of
//! them or none; then the post comes again and is read with the same carry.

use std::{
    collections::{BTreeMap, HashMap},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use matchwire_domain::{
    dead_letter::Sealed,
    envelope::{Attributes, Event, Recorded},
    live_match::Games,
    subject::{self, Subject},
};
use matchwire_gateway::{Answer, Code, EventName, Exchange as _, Followup, Problem};
use matchwire_log::{Append, Error, Log, Outcome};
use matchwire_sources::{Draft, Headers, Post, Refused, Source};
use serde::{Deserialize, Serialize};
use tokio::task;

use crate::vault::OpenVault;

/// How many readers' memories are kept at hand; others are read back when a post comes.
const MAX_READERS: usize = 1_024;
/// The type of the events in a reader's stream.
const KIND: &str = "source.post";

/// Takes posts of one source. Clones share what they know.
pub(crate) struct Intake<S: Source> {
    source: Arc<S>,
    log: Log,
    games: Games,
    vault: OpenVault,
    followup: Followup,
    readers: Arc<Mutex<HashMap<Subject, Slot<S::Carry>>>>,
}

impl<S: Source> Clone for Intake<S> {
    fn clone(&self) -> Self {
        Self {
            source: self.source.clone(),
            log: self.log.clone(),
            games: self.games.clone(),
            vault: self.vault.clone(),
            followup: self.followup.clone(),
            readers: self.readers.clone(),
        }
    }
}

/// A reader's memory; `None` until it was read from the log. Held while a post is read.
type Slot<C> = Arc<tokio::sync::Mutex<Option<C>>>;

/// A post as it came.
struct Posted {
    body: Bytes,
    headers: Headers,
}

/// A post before it goes to the log.
enum Prepared<C> {
    /// It had come before; with what the reader carries.
    Known(Answer, C),
    /// It is new.
    Read {
        identity: String,
        read: matchwire_sources::Answer<C>,
        /// Whether the reader carries on something else than before.
        changed: bool,
    },
}

/// What a reader's stream holds of each post.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    appended: u64,
    /// Of those so many were refused; told in an event of its own.
    #[serde(default, skip_serializing_if = "is_none")]
    refused: u64,
    unknown: u64,
    /// What is carried. It may hold anybody's text, so it is sealed with a key that is destroyed when somebody is erased; then
    /// the feed begins anew, and its events are known by their ids.
    carry: Sealed,
}

impl<S: Source> Intake<S> {
    /// Takes posts into a log.
    pub(crate) fn new(source: S, log: Log, vault: OpenVault, followup: Followup) -> Self {
        let (source, games) = (Arc::new(source), Games::default());
        Self { source, log, games, vault, followup, readers: Arc::default() }
    }

    /// Takes a post for a map, by number or `auto`.
    async fn take(
        self,
        match_id: String,
        map: String,
        post: Posted,
        received: Instant,
    ) -> Result<Answer, Problem> {
        let bad_path = |error: subject::Error| Problem::new(Code::Path, error.to_string());
        let number = match map.as_str() {
            "auto" => None,
            map => Some(subject::parse_map(map).map_err(bad_path)?),
        };
        let stream =
            Subject::parse(&format!("source/{}/{match_id}/{map}", S::NAME)).map_err(bad_path)?;
        let mut memory = self.slot(&stream).lock_owned().await;
        let carry = memory.take();
        let (reader, place, id) = (self.clone(), stream.clone(), match_id.clone());
        // It may read from the disk, and a post may be megabytes long.
        let prepared = task::spawn_blocking(move || {
            let prepared = reader.prepare(&id, number, &place, carry, &post);
            prepared.map(|prepared| (prepared, reader.source.is_foreign(&post.as_post())))
        });
        let (prepared, is_foreign) = prepared.await.map_err(internal)??;
        let (answer, carry) = match prepared {
            Prepared::Known(answer, carry) => (answer, carry),
            Prepared::Read { identity, read, changed } => {
                self.append(&match_id, &stream, &identity, read, changed, received).await?
            }
        };
        *memory = Some(carry);
        let is_foreign =
            is_foreign && answer.unknown > 0 && answer.appended + answer.duplicate == 0;
        Ok(Answer { is_foreign, ..answer })
    }

    /// Finds out whether a post is known, and reads it if not.
    fn prepare(
        &self,
        match_id: &str,
        map: Option<u16>,
        stream: &Subject,
        carry: Option<S::Carry>,
        post: &Posted,
    ) -> Result<Prepared<S::Carry>, Problem> {
        let before = match carry {
            Some(carry) => carry,
            None => self.recall(stream)?,
        };
        let identity = self.source.identity(&before, &post.as_post());
        let known = match self.log.find(stream, S::NAME, &identity) {
            // It was read once, and what it told is not known any more.
            Err(Error::Trimmed { .. }) => {
                return Ok(Prepared::Known(nothing(), before));
            }
            known => known?,
        };
        if let Some(known) = known {
            let Record { appended, unknown, .. } = read(&known)?;
            let refused = self.refused_of(stream, &identity)?;
            let duplicate = appended.saturating_sub(refused);
            return Ok(Prepared::Known(
                Answer { duplicate, unknown, refused, ..nothing() },
                before,
            ));
        }
        let read = self.read(match_id, map, before.clone(), &post.as_post())?;
        let changed = read.carry != before;
        Ok(Prepared::Read { identity, read, changed })
    }

    /// Appends what a post told, and after it what the reader carries on.
    async fn append(
        &self,
        match_id: &str,
        stream: &Subject,
        identity: &str,
        read: matchwire_sources::Answer<S::Carry>,
        changed: bool,
        received: Instant,
    ) -> Result<(Answer, S::Carry), Problem> {
        let (duplicate, unknown) = (read.duplicate as u64, read.unknown as u64);
        let mut answer = Answer { duplicate, unknown, ..nothing() };
        let mut facts: BTreeMap<Subject, Vec<Event>> = BTreeMap::new();
        for draft in read.drafts {
            let event = draft.into_event(match_id).map_err(internal)?;
            facts.entry(event.subject.clone()).or_default().push(event);
        }
        let told = facts.values().map(Vec::len).sum::<usize>() as u64;
        if told == 0 && !changed {
            return Ok((answer, read.carry));
        }
        let carry = self.seal(stream, &read.carry)?;
        let record = Record { appended: told, refused: 0, unknown, carry };
        let append = |(subject, events)| Append { subject, events, expected_seq: None, received };
        let mut appends: Vec<Append> = facts.into_iter().map(append).collect();
        appends.push(append((stream.clone(), vec![record.to_event(S::NAME, stream, identity)?])));
        let told: Vec<usize> = appends.iter().map(|append| append.events.len()).collect();
        let lasts: Vec<Event> =
            appends.iter().filter_map(|append| append.events.last().cloned()).collect();
        let outcomes = self.log.append(appends).await?;
        for event in &lasts {
            self.followup.appended(event);
        }
        let (_, of_facts) = outcomes.split_last().unwrap_or((&Ok(Vec::new()), &[]));
        for (outcomes, told) in of_facts.iter().zip(told) {
            // Nothing is required of the head: only a sealed stream refuses.
            let Ok(outcomes) = outcomes else {
                answer.refused += told as u64;
                continue;
            };
            for outcome in outcomes {
                match outcome {
                    Outcome::Appended { .. } => answer.appended += 1,
                    Outcome::Duplicate { .. } | Outcome::Known { .. } => answer.duplicate += 1,
                }
            }
        }
        if answer.refused == 0 {
            return Ok((answer, read.carry));
        }
        // What was refused is not to be called known when the post comes again.
        let record = Record { refused: answer.refused, ..record };
        let note = vec![record.to_event(S::NAME, stream, &refused_id(identity))?];
        for noted in self.log.append(vec![append((stream.clone(), note))]).await? {
            noted.map_err(internal)?;
        }
        Ok((answer, read.carry))
    }

    /// How many facts of a post that was read were refused.
    fn refused_of(&self, stream: &Subject, identity: &str) -> Result<u64, Problem> {
        match self.log.find(stream, S::NAME, &refused_id(identity)) {
            Err(Error::Trimmed { .. }) => Ok(0),
            found => found?.map_or(Ok(0), |found| Ok(read(&found)?.refused)),
        }
    }

    /// Reads a post, with a player id for everyone whom it names, and names sealed; ids and keys are durable then.
    fn read(
        &self,
        match_id: &str,
        map: Option<u16>,
        carry: S::Carry,
        post: &Post<'_>,
    ) -> Result<matchwire_sources::Answer<S::Carry>, Problem> {
        let mut exchange = |person: &str| {
            if person.contains(':') { self.vault.id_for(person) } else { person.to_owned() }
        };
        let mut answer = self.source.read(map, carry, post, &mut exchange);
        for draft in &mut answer.drafts {
            self.seal_names(match_id, draft)?;
        }
        self.vault.sync().map_err(|error| internal(format!("the vault: {error}")))?;
        Ok(answer)
    }

    fn seal_names(&self, match_id: &str, draft: &mut Draft) -> Result<(), Problem> {
        let subject = draft.subject(match_id).map_err(internal)?;
        let event = EventName { subject: subject.as_str(), source: &draft.source, id: &draft.id };
        let seal = |player: &str, name: &_| self.vault.seal(event, player, name);
        if let Some(sealed) = self.games.seal(draft.tag, &draft.data, &seal) {
            draft.data = sealed;
        }
        Ok(())
    }

    /// Seals what is carried.
    fn seal(&self, stream: &Subject, carry: &S::Carry) -> Result<Sealed, Problem> {
        let carry = serde_json::to_vec(carry).map_err(internal)?;
        self.vault.readers().seal(stream.as_str(), &carry).map_err(internal)
    }

    /// What the reader of a stream carries, as its last record has it.
    fn recall(&self, stream: &Subject) -> Result<S::Carry, Problem> {
        let head = self.log.head(stream)?;
        if head == 0 {
            return Ok(S::Carry::default());
        }
        let last = match self.log.read(stream, head - 1, 1) {
            // After so long a feed begins anew; its events are known by their ids.
            Err(Error::Trimmed { .. }) => return Ok(S::Carry::default()),
            last => last?,
        };
        let last = last.first().ok_or_else(|| internal(format!("{stream} has no {head}")))?;
        let sealed = read(&last.recorded)?.carry;
        match self.vault.readers().unseal(stream.as_str(), &sealed).map_err(internal)? {
            Some(carry) => serde_json::from_slice(&carry).map_err(internal),
            None => Ok(S::Carry::default()),
        }
    }

    fn slot(&self, stream: &Subject) -> Slot<S::Carry> {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() >= MAX_READERS && !readers.contains_key(stream) {
            readers.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        readers.entry(stream.clone()).or_default().clone()
    }
}

impl<S: Source> matchwire_gateway::Source for Intake<S> {
    fn headers(&self) -> &'static [&'static str] {
        S::HEADERS
    }

    fn admits(&self, headers: &HeaderMap, body: &Bytes) -> Result<(), Problem> {
        let refused = |error: Refused| Problem::new(Code::Unauthorized, error.to_string());
        let headers = texts(headers);
        self.source.admits(&Post { body, headers: &headers }).map_err(refused)
    }

    fn without_secret(&self, body: &Bytes) -> Bytes {
        self.source.without_secret(body).map_or_else(|| body.clone(), Bytes::from)
    }

    fn post<'a>(
        &'a self,
        post: matchwire_gateway::Post<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send + 'a>> {
        Box::pin(async move {
            let posted = Posted { body: post.body, headers: texts(post.headers) };
            let (match_id, map) = (post.match_id.to_owned(), post.map.to_owned());
            // A task of its own: what is on its way into the log must be remembered, also when
            // the server that posted it hangs up.
            let taken = tokio::spawn(self.clone().take(match_id, map, posted, post.received));
            taken.await.map_err(internal)?
        })
    }
}

/// Headers that are text.
fn texts(headers: &HeaderMap) -> Headers {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

/// What a post comes to that tells nothing.
fn nothing() -> Answer {
    let admitted = Instant::now();
    Answer { appended: 0, duplicate: 0, unknown: 0, refused: 0, is_foreign: false, admitted }
}

/// The id of the note that facts of a post were refused.
fn refused_id(identity: &str) -> String {
    format!("{identity}.refused")
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Posted {
    fn as_post(&self) -> Post<'_> {
        Post { body: &self.body, headers: &self.headers }
    }
}

impl Record {
    fn to_event(&self, source: &str, stream: &Subject, identity: &str) -> Result<Event, Problem> {
        let attributes = Attributes::of(identity, source, stream.as_str(), KIND);
        let data = serde_json::to_string(self).map_err(internal)?;
        Event::new(&attributes, &data).map_err(internal)
    }
}

fn read(recorded: &Recorded) -> Result<Record, Problem> {
    let unreadable = |error: serde_json::Error| {
        internal(format!("event {} of a reader's stream: {error}", recorded.seq))
    };
    let attributes = Attributes::read(&recorded.stored).map_err(unreadable)?;
    serde_json::from_str(attributes.data.map_or("{}", |data| data.get())).map_err(unreadable)
}

fn internal(error: impl std::fmt::Display) -> Problem {
    Problem::new(Code::Internal, error.to_string())
}
