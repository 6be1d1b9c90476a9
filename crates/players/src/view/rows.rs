//! What changes in the rows when a match or a tournament says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::{
    activity::{Activity, Deeds, Model, revise},
    outcome::Outcome,
    tournament,
};
use matchwire_log::view_store::{Error, Keys, Order, Row, Table, Transaction};
use serde::{Deserialize, Serialize};

use super::{
    ACTIVITIES, BOARDS, FORGOTTEN, MATCHES, RECORDS, SOURCES, TOURNAMENTS, VERSUS,
    keys::{Key, read_number, read_text, split_text},
    ladders, rivals,
};
use crate::{
    Key as Place,
    rating::{Bout, Rated},
    statistics::{Reach, Split, Streaks, Tally, Verdict, Versus},
};

/// How many rows are read at once.
const PAGE: usize = 1_000;

/// What is counted of a player within a split, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Totals.
    #[serde(flatten)]
    pub tally: Tally,
    /// Streaks.
    pub streaks: Streaks,
}

/// What a tournament tells of its matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    game: Option<String>,
    season: Option<String>,
    is_private: bool,
}

impl Told {
    pub(super) fn by(state: &tournament::State) -> Self {
        let tournament::State { game, season, is_private, .. } = state.clone();
        Self { game, season, is_private }
    }

    /// As it is stored.
    pub(super) fn read(stored: Option<Vec<u8>>) -> Self {
        stored.and_then(|value| serde_json::from_slice(&value).ok()).unwrap_or_default()
    }
}

/// The tables whose rows are made of a player's activities alone.
pub(super) const DERIVED: [Table; 3] = [RECORDS, VERSUS, BOARDS];

/// How the keys of the player begin of whom a row of such a table is; the whole key if nobody can tell.
pub(super) fn owner_of(table: Table, key: &[u8]) -> &[u8] {
    let owner = if is_by_player(table) {
        split_text(key).map(|(player, _)| player)
    } else {
        split_text(key).and_then(|(_, rest)| rest.get(size_of::<u64>()..))
    };
    owner.filter(|owner| is_player(owner)).unwrap_or(key)
}

/// Whether some bytes are how the keys of a player begin, and no more.
pub(super) fn is_player(owner: &[u8]) -> bool {
    read_text(owner).is_some_and(|(_, rest)| rest.is_empty())
}

/// Whether the keys of such a table begin with the player.
pub(super) fn is_by_player(table: Table) -> bool {
    table != BOARDS
}

/// What a row of such a table is of, for a person.
pub(super) fn described(table: Table, key: &[u8]) -> String {
    let split = if is_by_player(table) { split_text(key).map(|(_, rest)| rest) } else { Some(key) };
    let (split, rest) = split.and_then(read_text).unwrap_or_default();
    match (table, read_number(rest), read_text(rest)) {
        (BOARDS, Some(won), _) => format!("{split}, won {}", !won),
        (VERSUS, _, Some((other, _))) => format!("{split} against {other}"),
        _ => split,
    }
}

/// The rows of a transaction.
pub(super) struct Rows<'a>(&'a mut dyn Transaction);

impl<'a> Rows<'a> {
    pub(super) fn new(rows: &'a mut dyn Transaction) -> Self {
        Self(rows)
    }

    /// Whether a match or a tournament has activities.
    pub(super) fn has_any(&self, model: Model, id: &str) -> Result<bool, Error> {
        let keys = Keys::prefix(&Key::default().text(model.as_str()).text(id).0);
        Ok(!self.0.range(SOURCES, &keys, Order::Ascending, 1)?.is_empty())
    }

    /// Makes the activities by which a match or a tournament comes to what holds of it now, and gives them.
    pub(super) fn take(
        &mut self,
        model: Model,
        id: &str,
        mut holds: Deeds,
    ) -> Result<Vec<Activity>, Error> {
        self.leave_out_forgotten(&mut holds)?;
        let so_far = self.activities_of(model, id)?;
        let new = revise(model, id, &so_far, holds);
        let mut of_players: BTreeMap<&str, Vec<&Activity>> = BTreeMap::new();
        for activity in &new {
            let key = Key::of_activity(activity);
            let source = Key::default().text(model.as_str()).text(id).0;
            self.0.put(ACTIVITIES, &key.0, &json(activity))?;
            self.0.put(SOURCES, &[source, key.0].concat(), &[])?;
            of_players.entry(&activity.player).or_default().push(activity);
        }
        for (player, activities) in of_players {
            self.count(player, &activities)?;
        }
        Ok(new)
    }

