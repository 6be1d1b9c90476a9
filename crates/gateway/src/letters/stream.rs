//! The stream of the letters: its fold, and what is appended to it.
//!
//! What is decided is appended with the `seq` that it was decided at; what is shown is only what has
//! been read back from the log.

use std::{io, sync::Arc, time::Instant};

use matchwire_domain::{
    dead_letter::{Bounds, Event, Kept, Open, Refused, SOURCE, STREAM, Sealed, State},
    envelope::{self, Attributes},
    subject::Subject,
};
use matchwire_log::{Append, Entry, Error, Log};
use parking_lot::RwLock;

use super::{Letter, LetterStats, Seal, seal};
use crate::problem::{Code, Problem};

/// How many events are read at a time.
const PAGE: usize = 1_000;

/// Why letters cannot be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Log(#[from] Error),
    #[error("the key of the dead letters cannot be used: {0}")]
    Seal(#[from] io::Error),
    #[error("{0}")]
    Other(String),
}

impl Fault {
    pub(super) fn is_retryable(&self) -> bool {
        matches!(self, Self::Log(error) if error.is_retryable())
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Log(error) => error.into(),
            Fault::Seal(_) | Fault::Other(_) => {
                tracing::error!(error = %fault, "dead letters failed");
                Self::new(Code::Internal, fault.to_string())
            }
        }
    }
}

/// A letter with its sealed parts open.
pub(super) struct Opened {
    pub(super) letter: Open,
    pub(super) detail: String,
    /// The headers of a post of a source.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

pub(super) struct Stream {
    log: Log,
    seal: Arc<dyn Seal>,
    bounds: Bounds,
    subject: Subject,
    state: RwLock<State>,
    /// Held by whoever decides and appends.
    writing: tokio::sync::Mutex<()>,
}

impl Stream {
    pub(super) fn open(log: Log, seal: Arc<dyn Seal>, bounds: Bounds) -> Result<Self, Error> {
        // The name is one of a stream.
        let subject = Subject::parse(STREAM).map_err(|e| Error::Io(io::Error::other(e)))?;
        let state = RwLock::new(begin(&log, &subject)?);
        let stream =
            Self { log, seal, bounds, subject, state, writing: tokio::sync::Mutex::default() };
        match stream.catch_up() {
            Err(error) if error.is_partial() => tell(&error),
            caught_up => caught_up?,
        }
        Ok(stream)
    }

    pub(super) fn stats(&self) -> LetterStats {
        let state = self.state.read();
        LetterStats {
            open: state.open().len() as u64,
            open_bytes: state.bytes(),
            is_full: state.is_full(&self.bounds),
        }
    }

