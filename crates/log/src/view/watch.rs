//! The heads of a delayed view, told when events become due.
//!
//! For each stream that is watched there is a task. It sleeps until the stream's next event is due, or
//! while all are, until there is another one.

use std::{sync::Arc, time::Duration};

use matchwire_domain::{subject::Subject, timestamp::Timestamp};
use tokio::{sync::watch, task, time};

use super::curtain::Curtain;
use crate::{Error, Log};

/// How long a stream that could not be read is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The head of a stream as it is seen through a curtain.
pub(super) fn start(log: &Log, curtain: &Arc<Curtain>, subject: &Subject) -> watch::Receiver<u64> {
    let mut watched = curtain.watched.lock();
    if let Some(head) = watched.get(subject) {
        return head.subscribe();
    }
    // The task finds out at once; whoever watches reads first.
    let (head, seen) = watch::channel(0);
    watched.insert(subject.clone(), head.clone());
    drop(watched);
    tokio::spawn(run(log.clone(), curtain.clone(), subject.clone(), head));
    seen
}

async fn run(log: Log, curtain: Arc<Curtain>, subject: Subject, head: watch::Sender<u64>) {
    let mut real = log.watch(&subject);
    loop {
        real.mark_unchanged();
        let look = {
            let (log, curtain, subject) = (log.clone(), curtain.clone(), subject.clone());
            task::spawn_blocking(move || look(&log, &curtain, &subject)).await
        };
        let (seen, next) = match look.unwrap_or(Err(Error::Stopped)) {
            Ok(found) => found,
            // Whoever watches reads as well, and says so.
            Err(_) => (0, Next::Retry),
        };
        head.send_if_modified(|known| {
            let is_new = *known < seen;
            *known = seen.max(*known);
            is_new
        });
        tokio::select! {
            biased;
            () = head.closed() => if is_over(&curtain, &subject, &head) { return },
            is_there = next.wait(&log, &mut real) => if !is_there { return },
        }
    }
}

/// What the task waits for.
enum Next {
    /// The next event is due then.
    Due(Timestamp),
    /// All events are due.
    Event,
    /// The stream cannot be read.
    Retry,
}

impl Next {
    /// Waits; `false` is the log's end.
    async fn wait(self, log: &Log, real: &mut watch::Receiver<u64>) -> bool {
        match self {
            Self::Due(due) => log.clock().until(due).await,
            Self::Event => return real.changed().await.is_ok(),
            Self::Retry => time::sleep(RETRY_AFTER).await,
        }
        true
    }
}

/// The last event that is due, and what comes next.
fn look(log: &Log, curtain: &Curtain, subject: &Subject) -> Result<(u64, Next), Error> {
    let seen = curtain.head(log, subject)?;
    let next = curtain.next_due(log, subject, seen)?;
    Ok((seen, next.map_or(Next::Event, Next::Due)))
}

/// Whether nobody watches any more: under the lock, since another one may just be coming.
fn is_over(curtain: &Curtain, subject: &Subject, head: &watch::Sender<u64>) -> bool {
    let mut watched = curtain.watched.lock();
    let is_over = head.receiver_count() == 0;
    if is_over {
        watched.remove(subject);
    }
    is_over
}