    /// Notes what a match is as far as ratings are concerned.
    pub(super) fn rate(&mut self, id: &str, outcome: Option<&Outcome>) -> Result<(), Error> {
        let game = outcome.map_or("", |outcome| &outcome.game);
        let bout = outcome.and_then(|outcome| Bout::of(outcome, Rated::Players));
        ladders::set(self.0, id, game, bout)
    }

    /// Counts head to head what is new of a player.
    fn count_versus(&mut self, player: &str, new: &[&Activity]) -> Result<(), Error> {
        let mut changes: BTreeMap<(&str, &str, bool), Versus> = BTreeMap::new();
        for activity in new {
            let deed = &activity.deed;
            for other in &deed.against {
                let change = changes.entry((&deed.game, other, deed.is_private)).or_default();
                change.take(activity);
            }
        }
        for ((game, other, is_private), change) in changes {
            if change != Versus::default() {
                rivals::count(self.0, [player, game, other], is_private, change)?;
            }
        }
        Ok(())
    }

    /// Takes out what is of players who are forgotten.
    fn leave_out_forgotten(&self, holds: &mut Deeds) -> Result<(), Error> {
        let players: BTreeSet<String> = holds.keys().map(|(player, _)| player.clone()).collect();
        for player in players {
            if self.0.get(FORGOTTEN, &Key::default().text(&player).0)?.is_some() {
                holds.retain(|(of, _), _| *of != player);
            }
        }
        Ok(())
    }

    /// Removes all rows of a player, who has none from now on. Those of others stay as they are.
    pub(super) fn forget(&mut self, player: &str) -> Result<(), Error> {
        let own = Key::default().text(player).0;
        self.0.put(FORGOTTEN, &own, &[])?;
        for Row { key, value } in self.rows(ACTIVITIES, &own)? {
            if let Ok(activity) = serde_json::from_slice::<Activity>(&value) {
                let Activity { source_model, source_id, .. } = &activity;
                let source = Key::default().text(source_model.as_str()).text(source_id).0;
                self.0.delete(SOURCES, &[source, key.clone()].concat())?;
            }
            self.0.delete(ACTIVITIES, &key)?;
        }
        for Row { key, .. } in self.rows(VERSUS, &own)? {
            self.0.delete(VERSUS, &key)?;
        }
        for Row { key, value } in self.rows(RECORDS, &own)? {
            let split = key.get(own.len()..).and_then(read_text);
            let split = split.and_then(|(split, _)| serde_json::from_str::<Split>(&split).ok());
            let record: Option<Record> = serde_json::from_slice(&value).ok();
            if let (Some(split), Some(record)) = (split, record) {
                self.0.delete(BOARDS, &board_key(&split, record.tally.won, player))?;
            }
            self.0.delete(RECORDS, &key)?;
        }
        Ok(())
    }

