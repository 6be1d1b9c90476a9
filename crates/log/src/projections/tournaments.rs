//! Which matches a tournament has been named by: those of the tournament are among them.
//!
//! A match that is moved to another tournament stands in both: what its own stream says as a whole is
//! for whoever reads it as a whole, and to an audience another part of it is to be seen.

use matchwire_domain::{
    envelope::Recorded,
    series,
    subject::{Kind, Pattern, Subject},
};

use crate::{
    projection::Projection,
    view_store::{Error, Keys, Order, Schema, Snapshot, Table, Transaction},
};

/// A row without a value for each tournament and match: `<tournament>/<match>`.
const MATCHES: Table = Table::new("matches");
const SCHEMA: Schema = Schema::new("tournaments", 1, &[MATCHES]);

/// The view `tournaments`.
#[derive(Debug, Clone, Copy)]
pub struct TournamentMatches;

impl TournamentMatches {
    /// Matches in which an event names a tournament, by name, after one; at most `limit`.
    pub fn named_in(
        snapshot: &dyn Snapshot,
        tournament: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let prefix = key(tournament, "");
        let mut keys = Keys::prefix(&prefix);
        if let Some(after) = after {
            keys = keys.after(&key(tournament, after));
        }
        let rows = snapshot.range(MATCHES, &keys, Order::Ascending, limit)?;
        let name =
            |key: &[u8]| Some(String::from_utf8_lossy(key.get(prefix.len()..)?).into_owned());
        Ok(rows.iter().filter_map(|row| name(&row.key)).collect())
    }
}

/// Segments of subjects have no slash, so that no tournament's keys begin with another one's.
fn key(tournament: &str, id: &str) -> Vec<u8> {
    format!("{tournament}/{id}").into_bytes()
}

impl Projection for TournamentMatches {
    fn schema(&self) -> Schema {
        SCHEMA
    }

    fn scope(&self) -> Vec<Pattern> {
        // The matches' own streams, without their maps.
        "match/*".parse().into_iter().collect()
    }

    fn apply(
        &self,
        rows: &mut dyn Transaction,
        subject: &Subject,
        events: &[Recorded],
    ) -> Result<(), Error> {
        let Kind::Match(id) = subject.kind() else { return Ok(()) };
        for event in events {
            if let Some(tournament) = series::tournament_named(&event.stored) {
                rows.put(MATCHES, &key(&tournament, id), &[])?;
            }
        }
        Ok(())
    }

    fn finish(&self, _rows: &mut dyn Transaction) -> Result<(), Error> {
        Ok(())
    }

    fn settle(&self, _rows: &mut dyn Transaction) -> Result<bool, Error> {
        Ok(true)
    }

    fn removals(&self, _view: &dyn Snapshot) -> Result<u64, Error> {
        Ok(0)
    }
}
