//! The fold: how each event changes the state, what counts when, and when a match is over.

use super::{
    Clock, ClockState, Event, FormatTold, MatchFinished, Period, PeriodEnded, Phase,
    ShootoutKicked, State, StoppageAnnounced, TeamIndex, Thousandths,
};
use crate::{live_match::course::leader, timestamp::Timestamp};

impl State {
    /// Folds an event that happened at `time`. Total: whatever comes, there is a state after it.
    ///
    /// Answers whether it moved the odds, or the clock by a minute, so that a new prediction is
    /// worth it.
    pub fn apply(&mut self, event: &Event, time: Timestamp) -> bool {
        if self.ledger.is_closed && !is_of_people(event) {
            let detail = format!("{} is not counted: the result was decided", event.tag());
            self.course.note_anomaly("after_end", detail);
            return false;
        }
        let before = self.minute();
        let clock = event.clock().or_else(|| self.run_on(event, time));
        if let Some(clock) = clock {
            self.advance(clock, time);
        } else if self.phase == Phase::Waiting && is_played(event) {
            // A feed of scores alone tells no clock.
            self.phase = Phase::Play;
        }
        let late = self.phase == Phase::Ended && clock.is_none_or(|at| self.is_over(at));
        if late && is_played(event) && !matches!(event, Event::CardShown(_)) {
            let detail = format!("{} was told after the end, and is counted", event.tag());
            self.course.note_anomaly("after_end", detail);
        }
        let moved = self.apply_own(event, clock.or_else(|| self.now()), time);
        self.conclude();
        moved || (self.phase == Phase::Play && self.minute() != before)
    }

    fn apply_own(&mut self, event: &Event, at: Option<Clock>, time: Timestamp) -> bool {
        if let Some(kick) = kick_of(event) {
            self.kick(&kick);
            return true;
        }
        match event {
            Event::FormatTold(told) => self.set_format(told),
            Event::LineupTold(told) => return self.line_up(told),
            Event::PeriodStarted(started) => {
                let period = self.periods.entry(started.period).or_default();
                period.started = period.started.or(Some(time));
            }
            Event::PeriodEnded(ended) => self.end_period(ended),
            Event::StoppageAnnounced(announced) => self.announce(announced),
            Event::GoalScored(goal) => return self.score_goal(goal, at),
            Event::GoalAssisted(assisted) => {
                self.assist(assisted);
                return false;
            }
            Event::GoalDisallowed(disallowed) => return self.disallow(disallowed),
            Event::PenaltyMissed(missed) => {
                self.miss_penalty(missed, at);
                return false;
            }
            Event::ShotTaken(shot) => {
                let (team, player) = (shot.team.index(), shot.player.as_ref());
                self.shoot(team, player, shot.outcome, shot.xg);
                return false;
            }
            Event::CardShown(card) => return self.show_card(card, at),
            Event::PlayerSubstituted(substituted) => {
                self.substitute(substituted, at);
                return false;
            }
            Event::PlayerLeft(left) => {
                self.go_off(&left.player, left.team.index(), at);
                return false;
            }
            Event::PlayerReturned(returned) => {
                self.come_on(&returned.player, returned.team.index(), at);
                return false;
            }
            Event::PossessionChanged(changed) => {
                self.change_possession(changed.team.index(), changed.clock);
                return false;
            }
            Event::MatchFinished(finished) => self.finish(finished),
            Event::ShootoutKicked(_) | Event::Common(_) => return false,
        }
        true
    }

    /// The minute that the clock shows.
    fn minute(&self) -> Option<(Period, u16, u16)> {
        let clock = self.clock?;
        Some((self.period?, clock.minute, clock.added))
    }

    /// Where the clock is by now, for something that was played and tells no clock.
    fn run_on(&self, event: &Event, time: Timestamp) -> Option<Clock> {
        let runs = self.phase == Phase::Play && is_played(event);
        let (now, clock) = (self.now().filter(|_| runs)?, self.clock?);
        let since = u32::try_from(time.ms().saturating_sub(clock.time.ms())).unwrap_or(0);
        Some(Clock { elapsed_ms: now.elapsed_ms.saturating_add(since), ..now })
    }

