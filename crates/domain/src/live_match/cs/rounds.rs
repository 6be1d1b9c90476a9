//! Rounds that count, rounds that are void, scores, and which team is on which side.
//!
//! A void round is not forgotten but shelved: a back-up may bring it back.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Gear, Phase, Reason, Role, Round, RoundEnded, Score, Side, State, Tally,
    odds::{History, Moment},
};
use crate::timestamp::Timestamp;

/// More rounds than any match has; a score beyond it is not believed.
const MAX_ROUNDS: u16 = 999;

/// What the fold needs to go on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Ledger {
    /// The round that whatever happens now belongs to.
    pub(super) round: u16,
    /// What players did, by round.
    pub(super) tallies: BTreeMap<u16, Tallies>,
    /// Rounds that were played and are void, the latest of each number.
    shelf: BTreeMap<u16, (Round, Tallies)>,
    /// A back-up was loaded, and its score is not known yet.
    pub(super) restoring: bool,
    /// What the game's own scoreboard said of each player last.
    pub(super) reported: BTreeMap<String, super::reported::Reported>,
    /// What each side has of the restored score, as far as it was told: CT, T.
    restored: [Option<u16>; 2],
    /// The feed told `max_rounds`.
    pub(super) rules_told: bool,
    /// What the teams on the sides were called last: CT, T.
    names: [Option<String>; 2],
    /// What earlier rounds tell of the present one.
    pub(super) history: History,
    /// When the time to buy began.
    pub(super) freeze_started: Option<Timestamp>,
    /// The feed tells of players that were hurt, and so what health they have.
    pub(super) health_told: bool,
    /// How often rounds became void.
    pub(super) voided: u32,
    /// Who is left alone, against how many when it came to that: CT, T.
    pub(super) clutches: [Option<(String, u16)>; 2],
    /// Who was told to carry something out of the buy zone in this round.
    pub(super) equipped: BTreeSet<String>,
}

/// What each player did, by player id.
pub(super) type Tallies = BTreeMap<String, Tally>;

impl State {
    /// How many rounds count.
    pub fn rounds_played(&self) -> u16 {
        let [a, b] = &self.teams;
        a.score.saturating_add(b.score)
    }

    /// The score, in the order of teams.
    pub(super) fn team_scores(&self) -> [u16; 2] {
        let [a, b] = &self.teams;
        [a.score, b.score]
    }

    /// The score by side.
    pub fn score(&self) -> Score {
        let [a, b] = &self.teams;
        match a.side {
            Side::Ct => Score { ct: a.score, t: b.score },
            Side::T => Score { ct: b.score, t: a.score },
        }
    }

    /// A round begins, with its time to buy or at once.
    pub(super) fn begin_round(&mut self) {
        self.settle_sides();
        let played = self.rounds_played();
        if !self.ledger.rules_told && self.max_rounds == 24 && played == 12 && !self.has_swapped() {
            self.max_rounds = 30;
        }
        self.round = played.saturating_add(1);
        self.ledger.round = self.round;
        self.kills.clear();
        self.ledger.clutches = [None, None];
        self.ledger.equipped.clear();
        self.clear_bomb();
        self.round_started = None;
        self.ledger.freeze_started = None;
        self.revive();
        if played.checked_sub(self.max_rounds).is_some_and(|overtime| overtime.is_multiple_of(6)) {
            self.ledger.history.begin_afresh();
        }
        let first = Moment::of(self);
        self.ledger.history.begin(&first);
    }

    /// A round was won.
    pub(super) fn end_round(&mut self, ended: &RoundEnded) {
        let winner_score = |state: &Self| {
            let Score { ct, t } = state.score();
            match ended.winner {
                Side::Ct => Score { ct: ct.saturating_add(1), t },
                Side::T => Score { ct, t: t.saturating_add(1) },
            }
        };
        if let Some(score) = ended.score {
            if !self.is_believable(score) || self.is_repeat(ended, score) {
                return;
            }
            if self.ledger.restoring {
                self.restore(before(score, ended.winner));
            }
            if winner_score(self) != score {
                self.swap_sides();
                if winner_score(self) != score {
                    self.swap_sides();
                    let ours = winner_score(self);
                    self.score_mismatch(ours, score);
                    self.void_after((score.ct + score.t).saturating_sub(1));
                }
            }
        }
        let score = ended.score.unwrap_or_else(|| winner_score(self));
        if !self.is_believable(score) {
            return;
        }
        let last = Moment::of(self);
        self.ledger.history.end(&last, Some(ended.winner), false, false);
        self.set_score(score);
        let number = self.rounds_played();
        self.round = number;
        self.ledger.round = number;
        self.phase = Phase::RoundOver;
        let round = Round {
            winner: self.team_on(ended.winner),
            side: ended.winner,
            reason: ended.reason,
            score: self.team_scores(),
            economy: self.economy(number),
            clutches: self.clutches(ended.winner),
        };
        self.close_accounts(&round.clutches);
        self.rounds.insert(number, round);
        match ended.reason {
            Reason::BombExploded => self.bomb = super::Bomb::Exploded,
            Reason::BombDefused => self.bomb = super::Bomb::Defused,
            _ => {}
        }
    }

