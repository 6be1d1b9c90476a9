//! How much each source has left of what it may send: a bucket of tokens that can go into debt, so
//! that what is worth least is given up first, and what is worth most last.

use std::{collections::HashMap, time::Instant};

use matchwire_domain::live_match::Priority;

use super::{advice::Advice, policy::SourceLimit};

/// How many sources have a bucket of their own; those of one limit that come later share one.
const MAX_BUCKETS: usize = 1_024;
/// How often, at most, room is looked for among the buckets, in seconds.
const SWEEP_S: f64 = 1.0;
/// What is taken of the highest priority beyond the rate, in bursts.
const LAST_BURSTS: f64 = 4.0;

/// How a source stands to its rate, for events of one priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may send.
    Within,
    /// One of so many is kept.
    Sampled(u32),
    /// It may not.
    Spent,
}

#[derive(Debug)]
struct Bucket {
    /// Below zero it is a debt.
    tokens: f64,
    at: Instant,
}

/// The buckets of all sources with a limit.
#[derive(Debug)]
pub(super) struct Buckets {
    limits: Vec<SourceLimit>,
    /// By the number of the limit and the source; the empty source is that of all without a bucket
    /// of their own.
    all: HashMap<(usize, Box<str>), Bucket>,
    swept: Option<Instant>,
}

impl Buckets {
    pub(super) fn new(limits: Vec<SourceLimit>) -> Self {
        Self { limits, all: HashMap::new(), swept: None }
    }

    /// The limit of a source, the first that covers it, and its number.
    pub(super) fn limit(&self, source: &str) -> Option<(usize, &SourceLimit)> {
        self.limits.iter().enumerate().find(|(_, limit)| limit.covers(source))
    }

    /// How the source stands, for an event of a priority.
    pub(super) fn standing(
        &mut self,
        number: usize,
        source: &str,
        priority: Priority,
        now: Instant,
    ) -> Standing {
        let Some((limit, tokens)) = self.tokens(number, source, now) else {
            return Standing::Within;
        };
        let burst = f64::from(limit.burst);
        match priority {
            _ if *tokens >= 1.0 => Standing::Within,
            Priority::Low if *tokens > -burst / 2.0 => Standing::Sampled(limit.sample),
            Priority::Normal if *tokens > -burst => Standing::Within,
            Priority::Critical if *tokens > -burst * LAST_BURSTS => Standing::Within,
            _ => Standing::Spent,
        }
    }

    /// Takes a token for each event that is let through.
    pub(super) fn charge(&mut self, number: usize, source: &str, events: f64, now: Instant) {
        if let Some((limit, tokens)) = self.tokens(number, source, now) {
            // One post of many events does not shut its source out for longer than this.
            let least = -f64::from(limit.burst) * (LAST_BURSTS + 1.0);
            *tokens = (*tokens - events).max(least);
        }
    }

