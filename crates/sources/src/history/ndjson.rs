//! A history as lines of JSON, each of which is a match that was played, a tournament, or an event.
//!
//! ```text
//! {"match": "m1", "ended": "2026-01-31", "teams": [{"id": "alpha", "name": "Alpha", "players": [{"account": "steam:1"}]},
//!   {"id": "bravo", "name": "Bravo", "players": [{"account": "steam:2"}]}], "result": {"won": 0}, "score": [2, 1]}
//! {"tournament": "cup", "name": "Cup", "entrants": [{"player": "steam:1"}], "placements": [{"entrant": {"player": "steam:1"}, "place": 1}],
//!   "ended": "2026-02-01"}
//! {"specversion": "1.0", "id": "7", "source": "feed", "subject": "match/m2", "type": "series.started"}
//! ```
//!
//! An event is a CloudEvent as Matchwire takes it, or as `log export` writes it. Those that name others by their
//! `seq` in the log that they come from are refused, as those have another one here.

mod raw;

use matchwire_domain::{
    envelope::{self, Attributes, Event, SEALED},
    live_match::{Games, MatchAbandoned, MatchForfeited, Player, TeamIndex, course},
    series::{
        self, ByeGiven, LineUp, MatchCancelled, MatchScheduled, Member, Name, SeriesEnded,
        SeriesStarted, Team,
    },
    subject::{self, Kind, Subject},
    timestamp::{self, Timestamp},
    tournament::{
        self, Placements, Registrations, TournamentAnnounced, TournamentCancelled, TournamentEnded,
        TournamentPlaced, TournamentRegistered,
    },
    vocabulary,
};
use serde_json::Value;

use self::raw::{Match, Result as Told, Side, Tournament};
use super::{About, event, match_stream, moment};
use crate::source::hash;

/// What the log gives an event; `log export` writes it.
const GIVEN: [&str; 4] = ["seq", "recordedtime", "leaf", "chain"];
/// Events that name others by their `seq`, and the one after which nothing may come.
const REFUSED: [&str; 5] =
    ["event.voided", "event.amended", "result.amended", "result.confirmed", SEALED];
/// The longest account, in characters.
const MAX_ACCOUNT: usize = 128;

/// A line that is no part of a history.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It is not JSON, or not what it seems to be.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// It is none of the three.
    #[error(
        "it must be a match with `match`, a tournament with `tournament`, or a CloudEvent with `specversion`"
    )]
    Unknown,
    /// It has a name that no stream can have.
    #[error(transparent)]
    Subject(#[from] subject::Error),
    /// The event cannot be put into an envelope.
    #[error(transparent)]
    Envelope(#[from] envelope::Error),
    /// The event is none that is taken.
    #[error(transparent)]
    Vocabulary(#[from] vocabulary::Error),
    /// It is no moment.
    #[error("{0} or, as its first moment, a day: 2026-01-31")]
    Time(#[from] timestamp::Error),
    /// Whoever it is, nobody could know them again.
    #[error(
        "account {0:?} must have its system and a colon, steam:76561197960265729, and at most {MAX_ACCOUNT} characters"
    )]
    Account(String),
    /// Nobody has won, and somebody has more.
    #[error("a match that was drawn cannot have the score {0}:{1}")]
    Drawn(u16, u16),
    /// Who has won has less.
    #[error("whoever has won cannot have less, and the score is {0}:{1}")]
    Won(u16, u16),
    /// There are more people in it than a line-up has.
    #[error("a line-up has at most {max} players, and here are {0}", max = LineUp::MAX)]
    LineUp(usize),
    /// It is of a stream that is no history.
    #[error("{0} is no stream of a match or a tournament")]
    Stream(Subject),
    /// It is of a type that only makes sense where it comes from.
    #[error("{0} names other events by their seq in another log; give the result as it is now")]
    Correction(String),
}

/// Reads a line. `exchange` gives a player id for an account.
pub fn read(
    about: &About,
    games: &Games,
    line: &str,
    exchange: &mut dyn FnMut(&str) -> String,
) -> Result<Vec<Event>, Unfit> {
    let value: Value = serde_json::from_str(line)?;
    let has = |key: &str| value.get(key).is_some();
    let mut reader = Reader { about, exchange };
    match (has("specversion"), has("match"), has("tournament")) {
        (true, ..) => Ok(vec![reader.event(games, value)?]),
        (_, true, _) => reader.match_of(serde_json::from_str(line)?),
        (.., true) => reader.tournament(serde_json::from_str(line)?),
        _ => Err(Unfit::Unknown),
    }
}

struct Reader<'a> {
    about: &'a About,
    exchange: &'a mut dyn FnMut(&str) -> String,
}

