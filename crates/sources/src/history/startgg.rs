//! Brackets of start.gg, as the smash_database project publishes them: a tournament in four files of
//! JSON, `attr.json`, `seeds.json`, `matches.json` and `standings.json`.
//!
//! A set with `dq`, or a score of -1, was lost by disqualification, one with `cancel` is not played, and one
//! that is not complete (`state` 3) is open. Sets have no ids: one is known by its phase, its round and who is in
//! it, so that one that is listed twice is told once. They have no times either, only the tournament does;
//! their names sort in the order of play as far as rounds tell it, so that results stand in that order.

mod raw;

use matchwire_domain::{
    envelope::Event,
    live_match::{Forfeit, Label, MatchForfeited, Player, TeamIndex, course},
    series::{self, LineUp, MatchCancelled, MatchScheduled, Member, Name, SeriesEnded, Team},
    subject::{self, Subject},
    timestamp::Timestamp,
    tournament::{
        self, Entrant, Placement, Placements, Registration, Registrations, TournamentAnnounced,
        TournamentEnded, TournamentPlaced, TournamentRegistered,
    },
};
use serde_json::Value;

use super::{About, event};
use crate::source::hash;

use self::raw::{Attr, Placed, Seed, Set};

/// The files of a bracket.
#[derive(Debug, Clone, Copy)]
pub struct Bracket<'a> {
    /// What it is.
    pub attr: &'a [u8],
    /// Who is entered.
    pub seeds: &'a [u8],
    /// What was played.
    pub matches: &'a [u8],
    /// How it ended.
    pub standings: &'a [u8],
}

/// What was read.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The events, those of the tournament first.
    pub events: Vec<Event>,
    /// Entries of the files that tell nothing we know: where each is, and what it lacks.
    pub unknown: Vec<String>,
}

/// A file that is none of a bracket.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not the JSON that belongs there.
    #[error("{0} is no file of a bracket: {1}")]
    File(&'static str, serde_json::Error),
    /// The names that it would have are none of streams.
    #[error(transparent)]
    Subject(#[from] subject::Error),
}

/// Reads a bracket. `exchange` gives a player id for an account, `startgg:` and the user's id.
pub fn read(
    about: &About,
    bracket: &Bracket<'_>,
    exchange: &mut dyn FnMut(&str) -> String,
) -> Result<History, Error> {
    let attr: Attr = serde_json::from_slice(bracket.attr).map_err(|e| Error::File("attr", e))?;
    let name = format!("{}{}", about.prefix, attr.event_id);
    let mut reader = Reader {
        about,
        tournament: Subject::parse(&format!("tournament/{name}"))?,
        name: Name::new(name),
        time: attr.timestamp.map(|seconds| Timestamp::from_ms(seconds.saturating_mul(1_000))),
        exchange,
        history: History::default(),
        seeds: 0,
        sets: 0,
        placed: 0,
    };
    reader.announce(&attr);
    for seeds in entries("seeds", bracket.seeds)?.chunks(Registrations::MAX) {
        reader.register(seeds);
    }
    let sets = entries("matches", bracket.matches)?;
    for standings in entries("standings", bracket.standings)?.chunks(Placements::MAX) {
        reader.place(standings);
    }
    if attr.status.as_deref() == Some("completed") {
        reader.tell(&TournamentEnded {}.into());
    }
    for set in &sets {
        reader.read_set(set);
    }
    Ok(reader.history)
}

fn entries(file: &'static str, json: &[u8]) -> Result<Vec<Value>, Error> {
    let listed: raw::Listed = serde_json::from_slice(json).map_err(|e| Error::File(file, e))?;
    Ok(listed.data)
}

struct Reader<'a> {
    about: &'a About,
    tournament: Subject,
    name: Option<Name>,
    time: Option<Timestamp>,
    exchange: &'a mut dyn FnMut(&str) -> String,
    history: History,
    /// How many entries were read of each file.
    seeds: usize,
    sets: usize,
    placed: usize,
}