    /// What the source is told of it.
    pub(super) fn advice(&mut self, number: usize, source: &str, now: Instant) -> Option<Advice> {
        let (limit, tokens) = self.tokens(number, source, now)?;
        let (rate, tokens) = (f64::from(limit.rate), *tokens);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 1,000,000"
        )]
        let whole = |value: f64| value.clamp(0.0, 1e6) as u64;
        Some(Advice {
            policy: "source",
            quota: limit.rate.into(),
            remaining: whole(tokens.floor()),
            reset_s: whole(((1.0 - tokens) / rate).ceil()).max(1),
        })
    }

    /// The least that any source of each limit has left; what may be sent at once where none sends.
    pub(super) fn least(&self, now: Instant) -> Vec<(String, f64)> {
        let limits = self.limits.iter().enumerate();
        let least = |(number, limit): (usize, &SourceLimit)| {
            let own = self.all.iter().filter(|((of, _), _)| *of == number);
            let tokens = own.map(|(_, bucket)| bucket.now(limit, now));
            (limit.pattern.clone(), tokens.fold(f64::from(limit.burst), f64::min))
        };
        limits.map(least).collect()
    }

    fn tokens(
        &mut self,
        number: usize,
        source: &str,
        now: Instant,
    ) -> Option<(&SourceLimit, &mut f64)> {
        let mut key = (number, Box::from(source));
        if !self.all.contains_key(&key) && !self.has_room(now) {
            key.1 = "".into();
        }
        let limit = self.limits.get(number)?;
        let full = || Bucket { tokens: f64::from(limit.burst), at: now };
        let bucket = self.all.entry(key).or_insert_with(full);
        bucket.tokens = bucket.now(limit, now);
        bucket.at = now.max(bucket.at);
        Some((limit, &mut bucket.tokens))
    }

    /// Whether another source may have a bucket; one that is full again is as good as none.
    fn has_room(&mut self, now: Instant) -> bool {
        if self.all.len() < MAX_BUCKETS {
            return true;
        }
        let since = |then: Instant| now.saturating_duration_since(then).as_secs_f64();
        if self.swept.is_some_and(|then| since(then) < SWEEP_S) {
            return false;
        }
        self.swept = Some(now);
        let limits = &self.limits;
        self.all.retain(|(number, _), bucket| {
            let limit = limits.get(*number);
            limit.is_some_and(|limit| bucket.now(limit, now) < f64::from(limit.burst))
        });
        self.all.len() < MAX_BUCKETS
    }
}

impl Bucket {
    /// What is in it, with what came in since.
    fn now(&self, limit: &SourceLimit, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        (self.tokens + since * f64::from(limit.rate)).min(limit.burst.into())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn buckets() -> Buckets {
        Buckets::new(vec!["a*=10/20:sensor".parse().unwrap()])
    }

    #[test]
    fn what_is_worth_least_goes_first() {
        let (mut buckets, now) = (buckets(), Instant::now());
        let mut taken = [0; 3];
        // A second's worth of events comes at once, again and again, in one moment.
        for _ in 0..100 {
            for (priority, taken) in Priority::ALL.into_iter().zip(&mut taken) {
                match buckets.standing(0, "a", priority, now) {
                    Standing::Within => {
                        buckets.charge(0, "a", 1.0, now);
                        *taken += 1;
                    }
                    Standing::Sampled(rate) => assert_eq!((rate, priority), (10, Priority::Low)),
                    Standing::Spent => {}
                }
            }
        }
        let [low, normal, critical] = taken;
        assert!(low < normal && normal < critical && critical < 100, "{taken:?}");
        assert_eq!(low + normal + critical, 20 + 4 * 20);
        // Later it may send again.
        let advice = buckets.advice(0, "a", now).unwrap();
        assert_eq!((advice.quota, advice.remaining, advice.reset_s), (10, 0, 9));
        let later = now + Duration::from_secs(9);
        assert_eq!(buckets.standing(0, "a", Priority::Low, later), Standing::Within);
        assert_eq!(buckets.least(later).len(), 1);
    }

    #[test]
    fn other_sources_are_not_held_to_it() {
        let (mut buckets, now) = (buckets(), Instant::now());
        assert!(buckets.limit("b").is_none());
        buckets.charge(0, "a1", 1_000.0, now);
        assert_eq!(buckets.standing(0, "a1", Priority::Critical, now), Standing::Spent);
        assert_eq!(buckets.standing(0, "a2", Priority::Low, now), Standing::Within);
    }

    #[test]
    fn there_are_only_so_many() {
        let (mut buckets, now) = (buckets(), Instant::now());
        for n in 0..2 * MAX_BUCKETS {
            buckets.charge(0, &format!("a{n}"), 1.0, now);
        }
        assert!(buckets.all.len() <= MAX_BUCKETS + 1);
        let later = now + Duration::from_secs(200);
        buckets.charge(0, "another", 1.0, later);
        assert_eq!(buckets.all.len(), 1);
    }
}
