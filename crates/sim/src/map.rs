//! One map: halves, overtimes, time-outs, and the score.

use matchwire_domain::live_match::{
    course,
    cs::{
        BombPickedUp, FreezeStarted, Items, Label, MapEnded, MapLoaded, MatchPaused, MatchResumed,
        MatchStarted, PauseReason, PlayerConnected, PlayerEquipped, PlayerJoined, Role, RoundEnded,
        RoundStarted, RulesSet, Score, Side, TeamNamed, WarmupEnded, WarmupStarted,
    },
};
use rand::{Rng, seq::IndexedRandom};

use crate::{
    economy::{self, Losses, OVERTIME_MONEY, Occasion, START_MONEY},
    fight::Stage,
    roster::{Both, Fighter, Team},
    round::{BOMB_S, Outcome, ROUND_S, Round},
    series::{PlayerResult, RoundResult},
};

/// Rounds of regulation: MR12.
const MAX_ROUNDS: u16 = 24;
/// Rounds of an overtime: MR3.
const OVERTIME_ROUNDS: u16 = 6;
/// Time to buy.
const FREEZE_MS: u64 = 15_000;
/// From the end of a round to the next one's time to buy.
const ROUND_OVER_MS: u64 = 7_000;
/// A tactical time-out.
const TIMEOUT_MS: u64 = 30_000;
/// How many of them a team has.
const TIMEOUTS: u8 = 3;
/// Between halves.
const HALF_TIME_MS: u64 = 20_000;

/// A map that is played.
pub(crate) struct Course<'a, 'b> {
    stage: &'a mut Stage<'b>,
    map_name: &'static str,
    score: Both<u16>,
    losses: Losses,
    /// Rounds lost in a row, for which a team takes a time-out.
    streaks: Both<u8>,
    timeouts: Both<u8>,
    rounds: Vec<RoundResult>,
}

impl<'a, 'b> Course<'a, 'b> {
    /// A map on which a team begins as counter-terrorists.
    pub(crate) fn new(stage: &'a mut Stage<'b>, map_name: &'static str, first_ct: Team) -> Self {
        for fighter in &mut stage.lobby.fighters {
            fighter.side = if fighter.team == first_ct { Side::Ct } else { Side::T };
            fighter.result = PlayerResult::default();
        }
        Self {
            stage,
            map_name,
            score: Both::default(),
            losses: Losses::new(),
            streaks: Both::default(),
            timeouts: Both([TIMEOUTS; 2]),
            rounds: Vec::new(),
        }
    }

    /// Plays it to its end. Answers with the score and every round.
    pub(crate) fn play(mut self) -> (Both<u16>, Vec<RoundResult>) {
        self.open();
        while self.winner().is_none() {
            self.round();
        }
        let map_name = Some(Label::cut(self.map_name));
        let score = self.score_by_side();
        self.stage.script.say(MapEnded { score, map_name });
        (self.score, self.rounds)
    }

    fn open(&mut self) {
        let map_name = Label::cut(self.map_name);
        self.stage.script.say(MapLoaded { map_name: map_name.clone() });
        self.stage.script.say(RulesSet {
            max_rounds: Some(MAX_ROUNDS),
            overtime_max_rounds: Some(OVERTIME_ROUNDS),
            overtime: Some(true),
            round_s: Some(ROUND_S),
            bomb_s: Some(BOMB_S),
        });
        self.stage.script.say(WarmupStarted {});
        for Fighter { account, name, .. } in &self.stage.lobby.fighters {
            self.stage.script.wait(300);
            let (player, name) = (account.clone(), name.clone());
            self.stage.script.say(PlayerConnected { player, name });
        }
        self.take_sides();
        for side in [Side::Ct, Side::T] {
            let name = self.stage.lobby.names[self.stage.lobby.team_on(side)];
            self.stage.script.say(TeamNamed { side, name: Label::cut(name) });
        }
        self.stage.script.wait(15_000);
        self.stage.script.say(WarmupEnded {});
        self.stage.script.wait(3_000);
        self.stage.script.say(MatchStarted { map_name: Some(map_name) });
    }

