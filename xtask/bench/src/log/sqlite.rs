//! SQLite as a contestant: in WAL mode with `synchronous=FULL`, which syncs the WAL at each commit.
//!
//! An event is a row, keyed by stream and `seq`, and unique by `(subject, source, id)`; a duplicate
//! is left out. SQLite has one writer at a time, and so all batches in flight are one transaction.

use std::{collections::HashMap, path::Path};

use matchwire_domain::subject::Subject;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::contest::{Batch, Contestant, Lane, Role, Running, Shape};

/// SQLite, linked into this program.
pub(super) struct Sqlite;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE stream (number INTEGER PRIMARY KEY, subject TEXT NOT NULL UNIQUE);
    CREATE TABLE event (
        stream INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        source TEXT NOT NULL,
        id TEXT NOT NULL,
        stored BLOB NOT NULL,
        UNIQUE (stream, seq),
        UNIQUE (stream, source, id)
    );";

impl Contestant for Sqlite {
    fn name(&self) -> &'static str {
        "SQLite, WAL, synchronous=FULL"
    }

    fn role(&self) -> Role {
        Role::Peer
    }

    fn start(&self, folder: &Path, _: Shape, _: &[Batch]) -> anyhow::Result<Running> {
        let connection = Connection::open(folder.join("events.sqlite"))?;
        connection.execute_batch(SCHEMA)?;
        Ok(Running::together(Writer { connection, streams: HashMap::new() }))
    }
}

struct Writer {
    connection: Connection,
    /// The number of each stream in the database.
    streams: HashMap<Subject, i64>,
}

impl Lane for Writer {
    fn append(&mut self, batches: Vec<Batch>) -> anyhow::Result<()> {
        let transaction = self.connection.transaction()?;
        for batch in batches {
            let Some(first) = batch.first() else { continue };
            let stream = if let Some(stream) = self.streams.get(&first.subject) {
                *stream
            } else {
                let subject = first.subject.as_str();
                transaction.execute("INSERT INTO stream (subject) VALUES (?1)", [subject])?;
                let stream = transaction.last_insert_rowid();
                self.streams.insert(first.subject.clone(), stream);
                stream
            };
            let last = "SELECT seq FROM event WHERE stream = ?1 ORDER BY seq DESC LIMIT 1";
            let mut last = transaction.prepare_cached(last)?;
            let mut seq: i64 = last.query_row([stream], |row| row.get(0)).optional()?.unwrap_or(0);
            let mut insert = transaction.prepare_cached(
                "INSERT INTO event (stream, seq, source, id, stored) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (stream, source, id) DO NOTHING",
            )?;
            for event in batch {
                let (source, id) = (&*event.source, &*event.id);
                let added = insert.execute(params![stream, seq + 1, source, id, &*event.stored])?;
                seq += i64::try_from(added)?;
            }
        }
        Ok(transaction.commit()?)
    }
}