impl Reader<'_> {
    fn announce(&mut self, attr: &Attr) {
        let names = [&attr.tournament_name, &attr.event_name].map(String::as_str);
        let name: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
        let announced = TournamentAnnounced {
            name: Some(Label::cut(&name.join(": "))).filter(|name| !name.is_empty()),
            game: self.about.game.clone(),
            season: None,
            private: None,
            starts: self.time,
        };
        self.tell(&announced.into());
    }

    fn register(&mut self, seeds: &[Value]) {
        let mut entrants = Vec::with_capacity(seeds.len());
        for seed in seeds {
            self.seeds += 1;
            let Some(Seed { user_id }) = raw::entry(seed) else {
                let what = format!("seed {}: no user with an account", self.seeds);
                self.history.unknown.push(what);
                continue;
            };
            entrants.push(Registration::Player(self.player(user_id)));
        }
        self.tell(&TournamentRegistered { entrants: Registrations::cut(entrants) }.into());
    }

    fn place(&mut self, standings: &[Value]) {
        let mut placements = Vec::with_capacity(standings.len());
        for placed in standings {
            self.placed += 1;
            let Some(Placed { user_id, placement: place }) = raw::entry(placed) else {
                let what = format!("standing {}: no user with an account and a place", self.placed);
                self.history.unknown.push(what);
                continue;
            };
            let entrant = Entrant::Player(self.player(user_id));
            placements.push(Placement { entrant, place });
        }
        self.tell(&TournamentPlaced { placements: Placements::cut(placements) }.into());
    }

    fn read_set(&mut self, set: &Value) {
        let set = raw::entry::<Set>(set).filter(|set| {
            (set.winner_id.is_some() || set.loser_id.is_some()) && set.winner_id != set.loser_id
        });
        let told = set.and_then(|set| Some((self.subject_of(&set)?, set)));
        self.sets += 1;
        let Some((subject, set)) = told else {
            let what =
                format!("set {}: not two different users, or none with an account", self.sets);
            self.history.unknown.push(what);
            return;
        };
        // Whoever won, the sides are in the order of the users' ids; nobody comes last.
        let key = |id: Option<u64>| (id.is_none(), id);
        let winner_is_first = key(set.winner_id) < key(set.loser_id);
        let [first, second] = if winner_is_first {
            [set.winner_id, set.loser_id]
        } else {
            [set.loser_id, set.winner_id]
        };
        let scheduled = MatchScheduled {
            fills: false,
            game: self.about.game.clone(),
            best_of: None,
            tournament: self.name.clone(),
            stage: Some(Label::cut(&set.round_text)).filter(|stage| !stage.is_empty()),
            teams: Some([self.side(first, "Player 1"), self.side(second, "Player 2")]),
            starts: None,
            server: None,
        };
        self.tell_match(&subject, &scheduled.into());
        let index = |is_first: bool| if is_first { TeamIndex::First } else { TeamIndex::Second };
        let told: series::Event = if set.cancel {
            MatchCancelled { reason: None }.into()
        } else if set.dq || set.loser_score.is_some_and(|score| score < 0) {
            let (team, how) = (index(!winner_is_first), Forfeit::Disqualified);
            series::Event::Common(course::Event::from(MatchForfeited { team, how, reason: None }))
        } else if set.state.is_none_or(|state| state == raw::COMPLETE) {
            let score =
                set.score().map(
                    |[winner, loser]| {
                        if winner_is_first { [winner, loser] } else { [loser, winner] }
                    },
                );
            SeriesEnded { winner: Some(index(winner_is_first)), score, teams: None }.into()
        } else {
            return;
        };
        self.tell_match(&subject, &told);
    }

    /// The stream of a set: its names sort by the order of play, pools before what follows them, and
    /// within a phase by round. Of two losers' rounds there is one of winners, so those count double.
    fn subject_of(&self, set: &Set) -> Option<Subject> {
        let mut users = [set.winner_id, set.loser_id];
        users.sort_unstable();
        let depth =
            if set.round > 0 { set.round.saturating_mul(2) } else { set.round.saturating_neg() };
        let phase = set.phase.as_deref().unwrap_or_default();
        let who = hash(format!("{phase}\n{}\n{}\n{users:?}", set.round, set.round_text));
        let part = if set.wave.is_some() { 'a' } else { 'b' };
        let name = format!("{}-{part}{:02}-{who}", self.name.as_ref()?.get(), depth.clamp(0, 99));
        Subject::parse(&format!("match/{name}")).ok()
    }

    fn player(&mut self, user: u64) -> Player {
        Player::new(&(self.exchange)(&format!("startgg:{user}")))
    }

    /// A side of one. Its name says nothing of who it is: names stand in the log, accounts do not.
    fn side(&mut self, user: Option<u64>, name: &str) -> Team {
        let player = user.map(|user| self.player(user));
        let name = Label::cut(name);
        let members = player.map(|player| Member { player, name: None });
        Team { name, id: None, players: LineUp::cut(members.into_iter().collect()) }
    }

    fn tell(&mut self, told: &tournament::Event) {
        let event = event(self.about, &self.tournament, self.time, told.tag(), &told.to_json());
        self.put(event.ok());
    }

    fn tell_match(&mut self, subject: &Subject, told: &series::Event) {
        let event = event(self.about, subject, self.time, told.tag(), &told.to_json());
        self.put(event.ok());
    }

    fn put(&mut self, event: Option<Event>) {
        match event {
            Some(event) => self.history.events.push(event),
            None => self.history.unknown.push("an event that is too long for its envelope".into()),
        }
    }
}
