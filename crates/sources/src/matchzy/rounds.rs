//! How a map goes by what the plug-ins tell: it goes live, its rounds end, back-ups, its end.

use matchwire_domain::{
    live_match::{
        Label, TeamIndex,
        course::{self, MatchResumed},
        cs::{MapEnded, MatchReloaded, MatchStarted, RoundEnded, Score, Side, SidesSwapped},
    },
    series::{MapNumber, MapWon, SeriesStarted},
};
use serde_json::Value;

use super::{
    carry::Scored,
    event::{self, Team, teams},
    reader::{Moment, Reading},
    series::leader,
};

impl Reading<'_> {
    /// A map starts, or starts again: what was played of it is void.
    pub(super) fn go_live(&mut self) {
        if self.carry.live {
            self.carry.go_back_to(0);
        }
        self.carry.live = true;
        self.carry.first_side = None;
        self.round = Some(0);
        let map_name = self.map_name();
        self.say(MatchStarted { map_name });
        if !std::mem::replace(&mut self.series.live, true) {
            self.say_of_match(SeriesStarted {});
        }
    }

    /// A back-up was loaded: play goes on with the round that is told. Older versions of Get5 do not tell
    /// it; then the score after the next round does.
    pub(super) fn restore(&mut self) {
        let played = self.round.map(|round| round.saturating_sub(1));
        let scored = played.and_then(|played| self.carry.scored(played));
        let after = played.unwrap_or_else(|| self.carry.last());
        self.carry.go_back_to(after);
        (self.round, self.moment) = (Some(after), Moment::End);
        if let Some(scored) = scored {
            // Everyone is where they were then.
            self.sides(scored.first_side);
        }
        let score = match played {
            Some(0) => Some(Score::default()),
            _ => scored.map(Scored::by_side),
        };
        self.say(MatchReloaded { score });
    }

    pub(super) fn round_end(&mut self, post: &Value) -> Option<()> {
        let winner = post.get("winner")?;
        let side = event::side(winner.get("side")?)?;
        let [mut first, mut second] = teams(post);
        let (Some(own), Some(other)) = (first.score, second.score) else { return None };
        let includes_round = self.includes_round(post, own.saturating_add(other));
        let first_side = first
            .side
            .or(second.side.map(Side::other))
            .or_else(|| includes_round.then(|| self.side_by_score([own, other], side))?)
            .or_else(|| side_by_winner(post))
            .or(self.carry.first_side)?;
        (first.side, second.side) = (Some(first_side), Some(first_side.other()));
        let mut scored = Scored { first: own, second: other, first_side };
        if !includes_round {
            scored.win(side);
        }
        let round = scored.first.saturating_add(scored.second);
        (self.round, self.moment) = (Some(round), Moment::End);
        let is_late = self.carry.is_late(round) && !self.carry.knows(round);
        if self.carry.knows(round) {
            self.carry.go_back_to(round.saturating_sub(1));
            self.say(MatchReloaded { score: Some(before(scored.by_side(), side)) });
        }
        self.carry.note(round, scored);
        self.end_pause_before(round);
        self.learn_teams(&[first.bare(), second.bare()]);
        if !is_late {
            self.sides(first_side);
            self.people([&first, &second]);
        }
        let score = Some(scored.by_side());
        self.say(RoundEnded { winner: side, reason: event::reason(post), score });
        self.reports([&first, &second]);
        Some(())
    }

    /// Whether a score that is told with a round has the round in it. MatchZy numbers a round by the score
    /// after it, as if they were numbered from 1; so a score that is one behind shows only where it is told
    /// with the first round, or where Get5 tells it.
    fn includes_round(&mut self, post: &Value, played: u16) -> bool {
        let before = self.round.and_then(|round| round.checked_sub(1));
        if before != Some(played) {
            return true;
        }
        self.carry.scores_lag |= played == 0;
        let lags = self.carry.scores_lag || event::is_of_get5(post);
        !lags
    }

    /// The side of the first team, by which team has won one more than before.
    fn side_by_score(&self, [first, second]: [u16; 2], winner: Side) -> Option<Side> {
        let before = first.saturating_add(second).checked_sub(1)?;
        let known = match before {
            0 => [0, 0],
            before => self.carry.scored(before).map(|scored| [scored.first, scored.second])?,
        };
        match [first.checked_sub(known[0])?, second.checked_sub(known[1])?] {
            [1, 0] => Some(winner),
            [0, 1] => Some(winner.other()),
            _ => None,
        }
    }

    pub(super) fn map_result(&mut self, post: &Value) -> Option<()> {
        let [mut first, mut second] = teams(post);
        let (Some(own), Some(other)) = (first.score, second.score) else { return None };
        self.learn_teams(&[first.bare(), second.bare()]);
        self.carry.over = true;
        (self.round, self.moment) = (Some(u16::MAX), Moment::End);
        let first_side = first
            .side
            .or(second.side.map(Side::other))
            .or(self.carry.first_side)
            .or_else(|| side_by_winner(post));
        if let Some(first_side) = first_side {
            (first.side, second.side) = (Some(first_side), Some(first_side.other()));
            self.sides(first_side);
            self.people([&first, &second]);
            self.reports([&first, &second]);
            let score = Scored { first: own, second: other, first_side }.by_side();
            let map_name = self.map_name();
            self.say(MapEnded { score, map_name });
        }
        if let (Some(winner), Some(map)) = (leader([own, other]), MapNumber::new(self.map)) {
            let (map_name, teams) = (self.map_name(), self.series.teams.clone());
            self.say_of_match(MapWon { map, winner, score: Some([own, other]), map_name, teams });
        }
        self.has_told().then_some(())
    }

    fn map_name(&self) -> Option<Label> {
        self.series.name_of(self.map).map(Label::cut)
    }

    /// The first team is on a side.
    fn sides(&mut self, first_side: Side) {
        if self.carry.first_side == Some(first_side.other()) {
            self.say(SidesSwapped {});
            self.carry.change_sides();
        }
        self.carry.first_side = Some(first_side);
    }

    /// A pause that nobody ended is over when a round is played that comes after it.
    fn end_pause_before(&mut self, round: u16) {
        let ends = |pause: &super::carry::Paused| pause.map == self.map && pause.over_by <= round;
        if self.series.pause.as_ref().is_some_and(ends) {
            self.series.pause = None;
            self.say(course::Event::from(MatchResumed {}));
        }
    }

    fn reports(&mut self, teams: [&Team<'_>; 2]) {
        for person in teams.iter().flat_map(|team| team.people()) {
            let id = (self.exchange)(&person.account);
            if let Some(report) = person.report(&id) {
                self.say(report);
            }
        }
    }
}

impl Scored {
    /// The score by side.
    fn by_side(self) -> Score {
        match self.first_side {
            Side::Ct => Score { ct: self.first, t: self.second },
            Side::T => Score { ct: self.second, t: self.first },
        }
    }

    /// The team on a side won one more.
    fn win(&mut self, side: Side) {
        let count = if self.first_side == side { &mut self.first } else { &mut self.second };
        *count = count.saturating_add(1);
    }
}

/// The score by side before a side won a round.
fn before(mut score: Score, winner: Side) -> Score {
    let count = if winner == Side::Ct { &mut score.ct } else { &mut score.t };
    *count = count.saturating_sub(1);
    score
}

/// The side of the first team, by the winner's side and team. MatchZy names as the winner of a round who
/// leads the map, so only Get5 is believed.
fn side_by_winner(post: &Value) -> Option<Side> {
    let winner = post.get("winner").filter(|_| event::is_of_get5(post))?;
    let side = winner.get("side").and_then(event::side)?;
    match winner.get("team").and_then(event::team)? {
        TeamIndex::First => Some(side),
        TeamIndex::Second => Some(side.other()),
    }
}
