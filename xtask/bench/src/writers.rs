//! Those who write while a server is lost, and know what was acknowledged to them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use matchwire_domain::subject::Subject;
use tokio::task::JoinSet;

use crate::{
    batch::{self, Ids},
    connection::Connection,
};

const CONNECTIONS: u64 = 2;
const BATCH_EVENTS: usize = 100;
/// How long they may take for what somebody waits for.
const PATIENCE: Duration = Duration::from_mins(2);

/// Events that were acknowledged at once.
pub(crate) struct Batch {
    pub(crate) events: u64,
    pub(crate) at: Instant,
}

/// Connections that each write to a stream of their own, the next batch once the last is answered.
pub(crate) struct Writers {
    senders: JoinSet<anyhow::Result<(Subject, Vec<Batch>)>>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stop: AtomicBool,
    acknowledged: AtomicU64,
}

impl Writers {
    pub(crate) async fn start(address: SocketAddr, lane: usize) -> anyhow::Result<Self> {
        let (mut senders, state) = (JoinSet::new(), Arc::new(State::default()));
        for number in 0..CONNECTIONS {
            let connection = Connection::open(address).await?;
            let ids = Ids::lane((1 << 21) + u64::try_from(lane)? * CONNECTIONS + number);
            senders.spawn(write(connection, number, ids, state.clone()));
        }
        Ok(Self { senders, state })
    }

    /// Waits until so many events were acknowledged.
    pub(crate) async fn until(&self, events: u64) -> anyhow::Result<()> {
        let started = Instant::now();
        while self.state.acknowledged.load(Ordering::Relaxed) < events {
            ensure!(started.elapsed() < PATIENCE, "{events} events take too long");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// What was acknowledged, by stream.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Vec<(Subject, Vec<Batch>)>> {
        self.state.stop.store(true, Ordering::SeqCst);
        let mut all = Vec::new();
        while let Some(one) = self.senders.join_next().await {
            all.push(one??);
        }
        Ok(all)
    }
}

/// Writes until told to stop, or the server has gone.
async fn write(
    mut connection: Connection,
    number: u64,
    mut ids: Ids,
    state: Arc<State>,
) -> anyhow::Result<(Subject, Vec<Batch>)> {
    let name = format!("w{number:03}");
    let mut batch = batch::Batch::new("player.hurt", &name, BATCH_EVENTS);
    let mut batches = Vec::new();
    while !state.stop.load(Ordering::SeqCst) {
        let posted = connection.post(batch.body(|_| ids.next()), BATCH_EVENTS).await;
        if posted.is_err() {
            break;
        }
        state.acknowledged.fetch_add(BATCH_EVENTS as u64, Ordering::Relaxed);
        batches.push(Batch { events: BATCH_EVENTS as u64, at: Instant::now() });
    }
    Ok((Subject::parse(&format!("match/{name}/1"))?, batches))
}
