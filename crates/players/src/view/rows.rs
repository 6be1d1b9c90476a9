//! What changes in the rows when a match or a tournament says otherwise.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use matchwire_domain::{
    activity::{Activity, Deed, Deeds, Model, revise},
    outcome::Outcome,
    tournament,
};
use matchwire_log::view_store::{Error, Keys, Order, Row, Table, Transaction};
use serde::{Deserialize, Serialize};

use super::{
    ACTIVITIES, BOARDS, FORGOTTEN, MATCHES, RECORDS, SOURCES, TOURNAMENTS, UNORDERED, VERSUS,
    activities,
    keys::{Key, owners_of_activity, read_text, split_text},
    ladders,
    records::{Record, Records, board_key, boards_of, record_key},
    rivals,
};
use crate::{
    Key as Place,
    rating::{Bout, Rated},
    statistics::{Format, Reach, Span, Split, Streaks, Verdict, Versus},
};

/// Of how many players streaks are folded at the end of a transaction.
const MAX_UNORDERED: usize = 100;
/// How many rows are read at once.
const PAGE: usize = 1_000;

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

/// What is counted of a player within a span.
struct Counted {
    now: Records,
    won_before: BTreeMap<Format, i64>,
}

/// By game and span.
type Spans = BTreeMap<(String, Span), Counted>;