    /// Whether a moment is after the last one of play.
    fn is_over(&self, at: Clock) -> bool {
        self.now().is_none_or(|now| at > now)
    }

    /// Moves the clock, which never goes back, and opens the period where its start was not told.
    fn advance(&mut self, clock: Clock, time: Timestamp) {
        if self.period.is_none_or(|period| clock.period > period) {
            self.open_period(clock.period);
        } else if self.now().is_none_or(|now| clock <= now) {
            return;
        }
        self.set_clock(clock, time);
    }

    fn set_clock(&mut self, clock: Clock, time: Timestamp) {
        let (minute, added) = clock.minute();
        let elapsed_ms = clock.elapsed_ms;
        self.clock = Some(ClockState { elapsed_ms, minute, added, time });
    }

    fn open_period(&mut self, period: Period) {
        if self.phase == Phase::Play {
            self.close_period();
        }
        if self.ledger.is_finished {
            let detail = format!("{period:?} is played after the match was told to be finished");
            self.course.note_anomaly("after_end", detail);
            self.ledger.is_finished = false;
        }
        self.phase = Phase::Play;
        self.period = Some(period);
        self.periods.entry(period).or_default();
        if period == Period::ShootOut {
            self.shootout.get_or_insert_default();
        }
    }

    fn end_period(&mut self, ended: &PeriodEnded) {
        let PeriodEnded { period, elapsed_ms, score } = *ended;
        if self.period.is_none_or(|played| period > played) {
            self.open_period(period);
            if let Some(time) = self.course.time {
                self.set_clock(Clock { period, elapsed_ms: elapsed_ms.unwrap_or(0) }, time);
            }
        }
        let state = self.periods.entry(period).or_default();
        state.elapsed_ms = elapsed_ms.or(state.elapsed_ms);
        if self.period != Some(period) {
            // Told late, after another one began: what is the score by now does not compare.
            return;
        }
        match score {
            _ if period == Period::ShootOut => self.end_kicks(score),
            Some(score) => self.compare_score(score),
            None => {}
        }
        if self.phase == Phase::Play {
            self.close_period();
        }
    }

    /// Ends the period that is played.
    fn close_period(&mut self) {
        self.phase = Phase::Interval;
        let Some(now) = self.now() else { return };
        self.hold_until(now);
        self.ledger.holder = None;
        self.count_minutes(now.played_ms());
        let kicks = self.shootout.as_ref().map(|shootout| shootout.score);
        let is_shootout = now.period == Period::ShootOut;
        let score = if is_shootout { kicks } else { Some(self.teams_score()) };
        self.periods.entry(now.period).or_default().score = score;
    }

    /// Takes the score that a feed tells where goals are missing.
    fn compare_score(&mut self, told: [u16; 2]) {
        let known = self.teams_score();
        if known == told {
            return;
        }
        let [a, b] = known;
        let [c, d] = told;
        let detail = format!("{a}:{b} by the goals that were told, {c}:{d} by the feed");
        self.course.note_anomaly("score_mismatch", detail);
        for (team, score) in self.teams.iter_mut().zip(told) {
            team.score = score;
        }
    }

    fn announce(&mut self, announced: &StoppageAnnounced) {
        let period = self.periods.entry(announced.period).or_default();
        period.announced_min = Some(announced.minutes);
    }

    fn set_format(&mut self, told: &FormatTold) {
        let format = &mut self.format;
        format.knockout = told.knockout.or(format.knockout);
        format.extra_time = told.extra_time.or(format.extra_time);
        format.home = told.home.map(TeamIndex::index).or(format.home);
        format.first_leg = told.first_leg.or(format.first_leg);
    }

    fn finish(&mut self, finished: &MatchFinished) {
        if self.phase == Phase::Play {
            self.close_period();
        }
        if let Some(score) = finished.score {
            self.compare_score(score);
        }
        self.ledger.is_finished = true;
    }

