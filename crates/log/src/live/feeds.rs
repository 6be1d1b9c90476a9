//! The feeds that are in memory: all that are followed, and of the others the last used.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use matchwire_domain::subject::Subject;
use parking_lot::Mutex;

use super::Feed;

/// Feeds by stream. Only what is idle is in the order of use, so that making room does not look
/// at everything that is followed.
pub(super) struct Feeds {
    kept: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    feeds: HashMap<Subject, (Arc<Feed>, u64)>,
    /// What may be dropped, by its last use. A feed that was followed since is taken out when it
    /// is come across, and comes back when its last follower goes.
    idle: BTreeMap<u64, Subject>,
    uses: u64,
}

impl Feeds {
    /// Keeps so many that nobody follows, and at least the one that is about to be used.
    pub(super) fn keeping(kept: usize) -> Self {
        Self { kept: kept.max(1), held: Mutex::default() }
    }

    /// The feed of a stream, made if it is not there.
    pub(super) fn get(&self, subject: &Subject, make: impl FnOnce() -> Feed) -> Arc<Feed> {
        let mut held = self.held.lock();
        held.uses += 1;
        let now = held.uses;
        let Held { feeds, idle, .. } = &mut *held;
        if let Some((feed, used)) = feeds.get_mut(subject) {
            if let Some(subject) = idle.remove(used) {
                idle.insert(now, subject);
                *used = now;
            }
            return feed.clone();
        }
        let feed = Arc::new(make());
        feeds.insert(subject.clone(), (feed.clone(), now));
        idle.insert(now, subject.clone());
        let gone = held.make_room(self.kept);
        drop(held);
        drop(gone);
        feed
    }

    /// Takes down that the last follower of a feed has gone.
    pub(super) fn leave(&self, feed: &Arc<Feed>) {
        let mut held = self.held.lock();
        held.uses += 1;
        let now = held.uses;
        let Held { feeds, idle, .. } = &mut *held;
        let Some((_, used)) =
            feeds.get_mut(feed.subject()).filter(|(held, _)| Arc::ptr_eq(held, feed))
        else {
            return;
        };
        idle.remove(used);
        idle.insert(now, feed.subject().clone());
        *used = now;
        let gone = held.make_room(self.kept);
        drop(held);
        drop(gone);
    }

    /// Gives a feed up: whoever asks for the stream next gets another one.
    pub(super) fn forget(&self, feed: &Arc<Feed>) {
        let mut held = self.held.lock();
        let is_held =
            held.feeds.get(feed.subject()).is_some_and(|(held, _)| Arc::ptr_eq(held, feed));
        let gone = is_held.then(|| held.feeds.remove(feed.subject())).flatten();
        drop(held);
        drop(gone);
    }

    /// Every feed, to be looked at without holding up others.
    pub(super) fn all(&self) -> Vec<Arc<Feed>> {
        self.held.lock().feeds.values().map(|(feed, _)| feed.clone()).collect()
    }
}

impl Held {
    /// Takes out what is too much, the longest unused first. A fold may be large, so that the
    /// caller drops it once the lock is free.
    fn make_room(&mut self, kept: usize) -> Vec<Arc<Feed>> {
        let mut gone = Vec::new();
        while self.idle.len() > kept {
            let Some((_, subject)) = self.idle.pop_first() else { break };
            let is_followed = self.feeds.get(&subject).is_some_and(|(feed, _)| feed.is_followed());
            if !is_followed {
                gone.extend(self.feeds.remove(&subject).map(|(feed, _)| feed));
            }
        }
        gone
    }
}
