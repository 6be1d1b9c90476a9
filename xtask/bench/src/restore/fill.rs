//! Fills a log quickly: through the log itself, without a server.

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::Context;
use matchwire_domain::{
    envelope::{Attributes, Event},
    vocabulary,
};
use matchwire_embedded::{Options, Segments};
use matchwire_log::{Append, Log, SystemClock};
use tokio::task::JoinSet;

use crate::batch::{Batch, Ids};

/// Streams that the events go to in turn.
const STREAMS: u64 = 1_000;
const BATCH_EVENTS: usize = 1_000;
/// Batches that are on their way at once.
const MAX_AT_ONCE: usize = 4;

/// Makes a log with so many events.
pub(super) async fn fill(folder: &Path, events: u64, lane: usize) -> anyhow::Result<()> {
    let medium = Segments::open(folder, Options::default())?;
    let log = Log::open(Box::new(medium), Arc::new(SystemClock))?;
    let mut ids = Ids::lane(1 << 20 | u64::try_from(lane)?);
    let mut appends = JoinSet::new();
    for number in 0..events.div_ceil(BATCH_EVENTS as u64) {
        if appends.len() >= MAX_AT_ONCE {
            appends.join_next().await.context("one is on its way")???;
        }
        let log = log.clone();
        let name = format!("b{:03}", number % STREAMS);
        let body = Batch::new("player.hurt", &name, BATCH_EVENTS).body(|_| ids.next());
        appends.spawn(async move {
            let events = events_of(&body)?;
            let subject = events.first().context("a batch has events")?.subject.clone();
            let append = Append { subject, events, expected_seq: None, received: Instant::now() };
            for result in log.append(vec![append]).await? {
                result?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = appends.join_next().await {
        done??;
    }
    Ok(())
}

fn events_of(body: &[u8]) -> anyhow::Result<Vec<Event>> {
    let admit = |line| -> anyhow::Result<Event> {
        Ok(vocabulary::admit(&Attributes::parse(line)?, &mut str::to_owned)?)
    };
    std::str::from_utf8(body)?.lines().map(admit).collect()
}
