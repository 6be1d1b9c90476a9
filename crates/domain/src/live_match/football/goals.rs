//! Goals, goals taken back, and shots.

use super::{
    Clock, Goal, GoalAssisted, GoalDisallowed, GoalScored, MAX_LISTED, Millionths, Minute,
    MissedPenalty, PenaltyMissed, Player, ShotOutcome, State, TeamIndex, Xg,
};

impl State {
    /// Counts a goal, or what is told of one more than once. Answers whether the score changed.
    pub(super) fn score_goal(&mut self, told: &GoalScored, at: Option<Clock>) -> bool {
        let name = told.goal.as_ref().map(|name| name.to_string());
        if let Some(number) = self.number_of(name.as_deref()) {
            self.add_to_goal(number, told);
            return false;
        }
        let team = told.team.index();
        let again = name.as_deref().and_then(|name| {
            let is = |(_, goal): &(&u16, &Goal)| goal.name.as_deref() == Some(name);
            self.disallowed.iter().find(is).map(|(number, _)| *number)
        });
        let number = again.unwrap_or(self.ledger.last_goal.saturating_add(1));
        self.ledger.last_goal = self.ledger.last_goal.max(number);
        let goal = Goal {
            seq: self.course.seq,
            team,
            at: Minute::of(at),
            scorer: self.actor(told.scorer.as_ref(), scorer_team(team, told.own_goal)),
            assist: None,
            own_goal: told.own_goal,
            penalty: told.penalty,
            body_part: told.body_part,
            xg: told.xg.map(|xg| Millionths::of(xg.into())),
            score: [0, 0],
            reason: None,
            name,
        };
        self.disallowed.remove(&number);
        self.count_goal(&goal, true);
        let goal = Goal { score: self.teams_score(), ..goal };
        if self.goals.len() + self.disallowed.len() >= MAX_LISTED {
            let detail = format!("a goal is counted but not listed: {MAX_LISTED} are already");
            self.course.note_anomaly("too_many_goals", detail);
            return true;
        }
        let assist = told.assist.as_ref().map(|player| player.to_string());
        let name = goal.name.clone().unwrap_or_default();
        let assist = assist.or_else(|| self.ledger.assists.remove(&name));
        self.goals.insert(number, goal);
        self.set_assist(number, assist);
        true
    }

    /// The number of a goal that stands, by the feed's name for it.
    fn number_of(&self, name: Option<&str>) -> Option<u16> {
        let is = |(_, goal): &(&u16, &Goal)| name.is_some() && goal.name.as_deref() == name;
        self.goals.iter().find(is).map(|(number, _)| *number)
    }

    /// Adds what was not known of a goal that counts already.
    fn add_to_goal(&mut self, number: u16, told: &GoalScored) {
        let Some(mut goal) = self.goals.remove(&number) else { return };
        self.count_goal(&goal, false);
        goal.own_goal |= told.own_goal;
        goal.penalty |= told.penalty;
        goal.body_part = goal.body_part.or(told.body_part);
        goal.xg = goal.xg.or(told.xg.map(|xg| Millionths::of(xg.into())));
        if goal.scorer.is_none() {
            let team = scorer_team(goal.team, goal.own_goal);
            goal.scorer = self.actor(told.scorer.as_ref(), team);
        }
        let assist = told.assist.as_ref().map(|player| player.to_string());
        self.count_goal(&goal, true);
        self.goals.insert(number, goal);
        self.set_assist(number, assist);
    }

    /// Notes who gave the last pass before a goal, if nobody is known to have.
    fn set_assist(&mut self, number: u16, player: Option<String>) {
        let Some(player) = player else { return };
        let Some(goal) = self.goals.get_mut(&number).filter(|goal| goal.assist.is_none()) else {
            return;
        };
        goal.assist = Some(player.clone());
        let team = goal.team;
        if let Some(player) = self.person(&player, Some(team)) {
            player.assists = player.assists.saturating_add(1);
        }
    }

    pub(super) fn assist(&mut self, assisted: &GoalAssisted) {
        let (name, player) = (assisted.goal.to_string(), assisted.player.to_string());
        if let Some(number) = self.number_of(Some(&name)) {
            self.set_assist(number, Some(player));
        } else if self.ledger.assists.len() < MAX_LISTED {
            self.ledger.assists.insert(name, player);
        }
    }

