//! What stands before the keeper's queue: it lets pass what may become a letter, and counts the rest.
//!
//! A broken feed sends the same again and again. That costs a hash here, and no room.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::Letter;
use crate::metrics::Meter;

/// The longest that losses go untold of.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// A letter with the mark by which it is known here.
pub(super) struct Marked {
    pub(super) letter: Letter,
    pub(super) mark: u64,
}

pub(super) struct Queue {
    meter: Arc<Meter>,
    /// Nobody outside can find two contents with the same hash.
    hash: RandomState,
    /// Marks of letters that are queued or open. Some may be of letters that are closed.
    marks: Mutex<HashSet<u64>>,
    max_marks: usize,
    losses: Mutex<Losses>,
}

#[derive(Default)]
struct Losses {
    told: Option<Instant>,
    since: u64,
}

impl Queue {
    pub(super) fn new(letters: usize, meter: Arc<Meter>) -> Self {
        Self {
            meter,
            hash: RandomState::new(),
            marks: Mutex::default(),
            max_marks: letters.saturating_mul(2),
            losses: Mutex::default(),
        }
    }

    /// Lets a letter pass unless it is here already, or there is no room.
    pub(super) fn admit(&self, letter: Letter, is_full: bool) -> Option<Marked> {
        let Letter { via, origin, post, body, .. } = &letter;
        let mark = self.hash.hash_one((via, &origin.source, post, body));
        {
            let mut marks = self.marks.lock();
            if marks.contains(&mark) {
                self.meter.letters.repeated.inc();
                return None;
            }
            if !is_full {
                if marks.len() >= self.max_marks {
                    marks.clear();
                }
                marks.insert(mark);
            }
        }
        let marked = Marked { letter, mark };
        if is_full {
            self.lost(&marked, "as many are open as may be");
            return None;
        }
        Some(marked)
    }

    /// A letter is on disk.
    pub(super) fn kept(&self, marked: &Marked) {
        self.meter.letters.kept(marked.letter.reason);
    }

    /// A letter was open already.
    pub(super) fn repeated(&self) {
        self.meter.letters.repeated.inc();
    }

    /// A letter was not kept, and may come again.
    pub(super) fn lost(&self, marked: &Marked, why: &str) {
        self.marks.lock().remove(&marked.mark);
        self.meter.letters.lost.inc();
        let mut losses = self.losses.lock();
        losses.since += 1;
        if losses.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            let (lost, reason) = (losses.since, marked.letter.reason);
            tracing::warn!(lost, reason, "dead letters are lost: {why}");
            *losses = Losses { told: Some(Instant::now()), since: 0 };
        }
    }

    /// A letter was closed: the same content is a new letter from now on.
    pub(super) fn closed(&self, is_taken: bool) {
        self.marks.lock().clear();
        let letters = &self.meter.letters;
        if is_taken {
            letters.redriven.inc()
        } else {
            letters.dropped.inc()
        };
    }
}
