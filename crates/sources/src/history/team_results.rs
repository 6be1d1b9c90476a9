//! Results of teams as a table: a row is a match as one of its two teams has it, with who played for it.
//!
//! Columns: `match_id`, `date` (a day, or a moment in RFC 3339), `team`, `opponent`, `result` (`W`, `L` or
//! `D`) and `players`, separated by semicolons; `game` and `tournament` may be there. A match may be there
//! once or from both sides. Both rows tell the same result, in the same bytes, so that it is one event;
//! each fills in the line-up of its own team. Teams are known by their names. CSV itself is left to the caller.

use matchwire_domain::{
    envelope::{self, Event},
    live_match::{Label, Player, TeamIndex},
    series::{self, LineUp, MatchScheduled, Member, Name, SeriesEnded, Team, TeamRef},
    subject,
};

use super::{About, event, match_stream, moment};

/// Where each column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    match_id: usize,
    date: usize,
    team: usize,
    opponent: usize,
    result: usize,
    players: usize,
    game: Option<usize>,
    tournament: Option<usize>,
}

/// A table that is none of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no column `{0}`; results need match_id, date, team, opponent, result and players"
)]
pub struct NoColumn(&'static str);

/// A row that is no result.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// The match has a name that no stream can have.
    #[error(transparent)]
    Subject(#[from] subject::Error),
    /// The event cannot be put into an envelope.
    #[error(transparent)]
    Envelope(#[from] envelope::Error),
    /// It is no moment.
    #[error("date {0:?} must be a day, 2026-01-31, or a moment in RFC 3339")]
    Date(String),
    /// It is no result.
    #[error("result {0:?} must be W, L or D")]
    Result(String),
    /// There is nobody to play against.
    #[error("a match is between two teams, and here they are {0:?} and {1:?}")]
    Teams(String, String),
    /// There are more people in it than a line-up has.
    #[error("a line-up has at most {max} players, and here are {0}", max = LineUp::MAX)]
    LineUp(usize),
    /// The game or the tournament has a name that a stream cannot have.
    #[error("{0:?} is no name, which matches [A-Za-z0-9._~-]{{1,64}}")]
    Name(String),
}

impl Columns {
    /// Finds the columns by the names in the first row.
    pub fn of<'a>(header: impl Iterator<Item = &'a str>) -> Result<Self, NoColumn> {
        let names: Vec<&str> = header.map(str::trim).collect();
        let find = |name: &str| names.iter().position(|known| *known == name);
        let at = |name: &'static str| find(name).ok_or(NoColumn(name));
        Ok(Self {
            match_id: at("match_id")?,
            date: at("date")?,
            team: at("team")?,
            opponent: at("opponent")?,
            result: at("result")?,
            players: at("players")?,
            game: find("game"),
            tournament: find("tournament"),
        })
    }

    /// The events of a row, whose cells `cell` gives by number. People are named by what stands in the
    /// table, and `exchange` gives a player id for `name:` and that.
    pub fn read<'a>(
        &self,
        about: &About,
        cell: impl Fn(usize) -> Option<&'a str>,
        exchange: &mut dyn FnMut(&str) -> String,
    ) -> Result<Vec<Event>, Unfit> {
        let text = |column: usize| cell(column).unwrap_or_default().trim();
        let name = |column: Option<usize>| {
            let Some(text) = column.map(text).filter(|text| !text.is_empty()) else {
                return Ok(None);
            };
            Name::new(text.to_owned()).map(Some).ok_or_else(|| Unfit::Name(clip(text)))
        };
        let subject = match_stream(about, text(self.match_id))?;
        let date = text(self.date);
        let time = moment(date).map_err(|_| Unfit::Date(clip(date)))?;
        let [own, other] = [text(self.team), text(self.opponent)];
        if own.is_empty() || other.is_empty() || own == other {
            return Err(Unfit::Teams(clip(own), clip(other)));
        }
        // Whichever side tells, the teams are in the order of their names.
        let own_index = usize::from(own > other);
        let winner = match text(self.result) {
            "W" => Some(own_index),
            "L" => Some(1 - own_index),
            "D" => None,
            result => return Err(Unfit::Result(clip(result))),
        };
        let line_up = line_up(text(self.players), exchange)?;
        let team = |name: &str, players: LineUp| Team {
            name: Label::cut(name),
            id: Some(Label::cut(name)),
            players,
        };
        let teams = in_order(own_index, [team(own, line_up), team(other, LineUp::default())]);
        let refs =
            teams.each_ref().map(|team| TeamRef { name: team.name.clone(), id: team.id.clone() });
        let scheduled = MatchScheduled {
            fills: true,
            game: name(self.game)?.or_else(|| about.game.clone()),
            best_of: None,
            tournament: name(self.tournament)?,
            stage: None,
            teams: Some(teams),
            starts: None,
            server: None,
        };
        let ended = SeriesEnded {
            winner: winner
                .map(|winner| if winner == 0 { TeamIndex::First } else { TeamIndex::Second }),
            score: None,
            teams: Some(refs),
        };
        let told: [series::Event; 2] = [scheduled.into(), ended.into()];
        let put = |told: &series::Event| {
            event(about, &subject, Some(time), told.tag(), &told.to_json()).map_err(Unfit::from)
        };
        told.iter().map(put).collect()
    }
}

/// Two things of the teams, of which the first belongs to the team of that index.
fn in_order<T>(own_index: usize, [own, other]: [T; 2]) -> [T; 2] {
    if own_index == 0 { [own, other] } else { [other, own] }
}

fn line_up(players: &str, exchange: &mut dyn FnMut(&str) -> String) -> Result<LineUp, Unfit> {
    let named = players.split(';').map(str::trim).filter(|name| !name.is_empty());
    let count = named.clone().count();
    if count > LineUp::MAX {
        return Err(Unfit::LineUp(count));
    }
    let member =
        |name: &str| Member { player: Player::new(&exchange(&format!("name:{name}"))), name: None };
    Ok(LineUp::cut(named.map(member).collect()))
}

/// What an error quotes of a text that may be anything.
fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}