/// The rows of a transaction.
pub(super) struct Rows<'a> {
    rows: &'a mut dyn Transaction,
    is_batch: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(rows: &'a mut dyn Transaction) -> Self {
        Self { rows, is_batch: false }
    }

    /// Of a transaction that takes much at once. Streaks whose results come out of order are only noted: they are folded once,
    /// by [`finish`](Self::finish), which must be called before it is committed.
    pub(super) fn of_batch(rows: &'a mut dyn Transaction) -> Self {
        Self { rows, is_batch: true }
    }

    /// Folds the streaks that were noted.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        loop {
            let noted = self.rows.range(UNORDERED, &Keys::all(), Order::Ascending, PAGE)?;
            if noted.is_empty() {
                return Ok(());
            }
            for Row { key, value } in noted {
                let player = read_text(&key).map(|(player, _)| player).unwrap_or_default();
                let splits = serde_json::from_slice(&value).unwrap_or_default();
                let mut spans = Spans::new();
                self.fold_streaks(&player, &splits, &mut spans)?;
                for ((game, span), counted) in spans {
                    self.put_records(&player, &game, &span, counted)?;
                }
                self.rows.delete(UNORDERED, &key)?;
            }
        }
    }

    /// Notes that a player's streaks within these splits are to be folded again, or folds them, where so many are noted that the
    /// transaction would not end.
    fn fold_later(
        &mut self,
        player: &str,
        splits: BTreeSet<Split>,
        spans: &mut Spans,
    ) -> Result<(), Error> {
        let key = Key::default().text(player).0;
        let noted = self.rows.get(UNORDERED, &key)?;
        let is_full = || {
            let all = self.rows.range(UNORDERED, &Keys::all(), Order::Ascending, MAX_UNORDERED)?;
            Ok(all.len() == MAX_UNORDERED)
        };
        if !self.is_batch || (noted.is_none() && is_full()?) {
            return self.fold_streaks(player, &splits, spans);
        }
        let mut all: BTreeSet<Split> =
            noted.and_then(|noted| serde_json::from_slice(&noted).ok()).unwrap_or_default();
        let count = all.len();
        all.extend(splits);
        if all.len() == count { Ok(()) } else { self.rows.put(UNORDERED, &key, &json(&all)) }
    }

    /// Whether a match or a tournament has activities.
    pub(super) fn has_any(&self, model: Model, id: &str) -> Result<bool, Error> {
        let keys = Keys::prefix(&Key::default().text(model.as_str()).text(id).0);
        Ok(!self.rows.range(SOURCES, &keys, Order::Ascending, 1)?.is_empty())
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
            self.rows.put(ACTIVITIES, &key.0, &activities::stored(activity))?;
            self.rows.put(SOURCES, &[source, key.0].concat(), &[])?;
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
        ladders::set(self.rows, id, game, bout)
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
                rivals::count(self.rows, [player, game, other], is_private, change)?;
            }
        }
        Ok(())
    }

    /// Takes out what is of players who are forgotten.
    fn leave_out_forgotten(&self, holds: &mut Deeds) -> Result<(), Error> {
        let players: BTreeSet<String> = holds.keys().map(|(player, _)| player.clone()).collect();
        for player in players {
            if self.rows.get(FORGOTTEN, &Key::default().text(&player).0)?.is_some() {
                holds.retain(|(of, _), _| *of != player);
            }
        }
        Ok(())
    }

    /// Removes all rows of a player, who has none from now on. Those of others stay as they are.
    pub(super) fn forget(&mut self, player: &str) -> Result<(), Error> {
        let own = Key::default().text(player).0;
        self.rows.put(FORGOTTEN, &own, &[])?;
        self.rows.delete(UNORDERED, &own)?;
        ladders::leave(self.rows, player)?;
        for Row { key, .. } in self.rows(ACTIVITIES, &own)? {
            if let Some((_, source)) = owners_of_activity(&key) {
                self.rows.delete(SOURCES, &[source, &key].concat())?;
            }
            self.rows.delete(ACTIVITIES, &key)?;
        }
        for Row { key, .. } in self.rows(VERSUS, &own)? {
            self.rows.delete(VERSUS, &key)?;
        }
        for Row { key, value } in self.rows(RECORDS, &own)? {
            if let Some(records) = Records::read(&value) {
                for board in boards_of(&key, &records) {
                    self.rows.delete(BOARDS, &board)?;
                }
            }
            self.rows.delete(RECORDS, &key)?;
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
            activities.extend(activities::read(key, &value));
            Ok(())
        })?;
        Ok(activities)
    }

    /// Counts activities of a player that are new.
    pub(super) fn count(&mut self, player: &str, new: &[&Activity]) -> Result<(), Error> {
        let mut spans = Spans::new();
        let mut disordered: BTreeSet<Split> = BTreeSet::new();
        for alike in new.chunk_by(|one, other| counts_alike(&one.deed, &other.deed)) {
            let splits = alike.first().map_or_else(Vec::new, |it| Split::all_of(&it.deed));
            let results: Vec<Option<(Place, Verdict)>> =
                alike.iter().map(|it| Some((place(it), Verdict::of(it)?))).collect();
            for split in splits {
                let record = self.record_of(player, &split, &mut spans)?;
                let mut is_ordered = true;
                for (activity, result) in alike.iter().zip(&results) {
                    record.tally.take(activity);
                    let Some((place, verdict)) = result else { continue };
                    is_ordered &=
                        !activity.is_reversal() && record.streaks.push(place, *verdict).is_ok();
                }
                if !is_ordered {
                    disordered.insert(split);
                }
            }
        }
        if !disordered.is_empty() {
            self.fold_later(player, disordered, &mut spans)?;
        }
        for ((game, span), counted) in spans {
            self.put_records(player, &game, &span, counted)?;
        }
        self.count_versus(player, new)
    }

    /// The record of a player within a split, read once.
    fn record_of<'b>(
        &self,
        player: &str,
        split: &Split,
        spans: &'b mut Spans,
    ) -> Result<&'b mut Record, Error> {
        let Split { game, span, format, reach } = split;
        let Counted { now, .. } = match spans.entry((game.clone(), span.clone())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let stored = self.rows.get(RECORDS, &record_key(player, game, span))?;
                let now = stored.and_then(|it| Records::read(&it)).unwrap_or_default();
                unknown.insert(Counted { won_before: now.won(), now })
            }
        };
        Ok(now.0.entry((*format, *reach)).or_default())
    }

    /// Stores the records of a player within a span, and where they stand on its leaderboards.
    fn put_records(
        &mut self,
        player: &str,
        game: &str,
        span: &Span,
        counted: Counted,
    ) -> Result<(), Error> {
        let Counted { won_before, mut now } = counted;
        let won = now.won();
        let board = |(format, won): (&Format, &i64)| {
            let (game, span) = (game.to_owned(), span.clone());
            board_key(&Split { game, span, format: *format, reach: Reach::Others }, *won, player)
        };
        for before in won_before.iter().filter(|(format, before)| won.get(format) != Some(before)) {
            self.rows.delete(BOARDS, &board(before))?;
        }
        for now in won.iter().filter(|(format, now)| won_before.get(format) != Some(now)) {
            self.rows.put(BOARDS, &board(now), &[])?;
        }
        let key = record_key(player, game, span);
        now.0.retain(|_, record| !record.tally.is_empty());
        if now.0.is_empty() {
            return self.rows.delete(RECORDS, &key);
        }
        self.rows.put(RECORDS, &key, &now.stored())
    }

    /// Folds the streaks of a player again within these splits, from all results.
    fn fold_streaks(
        &self,
        player: &str,
        splits: &BTreeSet<Split>,
        spans: &mut Spans,
    ) -> Result<(), Error> {
        let mut results: Vec<(Place, Verdict, Activity)> = Vec::new();
        self.each(ACTIVITIES, &Key::default().text(player).0, |_, key, value| {
            let activity =
                activities::is_result(key).then(|| activities::read(key, value)).flatten();
            if let Some(activity) = activity
                && let Some(verdict) = Verdict::of(&activity)
            {
                results.push((place(&activity), verdict, activity));
            }
            Ok(())
        })?;
        results.sort_by(|(place, verdict, _), other| (place, verdict).cmp(&(&other.0, &other.1)));
        for split in splits {
            let alike = results.chunk_by(|one, other| (&one.0, one.1) == (&other.0, other.1));
            // Those that are stated more often than they are taken back.
            let counted = alike.filter_map(|alike| {
                let own = alike.iter().filter(|(.., it)| split.has(&it.deed));
                let stated: i64 = own.map(|(.., it)| if it.is_reversal() { -1 } else { 1 }).sum();
                alike.first().filter(|_| stated > 0).map(|(place, verdict, _)| (place, *verdict))
            });
            self.record_of(player, split, spans)?.streaks = Streaks::of(counted);
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
        if told == Told::read(self.rows.get(TOURNAMENTS, &key)?) {
            return Ok(false);
        }
        self.rows.put(TOURNAMENTS, &key, &json(&told))?;
        Ok(true)
    }

    /// Notes that a match is of a tournament.
    pub(super) fn note_match(&mut self, tournament: &str, id: &str) -> Result<(), Error> {
        self.rows.put(MATCHES, &Key::default().text(tournament).text(id).0, &[])
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
            let page = self.rows.range(table, &keys, Order::Ascending, PAGE)?;
            let Some(last) = page.last() else { return Ok(()) };
            keys = keys.after(&last.key);
            for row in &page {
                visit(&*self.rows, &row.key, &row.value)?;
            }
        }
    }
}

/// Whether two deeds count within the same splits.
fn counts_alike(one: &Deed, other: &Deed) -> bool {
    (one.is_team, one.is_private) == (other.is_team, other.is_private)
        && [&one.season, &one.tournament] == [&other.season, &other.tournament]
        && one.game == other.game
}

fn place(activity: &Activity) -> Place {
    Place { ended: activity.deed.time, match_id: activity.source_id.clone() }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
