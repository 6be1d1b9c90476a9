//! What the maps of all games have in common: where they stand, pauses, what a referee decides,
//! and what a feed tells of itself.
//!
//! Corrections, `event.voided` and `event.amended`, change which events are folded; that is left to
//! [`crate::timeline`].

use std::borrow::Cow;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::{
    Games, Label, Latest, PersonName, Player, Priority, Rules,
    declare::{bounded, vocabulary},
    lexicon::{Exchange, Scope, Seal, Unfit},
};
use crate::timestamp::Timestamp;

/// How many anomalies a state lists; later ones are only counted.
pub const MAX_ANOMALIES: usize = 100;

vocabulary! {
    /// Play stops.
    "match.paused" => MatchPaused {
        /// Why.
        reason: PauseReason,
        /// The side that called it, as the game calls its sides, if a team did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        side: Option<Label>,
    };
    /// Play goes on.
    "match.resumed" => MatchResumed;
    /// A team gives the map up, or is made to: the other one wins.
    "match.forfeited" => MatchForfeited {
        /// The index of the team that loses by it.
        team: TeamIndex,
        /// What it did; `gave_up` if left out.
        #[serde(default, skip_serializing_if = "Forfeit::is_plain")]
        how: Forfeit,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
    /// Play ends for good without a winner.
    "match.abandoned" => MatchAbandoned {
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
    /// A referee sets the result, whatever was played.
    "result.amended" => ResultAmended {
        /// The event whose result this supersedes.
        seq: u64,
        /// The score, in the order of teams; as it was if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        score: Option<[u16; 2]>,
        /// The index of the team that won; if left out, whoever has the higher score.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        winner: Option<TeamIndex>,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
    /// A referee confirms the result; a later correction opens it again.
    "result.confirmed" => ResultConfirmed {
        /// The last event that the referee had seen.
        seq: u64,
    };
    /// An earlier event of the stream did not happen.
    "event.voided" => EventVoided {
        /// The event that this supersedes; a correction, too, to take it back.
        seq: u64,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
    /// An earlier event of the stream happened otherwise than it was told.
    "event.amended" => EventAmended {
        /// The event that this supersedes; no correction.
        seq: u64,
        /// What kind of fact it was.
        #[serde(rename = "type")]
        kind: Label,
        /// When it happened, RFC 3339; as it was told if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        time: Option<Timestamp>,
        /// The fact itself, as the type's schema has it.
        data: serde_json::Map<String, serde_json::Value>,
        /// Why, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
    /// These sources tell of the same facts; the first one is believed unless a switch says otherwise.
    "sources.ranked" => SourcesRanked {
        /// The names, the primary source first. `cs-log` is also that of `cs-log/1234`.
        sources: SourceNames,
        /// By how many seconds their times of one fact may differ; 15 if left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        window_s: Option<u16>,
    };
    /// Another one of the ranked sources is believed.
    "source.switched" => SourceSwitched {
        /// The source that is believed from now on.
        to: Label,
        /// The moment of play after which it is, RFC 3339: that of the last fact of the one before.
        since: Timestamp,
        /// The source that was believed until then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Label>,
        /// Why, for people: `silence`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Label>,
    };
    /// A part of a source's feed has not arrived.
    "source.gap" => SourceGap {
        /// First missing byte of the feed.
        from: u64,
        /// First byte after the gap.
        to: u64,
    };
    /// A part of a source's feed arrived after what follows it.
    "source.late" => SourceLate {
        /// First byte of what came late.
        from: u64,
        /// First byte after it.
        to: u64,
    };
}

impl Event {
    /// The tags of events in which people's names stand; those in an amended event are sealed with it.
    pub const NAMED: &[&str] = &[];

    /// The names of people in the event: there are none.
    #[allow(clippy::unused_self, reason = "the signature of every vocabulary")]
    pub fn names_mut(&mut self) -> Vec<(&Player, &mut PersonName)> {
        Vec::new()
    }

    /// Nobody is named in these; those in an amended event are exchanged with it.
    #[allow(clippy::unused_self, reason = "the signature of every vocabulary")]
    pub fn players_mut(&mut self) -> Vec<&mut Player> {
        Vec::new()
    }
}

bounded! {
    /// Names of sources, at most 8.
    SourceNames(Vec<Label>), 8, "maxItems", Vec::len;
}

impl SourceNames {
    /// The first 8 of some names.
    pub fn cut<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.take(8).map(Label::cut).collect())
    }
}

/// A team, as an index into `teams`: 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum TeamIndex {
    /// `0`.
    First,
    /// `1`.
    Second,
}

impl TeamIndex {
    /// As an index.
    pub fn index(self) -> usize {
        usize::from(u8::from(self))
    }
}

impl From<TeamIndex> for u8 {
    fn from(team: TeamIndex) -> Self {
        match team {
            TeamIndex::First => 0,
            TeamIndex::Second => 1,
        }
    }
}

impl TryFrom<u8> for TeamIndex {
    type Error = String;

    fn try_from(index: u8) -> Result<Self, String> {
        match index {
            0 => Ok(Self::First),
            1 => Ok(Self::Second),
            other => Err(format!("{other} is no index of a team, which is 0 or 1")),
        }
    }
}

impl JsonSchema for TeamIndex {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TeamIndex".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "integer", "minimum": 0, "maximum": 1})
    }
}

/// Why play stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// A team's tactical time-out.
    Timeout,
    /// A technical pause.
    Technical,
    /// Half-time.
    HalfTime,
    /// Any other reason.
    Other,
}