    /// All rows of a table whose keys begin so.
    fn rows(&self, table: Table, prefix: &[u8]) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        self.each(table, prefix, |_, key, value| {
            rows.push(Row { key: key.to_vec(), value: value.to_vec() });
            Ok(())
        })?;
        Ok(rows)
    }

    fn activities_of(&self, model: Model, id: &str) -> Result<Vec<Activity>, Error> {
        let prefix = Key::default().text(model.as_str()).text(id).0;
        let mut activities = Vec::new();
        self.each(SOURCES, &prefix, |rows, key, _| {
            let key = key.get(prefix.len()..).unwrap_or_default();
            let value = rows.get(ACTIVITIES, key)?.unwrap_or_default();
            activities.extend(serde_json::from_slice::<Activity>(&value).ok());
            Ok(())
        })?;
        Ok(activities)
    }

    /// Counts activities of a player that are new.
    pub(super) fn count(&mut self, player: &str, new: &[&Activity]) -> Result<(), Error> {
        let mut records: BTreeMap<Split, (Record, i64)> = BTreeMap::new();
        let mut disordered: BTreeSet<Split> = BTreeSet::new();
        for activity in new {
            for split in Split::all_of(&activity.deed) {
                if !records.contains_key(&split) {
                    let stored = self.0.get(RECORDS, &record_key(player, &split))?;
                    let record: Record = stored
                        .and_then(|value| serde_json::from_slice(&value).ok())
                        .unwrap_or_default();
                    let won = record.tally.won;
                    records.insert(split.clone(), (record, won));
                }
                let Some((record, _)) = records.get_mut(&split) else { continue };
                record.tally.take(activity);
                let Some(verdict) = Verdict::of(activity) else { continue };
                let is_next = !activity.is_reversal()
                    && record.streaks.push(&place(activity), verdict).is_ok();
                if !is_next {
                    disordered.insert(split);
                }
            }
        }
        if !disordered.is_empty() {
            self.fold_streaks(player, &disordered, &mut records)?;
        }
        for (split, (record, before)) in records {
            let key = record_key(player, &split);
            if record.tally.is_empty() {
                self.0.delete(RECORDS, &key)?;
            } else {
                self.0.put(RECORDS, &key, &json(&record))?;
            }
            if split.reach == Reach::Others && record.tally.won != before {
                self.0.delete(BOARDS, &board_key(&split, before, player))?;
                if record.tally.won > 0 {
                    self.0.put(BOARDS, &board_key(&split, record.tally.won, player), &[])?;
                }
            }
        }
        self.count_versus(player, new)
    }

    /// Folds the streaks of a player again within these splits, from all results.
    fn fold_streaks(
        &self,
        player: &str,
        splits: &BTreeSet<Split>,
        records: &mut BTreeMap<Split, (Record, i64)>,
    ) -> Result<(), Error> {
        // How often each result is stated more than it is taken back.
        let mut results: BTreeMap<&Split, BTreeMap<(Place, Verdict), i64>> = BTreeMap::new();
        self.each(ACTIVITIES, &Key::default().text(player).0, |_, _, value| {
            let Ok(activity) = serde_json::from_slice::<Activity>(value) else { return Ok(()) };
            let Some(verdict) = Verdict::of(&activity) else { return Ok(()) };
            let own = Split::all_of(&activity.deed);
            for split in splits.iter().filter(|split| own.contains(split)) {
                let stated = results.entry(split).or_default();
                *stated.entry((place(&activity), verdict)).or_default() +=
                    if activity.is_reversal() { -1 } else { 1 };
            }
            Ok(())
        })?;
        for split in splits {
            let Some((record, _)) = records.get_mut(split) else { continue };
            let stated = results.get(split).into_iter().flatten();
            let counted = stated.filter(|(_, stated)| **stated > 0);
            record.streaks = Streaks::of(counted.map(|((place, verdict), _)| (place, *verdict)));
        }
        Ok(())
    }

    /// Notes what a tournament tells of its matches, and says whether that is another thing than before.
    pub(super) fn note_tournament(
        &mut self,
        id: &str,
        state: &tournament::State,
    ) -> Result<bool, Error> {
        let told = Told::by(state);
        let key = Key::default().text(id).0;
        if told == Told::read(self.0.get(TOURNAMENTS, &key)?) {
            return Ok(false);
        }
        self.0.put(TOURNAMENTS, &key, &json(&told))?;
        Ok(true)
    }

    /// Notes that a match is of a tournament.
    pub(super) fn note_match(&mut self, tournament: &str, id: &str) -> Result<(), Error> {
        self.0.put(MATCHES, &Key::default().text(tournament).text(id).0, &[])
    }

    /// The matches that were ever of a tournament.
    pub(super) fn matches_of(&self, tournament: &str) -> Result<Vec<String>, Error> {
        let prefix = Key::default().text(tournament).0;
        let mut matches = Vec::new();
        self.each(MATCHES, &prefix, |_, key, _| {
            let rest = key.get(prefix.len()..).unwrap_or_default();
            matches.extend(read_text(rest).map(|(id, _)| id));
            Ok(())
        })?;
        Ok(matches)
    }

    /// Calls `visit` with all rows whose keys begin so.
    fn each(
        &self,
        table: Table,
        prefix: &[u8],
        mut visit: impl FnMut(&dyn Transaction, &[u8], &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut keys = Keys::prefix(prefix);
        loop {
            let page = self.0.range(table, &keys, Order::Ascending, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            keys = keys.after(&last.key);
            for row in &page {
                visit(&*self.0, &row.key, &row.value)?;
            }
        }
    }
}

fn place(activity: &Activity) -> Place {
    Place { ended: activity.deed.time, match_id: activity.source_id.clone() }
}

pub(super) fn record_key(player: &str, split: &Split) -> Vec<u8> {
    split_key(Key::default().text(player), split).0
}

pub(super) fn board_key(split: &Split, won: i64, player: &str) -> Vec<u8> {
    board_prefix(split).most_first(won).text(player).0
}

pub(super) fn board_prefix(split: &Split) -> Key {
    split_key(Key::default(), split)
}

fn split_key(key: Key, split: &Split) -> Key {
    // A struct of texts is always JSON.
    key.text(&serde_json::to_string(split).unwrap_or_default())
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
