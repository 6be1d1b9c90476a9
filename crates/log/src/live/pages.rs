//! Older events of a stream, read from the log once for all who come back to the same place.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::frame::EventFrame;
use crate::Error;

/// How many events a page has.
const EVENTS: u64 = 128;
/// How many pages of a stream are kept, of those that were asked for last.
const KEPT: usize = 4;

type Page = Arc<OnceCell<Arc<[Arc<EventFrame>]>>>;

/// The pages of one stream that are being read, or were a moment ago.
#[derive(Debug, Default)]
pub(super) struct Pages(Mutex<VecDeque<(u64, Page)>>);

impl Pages {
    /// Events after a seq: the rest of its page. `read` reads events after a seq, so many at most; it
    /// is asked once for all who want the page at the same time. Nothing if the page has no more.
    pub(super) async fn after<R: Future<Output = Result<Vec<Arc<EventFrame>>, Error>>>(
        &self,
        seq: u64,
        read: impl FnOnce(u64, usize) -> R,
    ) -> Result<Vec<Arc<EventFrame>>, Error> {
        let number = seq / EVENTS;
        let (first, last) = (number * EVENTS, (number + 1) * EVENTS);
        let page = self.page(number);
        let limit = usize::try_from(EVENTS).unwrap_or(usize::MAX);
        let events = page
            .get_or_try_init(|| async {
                let mut events = read(first, limit).await?;
                events.retain(|event| event.seq <= last);
                Ok::<_, Error>(events.into())
            })
            .await?;
        // One that is not full yet will have more.
        if events.last().is_none_or(|event| event.seq < last) {
            self.0.lock().retain(|(_, other)| !Arc::ptr_eq(other, &page));
        }
        Ok(events.iter().filter(|event| event.seq > seq).cloned().collect())
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }

    fn page(&self, number: u64) -> Page {
        let mut pages = self.0.lock();
        if let Some((_, page)) = pages.iter().find(|(other, _)| *other == number) {
            return page.clone();
        }
        let page = Page::default();
        if pages.len() >= KEPT {
            pages.pop_front();
        }
        pages.push_back((number, page.clone()));
        page
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;

    use super::*;

    #[tokio::test]
    async fn what_many_want_is_read_once() {
        let (pages, reads, head) = (Pages::default(), AtomicUsize::new(0), AtomicUsize::new(300));
        let read = |after: u64, limit: usize| {
            reads.fetch_add(1, Ordering::Relaxed);
            let head = head.load(Ordering::Relaxed) as u64;
            let seqs = (after + 1..=head).take(limit);
            let events = seqs.map(|seq| Arc::new(EventFrame::plain(seq, Bytes::new()))).collect();
            async move {
                tokio::task::yield_now().await;
                Ok(events)
            }
        };
        let seqs = |events: &[Arc<EventFrame>]| -> Vec<u64> {
            events.iter().map(|event| event.seq).collect()
        };
        let (first, third, fourth) =
            tokio::join!(pages.after(0, read), pages.after(5, read), pages.after(127, read));
        assert_eq!(seqs(&first.unwrap()), (1..=128).collect::<Vec<_>>());
        assert_eq!(seqs(&third.unwrap()), (6..=128).collect::<Vec<_>>());
        assert_eq!(seqs(&fourth.unwrap()), [128]);
        assert_eq!(reads.load(Ordering::Relaxed), 1);
        // A page that is not full is read again.
        assert_eq!(pages.after(299, read).await.unwrap().len(), 1);
        head.store(301, Ordering::Relaxed);
        assert_eq!(seqs(&pages.after(299, read).await.unwrap()), [300, 301]);
        assert_eq!(pages.after(301, read).await.unwrap().len(), 0);
        let before = reads.load(Ordering::Relaxed);
        // Only the last ones are kept.
        for seq in [0, 128, 300, 400, 600, 800, 0] {
            pages.after(seq, read).await.unwrap();
        }
        assert!(pages.0.lock().len() <= KEPT);
        assert!(reads.load(Ordering::Relaxed) > before);
    }
}