    /// Everybody goes to their side.
    fn take_sides(&mut self) {
        for Fighter { account, name, side, .. } in &self.stage.lobby.fighters {
            self.stage.script.say(PlayerJoined {
                player: account.clone(),
                name: name.clone(),
                side: Some(*side),
                role: Role::Player,
            });
        }
    }

    fn played(&self) -> u16 {
        let [first, second] = self.score.0;
        first + second
    }

    /// Rounds since the half began, and how many it has.
    fn in_half(&self) -> (u16, u16) {
        let (played, half) = (self.played(), MAX_ROUNDS / 2);
        match played.checked_sub(MAX_ROUNDS) {
            None => (played % half, half),
            Some(overtime) => (overtime % (OVERTIME_ROUNDS / 2), OVERTIME_ROUNDS / 2),
        }
    }

    /// The score that wins: over half of regulation, or of the overtime that is played.
    fn target(&self) -> u16 {
        let [first, second] = self.score.0;
        match first.min(second).checked_sub(MAX_ROUNDS / 2) {
            None => MAX_ROUNDS / 2 + 1,
            Some(overtime) => {
                let each = OVERTIME_ROUNDS / 2;
                MAX_ROUNDS / 2 + overtime / each * each + each + 1
            }
        }
    }

    fn winner(&self) -> Option<Team> {
        Team::BOTH.into_iter().find(|team| self.score[*team] >= self.target())
    }

    fn score_by_side(&self) -> Score {
        let of = |side| self.score[self.stage.lobby.team_on(side)];
        Score { ct: of(Side::Ct), t: of(Side::T) }
    }

    fn round(&mut self) {
        let is_first = self.in_half().0 == 0;
        if is_first {
            self.begin_half();
        }
        self.stage.script.say(FreezeStarted {});
        let freeze_ms = self.stage.script.now_ms;
        self.stage.lobby.fighters.iter_mut().for_each(Fighter::spawn);
        if is_first {
            let is_overtime = self.played() >= MAX_ROUNDS;
            let money = if is_overtime { OVERTIME_MONEY } else { START_MONEY };
            economy::reset(self.stage.lobby, self.stage.script, money);
        }
        self.give_bomb();
        let paused_ms = self.time_out();
        self.stage.script.wait(500);
        let on = self.occasions(is_first);
        economy::shop(self.stage.lobby, self.stage.script, self.stage.rng, on);
        self.stage.script.wait_until(freeze_ms + paused_ms + FREEZE_MS);
        self.stage.script.say(RoundStarted {});
        let started_ms = self.stage.script.now_ms;
        self.equip();
        let outcome = Round::new(self.stage, started_ms).play();
        self.end_round(&outcome);
    }

    fn begin_half(&mut self) {
        let played = self.played();
        let swaps = played == MAX_ROUNDS / 2
            || played
                .checked_sub(MAX_ROUNDS)
                .is_some_and(|overtime| overtime % OVERTIME_ROUNDS == OVERTIME_ROUNDS / 2);
        if played > 0 {
            self.stage.script.say(course::Event::from(MatchPaused {
                reason: PauseReason::HalfTime,
                side: None,
            }));
            self.stage.script.wait(HALF_TIME_MS);
            if swaps {
                for fighter in &mut self.stage.lobby.fighters {
                    fighter.side = fighter.side.other();
                }
                self.take_sides();
            }
            self.stage.script.say(course::Event::from(MatchResumed {}));
        }
        self.losses = Losses::new();
        self.streaks = Both::default();
        for fighter in &mut self.stage.lobby.fighters {
            // Who is not alive spawns with nothing.
            fighter.is_alive = false;
        }
    }

