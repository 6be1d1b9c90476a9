//! Reads everything back: what was acknowledged is in the log, once, at the `seq` that was told.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::{
    MATCHES,
    offer::{Kind, Sent, name},
};
use crate::connection::Connection;

/// What was found.
pub(super) struct Found {
    pub(super) acknowledged: u64,
    pub(super) events: u64,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    events: Vec<Read<'a>>,
}

#[derive(Deserialize)]
struct Read<'a> {
    id: &'a str,
    source: &'a str,
    seq: u64,
}

/// Checks all streams; an error is a loss, a repetition, or an event in another place.
pub(super) async fn all(address: SocketAddr, sent: &Arc<[Sent]>) -> anyhow::Result<Found> {
    let mut connection = Connection::open(address).await?;
    let mut found = Found { acknowledged: 0, events: 0 };
    for index in 0..MATCHES {
        let seqs = stream(&mut connection, index).await?;
        found.events += seqs.len() as u64;
        for sent in sent.iter().filter(|sent| sent.index == index) {
            for (id, seq) in &sent.acknowledged {
                let place = seqs.get(&(sent.kind == Kind::Game, *id));
                ensure!(
                    place == Some(seq),
                    "event {id:016x} of {} was acknowledged as {seq} of {}, and is at {place:?}",
                    sent.kind.source(),
                    name(index)
                );
                found.acknowledged += 1;
            }
        }
    }
    Ok(found)
}

/// The events of a match by source and id, with their seqs.
async fn stream(
    connection: &mut Connection,
    index: usize,
) -> anyhow::Result<HashMap<(bool, u64), u64>> {
    let (mut seqs, mut last) = (HashMap::new(), 0);
    loop {
        let subject = format!("match/{}/1", name(index));
        let path = format!("/api/v1/events?subject={subject}&after={last}&limit=1000");
        let (status, page) = connection.get(&path).await?;
        ensure!(status == 200, "{path} is answered with {status}");
        let Page { events } = serde_json::from_slice(&page).context("a page of events")?;
        if events.is_empty() {
            return Ok(seqs);
        }
        for event in events {
            ensure!(event.seq == last + 1, "seq {} of {subject} follows {last}", event.seq);
            last = event.seq;
            let id = u64::from_str_radix(event.id, 16)?;
            let before = seqs.insert((event.source == Kind::Game.source(), id), event.seq);
            ensure!(before.is_none(), "{} of {} is in {subject} twice", event.id, event.source);
        }
    }
}
