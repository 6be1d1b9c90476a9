//! The stored view `players`: activities, and the statistics and leaderboards that are made of them.
//!
//! ```text
//!   match/m, match/m/1, … ─► Outcome ─┐
//!   tournament/t ─► season, privacy ──┼─► deeds ─► revise ─► activities ─► records ─► boards
//!                └──────────► State ──┘
//!   Outcome ─► bouts ─► courses of ratings ─► ladders
//! ```
//!
//! Whatever happens in a match or a tournament, its streams are read as a whole, and what holds of it now
//! is compared with the activities that it has: so rows come out the same in whatever order streams are
//! read. A match's own stream is gone through event by event, so that a result and its correction are both
//! seen, also when the view is built anew.

mod activities;
mod keys;
mod ladders;
mod records;
mod rows;
mod streams;

mod courses;
mod feed;
mod rivals;
mod standings;
mod whole;

pub mod reconcile;

use std::sync::Arc;

use matchwire_domain::{
    activity::{Activity, Deeds, Model},
    envelope::{Attributes, Recorded},
    live_match::Games,
    outcome::Outcome,
    player::FORGETS,
    subject::{Kind, Pattern, Subject},
};
use matchwire_log::{
    Log,
    projection::Projection,
    view_store::{Error, Keys, Schema, Snapshot, Table, Transaction},
};

use self::{reconcile::Forgotten, rows::Rows, streams::Streams};

pub use self::{
    courses::{
        Course, MAX_POINTS, NoSince, Point, Points, Rated, Since, Standing as Rung, is_folded,
        ladder, rated,
    },
    feed::{Cursor, Feed, Filter, MAX_PAGE, NoCursor, Page, has_activities},
    records::Record,
    rivals::{MAX_OPPONENTS, Opponent, each_opponent, opponents, versus},
    standings::{MAX_BEHIND, Place, Standing, board, record},
    whole::{count_activities, each_activity, each_rating, games, records},
};

/// Activities by player, the newest first.
const ACTIVITIES: Table = Table::new("activities");
/// Which activities a match or a tournament has, with the time of each.
const SOURCES: Table = Table::new("sources");
/// What is counted of a player within each span of a game.
const RECORDS: Table = Table::new("records");
/// How a player has fared against each other one.
const VERSUS: Table = Table::new("versus");
/// Players by how many matches they have won within a split, the most first.
const BOARDS: Table = Table::new("boards");
/// Matches that play decided, by game in the order of results.
const BOUTS: Table = Table::new("bouts");
/// Where the bout of a match is.
const PLACES: Table = Table::new("places");
/// What a player was rated after each bout, by game in the order of results.
const COURSES: Table = Table::new("courses");
/// Players by what they are rated at least, by game and system, the highest first.
const LADDERS: Table = Table::new("ladders");
/// From where on the bouts of a game are still to be folded; nothing where all are.
const UNFOLDED: Table = Table::new("unfolded");
/// The matches of a tournament.
const MATCHES: Table = Table::new("matches");
/// What a tournament tells of its matches.
const TOURNAMENTS: Table = Table::new("tournaments");
/// Players who are forgotten.
const FORGOTTEN: Table = Table::new("forgotten");

/// Within a transaction: players whose streaks are to be folded again, and within which splits.
const UNORDERED: Table = Table::new("unordered");

const TABLES: [Table; 14] = [
    ACTIVITIES,
    SOURCES,
    RECORDS,
    VERSUS,
    BOARDS,
    BOUTS,
    PLACES,
    COURSES,
    LADDERS,
    UNFOLDED,
    MATCHES,
    TOURNAMENTS,
    FORGOTTEN,
    UNORDERED,
];
const SCHEMA: Schema = Schema::new("players", 5, &TABLES);

/// Events of a map by which it may end, or by which its end may be another one, or those who were in it. After it has
/// ended, and somebody is known to have been in it, all may.
const DECIDING: [&str; 23] = [
    "map.ended",
    "match.finished",
    "match.forfeited",
    "match.abandoned",
    "result.amended",
    "event.voided",
    "event.amended",
    "score.reported",
    "team.scored",
    "round.ended",
    "period.ended",
    "shootout.kicked",
    "source.switched",
    "player.joined",
    "lineup.told",
    "player.substituted",
    "player.returned",
    "period.started",
    "goal.scored",
    "goal.assisted",
    "card.shown",
    "penalty.missed",
    "shot.taken",
];

/// The view `players` over a log.
pub struct Players {
    log: Log,
    games: Games,
    observer: Option<Observer>,
    /// What is known to be wrong in the view that is looked at.
    forgotten: Forgotten,
}

/// What is told of every activity that is made, before it is committed: it may be told again.
pub type Observer = Arc<dyn Fn(&Activity) + Send + Sync>;