    /// What is open, to look at for a moment.
    pub(super) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read())
    }

    /// Keeps letters, and says of each whether it was.
    pub(super) async fn keep(
        self: &Arc<Self>,
        letters: Vec<Letter>,
    ) -> Result<Vec<Result<(), Refused>>, Fault> {
        let _writing = self.writing.lock().await;
        let stream = self.clone();
        let decided = blocking(move || {
            stream.catch_up()?;
            let sealed: Result<Vec<Kept>, _> =
                letters.into_iter().map(|letter| stream.sealed(letter)).collect();
            let sealed = sealed?;
            Ok(stream.read(|state| state.keep(sealed, &stream.bounds)))
        });
        let decided = decided.await?;
        let events: Vec<&Event> = decided.iter().flatten().collect();
        self.append(&events).await?;
        Ok(decided.into_iter().map(|event| event.map(|_| ())).collect())
    }

    /// A letter was refused again.
    pub(super) async fn fail(
        self: &Arc<Self>,
        seq: u64,
        reason: &str,
        detail: &str,
    ) -> Result<(), Problem> {
        let _writing = self.writing.lock().await;
        let (stream, detail) = (self.clone(), detail.to_owned());
        let sealed = blocking(move || {
            stream.catch_up()?;
            let name = stream.read(|state| state.open().get(&seq).map(|open| open.name.clone()));
            let plain = seal::plain(&detail, &[]);
            name.map(|name| Ok(stream.seal.seal(&name, &plain)?)).transpose()
        });
        let sealed = sealed.await?.ok_or(Refused::NotOpen(seq))?;
        let event = self.read(|state| state.fail(seq, reason.to_owned(), sealed))?;
        Ok(self.append(&[&event]).await?)
    }

    /// A letter is closed: it was taken, or is wanted no more.
    pub(super) async fn close(self: &Arc<Self>, seq: u64, is_taken: bool) -> Result<(), Problem> {
        let _writing = self.writing.lock().await;
        let stream = self.clone();
        blocking(move || Ok(stream.catch_up()?)).await?;
        let close = |state: &State| if is_taken { state.redrive(seq) } else { state.drop(seq) };
        let event = self.read(close)?;
        Ok(self.append(&[&event]).await?)
    }

    /// Opens a letter. May block.
    pub(super) fn opened(&self, seq: u64) -> Result<Opened, Problem> {
        let letter = self.read(|state| state.open().get(&seq).cloned());
        let letter = letter.ok_or(Refused::NotOpen(seq))?;
        let Event::Kept(Kept { sealed, .. }) = self.event(seq)? else {
            return Err(Fault::Other(format!("event {seq} of {STREAM} is no letter")).into());
        };
        let (mut detail, body) = seal::parts(self.unseal(seq, &letter.name, &sealed)?);
        if let Some(failed) = letter.failed
            && let Event::Failed(failed) = self.event(failed)?
        {
            detail = seal::parts(self.unseal(seq, &letter.name, &failed.sealed)?).0;
        }
        let (headers, body) = match &letter.place {
            Some(_) => {
                let (headers, body) = seal::parts(body);
                (serde_json::from_str(&headers).unwrap_or_default(), body)
            }
            None => (Vec::new(), body),
        };
        Ok(Opened { letter, detail, headers, body })
    }

    fn unseal(&self, seq: u64, name: &str, sealed: &Sealed) -> Result<Vec<u8>, Problem> {
        self.seal.open(name, sealed).map_err(Fault::Seal)?.ok_or_else(|| {
            let detail = format!(
                "the key of dead letter {seq} was destroyed, so its body cannot be read any more; \
                 it can only be dropped"
            );
            Problem::new(Code::KeyDestroyed, detail)
        })
    }

    fn sealed(&self, letter: Letter) -> io::Result<Kept> {
        let Letter { via, reason, detail, origin, post, attempts, body_bytes, body } = letter;
        let (place, headers) = post.map(|post| (post.place, post.headers)).unzip();
        let headers = headers.as_ref().map(serde_json::to_vec).transpose()?;
        let parts = [place.as_ref().map(String::as_bytes), headers.as_deref(), Some(&body)];
        let mut content = vec![via.as_bytes(), b"\n", origin.source.as_bytes()];
        content.extend(parts.into_iter().flatten().flat_map(|part| [b"\n", part]));
        let name = self.seal.name(&content)?;
        let plain = match &headers {
            Some(headers) => seal::plain(&detail, &[headers, b"\n".as_slice(), &body].concat()),
            None => seal::plain(&detail, &body),
        };
        let sealed = self.seal.seal(&name, &plain)?;
        let kept_bytes = body.len() as u64;
        Ok(Kept {
            name,
            reason: reason.into(),
            via: via.into(),
            origin,
            place,
            attempts,
            body_bytes: (body_bytes as u64).max(kept_bytes),
            kept_bytes,
            sealed,
            oldest: 0,
        })
    }

    /// Appends what was decided just now, and takes it in once it is durable.
    async fn append(self: &Arc<Self>, events: &[&Event]) -> Result<(), Fault> {
        if events.is_empty() {
            return Ok(());
        }
        let head = self.read(State::seq);
        let written: Result<Vec<envelope::Event>, Fault> =
            (head + 1..).zip(events).map(|(seq, event)| written(seq, event)).collect();
        let append = Append {
            subject: self.subject.clone(),
            events: written?,
            expected_seq: Some(head),
            received: Instant::now(),
        };
        for result in self.log.append(vec![append]).await? {
            result.map_err(|refused| Fault::Other(refused.to_string()))?;
        }
        let stream = self.clone();
        blocking(move || Ok(stream.catch_up()?)).await
    }

    /// Takes in what is in the log and not yet in the state. May block.
    fn catch_up(&self) -> Result<(), Error> {
        loop {
            let after = self.read(State::seq);
            let page = match self.log.read(&self.subject, after, PAGE) {
                // Letters that retention has removed are open no more.
                Err(Error::Trimmed { floor, .. }) if floor.seq > after => {
                    *self.state.write() = State::beginning_after(floor.seq);
                    continue;
                }
                page => page?,
            };
            if page.is_empty() {
                return Ok(());
            }
            let mut state = self.state.write();
            for entry in &page {
                match parse(entry) {
                    Ok(event) => state.apply(entry.recorded.seq, entry.recorded.recorded, event),
                    Err(error) => {
                        let seq = entry.recorded.seq;
                        tracing::error!(seq, %error, "an event of {STREAM} cannot be read");
                        state.pass(seq);
                    }
                }
            }
        }
    }

    fn event(&self, seq: u64) -> Result<Event, Problem> {
        let page = self.log.read(&self.subject, seq.saturating_sub(1), 1)?;
        let entry = page.first().filter(|entry| entry.recorded.seq == seq);
        let entry = entry.ok_or(Refused::NotOpen(seq))?;
        parse(entry).map_err(|e| Fault::Other(format!("event {seq} of {STREAM}: {e}")).into())
    }
}

/// The state to begin with: the last event says from where on letters are open.
fn begin(log: &Log, subject: &Subject) -> Result<State, Error> {
    let last = log.head(subject).and_then(|head| match head {
        0 => Ok(None),
        head => Ok(log.read(subject, head - 1, 1)?.pop()),
    });
    match last {
        Ok(last) => {
            let oldest = last.and_then(|last| parse(&last).ok()).map_or(1, |last| last.oldest());
            Ok(State::beginning_after(oldest.saturating_sub(1)))
        }
        Err(Error::Trimmed { floor, .. }) => Ok(State::beginning_after(floor.seq)),
        Err(error) if error.is_partial() => {
            tell(&error);
            Ok(State::default())
        }
        Err(error) => Err(error),
    }
}

fn tell(error: &Error) {
    tracing::error!(%error, "the stream of dead letters cannot be read as a whole");
}

fn parse(entry: &Entry) -> Result<Event, serde_json::Error> {
    let attributes = Attributes::read(&entry.recorded.stored)?;
    Event::parse(&attributes.kind, attributes.data.map_or("{}", |data| data.get()))
}

/// An event as it is stored. Its id tells it from every other one of the stream.
fn written(seq: u64, event: &Event) -> Result<envelope::Event, Fault> {
    let other = |error: &dyn std::error::Error| Fault::Other(error.to_string());
    let data = event.data().map_err(|error| other(&error))?;
    let attributes = Attributes::of(seq.to_string(), SOURCE, STREAM, event.tag());
    envelope::Event::new(&attributes, &data).map_err(|error| other(&error))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Fault::Other(error.to_string())))
}