    /// Whether the feed says again what it has said already.
    fn is_repeat(&self, ended: &RoundEnded, score: Score) -> bool {
        self.phase == Phase::RoundOver
            && self.score() == score
            && self.rounds.get(&self.rounds_played()).is_some_and(|r| r.side == ended.winner)
    }

    /// The server told the score.
    pub(super) fn reconcile(&mut self, score: Score) {
        if !self.is_believable(score) {
            return;
        }
        if self.ledger.restoring {
            return self.restore(score);
        }
        self.settle_sides();
        let ours = self.score();
        if ours == score {
            return;
        }
        if (Score { ct: ours.t, t: ours.ct }) == score {
            return self.swap_sides();
        }
        self.score_mismatch(ours, score);
        self.void_after(score.ct + score.t);
        self.set_score(score);
    }

    /// The server told the score of one side.
    pub(super) fn hear_score(&mut self, side: Side, score: u16) {
        if !self.ledger.restoring {
            return;
        }
        let [ct, t] = &mut self.ledger.restored;
        *if side == Side::Ct { ct } else { t } = Some(score);
        if let [Some(ct), Some(t)] = self.ledger.restored {
            self.restore(Score { ct, t });
        }
    }

    /// The match goes on from a back-up with this score.
    pub(super) fn restore(&mut self, score: Score) {
        if !self.is_believable(score) {
            return;
        }
        self.ledger.restoring = false;
        self.ledger.restored = [None; 2];
        let played = score.ct + score.t;
        self.void_after(played);
        for number in 1..=played {
            if !self.rounds.contains_key(&number)
                && let Some((round, tallies)) = self.ledger.shelf.remove(&number)
            {
                self.rounds.insert(number, round);
                self.ledger.tallies.insert(number, tallies);
            }
        }
        self.total_up();
        if let Some(Round { score: [a, b], .. }) = self.rounds.get(&played).cloned() {
            let [first, second] = &mut self.teams;
            match (a == score.ct && b == score.t, a == score.t && b == score.ct) {
                (true, false) => (first.side, second.side) = (Side::Ct, Side::T),
                (false, true) => (first.side, second.side) = (Side::T, Side::Ct),
                _ => {}
            }
        }
        self.set_score(score);
        let [ct, t] = self.ledger.names.clone();
        for (side, name) in [(Side::Ct, ct), (Side::T, t)] {
            if let Some(name) = name {
                self.set_name(side, &name);
            }
        }
        let [a, b] = &self.teams;
        let ours = [a.score, b.score];
        if played > 0 && self.rounds.get(&played).is_none_or(|round| round.score != ours) {
            self.course.note_anomaly(
                "score_mismatch",
                format!("the restored score {}:{} is of no round known", score.ct, score.t),
            );
        }
        self.round = played.saturating_add(1);
        self.ledger.round = self.round;
        self.course.winner = None;
        self.course.ruling = None;
        self.kills.clear();
        self.clear_bomb();
    }

    /// The team on a side says its name. A server repeats names, for a while also after the sides
    /// were changed; only what is new says something.
    pub(super) fn name_team(&mut self, side: Side, name: &str) {
        let [ct, t] = &mut self.ledger.names;
        let told = if side == Side::Ct { ct } else { t };
        if told.as_deref() == Some(name) {
            return;
        }
        *told = Some(name.into());
        // Who is on which side after a reload, the score tells that comes next.
        if !self.ledger.restoring {
            self.settle_sides();
            self.set_name(side, name);
        }
    }

    fn set_name(&mut self, side: Side, name: &str) {
        let index = self.team_on(side);
        if let Some(team) = self.teams.get_mut(index) {
            team.name = Some(name.into());
        }
    }

    /// All play so far is void.
    pub(super) fn void_all(&mut self) {
        self.void_after(0);
        // What did not fit in play that is void says nothing of the play that counts.
        self.course.forget_anomalies_of_play();
        self.ledger.restoring = false;
        self.ledger.history = History::default();
        self.set_score(Score::default());
        self.round = 0;
        self.ledger.round = 1;
        self.kills.clear();
        self.clear_bomb();
        self.round_started = None;
        self.course.winner = None;
        self.course.ruling = None;
    }