impl Players {
    /// Of a log of these games. No model is asked.
    pub fn new(log: Log) -> Self {
        let (observer, forgotten) = (None, Forgotten::default());
        Self { log, games: Games::default(), observer, forgotten }
    }

    /// The same, for somebody who wants to be told of activities.
    #[must_use]
    pub fn observed(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    fn tell(&self, made: &[Activity]) {
        if let Some(observer) = &self.observer {
            for activity in made {
                observer(activity);
            }
        }
    }

    /// The log that it reads.
    fn log(&self) -> &Log {
        &self.log
    }

    /// Takes what a match's own stream has told from an event on, step by step; and again all matches of a tournament
    /// that is found to tell something else of them than when they were taken.
    fn follow_match(&self, rows: &mut Rows<'_>, id: &str, since: u64) -> Result<(), Error> {
        let mut stale = self.take_match(rows, id, since)?;
        while let Some(other) = stale.pop() {
            stale.extend(self.take_match(rows, &other, u64::MAX)?);
        }
        Ok(())
    }

    /// Takes one match, and answers which others are to be taken again. Streams are read to their ends, which may be
    /// further than the view is; so what a tournament tells is noted by whoever reads it.
    fn take_match(&self, rows: &mut Rows<'_>, id: &str, since: u64) -> Result<Vec<String>, Error> {
        let mut streams = Streams::of_match(&self.log, &self.games, id)?;
        let (mut stale, mut last) = (Vec::new(), None);
        for seq in streams.own_seqs(since) {
            let mut outcome = streams.outcome_at(seq);
            let tournament = outcome.as_ref().and_then(|outcome| outcome.tournament.clone());
            if let Some(name) = tournament {
                let told = Streams::tournament(&self.log, &name)?.state;
                if rows.note_tournament(&name, &told)? {
                    stale.extend(rows.matches_of(&name)?);
                }
                outcome = outcome.map(|outcome| outcome.within(&told));
            }
            let deeds = outcome.as_ref().map_or_else(Deeds::new, Outcome::deeds);
            self.tell(&rows.take(Model::Match, id, deeds)?);
            last = outcome;
        }
        rows.rate(id, last.as_ref())?;
        if let Some(tournament) = streams.tournament_named() {
            rows.note_match(&tournament, id)?;
        }
        Ok(stale)
    }

    /// Takes what a map has told, if that may be of consequence.
    fn follow_map(&self, rows: &mut Rows<'_>, id: &str, events: &[Recorded]) -> Result<(), Error> {
        let decides = |event: &Recorded| {
            Attributes::read(&event.stored)
                .is_ok_and(|attributes| DECIDING.contains(&&*attributes.kind))
        };
        if events.iter().any(decides) || rows.has_any(Model::Match, id)? {
            self.follow_match(rows, id, u64::MAX)?;
        }
        Ok(())
    }

    fn follow_tournament(&self, rows: &mut Rows<'_>, id: &str) -> Result<(), Error> {
        let state = Streams::tournament(&self.log, id)?.state;
        self.tell(&rows.take(Model::Tournament, id, state.deeds(id))?);
        if rows.note_tournament(id, &state)? {
            for of_it in rows.matches_of(id)? {
                self.follow_match(rows, &of_it, u64::MAX)?;
            }
        }
        Ok(())
    }
}

impl Projection for Players {
    fn schema(&self) -> Schema {
        SCHEMA
    }

    fn scope(&self) -> Vec<Pattern> {
        ["match/**", "tournament/*", "player/*"]
            .iter()
            .filter_map(|pattern| pattern.parse().ok())
            .collect()
    }

    fn apply(
        &self,
        rows: &mut dyn Transaction,
        subject: &Subject,
        events: &[Recorded],
    ) -> Result<(), Error> {
        let mut rows = Rows::of_batch(rows);
        match subject.kind() {
            Kind::Match(id) => {
                let since = events.first().map_or(0, |event| event.seq);
                self.follow_match(&mut rows, id, since)
            }
            Kind::MatchMap(id, _) => self.follow_map(&mut rows, id, events),
            Kind::Tournament(id) => self.follow_tournament(&mut rows, id),
            Kind::Player(id) if events.iter().any(forgets) => rows.forget(id),
            _ => Ok(()),
        }
    }

    fn finish(&self, rows: &mut dyn Transaction) -> Result<(), Error> {
        Rows::of_batch(rows).finish()
    }

    fn settle(&self, rows: &mut dyn Transaction) -> Result<bool, Error> {
        ladders::fold(rows)
    }

    fn removals(&self, view: &dyn Snapshot) -> Result<u64, Error> {
        view.count(FORGOTTEN, &Keys::all())
    }
}

/// Whether an event says that its player is forgotten.
fn forgets(event: &Recorded) -> bool {
    Attributes::read(&event.stored).is_ok_and(|attributes| attributes.kind == FORGETS)
}

/// The schema of the view.
pub fn schema() -> Schema {
    SCHEMA
}
