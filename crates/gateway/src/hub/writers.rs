//! Writes a packet to the parts of a crowd, in their order, on all cores.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{Notify, mpsc};

use super::part::{Packet, Part};

/// A packet on its way to the parts. Whoever is free takes the next one.
struct Job {
    packet: Packet,
    parts: Arc<[Arc<Part>]>,
    next: AtomicUsize,
    /// How many parts do not have it yet.
    left: AtomicUsize,
    done: Notify,
}

impl Job {
    async fn work(&self) {
        while let Some(part) = self.parts.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            part.send(&self.packet).await;
            if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                self.done.notify_one();
            }
        }
    }
}

/// The tasks that help a crowd of several parts; they end with this. There are as many in all as there
/// are cores, so that a large crowd takes its turns next to a small one.
#[derive(Default)]
pub(super) struct Writers {
    helpers: Vec<mpsc::Sender<Arc<Job>>>,
}

impl Writers {
    /// Sends everybody a packet.
    pub(super) async fn send(&mut self, packet: Packet, parts: &Arc<[Arc<Part>]>) {
        if let [only] = &**parts {
            return only.send(&packet).await;
        }
        if self.helpers.is_empty() {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            self.helpers = (1..cores).map(|_| helper()).collect();
        }
        let (next, left) = (AtomicUsize::new(0), AtomicUsize::new(parts.len()));
        let job = Job { packet, parts: parts.clone(), next, left, done: Notify::new() };
        let job = Arc::new(job);
        for helper in &self.helpers {
            // One that is still busy is not waited for.
            let _ = helper.try_send(job.clone());
        }
        job.work().await;
        while job.left.load(Ordering::Acquire) > 0 {
            job.done.notified().await;
        }
    }
}

fn helper() -> mpsc::Sender<Arc<Job>> {
    let (jobs, mut given) = mpsc::channel::<Arc<Job>>(1);
    tokio::spawn(async move {
        while let Some(job) = given.recv().await {
            job.work().await;
        }
    });
    jobs
}
