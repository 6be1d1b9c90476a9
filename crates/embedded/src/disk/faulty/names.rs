//! The names of the files: those that are seen, and those that outlast a crash.

use std::collections::BTreeMap;

use rand::{Rng, rngs::SmallRng};

#[derive(Default)]
pub(super) struct Names {
    now: Map,
    durable: Map,
    /// What was done since the last sync. At a crash each is kept or lost by itself.
    unsynced: Vec<Change>,
}

type Map = BTreeMap<String, usize>;

enum Change {
    Set(String, usize),
    Remove(String),
    Rename(String, String, usize),
}

impl Names {
    pub(super) fn get(&self, name: &str) -> Option<usize> {
        self.now.get(name).copied()
    }

    pub(super) fn list(&self) -> Vec<String> {
        self.now.keys().cloned().collect()
    }

    /// The files that have a name.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> {
        self.now.values().copied()
    }

    pub(super) fn has(&self, number: usize) -> bool {
        self.now.values().any(|other| *other == number)
    }

    pub(super) fn set(&mut self, name: &str, number: usize) {
        self.change(Change::Set(name.into(), number));
    }

    /// Whether there was one to remove.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let there = self.now.contains_key(name);
        if there {
            self.change(Change::Remove(name.into()));
        }
        there
    }

    /// Whether there was one to rename.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> bool {
        let number = self.get(from);
        if let Some(number) = number {
            self.change(Change::Rename(from.into(), to.into(), number));
        }
        number.is_some()
    }

    pub(super) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    pub(super) fn crash(&mut self, random: &mut SmallRng) {
        for change in self.unsynced.drain(..) {
            if random.random() {
                change.apply(&mut self.durable);
            }
        }
        self.now.clone_from(&self.durable);
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }
}

impl Change {
    fn apply(&self, names: &mut Map) {
        match self {
            Self::Set(name, number) => drop(names.insert(name.clone(), *number)),
            Self::Remove(name) => drop(names.remove(name)),
            Self::Rename(from, to, number) => {
                names.retain(|name, other| name != from || other != number);
                names.insert(to.clone(), *number);
            }
        }
    }
}