/// How a team loses without being beaten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forfeit {
    /// It gave up, whether it had begun or not.
    #[default]
    GaveUp,
    /// It was made to lose.
    Disqualified,
    /// It was not there: it has played nothing.
    NoShow,
}

impl Forfeit {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
    fn is_plain(&self) -> bool {
        *self == Self::GaveUp
    }
}

/// What a state of any game begins with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Course {
    /// The match.
    #[serde(rename = "match")]
    pub match_id: String,
    /// The number of the map within the match, 1 in games without maps; 0 of the match as a whole.
    #[serde(skip_serializing_if = "is_whole")]
    pub map: u16,
    /// The last event in it, 0 before the first.
    pub seq: u64,
    /// When the last event happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Where the map stands.
    pub status: Status,
    /// When it ended, while it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Whether something of it was played.
    #[serde(skip)]
    pub has_begun: bool,
    /// The game.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub game: Cow<'static, str>,
    /// Why play stops, while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// The index of the team that won the map; left out while it is open, and for a draw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub winner: Option<usize>,
    /// What a referee decided about the result, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// The source that is believed now, where several tell of the same facts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The last prediction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Latest>,
    /// What did not fit, oldest first, at most [`MAX_ANOMALIES`].
    pub anomalies: Vec<Anomaly>,
    /// How many anomalies there were in all.
    pub anomaly_count: u64,
}

/// Where a map stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not begun: nothing was heard, or it is warm-up.
    Scheduled,
    /// Being played.
    Live,
    /// Play stops.
    Paused,
    /// Over.
    Ended,
}

/// A pause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pause {
    /// Why.
    pub reason: PauseReason,
    /// The index of the team that called it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<usize>,
}

/// What a referee decided about a result.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Ruling {
    /// What ended or changed it, if play did not: `forfeited`, `abandoned`, `amended`; of a match as a whole
    /// also `cancelled` and `bye`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// How the team that did not win lost, if it is forfeited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<Forfeit>,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it is confirmed.
    pub confirmed: bool,
}

/// Something that did not fit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Anomaly {
    /// At which event.
    pub seq: u64,
    /// What kind: `gap`, `late`, `score_mismatch`, `stats_mismatch`, `dead_player`,
    /// `too_many_players`, `unreadable`, `wrong_game`, `not_correctable`, `reopened`,
    /// `disagreement`; in football also `after_end`, `card_mismatch`, `not_on_pitch`,
    /// `too_many_goals`, `too_many_substitutions`, `unknown_goal`, `wrong_team`; of a match as a whole
    /// `veto_too_long`; of a tournament `not_registered` and `too_many_entrants`, of a player
    /// `too_many_friends` and `too_many_purposes`.
    pub kind: &'static str,
    /// What exactly, for a person.
    pub detail: String,
}

