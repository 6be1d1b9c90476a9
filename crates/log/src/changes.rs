//! Which match maps have new events, for a view that follows all of them at a pace of its own.

use matchwire_domain::subject::{Kind, Subject};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// How many are noted until they are taken.
const MAX_NOTED: usize = 10_000;

/// The maps that have new events since they were taken last.
#[derive(Debug, Default)]
pub struct Changes {
    noted: Mutex<Changed>,
    woken: Notify,
}

/// What has changed.
#[derive(Debug, Default)]
pub struct Changed {
    /// The streams of maps with new events.
    pub maps: foldhash::HashSet<Subject>,
    /// Whether there were more than can be noted, so that any map may have new events.
    pub is_any: bool,
}

impl Changes {
    /// Notes streams with events that have become durable. Of those that are no map it takes none.
    pub(crate) fn note<'a>(&self, subjects: impl Iterator<Item = &'a Subject>) {
        let mut noted = self.noted.lock();
        let mut is_new = false;
        // It is on the writer's way, and mostly the map is noted.
        for subject in subjects {
            if noted.maps.contains(subject) || !matches!(subject.kind(), Kind::MatchMap(..)) {
                continue;
            }
            is_new = true;
            if noted.maps.len() < MAX_NOTED {
                noted.maps.insert(subject.clone());
            } else {
                noted.is_any = true;
            }
        }
        drop(noted);
        if is_new {
            self.woken.notify_one();
        }
    }

    /// What has changed since the last call.
    pub fn take(&self) -> Changed {
        std::mem::take(&mut *self.noted.lock())
    }

    /// How many maps are noted.
    pub fn count(&self) -> usize {
        self.noted.lock().maps.len()
    }

    /// Waits until something has changed since the last call of [`take`](Self::take). One may wait.
    pub async fn wait(&self) {
        while !self.has_news() {
            self.woken.notified().await;
        }
    }

    fn has_news(&self) -> bool {
        let noted = self.noted.lock();
        noted.is_any || !noted.maps.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_noted_once_and_more_than_can_be_noted_are_told() {
        let changes = Changes::default();
        let map = |n: usize| Subject::match_map(&format!("m{n}"), 1).unwrap();
        let whole = Subject::parse("match/m1").unwrap();
        changes.note([map(1), map(1), whole].iter());
        assert_eq!((changes.count(), changes.has_news()), (1, true));
        let taken = changes.take();
        assert_eq!((taken.maps.len(), taken.is_any, changes.has_news()), (1, false, false));
        let many: Vec<Subject> = (0..=MAX_NOTED).map(map).collect();
        changes.note(many.iter());
        let taken = changes.take();
        assert_eq!((taken.maps.len(), taken.is_any), (MAX_NOTED, true));
    }
}