impl Reader<'_> {
    fn event(&mut self, games: &Games, mut value: Value) -> Result<Event, Unfit> {
        if let Value::Object(members) = &mut value {
            members.retain(|name, _| !GIVEN.contains(&name.as_str()));
        }
        let json = value.to_string();
        let told = Attributes::parse(&json)?;
        let subject = Subject::parse(&told.subject)?;
        if !matches!(subject.kind(), Kind::Match(_) | Kind::MatchMap(..) | Kind::Tournament(_)) {
            return Err(Unfit::Stream(subject));
        }
        if REFUSED.contains(&&*told.kind) {
            return Err(Unfit::Correction(told.kind.into_owned()));
        }
        let id = format!("{}/{}", told.kind, hash(format!("{}\n{}", told.source, told.id)));
        let attributes = Attributes {
            id: id.into(),
            source: self.about.source.as_str().into(),
            sequence: None,
            traceparent: None,
            ..told
        };
        let exchange = &mut *self.exchange;
        let mut exchange =
            |person: &str| if person.contains(':') { exchange(person) } else { person.to_owned() };
        Ok(vocabulary::admit(games, &attributes, &mut exchange, &|_, name| name.clone())?)
    }

    fn match_of(&mut self, told: Match) -> Result<Vec<Event>, Unfit> {
        let subject = match_stream(self.about, &told.id)?;
        if let (Told::Won(winner), Some(score)) = (&told.result, told.score)
            && let [first, second] = score
            && (if *winner == TeamIndex::First { first < second } else { second < first })
        {
            return Err(Unfit::Won(first, second));
        }
        if let (Told::Drawn, Some([first, second])) = (&told.result, told.score)
            && first != second
        {
            return Err(Unfit::Drawn(first, second));
        }
        let ended = moment(&told.ended)?;
        let [first, second] = told.teams;
        let scheduled = MatchScheduled {
            fills: false,
            game: told.game.or_else(|| self.about.game.clone()),
            best_of: told.best_of,
            tournament: told.tournament.map(|name| self.prefixed(&name)).transpose()?,
            stage: told.stage,
            teams: Some([self.side(first)?, self.side(second)?]),
            starts: told.starts.as_deref().map(moment).transpose()?,
            server: None,
        };
        let mut events: Vec<series::Event> = vec![scheduled.into()];
        let score = told.score;
        let end = |winner: Option<TeamIndex>| SeriesEnded { winner, score, teams: None };
        let common = |event: course::Event| series::Event::Common(event);
        if told.begun {
            events.push(SeriesStarted {}.into());
        }
        events.push(match told.result {
            Told::Won(winner) => end(Some(winner)).into(),
            Told::Drawn => end(None).into(),
            Told::Forfeited { team, how } => {
                common(MatchForfeited { team, how, reason: None }.into())
            }
            Told::Bye(team) => ByeGiven { team, reason: None }.into(),
            Told::Cancelled => MatchCancelled { reason: None }.into(),
            Told::Abandoned => common(MatchAbandoned { reason: None }.into()),
        });
        let put = |told: &series::Event| {
            event(self.about, &subject, Some(ended), told.tag(), &told.to_json())
        };
        Ok(events.iter().map(put).collect::<Result<_, _>>()?)
    }

    fn side(&mut self, told: Side) -> Result<Team, Unfit> {
        if told.players.len() > LineUp::MAX {
            return Err(Unfit::LineUp(told.players.len()));
        }
        let mut members = Vec::with_capacity(told.players.len());
        for member in told.players {
            members.push(Member { player: self.player(&member.account)?, name: member.name });
        }
        let players = LineUp::cut(members);
        Ok(Team { name: told.name, id: told.id, players })
    }

    fn player(&mut self, account: &str) -> Result<Player, Unfit> {
        let system = account.split_once(':').map(|(system, _)| system);
        if system.is_none_or(str::is_empty) || account.chars().count() > MAX_ACCOUNT {
            return Err(Unfit::Account(account.chars().take(40).collect()));
        }
        Ok(Player::new(&(self.exchange)(account)))
    }

    fn prefixed(&self, name: &Name) -> Result<Name, Unfit> {
        let whole = format!("{}{}", self.about.prefix, name.get());
        Name::new(whole.clone()).ok_or_else(|| subject::Error::Segment(whole).into())
    }

    fn tournament(&mut self, told: Tournament) -> Result<Vec<Event>, Unfit> {
        let name = self.prefixed(&told.id)?;
        let subject = Subject::parse(&format!("tournament/{}", name.get()))?;
        let starts = told.starts.as_deref().map(moment).transpose()?;
        let ended = told.ended.as_deref().map(moment).transpose()?;
        let begins = starts.or(ended);
        let announced = TournamentAnnounced {
            name: told.name,
            game: told.game.or_else(|| self.about.game.clone()),
            season: told.season,
            private: told.private,
            starts,
        };
        let mut events: Vec<(tournament::Event, Option<Timestamp>)> =
            vec![(announced.into(), begins)];
        for entrants in told.entrants.chunks(Registrations::MAX) {
            let entrants = Registrations::cut(entrants.to_vec());
            events.push((TournamentRegistered { entrants }.into(), begins));
        }
        for placements in told.placements.chunks(Placements::MAX) {
            let placements = Placements::cut(placements.to_vec());
            events.push((TournamentPlaced { placements }.into(), ended.or(begins)));
        }
        match ended {
            _ if told.cancelled => {
                events.push((TournamentCancelled { reason: None }.into(), ended.or(begins)));
            }
            Some(_) => events.push((TournamentEnded {}.into(), ended)),
            None => {}
        }
        for (event, _) in &mut events {
            for player in event.players_mut() {
                *player = self.player(player)?;
            }
        }
        let put = |(told, time): &(tournament::Event, Option<Timestamp>)| {
            event(self.about, &subject, *time, told.tag(), &told.to_json())
        };
        Ok(events.iter().map(put).collect::<Result<_, _>>()?)
    }
}
