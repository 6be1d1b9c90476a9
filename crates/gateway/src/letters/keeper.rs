//! The task that takes letters from the queue and appends them, several at a time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use matchwire_domain::dead_letter::Refused;
use tokio::{
    sync::{mpsc, oneshot},
    time::{self, Duration},
};

use super::{
    queue::{Marked, Queue},
    stream::Stream,
};

/// The most letters that wait.
const MAX_QUEUED: usize = 4_096;
/// The most bytes of bodies that wait.
const MAX_QUEUED_BYTES: usize = 16 << 20;
/// The most letters of one append.
const MAX_BATCH: usize = 128;
/// How often an append is tried while the log takes nothing, and how long it waits in between. Letters
/// that come meanwhile are in the queue.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

enum Item {
    Letter(Box<Marked>),
    Flush(oneshot::Sender<()>),
}

/// The end of the queue that letters are put in. The task ends with the last one.
#[derive(Clone)]
pub(super) struct Handle {
    queue: mpsc::Sender<Item>,
    bytes: Arc<AtomicUsize>,
}

impl Handle {
    /// Puts a letter into the queue, or gives it back if there is no room.
    pub(super) fn put(&self, marked: Marked) -> Option<Marked> {
        let size = marked.letter.body.len();
        let before = self.bytes.fetch_add(size, Ordering::Relaxed);
        if before + size > MAX_QUEUED_BYTES {
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            return Some(marked);
        }
        let item = self.queue.try_send(Item::Letter(Box::new(marked))).err()?.into_inner();
        self.bytes.fetch_sub(size, Ordering::Relaxed);
        match item {
            Item::Letter(marked) => Some(*marked),
            Item::Flush(_) => None,
        }
    }

    /// Waits until everything before is done with.
    pub(super) async fn flush(&self) {
        let (done, is_done) = oneshot::channel();
        if self.queue.send(Item::Flush(done)).await.is_ok() {
            let _ = is_done.await;
        }
    }
}

/// What the task has.
pub(super) struct Keeper {
    stream: Arc<Stream>,
    queue: Arc<Queue>,
    bytes: Arc<AtomicUsize>,
}

impl Keeper {
    pub(super) fn start(stream: Arc<Stream>, queue: Arc<Queue>) -> Handle {
        let (sender, receiver) = mpsc::channel(MAX_QUEUED);
        let bytes = Arc::new(AtomicUsize::new(0));
        let keeper = Self { stream, queue, bytes: bytes.clone() };
        tokio::spawn(keeper.run(receiver));
        Handle { queue: sender, bytes }
    }

    async fn run(self, mut receiver: mpsc::Receiver<Item>) {
        let mut items = Vec::with_capacity(MAX_BATCH);
        while receiver.recv_many(&mut items, MAX_BATCH).await > 0 {
            let mut letters = Vec::with_capacity(items.len());
            for item in items.drain(..) {
                match item {
                    Item::Letter(marked) => letters.push(*marked),
                    Item::Flush(done) => {
                        self.keep(std::mem::take(&mut letters)).await;
                        let _ = done.send(());
                    }
                }
            }
            self.keep(letters).await;
        }
    }

    /// Appends letters, and counts what became of each.
    async fn keep(&self, letters: Vec<Marked>) {
        if letters.is_empty() {
            return;
        }
        let size: usize = letters.iter().map(|marked| marked.letter.body.len()).sum();
        let copies: Vec<_> = letters.iter().map(|marked| marked.letter.clone()).collect();
        let mut tries = 1;
        let kept = loop {
            match self.stream.keep(copies.clone()).await {
                Err(error) if error.is_retryable() && tries < TRIES => {
                    tries += 1;
                    time::sleep(PAUSE).await;
                }
                kept => break kept,
            }
        };
        self.bytes.fetch_sub(size, Ordering::Relaxed);
        match kept {
            Ok(fates) => {
                for (marked, fate) in letters.iter().zip(fates) {
                    match fate {
                        Ok(()) => self.queue.kept(marked),
                        Err(Refused::Full) => self.queue.lost(marked, "as many are open as may be"),
                        Err(Refused::Known | Refused::NotOpen(_)) => self.queue.repeated(),
                    }
                }
            }
            Err(error) => {
                let why = error.to_string();
                for marked in &letters {
                    self.queue.lost(marked, &why);
                }
            }
        }
    }
}