    /// Takes a goal back. Answers whether there was one.
    pub(super) fn disallow(&mut self, told: &GoalDisallowed) -> bool {
        let team = told.team.map(TeamIndex::index);
        let number = match &told.goal {
            Some(name) => self.number_of(Some(name)),
            None => self
                .goals
                .iter()
                .rev()
                .find(|(_, goal)| team.is_none_or(|team| team == goal.team))
                .map(|(number, _)| *number),
        };
        let Some((number, mut goal)) = number.and_then(|number| self.goals.remove_entry(&number))
        else {
            let detail = match &told.goal {
                Some(name) => format!("goal {:?} is disallowed, and does not stand", **name),
                None => "a goal is disallowed, and none stands".to_owned(),
            };
            self.course.note_anomaly("unknown_goal", detail);
            return false;
        };
        self.count_goal(&goal, false);
        if let Some(player) = goal.assist.as_ref().and_then(|id| self.players.get_mut(id)) {
            player.assists = player.assists.saturating_sub(1);
        }
        goal.reason = told.reason.as_ref().map(|reason| reason.to_string());
        self.disallowed.insert(number, goal);
        true
    }

    /// Counts a goal, or counts it no more.
    fn count_goal(&mut self, goal: &Goal, counts: bool) {
        let count = |value: &mut u16| {
            *value = if counts { value.saturating_add(1) } else { value.saturating_sub(1) };
        };
        count(&mut self.team_mut(goal.team).score);
        let player = goal.scorer.as_ref().and_then(|id| self.players.get_mut(id));
        if goal.own_goal {
            // An own goal is nobody's attempt.
            if let Some(player) = player {
                count(&mut player.own_goals);
            }
            return;
        }
        if let Some(player) = player {
            count(&mut player.goals);
            count(&mut player.shots);
            count(&mut player.shots_on_target);
            expect(&mut player.xg, goal.xg, counts);
        }
        let team = self.team_mut(goal.team);
        count(&mut team.shots);
        count(&mut team.shots_on_target);
        expect(&mut team.xg, goal.xg, counts);
    }

    /// Counts a shot that is no goal.
    pub(super) fn shoot(
        &mut self,
        team: usize,
        player: Option<&Player>,
        outcome: ShotOutcome,
        xg: Option<Xg>,
    ) {
        let xg = xg.map(|xg| Millionths::of(xg.into()));
        let on_target = u16::from(outcome.is_on_target());
        let actor = self.actor(player, team);
        if let Some(player) = actor.and_then(|id| self.players.get_mut(&id)) {
            player.shots = player.shots.saturating_add(1);
            player.shots_on_target = player.shots_on_target.saturating_add(on_target);
            expect(&mut player.xg, xg, true);
        }
        let team = self.team_mut(team);
        team.shots = team.shots.saturating_add(1);
        team.shots_on_target = team.shots_on_target.saturating_add(on_target);
        expect(&mut team.xg, xg, true);
    }

    pub(super) fn miss_penalty(&mut self, missed: &PenaltyMissed, at: Option<Clock>) {
        let team = missed.team.index();
        self.shoot(team, missed.player.as_ref(), missed.outcome, missed.xg);
        let player = missed.player.as_ref().map(|player| player.to_string());
        let penalty = MissedPenalty { team, at: Minute::of(at), player, outcome: missed.outcome };
        super::people::list(&mut self.missed_penalties, penalty);
    }
}

/// The team of the scorer of a goal for a team.
fn scorer_team(team: usize, own_goal: bool) -> usize {
    if own_goal { 1 - team.min(1) } else { team }
}

/// Adds the expected goals of a shot to a sum, or takes them off it.
fn expect(sum: &mut Option<Millionths>, xg: Option<Millionths>, counts: bool) {
    let Some(Millionths(xg)) = xg else { return };
    let Millionths(before) = sum.unwrap_or_default();
    let after = if counts { before.saturating_add(xg) } else { before.saturating_sub(xg) };
    *sum = Some(Millionths(after));
}
