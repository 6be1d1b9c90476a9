//! Fills a log quickly: through the log itself, without a server.

use std::{
    ops::Range,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::Bytes;
use matchwire_domain::{
    envelope::{Attributes, Event},
    live_match::Games,
    vocabulary,
};
use matchwire_embedded::{Options, Segments};
use matchwire_log::{Append, Log, SystemClock};
use tokio::task::JoinSet;

use crate::{
    batch::{Batch, Ids},
    statistics::{float, grouped},
};

/// Events that are on their way at once.
const MAX_EVENTS: usize = 4_000;
/// How often it is told how far it is.
const TELL: Duration = Duration::from_secs(10);

/// How events are spread over streams.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fill {
    /// Streams that the batches go to in turn.
    pub(crate) streams: u64,
    /// Events of a batch.
    pub(crate) batch_events: usize,
}

impl Fill {
    /// The name of a stream, as that of a match.
    pub(crate) fn name(&self, number: u64) -> String {
        format!("b{:03}", number % self.streams)
    }

    /// Adds the events with these numbers to a log, which is made if it is not there, and returns
    /// once all of it is sealed and merged. A lane has ids of its own.
    pub(crate) async fn add(
        &self,
        folder: &Path,
        events: Range<u64>,
        lane: usize,
    ) -> anyhow::Result<()> {
        let medium = Segments::open(folder, Options::default())?;
        let monitor = medium.monitor();
        let log = Log::open(Box::new(medium), Arc::new(SystemClock))?;
        let mut ids = Ids::lane(1 << 20 | u64::try_from(lane)?);
        let (mut appends, mut told) = (JoinSet::new(), Instant::now());
        let batch_events = self.batch_events as u64;
        for number in events.start / batch_events..events.end.div_ceil(batch_events) {
            if appends.len() * self.batch_events >= MAX_EVENTS {
                appends.join_next().await.context("one is on its way")???;
            }
            if told.elapsed() > TELL {
                told = Instant::now();
                let (done, all) = (float(number * batch_events), float(events.end));
                println!("          {} of {} events are written", grouped(done), grouped(all));
            }
            let mut batch = Batch::new("player.hurt", &self.name(number), self.batch_events);
            appends.spawn(append(log.clone(), batch.body(|_| ids.next())));
        }
        while let Some(done) = appends.join_next().await {
            done??;
        }
        while monitor.storage().is_busy {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

async fn append(log: Log, body: Bytes) -> anyhow::Result<()> {
    let events = events_of(&body)?;
    let subject = events.first().context("a batch has events")?.subject.clone();
    let append = Append { subject, events, expected_seq: None, received: Instant::now() };
    for result in log.append(vec![append]).await? {
        result?;
    }
    Ok(())
}

fn events_of(body: &[u8]) -> anyhow::Result<Vec<Event>> {
    let admit = |line| -> anyhow::Result<Event> {
        Ok(vocabulary::admit(
            &Games::default(),
            &Attributes::parse(line)?,
            &mut str::to_owned,
            &|_, name| name.clone(),
        )?)
    };
    std::str::from_utf8(body)?.lines().map(admit).collect()
}