impl Anomaly {
    /// Whether it is about what was played, rather than about how it was told.
    pub(super) fn is_of_play(&self) -> bool {
        matches!(self.kind, "score_mismatch" | "stats_mismatch" | "dead_player")
    }
}

impl Course {
    /// Of a map of which nothing is known; its game is told later.
    pub fn new(match_id: &str, map: u16) -> Self {
        Self {
            match_id: match_id.into(),
            map,
            seq: 0,
            time: None,
            status: Status::Scheduled,
            ended: None,
            has_begun: false,
            game: "".into(),
            pause: None,
            winner: None,
            ruling: None,
            source: None,
            prediction: None,
            anomalies: Vec::new(),
            anomaly_count: 0,
        }
    }

    /// Records something that does not fit.
    pub fn note_anomaly(&mut self, kind: &'static str, detail: String) {
        self.anomaly_count += 1;
        if self.anomalies.len() < MAX_ANOMALIES {
            self.anomalies.push(Anomaly { seq: self.seq, kind, detail });
        }
    }

    /// Takes back the anomalies of play that is void.
    pub(super) fn forget_anomalies_of_play(&mut self) {
        self.anomalies.retain(|anomaly| !anomaly.is_of_play());
        self.anomaly_count = self.anomalies.len() as u64;
    }

    /// What a referee decides, without what was decided before.
    pub(crate) fn rule(&mut self, kind: &'static str, reason: Option<&Label>) {
        let reason = reason.map(|reason| reason.to_string());
        self.ruling = Some(Ruling { kind: Some(kind), how: None, reason, confirmed: false });
    }

    /// What kind of decision stands in the place of play.
    pub(crate) fn ruled(&self) -> Option<&'static str> {
        self.ruling.as_ref().and_then(|ruling| ruling.kind)
    }
}

/// Folds an event that all games have. Answers whether it moved the odds.
pub(super) fn fold(state: &mut impl Rules, event: &Event, time: Timestamp) -> bool {
    let ended = state.course().status == Status::Ended;
    match event {
        Event::MatchPaused(paused) if !ended => {
            let team = paused.side.as_ref().and_then(|side| state.team_on(side));
            state.course_mut().pause = Some(Pause { reason: paused.reason, team });
        }
        Event::MatchResumed(_) if !ended => state.course_mut().pause = None,
        Event::MatchForfeited(forfeited) => {
            state.close();
            state.course_mut().winner = Some(1 - forfeited.team.index());
            state.course_mut().rule("forfeited", forfeited.reason.as_ref());
            state.course_mut().ruling.get_or_insert_default().how = Some(forfeited.how);
        }
        Event::MatchAbandoned(abandoned) => {
            state.close();
            state.course_mut().winner = None;
            state.course_mut().rule("abandoned", abandoned.reason.as_ref());
        }
        Event::ResultAmended(amended) => amend(state, amended),
        Event::ResultConfirmed(_) => {
            state.course_mut().ruling.get_or_insert_default().confirmed = true;
        }
        Event::SourceGap(gap) => {
            let detail = format!("bytes {} to {} of the feed have not arrived", gap.from, gap.to);
            state.course_mut().note_anomaly("gap", detail);
            return false;
        }
        Event::SourceLate(late) => {
            let detail = format!("bytes {} to {} of the feed arrived late", late.from, late.to);
            state.course_mut().note_anomaly("late", detail);
            return false;
        }
        _ => return false,
    }
    state.course_mut().time = Some(time);
    true
}

