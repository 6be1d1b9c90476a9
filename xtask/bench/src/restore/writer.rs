//! Those who write while the server is lost, and know what was acknowledged to them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use matchwire_domain::subject::Subject;
use tokio::task::JoinSet;

use crate::{
    batch::{self, Ids},
    connection::Connection,
};

const CONNECTIONS: u64 = 2;
const BATCH_EVENTS: usize = 100;

/// Events that were acknowledged at once.
pub(super) struct Batch {
    pub(super) events: u64,
    pub(super) at: Instant,
}

/// Connections that each write to a stream of their own, the next batch once the last is answered.
pub(super) struct Writers {
    senders: JoinSet<anyhow::Result<(Subject, Vec<Batch>)>>,
    stop: Arc<AtomicBool>,
}

impl Writers {
    pub(super) async fn start(address: SocketAddr, lane: usize) -> anyhow::Result<Self> {
        let (mut senders, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for number in 0..CONNECTIONS {
            let connection = Connection::open(address).await?;
            let ids = Ids::lane((1 << 21) + u64::try_from(lane)? * CONNECTIONS + number);
            senders.spawn(write(connection, number, ids, stop.clone()));
        }
        Ok(Self { senders, stop })
    }

    /// What was acknowledged, by stream.
    pub(super) async fn stop(mut self) -> anyhow::Result<Vec<(Subject, Vec<Batch>)>> {
        self.stop.store(true, Ordering::SeqCst);
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
    stop: Arc<AtomicBool>,
) -> anyhow::Result<(Subject, Vec<Batch>)> {
    let name = format!("w{number:03}");
    let mut batch = batch::Batch::new("player.hurt", &name, BATCH_EVENTS);
    let mut batches = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let posted = connection.post(batch.body(|_| ids.next()), BATCH_EVENTS).await;
        if posted.is_err() {
            break;
        }
        batches.push(Batch { events: BATCH_EVENTS as u64, at: Instant::now() });
    }
    Ok((Subject::parse(&format!("match/{name}/1"))?, batches))
}