    /// After an event: whether the match is over, and who has won it.
    fn conclude(&mut self) {
        let score = self.teams_score();
        self.format.aggregate = self.format.first_leg.map(|[first, second]| {
            let [own, other] = score;
            [first.saturating_add(own), second.saturating_add(other)]
        });
        if self.ledger.is_closed {
            return;
        }
        if self.ledger.is_finished || self.is_played_out() {
            self.phase = Phase::Ended;
        } else if self.phase == Phase::Ended {
            self.phase = Phase::Interval;
        }
        let kicks = self.shootout.as_ref().and_then(|shootout| shootout.winner);
        let ahead = leader(self.format.aggregate.unwrap_or(score));
        self.course.winner = kicks.or(ahead).filter(|_| self.phase == Phase::Ended);
    }

    /// Whether nothing is to be played any more. Where nobody told that somebody has to win, a draw
    /// stands after two halves, until extra time begins.
    fn is_played_out(&self) -> bool {
        let is_over = matches!(self.phase, Phase::Interval | Phase::Ended);
        match self.period {
            Some(Period::SecondHalf) => {
                is_over && (self.lead() != 0 || self.format.knockout != Some(true))
            }
            Some(Period::ExtraTimeSecond) => is_over && self.lead() != 0,
            Some(Period::ShootOut) => {
                is_over || self.shootout.as_ref().is_some_and(|kicks| kicks.winner.is_some())
            }
            _ => false,
        }
    }

    /// Play is over by decision of a referee.
    pub(super) fn end_play(&mut self) {
        if self.phase == Phase::Play {
            self.close_period();
        }
        self.phase = Phase::Ended;
        self.course.pause = None;
        self.ledger.is_closed = true;
    }

    /// From now on a team has the ball.
    fn change_possession(&mut self, team: usize, clock: Clock) {
        if self.ledger.holder.is_some_and(|(_, since)| clock < since) {
            return;
        }
        self.hold_until(clock);
        self.ledger.holder = Some((team, clock));
    }

    /// Counts the possession up to a moment.
    fn hold_until(&mut self, clock: Clock) {
        let Some((team, since)) = self.ledger.holder else { return };
        if since.period != clock.period {
            return;
        }
        let held = u64::from(clock.elapsed_ms.saturating_sub(since.elapsed_ms));
        let [first, second] = &mut self.ledger.held_ms;
        let own = if team == 0 { &mut *first } else { &mut *second };
        *own = own.saturating_add(held);
        let (first, all) = (u128::from(*first), u128::from(*first) + u128::from(*second));
        let Some(share) = (first * 1_000 + all / 2).checked_div(all) else { return };
        let share = u16::try_from(share).unwrap_or(1_000).min(1_000);
        for (team, share) in self.teams.iter_mut().zip([share, 1_000 - share]) {
            team.possession = Some(Thousandths(share));
        }
    }
}

/// A kick of the shoot-out, also where a feed tells it like a shot in play.
fn kick_of(event: &Event) -> Option<ShootoutKicked> {
    let (team, player, scored) = match event {
        Event::ShootoutKicked(kick) => return Some(kick.clone()),
        Event::GoalScored(goal) => (goal.team, goal.scorer.clone(), true),
        Event::PenaltyMissed(missed) => (missed.team, missed.player.clone(), false),
        Event::ShotTaken(shot) => (shot.team, shot.player.clone(), false),
        _ => return None,
    };
    let in_shootout = event.clock().is_some_and(|clock| clock.period == Period::ShootOut);
    in_shootout.then_some(ShootoutKicked { team, player, scored })
}

/// Whether an event is of play, which is over after the final whistle.
fn is_played(event: &Event) -> bool {
    matches!(
        event,
        Event::GoalScored(_)
            | Event::PenaltyMissed(_)
            | Event::ShotTaken(_)
            | Event::PlayerSubstituted(_)
            | Event::PlayerLeft(_)
            | Event::PlayerReturned(_)
            | Event::CardShown(_)
            | Event::GoalDisallowed(_)
            | Event::ShootoutKicked(_)
    )
}

/// Whether an event may come after a referee's decision: it changes no result. (A card may be shown
/// after the final whistle, too, Law 12.)
fn is_of_people(event: &Event) -> bool {
    matches!(
        event,
        Event::FormatTold(_) | Event::LineupTold(_) | Event::GoalAssisted(_) | Event::CardShown(_)
    )
}