    /// Shelves the rounds after a number, and takes back what was done in them and since.
    fn void_after(&mut self, last: u16) {
        self.ledger.voided = self.ledger.voided.saturating_add(1);
        let void = self.rounds.split_off(&last.saturating_add(1));
        let mut tallies = self.ledger.tallies.split_off(&last.saturating_add(1));
        for (number, round) in void {
            let done = tallies.remove(&number).unwrap_or_default();
            self.ledger.shelf.insert(number, (round, done));
        }
        // A scoreboard of later play says nothing of the play that is left.
        self.ledger.reported.retain(|_, reported| reported.round <= last);
        self.total_up();
    }

    /// Forgets who left and did nothing, in rounds that count or on the shelf.
    pub(super) fn prune(&mut self) {
        let ledger = &self.ledger;
        let did = |id: &String| {
            let counted = ledger.tallies.values();
            counted.chain(ledger.shelf.values().map(|(_, done)| done)).any(|r| r.contains_key(id))
        };
        self.players.retain(|id, player| player.connected || did(id));
    }

    /// Forgets void rounds, for they belong to another map.
    pub(super) fn clear_shelf(&mut self) {
        self.ledger.shelf.clear();
    }

    /// Sums the players' tallies anew.
    pub(super) fn total_up(&mut self) {
        let ledger = &self.ledger;
        for (id, player) in &mut self.players {
            let done = ledger.tallies.values().filter_map(|round| round.get(id));
            player.tally = done.fold(Tally::default(), |sum, one| sum.plus(*one));
            if let Some(reported) = ledger.reported.get(id) {
                player.tally = reported.together_with(player.tally);
            }
        }
    }

    fn set_score(&mut self, score: Score) {
        for team in &mut self.teams {
            team.score = match team.side {
                Side::Ct => score.ct,
                Side::T => score.t,
            };
        }
    }

    fn is_believable(&mut self, score: Score) -> bool {
        let good = u32::from(score.ct) + u32::from(score.t) <= u32::from(MAX_ROUNDS);
        if !good {
            self.course.note_anomaly(
                "score_mismatch",
                format!("a score of {}:{} is not believed", score.ct, score.t),
            );
        }
        good
    }

    fn score_mismatch(&mut self, ours: Score, told: Score) {
        self.course.note_anomaly(
            "score_mismatch",
            format!(
                "the rounds known give {}:{} (CT:T), the feed says {}:{}",
                ours.ct, ours.t, told.ct, told.t
            ),
        );
    }

    /// Finds out which team is on which side: where most of its players are. Those who are on the
    /// other side then belong to the other team.
    pub(super) fn settle_sides(&mut self) {
        let (mut with, mut against) = (0, 0);
        for player in self.players.values() {
            if let (Some(team), Some(side), true) = (player.team, player.side, player.connected) {
                let agrees = self.team_on(side) == team;
                *if agrees { &mut with } else { &mut against } += 1;
            }
        }
        if against > with {
            self.swap_sides();
        }
        let [first, _] = &self.teams;
        let first_side = first.side;
        for player in self.players.values_mut() {
            if let (Some(side), true, Role::Player) = (player.side, player.connected, player.role) {
                player.team = Some(usize::from(side != first_side));
            }
        }
    }

    /// The feed says that the teams change sides. Their players go with them, unless they were told to
    /// have gone already.
    pub(super) fn change_sides(&mut self) {
        self.swap_sides();
        let (mut gone, mut left) = (0, 0);
        for player in self.players.values() {
            if let (Some(team), Some(side), true) = (player.team, player.side, player.connected) {
                *if self.team_on(side) == team { &mut gone } else { &mut left } += 1;
            }
        }
        if left > gone {
            for player in self.players.values_mut() {
                player.side = player.side.map(Side::other);
            }
        }
    }

    /// The teams are on the other sides from now on.
    pub(super) fn swap_sides(&mut self) {
        let played = self.rounds_played();
        if !self.ledger.rules_told && (played == 12 || played == 15) {
            self.max_rounds = played * 2;
        }
        for team in &mut self.teams {
            team.side = team.side.other();
        }
        self.ledger.history.swap();
        // Nobody keeps anything over a change of sides.
        for player in self.players.values_mut() {
            player.equipment = player.equipment.map(|_| 0);
            player.gear = player.gear.map(|_| Gear::default());
        }
    }

    /// Whether the teams have changed sides since the first round that counts.
    fn has_swapped(&self) -> bool {
        let first = self.rounds.values().next();
        first.is_some_and(|round| self.team_on(round.side) != round.winner)
    }
}

/// The score before a side won a round.
fn before(score: Score, winner: Side) -> Score {
    match winner {
        Side::Ct => Score { ct: score.ct.saturating_sub(1), t: score.t },
        Side::T => Score { ct: score.ct, t: score.t.saturating_sub(1) },
    }
}
