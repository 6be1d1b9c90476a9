//! When a build has seen enough to serve, though the log grows while it is built.
//!
//! ```text
//!   begun             goal 1        goal 2  goal 3
//!     ├─────────────────┼─────────────┼───────┼─► serves
//!     │  round 1        │ round 2     │ 3     │
//!     └ the tip was 1   └ now 2       └ now 3: one step
//! ```
//!
//! A round takes what was in the log when it began. What has come meanwhile is the next one's, so each takes fewer steps than the one
//! before, as long as the build is quicker than what comes, and in the end one step takes all of it: what serves has seen no more
//! than that. If a round takes no fewer, the build cannot keep up beside what serves. Then comes one more, in which
//! what serves stands still.

/// The rounds of a build.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// The last group that this round takes.
    goal: Option<u64>,
    /// How many steps it took until now.
    steps: u64,
    /// How many the one before took.
    before: Option<u64>,
    is_last: bool,
}

impl Rounds {
    /// Up to which group the build is to be brought; a round that begins has the tip as its goal.
    pub(super) fn goal(&mut self, tip: u64) -> u64 {
        *self.goal.get_or_insert(tip)
    }

    /// Whether what serves is to stand still until the build serves.
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Takes down a step and whether it has reached the goal, with all done that rows leave to be done. Tells whether
    /// the build is complete.
    pub(super) fn stepped(&mut self, is_reached: bool) -> bool {
        self.steps = self.steps.saturating_add(1);
        if !is_reached {
            return false;
        }
        let is_complete = self.is_last || self.steps == 1;
        self.is_last |= self.before.is_some_and(|before| self.steps >= before);
        (self.before, self.goal, self.steps) = (Some(self.steps), None, 0);
        is_complete
    }

    /// Begins again with what has come by now.
    pub(super) fn again(&mut self) {
        *self = Self { is_last: self.is_last, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many steps a build takes of a log that is so long, if a step takes so much of it and so much comes meanwhile.
    fn steps(mut tip: u64, takes: u64, comes: u64) -> (u64, bool) {
        let (mut rounds, mut seen, mut steps) = (Rounds::default(), 0, 0);
        loop {
            let goal = rounds.goal(tip);
            seen = goal.min(seen + takes);
            let is_complete = rounds.stepped(seen == goal);
            steps += 1;
            if is_complete {
                return (steps, rounds.is_last());
            }
            tip += comes;
        }
    }

    #[test]
    fn a_build_comes_to_an_end_whatever_comes_meanwhile() {
        assert_eq!(steps(0, 10, 0), (1, false));
        assert_eq!(steps(5, 10, 1_000), (1, false), "nothing has come yet");
        assert_eq!(steps(100, 10, 0), (11, false), "once more, and nothing is left");
        let (quick, is_last) = steps(10_000, 10, 5);
        assert!(quick < 2_100 && !is_last, "{quick}");
        for comes in [10, 20] {
            let (slow, is_last) = steps(10_000, 10, comes);
            assert!(slow <= 7_000 && is_last, "{slow}");
        }
    }
}