fn amend(state: &mut impl Rules, amended: &ResultAmended) {
    state.close();
    if let Some(score) = amended.score {
        state.set_score(score);
    }
    let winner = amended.winner.map(TeamIndex::index).or_else(|| leader(state.score()));
    state.course_mut().winner = winner;
    state.course_mut().rule("amended", amended.reason.as_ref());
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
fn is_whole(map: &u16) -> bool {
    *map == 0
}

/// The index of the team with the higher score.
pub(crate) fn leader([first, second]: [u16; 2]) -> Option<usize> {
    match first.cmp(&second) {
        std::cmp::Ordering::Greater => Some(0),
        std::cmp::Ordering::Less => Some(1),
        std::cmp::Ordering::Equal => None,
    }
}

/// After an event: where the map stands, whether something was played, and when it ended if it did.
pub(super) fn settle(state: &mut impl Rules) {
    let status = state.status();
    let course = state.course_mut();
    course.status = match status {
        Status::Live if course.pause.is_some() => Status::Paused,
        other => other,
    };
    let is_played_out =
        course.status == Status::Ended && matches!(course.ruled(), None | Some("amended"));
    course.has_begun |= is_played_out || matches!(course.status, Status::Live | Status::Paused);
    let time = course.time.filter(|_| course.status == Status::Ended);
    course.ended = time.map(|time| course.ended.unwrap_or(time));
}

/// What an event that all games have is worth where not all can be taken: what is decided or
/// corrected more than what a feed tells of itself. Unknown types are worth as much as most.
pub(super) fn priority(tag: &str) -> Priority {
    match tag {
        "source.gap" | "source.late" => Priority::Normal,
        _ if Event::TAGS.contains(&tag) => Priority::Critical,
        _ => Priority::Normal,
    }
}

/// Checks the data of `event.amended`, and of the fact that is in it.
pub(super) fn admit(
    games: &Games,
    scope: Scope,
    data: &str,
    exchange: Exchange<'_>,
    seal: Seal<'_>,
) -> Result<String, Unfit> {
    use serde::de::Error as _;

    let mut amended: EventAmended = serde_json::from_str(data)?;
    if matches!(amended.kind.as_str(), "event.voided" | "event.amended") {
        let why = "type: a correction is not amended; void it, and correct the event again";
        return Err(serde_json::Error::custom(why).into());
    }
    if crate::vocabulary::RESERVED.contains(&amended.kind.as_str()) {
        let why = format!("type: {} is what only the server says", *amended.kind);
        return Err(serde_json::Error::custom(why).into());
    }
    if !amended.kind.starts_with(crate::vocabulary::OWN_PREFIX) {
        let fact = serde_json::to_string(&amended.data).unwrap_or_default();
        let fact = games.admit(scope, &amended.kind, &fact, exchange, seal).map_err(|error| {
            let part = if matches!(error, Unfit::Data(_)) { "data" } else { "type" };
            serde_json::Error::custom(format!("{part} of the amended {}: {error}", *amended.kind))
        })?;
        amended.data = serde_json::from_str(&fact)?;
    }
    Ok(Event::EventAmended(amended).to_json())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_that_is_amended_is_checked_like_any_other() {
        let games = Games::default();
        let mut exchange = |person: &str| person.replace("steam:", "p");
        let mut admitted = |data: &str| {
            let answer =
                games.admit(Scope::Map, "event.amended", data, &mut exchange, &|_, name| {
                    name.clone()
                });
            answer.map_err(|error| error.to_string())
        };
        let good = r#"{"seq":3,"type":"bomb.defused","data":{"player":"steam:7"}}"#;
        assert_eq!(admitted(good).unwrap(), good.replace("steam:", "p"));
        for (bad, why) in [
            (r#"{"seq":3,"type":"bomb.picked_up","data":{}}"#, "missing field `player`"),
            (r#"{"seq":3,"type":"bomb.licked","data":{}}"#, "no such type"),
            (r#"{"seq":3,"type":"series.started","data":{}}"#, "belongs into match/<match>"),
            (r#"{"seq":3,"type":"event.voided","data":{"seq":1}}"#, "void it"),
            (r#"{"seq":3,"type":"player.erased","data":{}}"#, "only the server"),
            (r#"{"seq":3,"type":"bomb.defused","data":[]}"#, "invalid type"),
            (r#"{"seq":-3,"type":"bomb.exploded","data":{}}"#, "invalid value"),
        ] {
            let error = admitted(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }
}
