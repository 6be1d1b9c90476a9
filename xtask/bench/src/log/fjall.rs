//! fjall, a log-structured store in Rust, as a contestant: a write batch for all batches in flight,
//! committed with `PersistMode::SyncData`, which syncs its journal.
//!
//! An event is under subject and `seq` in one keyspace, and its `seq` under subject, source and id
//! in another, where a duplicate is looked up first.

use std::{collections::HashMap, path::Path};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use matchwire_domain::subject::Subject;

use super::contest::{Batch, Contestant, Lane, Role, Running, Shape};

/// fjall, linked into this program.
pub(super) struct Fjall;

impl Contestant for Fjall {
    fn name(&self) -> &'static str {
        "fjall 3, SyncData"
    }

    fn role(&self) -> Role {
        Role::Peer
    }

    fn start(&self, folder: &Path, _: Shape, _: &[Batch]) -> anyhow::Result<Running> {
        let database = Database::builder(folder.join("fjall")).open()?;
        let events = database.keyspace("events", KeyspaceCreateOptions::default)?;
        let ids = database.keyspace("ids", KeyspaceCreateOptions::default)?;
        Ok(Running::together(Writer { database, events, ids, heads: HashMap::new() }))
    }
}

struct Writer {
    database: Database,
    events: Keyspace,
    ids: Keyspace,
    heads: HashMap<Subject, u64>,
}

impl Lane for Writer {
    fn append(&mut self, batches: Vec<Batch>) -> anyhow::Result<()> {
        let mut write = self.database.batch().durability(Some(PersistMode::SyncData));
        for event in batches.into_iter().flatten() {
            let subject = event.subject.as_str();
            let id = key(&[subject, &event.source, &event.id]);
            if self.ids.contains_key(&id)? {
                continue;
            }
            let head = self.heads.entry(event.subject.clone()).or_default();
            *head += 1;
            let mut place = key(&[subject]);
            place.extend_from_slice(&head.to_be_bytes());
            write.insert(&self.ids, id, head.to_be_bytes());
            write.insert(&self.events, place, &*event.stored);
        }
        Ok(write.commit()?)
    }
}

/// Texts one after another, each ended by a zero.
fn key(parts: &[&str]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.bytes().chain([0])).collect()
}
