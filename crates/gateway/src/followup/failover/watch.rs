//! Who of the ranked sources is believed about one map, by when each was last heard. Pure: time is told.

use std::time::{Duration, Instant};

use matchwire_domain::timestamp::Timestamp;

/// What is known of the ranked sources of one map.
#[derive(Debug)]
pub(super) struct Watch {
    heard: Vec<Option<Heard>>,
    believed: usize,
}

/// When a source was last heard.
#[derive(Debug, Clone, Copy)]
struct Heard {
    at: Instant,
    /// Since when it is heard without a pause.
    steady_since: Instant,
    /// The latest moment of play that it told of.
    fact: Timestamp,
}

/// Another source is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Switch {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The moment of play after which it is: that of the last fact of the one before.
    pub(super) since: Timestamp,
    pub(super) reason: &'static str,
}

impl Watch {
    /// Of so many ranked sources, of which one is believed.
    pub(super) fn new(ranked: usize, believed: usize) -> Self {
        Self { heard: vec![None; ranked], believed }
    }

    /// A source told something of that moment of play.
    pub(super) fn hear(&mut self, rank: usize, fact: Timestamp, now: Instant, silence: Duration) {
        let Some(heard) = self.heard.get_mut(rank) else { return };
        let before = heard.filter(|heard| now.saturating_duration_since(heard.at) < silence);
        let steady_since = before.map_or(now, |before| before.steady_since);
        let fact = heard.map_or(fact, |heard| heard.fact.max(fact));
        *heard = Some(Heard { at: now, steady_since, fact });
    }

    /// Whether more than one source tells of the map.
    pub(super) fn is_contested(&self) -> bool {
        self.heard.iter().flatten().nth(1).is_some()
    }

    /// When anything was last heard.
    pub(super) fn last_heard(&self) -> Option<Instant> {
        self.heard.iter().flatten().map(|heard| heard.at).max()
    }

    /// Whether another source is to be believed: one that is heard, when the believed one is silent; or one
    /// of a higher rank that is back, and was heard for as long as a silence takes.
    pub(super) fn judge(&self, now: Instant, silence: Duration) -> Option<Switch> {
        let is_heard = |heard: &Heard| now.saturating_duration_since(heard.at) < silence;
        let is_steady = |heard: &Heard| {
            is_heard(heard) && now.saturating_duration_since(heard.steady_since) >= silence
        };
        let believed = self.heard.get(self.believed).copied().flatten();
        let since = believed.map(|heard| heard.fact).unwrap_or_default();
        let first = |is: &dyn Fn(&Heard) -> bool| {
            self.heard.iter().position(|heard| heard.as_ref().is_some_and(is))
        };
        let (to, reason) = if believed.as_ref().is_some_and(is_heard) {
            (first(&is_steady).filter(|to| *to < self.believed)?, "returned")
        } else {
            (first(&is_heard)?, "silence")
        };
        Some(Switch { from: self.believed, to, since, reason })
    }

    /// A switch is in the log.
    pub(super) fn believe(&mut self, rank: usize) {
        self.believed = rank;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(10);

    fn fact(second: i64) -> Timestamp {
        Timestamp::from_ms(second * 1_000)
    }

    #[test]
    fn a_silent_source_is_left_and_taken_again_when_it_is_steady() {
        let start = Instant::now();
        let at = |second: u64| start + Duration::from_secs(second);
        let mut watch = Watch::new(2, 0);
        let hear = |watch: &mut Watch, rank, second: u64| {
            watch.hear(rank, fact(i64::try_from(second).unwrap()), at(second), SILENCE);
        };
        for second in 0..5 {
            hear(&mut watch, 0, second);
        }
        assert!(!watch.is_contested());
        for second in 3..20 {
            hear(&mut watch, 1, second);
        }
        assert!(watch.is_contested());
        assert_eq!(watch.judge(at(13), SILENCE), None, "it may only be slow");
        let switch = watch.judge(at(14), SILENCE).unwrap();
        let wanted = Switch { from: 0, to: 1, since: fact(4), reason: "silence" };
        assert_eq!(switch, wanted);
        watch.believe(1);
        assert_eq!(watch.judge(at(19), SILENCE), None);
        // It is back: at first that may be a straggler.
        for second in 20..32 {
            hear(&mut watch, 0, second);
            hear(&mut watch, 1, second);
            let switch = watch.judge(at(second), SILENCE);
            let back = Switch { from: 1, to: 0, since: fact(30), reason: "returned" };
            assert_eq!(switch, (second == 30).then_some(back), "{second}");
            if switch.is_some() {
                watch.believe(0);
            }
        }
    }

    #[test]
    fn a_match_that_nobody_tells_of_stays_as_it_is() {
        let start = Instant::now();
        let mut watch = Watch::new(3, 0);
        watch.hear(0, fact(1), start, SILENCE);
        watch.hear(2, fact(1), start, SILENCE);
        assert_eq!(watch.judge(start + SILENCE * 9, SILENCE), None);
        // A late fact does not take the latest one back.
        watch.hear(2, fact(0), start + SILENCE * 9, SILENCE);
        let switch = watch.judge(start + SILENCE * 9, SILENCE).unwrap();
        assert_eq!((switch.to, switch.since), (2, fact(1)));
    }

    #[test]
    fn a_primary_source_that_was_never_heard_is_not_waited_for() {
        let start = Instant::now();
        let mut watch = Watch::new(3, 0);
        watch.hear(1, fact(5), start, SILENCE);
        let switch = watch.judge(start, SILENCE).unwrap();
        assert_eq!((switch.to, switch.since), (1, Timestamp::default()));
    }
}
