//! The queue before the writer, bounded in calls and in bytes.

use std::{collections::VecDeque, time::Instant};

use parking_lot::{Condvar, Mutex};

use crate::{Backlog, Error};

/// A queue whose items have a size. Whoever puts is refused at a bound; whoever takes waits.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    limit_items: usize,
    limit_bytes: usize,
}

struct State<T> {
    items: VecDeque<(T, usize, Instant)>,
    bytes: usize,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(limit_items: usize, limit_bytes: usize) -> Self {
        let state = State { items: VecDeque::new(), bytes: 0, closed: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), limit_items, limit_bytes }
    }

    /// Puts an item at the end, or says `Full`, or `Stopped` once the queue is closed.
    pub(crate) fn put(&self, item: T, bytes: usize) -> Result<(), Error> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::Stopped);
        }
        if state.items.len() >= self.limit_items || state.bytes + bytes > self.limit_bytes {
            return Err(Error::Full);
        }
        state.bytes += bytes;
        state.items.push_back((item, bytes, Instant::now()));
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Takes items from the front, waiting for the first, until they have `limit_bytes`; nothing
    /// once the queue is closed and empty.
    pub(crate) fn take(&self, limit_bytes: usize) -> Option<Vec<T>> {
        let mut state = self.state.lock();
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            self.filled.wait(&mut state);
        }
        Some(state.take(limit_bytes))
    }

    /// Like [`take`](Self::take), without waiting: what there is, which may be nothing.
    pub(crate) fn take_now(&self, limit_bytes: usize) -> Vec<T> {
        self.state.lock().take(limit_bytes)
    }

    /// Refuses new items from now on; what is queued can still be taken.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
    }

    /// Closes and drops what is queued.
    pub(crate) fn clear(&self) {
        self.close();
        let items = {
            let mut state = self.state.lock();
            state.bytes = 0;
            std::mem::take(&mut state.items)
        };
        drop(items);
    }

    /// How many items and bytes are queued.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.items.len(), state.bytes)
    }

    /// How much of the bounds is taken, and how long the first item has been waiting.
    pub(crate) fn backlog(&self) -> Backlog {
        let state = self.state.lock();
        let percent = |part: usize, whole: usize| part.saturating_mul(100) / whole.max(1);
        let items = percent(state.items.len(), self.limit_items);
        let percent = items.max(percent(state.bytes, self.limit_bytes)).min(100);
        let oldest = state.items.front().map(|(_, _, since)| since.elapsed());
        Backlog { percent, oldest: oldest.unwrap_or_default() }
    }
}

impl<T> State<T> {
    fn take(&mut self, limit_bytes: usize) -> Vec<T> {
        let (mut taken, mut taken_bytes) = (Vec::new(), 0);
        while let Some((_, bytes, _)) = self.items.front() {
            if !taken.is_empty() && taken_bytes + bytes > limit_bytes {
                break;
            }
            let Some((item, bytes, _)) = self.items.pop_front() else { break };
            taken_bytes += bytes;
            taken.push(item);
        }
        self.bytes -= taken_bytes;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_at_its_bounds_and_recovers() {
        let queue = Queue::new(2, 10);
        queue.put('a', 4).unwrap();
        assert!(matches!(queue.put('b', 7), Err(Error::Full)));
        queue.put('c', 6).unwrap();
        assert!(matches!(queue.put('d', 0), Err(Error::Full)));
        assert_eq!(queue.depth(), (2, 10));
        assert_eq!(queue.backlog().percent, 100);
        assert_eq!(queue.take(5), Some(vec!['a']));
        queue.put('e', 1).unwrap();
        assert_eq!(queue.take(100), Some(vec!['c', 'e']));
        assert_eq!(queue.depth(), (0, 0));
        assert_eq!(queue.backlog(), Backlog::default());
    }

    #[test]
    fn gives_out_what_is_queued_when_closed() {
        let queue = Queue::new(2, 10);
        queue.put('a', 100).unwrap_err();
        queue.put('a', 10).unwrap();
        queue.close();
        assert!(matches!(queue.put('b', 1), Err(Error::Stopped)));
        assert_eq!(queue.take(0), Some(vec!['a']));
        assert_eq!(queue.take(0), None);
    }
}