    /// One of the terrorists gets the bomb.
    fn give_bomb(&mut self) {
        let terrorists = self.stage.lobby.alive(Side::T);
        self.stage.carrier = terrorists.choose(self.stage.rng).copied();
        if let Some(seat) = self.stage.carrier {
            let player = self.stage.lobby[seat].account.clone();
            self.stage.script.say(BombPickedUp { player });
        }
    }

    /// A team that keeps losing may talk about it. Answers how long that takes.
    fn time_out(&mut self) -> u64 {
        for team in Team::BOTH {
            let wants = self.streaks[team] >= 3 && self.timeouts[team] > 0;
            if wants && self.stage.rng.random_bool(0.4) {
                self.timeouts[team] -= 1;
                self.streaks[team] = 0;
                let side = Some(Label::cut(self.side(team).name()));
                self.stage.script.wait(1_000);
                self.stage
                    .script
                    .say(course::Event::from(MatchPaused { reason: PauseReason::Timeout, side }));
                self.stage.script.wait(TIMEOUT_MS);
                self.stage.script.say(course::Event::from(MatchResumed {}));
                return TIMEOUT_MS;
            }
        }
        0
    }

    fn side(&self, team: Team) -> Side {
        if self.stage.lobby.team_on(Side::Ct) == team { Side::Ct } else { Side::T }
    }

    fn occasions(&self, is_first: bool) -> Both<Occasion> {
        let (played, of) = self.in_half();
        let is_regulation = self.played() < MAX_ROUNDS;
        Both(Team::BOTH.map(|team| Occasion {
            is_pistol: is_first && is_regulation,
            is_last: played + 1 == of || self.score[team.other()] + 1 == self.target(),
        }))
    }

    /// Everybody leaves the buy zone, and is seen with what they carry.
    fn equip(&mut self) {
        for seat in self.stage.lobby.seats() {
            self.stage.script.wait(self.stage.rng.random_range(40..260));
            let has_bomb = self.stage.carrier == Some(seat);
            let fighter = &self.stage.lobby[seat];
            let items = carried(fighter, has_bomb);
            let items = Items::cut(items.iter().map(String::as_str));
            let player = fighter.account.clone();
            self.stage.script.say(PlayerEquipped { player, items });
        }
    }

    fn end_round(&mut self, outcome: &Outcome) {
        let Outcome { winner, reason, was_planted } = *outcome;
        let team = self.stage.lobby.team_on(winner);
        self.score[team] += 1;
        self.streaks[team] = 0;
        self.streaks[team.other()] += 1;
        self.rounds.push(RoundResult { winner: team.index(), side: winner, reason });
        let score = Some(self.score_by_side());
        self.stage.script.say(RoundEnded { winner, reason, score });
        if self.winner().is_some() {
            self.stage.script.wait(1_000);
            return;
        }
        let Stage { lobby, script, rng, .. } = &mut *self.stage;
        economy::pay(lobby, &mut self.losses, script, (winner, reason), was_planted);
        for fighter in &mut lobby.fighters {
            // What was thrown and not told.
            fighter.grenades.retain(|_| rng.random_bool(0.35));
        }
        script.wait(ROUND_OVER_MS);
    }
}

/// What a player carries, as the game lists it.
fn carried(fighter: &Fighter, has_bomb: bool) -> Vec<String> {
    let knife = if fighter.side == Side::Ct { "weapon_knife" } else { "weapon_knife_t" };
    let mut items = vec![knife.to_owned(), format!("weapon_{}", fighter.pistol.name)];
    items.extend(fighter.primary.map(|gun| format!("weapon_{}", gun.name)));
    items.extend(fighter.grenades.iter().map(|name| format!("weapon_{name}")));
    if fighter.has_kit {
        items.push("defuser".into());
    }
    if has_bomb {
        items.push("weapon_c4".into());
    }
    if fighter.armor > 0 {
        items.push(format!("kevlar({})", fighter.armor));
    }
    if fighter.has_helmet {
        items.push("helmet".into());
    }
    items
}
