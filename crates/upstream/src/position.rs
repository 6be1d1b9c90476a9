//! Where an upstream is read from next: the last event of a stream of its own in the log.

use std::time::Instant;

use matchwire_domain::{
    envelope::{Attributes, Event},
    subject::Subject,
};
use matchwire_log::{Append, Error, Log};
use serde::{Deserialize, Serialize};
use tokio::task;

/// The type of the events that hold positions.
const KIND: &str = "upstream.position";
/// Their source.
const SOURCE: &str = "matchwire";

/// A place among what an upstream tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// In the upstream's own words, what was told last; nothing before it told any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
    /// The tag of what was answered for this cursor, so that the same is not answered again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
}

/// The positions of an upstream, of which the last one counts.
pub(crate) struct Positions {
    log: Log,
    stream: Subject,
    seq: u64,
    /// The one that is in the log.
    saved: Position,
}

impl Positions {
    /// Reads the last one. What cannot be read is begun anew: events that were told are known by
    /// their ids.
    pub(crate) async fn open(log: Log, name: &str) -> Result<Self, Error> {
        let stream = Subject::parse(&format!("upstream/{name}"))
            .map_err(|error| Error::Unusable { place: name.into(), what: error.to_string() })?;
        let (reader, of) = (log.clone(), stream.clone());
        let read = move || {
            let seq = reader.head(&of)?;
            let last = match reader.read(&of, seq.saturating_sub(1), 1) {
                Err(Error::Trimmed { .. }) => Vec::new(),
                last => last?,
            };
            let data = last.first().and_then(|entry| {
                let attributes = Attributes::read(&entry.recorded.stored).ok()?;
                serde_json::from_str(attributes.data?.get()).ok()
            });
            Ok::<_, Error>((seq, data.unwrap_or_default()))
        };
        let (seq, saved) = task::spawn_blocking(read).await.map_err(|_| Error::Stopped)??;
        Ok(Self { log, stream, seq, saved })
    }

    /// The one that is in the log.
    pub(crate) fn saved(&self) -> &Position {
        &self.saved
    }

    /// Writes another one, if it is another one.
    pub(crate) async fn save(&mut self, position: &Position) -> Result<(), Error> {
        if *position == self.saved {
            return Ok(());
        }
        let unusable = |what: String| Error::Unusable { place: self.stream.to_string(), what };
        let id = (self.seq + 1).to_string();
        let attributes = Attributes::of(&*id, SOURCE, self.stream.as_str(), KIND);
        let data = serde_json::to_string(position).map_err(|error| unusable(error.to_string()))?;
        let event = Event::new(&attributes, &data).map_err(|error| unusable(error.to_string()))?;
        let append = Append {
            subject: self.stream.clone(),
            events: vec![event],
            expected_seq: Some(self.seq),
            received: Instant::now(),
        };
        let outcomes = self.log.append(vec![append]).await?;
        if let Some(Err(refused)) = outcomes.first() {
            // Somebody else writes here, or it is sealed.
            return Err(unusable(refused.to_string()));
        }
        self.seq += 1;
        self.saved = position.clone();
        Ok(())
    }
}
