//! A server without a log: posts go in, streams come out.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::{
    chain::Digest,
    envelope::{Event, Recorded},
    live_match::{Games, cs::State},
    subject::Subject,
    timeline::{Fold, Pushed},
    timestamp::Timestamp,
};
use matchwire_sources::{Headers, Post, Source};

/// A server with one source.
pub(crate) struct Server<S: Source> {
    source: S,
    carry: S::Carry,
    pub(crate) accounts: BTreeMap<String, String>,
    pub(crate) streams: BTreeMap<Subject, Vec<Recorded>>,
    known: BTreeSet<(Subject, String, String)>,
    /// Posts by identity, with what they came to.
    posts: BTreeMap<String, usize>,
}

/// What a post came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Taken {
    pub(crate) appended: usize,
    pub(crate) duplicate: usize,
    pub(crate) unknown: usize,
}

impl<S: Source> Server<S> {
    pub(crate) fn new(source: S) -> Self {
        Self {
            source,
            carry: S::Carry::default(),
            accounts: BTreeMap::new(),
            streams: BTreeMap::new(),
            known: BTreeSet::new(),
            posts: BTreeMap::new(),
        }
    }

    pub(crate) fn post(&mut self, map: Option<u16>, headers: &Headers, body: &[u8]) -> Taken {
        let next = |accounts: &BTreeMap<String, String>| format!("p{}", accounts.len() + 1);
        let accounts = &mut self.accounts;
        let mut exchange = |account: &str| {
            if !account.contains(':') {
                return account.to_owned();
            }
            let id = next(accounts);
            accounts.entry(account.into()).or_insert(id).clone()
        };
        let post = Post { body, headers };
        let identity = self.source.identity(&self.carry, &post);
        if let Some(appended) = self.posts.get(&identity) {
            return Taken { appended: 0, duplicate: *appended, unknown: 0 };
        }
        let before = self.carry.clone();
        let answer = self.source.read(map, before.clone(), &post, &mut exchange);
        // What is carried is stored as JSON and read back.
        let stored = serde_json::to_string(&answer.carry).unwrap();
        self.carry = serde_json::from_str(&stored).unwrap();
        assert!(self.carry == answer.carry, "a carry reads back");
        let mut taken = Taken { appended: 0, duplicate: answer.duplicate, unknown: answer.unknown };
        let is_kept = !answer.drafts.is_empty() || before != answer.carry;
        for draft in answer.drafts {
            let is_new = self.append(draft.into_event("m").unwrap());
            *if is_new { &mut taken.appended } else { &mut taken.duplicate } += 1;
        }
        if is_kept {
            self.posts.insert(identity, taken.appended);
        }
        taken
    }

    fn append(&mut self, event: Event) -> bool {
        let identity = (event.subject.clone(), event.source.to_string(), event.id.to_string());
        if !self.known.insert(identity) {
            return false;
        }
        let stream = self.streams.entry(event.subject).or_default();
        let leaf = Digest::leaf(&event.stored);
        let seq = stream.len() as u64 + 1;
        let recorded = Timestamp::from_ms(0);
        stream.push(Recorded { seq, recorded, leaf, chain: leaf, stored: event.stored });
        true
    }

    pub(crate) fn state(&self, map: u16) -> State {
        let subject = Subject::match_map("m", map).unwrap();
        let stream = self.streams.get(&subject).map_or(&[][..], Vec::as_slice);
        let games = Games::default();
        let whole = Fold::of(&games, &subject, stream);
        let mut stepwise = Fold::new(&games, &subject);
        if stream.iter().all(|r| stepwise.push(r) != Pushed::Refold) {
            assert_eq!(whole.state::<State>(), stepwise.state());
        }
        whole.state::<State>().unwrap().clone()
    }
}
