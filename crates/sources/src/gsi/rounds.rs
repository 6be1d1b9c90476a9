//! Rounds: how they end, who is on which side, and what the bomb does.

use matchwire_domain::live_match::cs::{
    BombDefused, BombExploded, BombPlanted, Player, Reason, RoundEnded, Score, ScoreReported, Side,
    SidesSwapped,
};

use super::{
    carry::sum,
    reader::Reading,
    snapshot::{Bomb, Phase, Play, Snapshot, Step},
};

/// No round's time is shorter: `mp_roundtime` is at least a minute.
const MIN_ROUND_S: i64 = 60;
/// How many rounds may have been missed at once; more are told as a score alone.
const MAX_MISSED: u32 = 60;

impl Reading<'_> {
    /// What became of the bomb, if that was not told.
    pub(super) fn bomb(&mut self, play: &Play) {
        let told = self.told().bomb;
        let same_round = sum(play.score) == sum(self.told().score) || play.step == Some(Step::Over);
        let told = told.filter(|_| same_round && play.step != Some(Step::Freeze));
        if told != play.bomb {
            let player =
                play.bomber.as_deref().map(|account| Player::new(&(self.exchange)(account)));
            match play.bomb {
                Some(Bomb::Planted) if told.is_none() && same_round => {
                    self.say(BombPlanted { player, site: None });
                }
                Some(Bomb::Defused) if same_round => self.say(BombDefused { player }),
                Some(Bomb::Exploded) if same_round => self.say(BombExploded {}),
                _ => {}
            }
        }
        self.tell(|told| told.bomb = play.bomb);
    }

    /// Rounds that ended since, and the change of sides.
    pub(super) fn rounds(&mut self, play: &Play, snapshot: &Snapshot) {
        let told = self.told().clone();
        if told.phase.is_none()
            && told.step.is_none()
            && sum(told.score) == 0
            && play.wins.is_empty()
        {
            // Whoever comes to a match that is on is told the score.
            if sum(play.score) > 0 {
                self.say(ScoreReported { score: play.score });
                self.tell(|told| told.score = play.score);
            }
            return;
        }
        let mut old = told.score;
        if self.has_swapped(play, snapshot, old) {
            self.say(SidesSwapped {});
            self.carry.forget_health();
            old = Score { ct: old.t, t: old.ct };
        }
        for ended in self.ended(play, snapshot, old) {
            old = ended.score.unwrap_or(old);
            self.say(ended);
            // The next one has not been seen to begin.
            self.tell(|told| told.step = Some(Step::Over));
        }
        if old != play.score {
            self.say(ScoreReported { score: play.score });
        }
        self.tell(|told| told.score = play.score);
    }

    /// Whether the teams have changed sides, from a score on.
    fn has_swapped(&mut self, play: &Play, snapshot: &Snapshot, old: Score) -> bool {
        let fits = |ct, t| play.score.ct >= ct && play.score.t >= t;
        let (as_was, swapped) = (fits(old.ct, old.t), fits(old.t, old.ct));
        if as_was != swapped {
            return swapped;
        }
        if !swapped || sum(old) == 0 {
            return false;
        }
        if let ([Some(ct), Some(t)], [Some(new_ct), Some(new_t)]) =
            (&self.told().names, &play.names)
            && ct != t
        {
            return ct == new_t && t == new_ct;
        }
        let after_half = self.told().phase == Some(Phase::Intermission);
        after_half && play.phase == Phase::Live && self.most_moved(snapshot)
    }

    /// The rounds between two scores of the same sides; none if their order is not known.
    fn ended(&mut self, play: &Play, snapshot: &Snapshot, old: Score) -> Vec<RoundEnded> {
        let missed = sum(play.score).saturating_sub(sum(old));
        let (Some(ct), Some(t)) =
            (play.score.ct.checked_sub(old.ct), play.score.t.checked_sub(old.t))
        else {
            return Vec::new();
        };
        if missed == 0 || missed > MAX_MISSED {
            return Vec::new();
        }
        let numbers = (sum(old) + 1)..=sum(play.score);
        let hows: Vec<&str> = numbers
            .filter_map(|number| play.wins.get(&u16::try_from(number).ok()?).map(String::as_str))
            .collect();
        let winners: Option<Vec<Side>> = hows.iter().map(|how| winner(how)).collect();
        let winners = winners.filter(|sides| {
            let of_ct = sides.iter().filter(|side| **side == Side::Ct).count();
            sides.len() == missed as usize && of_ct == usize::from(ct)
        });
        let winners = match (winners, ct, t) {
            (Some(winners), ..) => winners,
            (None, _, 0) => vec![Side::Ct; missed as usize],
            (None, 0, _) => vec![Side::T; missed as usize],
            _ => return Vec::new(),
        };
        let known = hows.len() == winners.len();
        let last = winners.len().saturating_sub(1);
        let mut score = old;
        let mut rounds = Vec::new();
        for (index, side) in winners.into_iter().enumerate() {
            let count = if side == Side::Ct { &mut score.ct } else { &mut score.t };
            *count = count.saturating_add(1);
            let how = hows.get(index).filter(|_| known).and_then(|how| reason(how));
            let seen = || self.reason_seen(side, play, snapshot);
            let reason = how.or_else(|| (index == last).then(seen)).unwrap_or(Reason::Other);
            rounds.push(RoundEnded { winner: side, reason, score: Some(score) });
        }
        rounds
    }

    /// How the last round was won, as far as what is seen proves it.
    fn reason_seen(&self, winner: Side, play: &Play, snapshot: &Snapshot) -> Reason {
        let Some(told) = &self.carry.told else { return Reason::Other };
        if play.step != Some(Step::Over) {
            return Reason::Other;
        }
        let of = |side| {
            let everyone = snapshot.everyone.iter().flatten();
            everyone.chain(&snapshot.player).filter(move |person| person.side == side)
        };
        let loser_lives = of(winner.other()).any(|person| person.health.is_some_and(|h| h > 0));
        let no_map_of_hostages = !play.map_name.starts_with("cs_");
        match (winner, play.bomb) {
            (Side::T, Some(Bomb::Exploded)) => Reason::BombExploded,
            (Side::Ct, Some(Bomb::Defused)) => Reason::BombDefused,
            (Side::T, _) if no_map_of_hostages && !loser_lives => Reason::Elimination,
            (Side::Ct, None) if no_map_of_hostages && loser_lives => Reason::TimeRanOut,
            (Side::Ct, None)
                if no_map_of_hostages
                    && told.live_s.is_some_and(|live_s| self.time_s - live_s < MIN_ROUND_S) =>
            {
                Reason::Elimination
            }
            _ => Reason::Other,
        }
    }
}

fn winner(how: &str) -> Option<Side> {
    match how.split_once('_')?.0 {
        "ct" => Some(Side::Ct),
        "t" => Some(Side::T),
        _ => None,
    }
}

fn reason(how: &str) -> Option<Reason> {
    Some(match how.split_once("_win_")?.1 {
        "elimination" => Reason::Elimination,
        "defuse" => Reason::BombDefused,
        "bomb" => Reason::BombExploded,
        "time" if how.starts_with("ct") => Reason::TimeRanOut,
        "time" => Reason::HostagesNotRescued,
        "rescue" => Reason::HostagesRescued,
        _ => return None,
    })
}
