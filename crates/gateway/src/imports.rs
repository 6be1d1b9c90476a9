//! Imports: histories that are brought in as a whole, in batches, and can be taken back as a whole.
//!
//! What an import is, and what may come next, is the domain's [`import::State`]. Here is its stream in the log: a
//! batch is announced in it before its events are appended, and both under one lock, so that nothing of an import
//! is anywhere that its stream does not name. While an import is known here, nobody else may tell under its source.

mod api;
mod batch;
mod revoke;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use matchwire_domain::{
    envelope::{self, Attributes},
    import::{self, Event, Refused, State},
    subject::Subject,
};
use matchwire_log::{Append, Entry, Error, Log};
use parking_lot::{Mutex, RwLock};

pub(crate) use self::{
    api::{finish, list, show, start},
    batch::{counts, post as post_batch},
    revoke::post as revoke,
};
use crate::problem::{Code, Problem};

/// How many imports there may be.
const MAX_IMPORTS: usize = 10_000;
/// How many events are read at a time.
const PAGE: usize = 100;
/// Whose the events of an import's own stream are.
const SOURCE: &str = "matchwire";

/// The imports of a log.
pub(crate) struct Imports {
    log: Log,
    /// Their names, to be looked at without reading.
    names: RwLock<BTreeSet<String>>,
    /// How those stand that were asked about, as far as they were read.
    read: Mutex<BTreeMap<String, State>>,
    /// Held by whoever decides and appends: one import goes on at a time.
    writing: tokio::sync::Mutex<()>,
}

impl Imports {
    /// The imports of a log. May block.
    pub(crate) fn of(log: &Log) -> Self {
        let names = log.subjects("import/", None, MAX_IMPORTS).unwrap_or_else(|error| {
            tracing::error!(%error, "imports cannot be listed: their sources are not kept from others");
            Vec::new()
        });
        let name = |subject: &Subject| import::of_source(subject.as_str()).map(str::to_owned);
        Self {
            log: log.clone(),
            names: RwLock::new(names.iter().filter_map(name).collect()),
            read: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// The import that alone may tell under this source, if there is one.
    pub(crate) fn owner<'a>(&self, source: &'a str) -> Option<&'a str> {
        import::of_source(source).filter(|name| self.names.read().contains(*name))
    }

    /// The names after one, in order, at most `limit`.
    fn names(&self, after: &str, limit: usize) -> Vec<String> {
        use std::ops::Bound::{Excluded, Unbounded};
        let names = self.names.read();
        names.range::<str, _>((Excluded(after), Unbounded)).take(limit).cloned().collect()
    }

    /// How an import stands by what is in the log. May block.
    fn state(&self, name: &str) -> Result<State, Problem> {
        let subject = import::subject(name)?;
        let mut state = self.read.lock().get(name).cloned().unwrap_or_default();
        loop {
            let page = match self.log.read(&subject, state.seq(), PAGE) {
                Err(Error::Trimmed { floor, .. }) if floor.seq > state.seq() => {
                    state.pass(floor.seq);
                    continue;
                }
                page => page?,
            };
            if page.is_empty() {
                break;
            }
            for entry in &page {
                let (seq, recorded) = (entry.recorded.seq, entry.recorded.recorded);
                match parse(entry) {
                    Ok(event) => state.apply(seq, recorded, event),
                    Err(error) => {
                        tracing::error!(seq, %subject, %error, "an event of an import cannot be read");
                        state.pass(seq);
                    }
                }
            }
        }
        if state.seq() > 0 {
            self.read.lock().insert(name.to_owned(), state.clone());
        }
        Ok(state)
    }

    /// Appends what was decided about an import as of a state of it.
    async fn tell(&self, name: &str, state: &State, event: &Event) -> Result<(), Problem> {
        let subject = import::subject(name)?;
        let written = written(&subject, state.seq() + 1, event)?;
        let append = Append {
            subject,
            events: vec![written],
            expected_seq: Some(state.seq()),
            received: Instant::now(),
        };
        for result in self.log.append(vec![append]).await? {
            result.map_err(|refused| {
                let detail = format!("something else of the import is on its way: {refused}");
                Problem::new(Code::Busy, detail)
            })?;
        }
        Ok(())
    }

    /// Notes that an import is there.
    fn note(&self, name: &str) -> Result<(), Problem> {
        let mut names = self.names.write();
        if names.len() >= MAX_IMPORTS && !names.contains(name) {
            let detail = format!("there are {MAX_IMPORTS} imports already, as many as may be");
            return Err(Problem::new(Code::Conflict, detail));
        }
        names.insert(name.to_owned());
        Ok(())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::Unknown => Code::NotFound,
            _ => Code::Conflict,
        };
        Self::new(code, refused.to_string())
    }
}

fn parse(entry: &Entry) -> Result<Event, serde_json::Error> {
    let attributes = Attributes::read(&entry.recorded.stored)?;
    Event::parse(&attributes.kind, attributes.data.map_or("{}", |data| data.get()))
}

/// An event as it is stored. Its id tells it from every other one of the stream.
fn written(subject: &Subject, seq: u64, event: &Event) -> Result<envelope::Event, Problem> {
    let failed = |error: &dyn std::error::Error| Problem::new(Code::Internal, error.to_string());
    let data = event.data().map_err(|error| failed(&error))?;
    let attributes = Attributes::of(seq.to_string(), SOURCE, subject.as_str(), event.tag());
    envelope::Event::new(&attributes, &data).map_err(|error| failed(&error))
}

/// Does what may block where it holds nobody up.
async fn blocking<T: Send + 'static>(
    imports: &Arc<Imports>,
    work: impl FnOnce(&Imports) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let imports = imports.clone();
    let done = tokio::task::spawn_blocking(move || work(&imports)).await;
    done.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())))
}
