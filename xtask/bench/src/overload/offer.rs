//! Senders that send when it is time, and not when the last answer allows it.
//!
//! An event's id is the moment at which it was due, so a sender that is held up makes its events
//! late, and not fewer.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use bytes::Bytes;
use serde::Deserialize;
use tokio::time::MissedTickBehavior;

use crate::connection::Connection;

/// How often each sender sends.
const INTERVAL: Duration = Duration::from_millis(100);
/// Of what the kinds of sender send at a time: low, normal, critical.
const GAME: [usize; 3] = [5, 4, 1];
const TELEMETRY: [usize; 3] = [18, 0, 0];
/// How many senders of telemetry a match has.
const SENDERS: usize = 5;
/// Posts of a match in a second, over all its senders.
pub(super) const POSTS: usize = 10 * (SENDERS + 1);
/// What is critical here.
pub(super) const CRITICAL: &str = "player.killed";

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A game server: money, damage, and a kill.
    Game,
    /// Positions alone.
    Telemetry,
}

impl Kind {
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Game => "game",
            Self::Telemetry => "telemetry",
        }
    }

    /// How many senders of the kind a match has.
    pub(super) fn senders(self) -> usize {
        match self {
            Self::Game => 1,
            Self::Telemetry => SENDERS,
        }
    }

    /// What the senders of the kind and of one match send in a second.
    pub(super) fn events_per_second(self) -> usize {
        10 * self.senders() * self.counts().iter().sum::<usize>()
    }

    fn counts(self) -> [usize; 3] {
        match self {
            Self::Game => GAME,
            Self::Telemetry => TELEMETRY,
        }
    }
}

/// What a sender is to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    /// The number of its match.
    pub(super) index: usize,
    /// Its number among the senders of its kind and match.
    pub(super) lane: usize,
    pub(super) started: Instant,
    /// What is due before this, after the start, does not count.
    pub(super) counts_after: Duration,
    pub(super) until: Duration,
}

/// What became of events, by priority from low to critical.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) offered: [u64; 3],
    pub(super) taken: [u64; 3],
    pub(super) sampled: [u64; 3],
    pub(super) refused: [u64; 3],
    /// Answered with 503.
    pub(super) failed: [u64; 3],
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        let all = [
            (&mut self.offered, &other.offered),
            (&mut self.taken, &other.taken),
            (&mut self.sampled, &other.sampled),
            (&mut self.refused, &other.refused),
            (&mut self.failed, &other.failed),
        ];
        for (own, other) in all {
            own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
        }
    }
}

/// What was acknowledged to a sender.
pub(super) struct Sent {
    pub(super) kind: Kind,
    pub(super) index: usize,
    /// Id and seq.
    pub(super) acknowledged: Vec<(u64, u64)>,
}

/// The name of a match.
pub(super) fn name(index: usize) -> String {
    format!("o{index:03}")
}

/// An answer, as far as it is looked at.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    results: Vec<Told<'a>>,
}

#[derive(Deserialize)]
struct Told<'a> {
    status: &'a str,
    #[serde(default)]
    id: Option<&'a str>,
    #[serde(default)]
    seq: u64,
    #[serde(default, borrow)]
    error: Option<Reason<'a>>,
}

#[derive(Deserialize)]
struct Reason<'a> {
    code: &'a str,
}

/// Sends until it is over.
pub(super) async fn send(mut connection: Connection, plan: Plan) -> anyhow::Result<(Tally, Sent)> {
    let mut tally = Tally::default();
    let mut sent = Sent { kind: plan.kind, index: plan.index, acknowledged: Vec::new() };
    // All senders are spread over the interval.
    let place = plan.lane * super::MATCHES + plan.index;
    let offset = INTERVAL * u32::try_from(place)? / u32::try_from(SENDERS * super::MATCHES)?;
    let mut ticks = tokio::time::interval_at((plan.started + offset).into(), INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        let due = ticks.tick().await.into_std().duration_since(plan.started);
        if due > plan.until {
            return Ok((tally, sent));
        }
        let (status, answer) = connection.offer(body(plan, due)?).await?;
        let mut own = Tally::default();
        note(plan.kind, status, &answer, &mut own, &mut sent.acknowledged)?;
        if due > plan.counts_after {
            tally.add(&own);
        }
    }
}

/// The events that are due at a moment.
fn body(plan: Plan, due: Duration) -> anyhow::Result<Bytes> {
    let (source, name) = (plan.kind.source(), name(plan.index));
    let due_ns = u64::try_from(due.as_nanos())?;
    let mut text = String::with_capacity(32 << 10);
    for (place, priority) in priorities(plan.kind).enumerate() {
        let id = (due_ns << 8) | u64::try_from(plan.lane * TELEMETRY[0] + place)?;
        let player = place % 10;
        let (kind, data) = match (priority, plan.kind) {
            (0, Kind::Telemetry) => (
                "x.position",
                format!(
                    r#"{{"player":"p{player}","at":[1204,-733,64],"view":[12,181],"speed":250,"armed":"ak47"}}"#
                ),
            ),
            (0, Kind::Game) => {
                ("money.changed", format!(r#"{{"player":"p{player}","money":4150}}"#))
            }
            (1, _) => (
                "player.hurt",
                format!(
                    r#"{{"attacker":"p{player}","victim":"p9","weapon":"ak47","damage":27,"damage_armor":4,"health":73,"armor":96,"hitgroup":"chest"}}"#
                ),
            ),
            _ => (CRITICAL, format!(r#"{{"killer":"p{player}","victim":"p8","weapon":"ak47"}}"#)),
        };
        let _ = writeln!(
            text,
            r#"{{"specversion":"1.0","id":"{id:016x}","source":"{source}","subject":"match/{name}/1","type":"{kind}","data":{data}}}"#
        );
    }
    Ok(text.into())
}

/// The priorities of the events that are sent at a time, 0 to 2, in their order.
fn priorities(kind: Kind) -> impl Iterator<Item = usize> {
    let counts = kind.counts().into_iter().enumerate();
    counts.flat_map(|(priority, count)| std::iter::repeat_n(priority, count))
}

/// Takes down what became of a post's events.
fn note(
    kind: Kind,
    status: u16,
    answer: &[u8],
    tally: &mut Tally,
    acknowledged: &mut Vec<(u64, u64)>,
) -> anyhow::Result<()> {
    let all = kind.counts().map(|count| count as u64);
    tally.offered = all;
    let answer = std::str::from_utf8(answer)?;
    if status == 503 {
        tally.failed = all;
        return Ok(());
    }
    if status == 429 && !answer.contains("\"results\"") {
        tally.refused = all;
        return Ok(());
    }
    ensure!(matches!(status, 200 | 207 | 429), "{status}: {}", answer.get(..500).unwrap_or(answer));
    let Answer { results } = serde_json::from_str(answer)?;
    for (told, priority) in results.iter().zip(priorities(kind)) {
        let of =
            |counts: &mut [u64; 3]| counts.iter_mut().skip(priority).take(1).for_each(|n| *n += 1);
        match (told.status, told.error.as_ref().map(|error| error.code)) {
            ("appended" | "duplicate", _) => {
                let id = u64::from_str_radix(told.id.unwrap_or_default(), 16)?;
                acknowledged.push((id, told.seq));
                of(&mut tally.taken);
            }
            ("sampled", _) => of(&mut tally.sampled),
            ("rejected", Some("overloaded" | "rate_limited")) => of(&mut tally.refused),
            (status, code) => bail!("an event is {status}: {code:?}"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use matchwire_domain::{
        envelope::Attributes,
        live_match::{Games, Priority},
        vocabulary,
    };

    use super::*;

    #[test]
    fn events_are_good_and_worth_what_is_said() {
        let games = Games::default();
        let mut sums = [0; 3];
        for kind in [Kind::Game, Kind::Telemetry] {
            let plan = Plan {
                kind,
                index: 7,
                lane: 0,
                started: Instant::now(),
                counts_after: Duration::ZERO,
                until: Duration::ZERO,
            };
            let body = body(plan, Duration::from_millis(1_500)).unwrap();
            let lines = std::str::from_utf8(&body).unwrap().lines();
            for (line, priority) in lines.zip(priorities(kind)) {
                let senders = kind.senders();
                let attributes = Attributes::parse(line).unwrap();
                vocabulary::admit(&games, &attributes, &mut str::to_owned, &|_, name| name.clone())
                    .unwrap();
                assert_eq!(games.priority(&attributes.kind), Priority::ALL[priority], "{line}");
                sums[priority] += senders;
            }
        }
        assert_eq!(sums, [95, 4, 1]);
    }

    #[test]
    fn answers_are_understood() {
        let answer = br#"{"durability":"disk","results":[
            {"id":"00000000000000ff","subject":"match/o007/1","seq":3,"leaf":"a","chain":"b","status":"appended"},
            {"index":1,"status":"sampled","sampledrate":8},
            {"index":2,"status":"rejected","error":{"code":"overloaded","detail":"later"}}]}"#;
        let (mut tally, mut acknowledged) = (Tally::default(), Vec::new());
        note(Kind::Game, 207, answer, &mut tally, &mut acknowledged).unwrap();
        assert_eq!((tally.offered, tally.taken), ([5, 4, 1], [1, 0, 0]));
        assert_eq!((tally.sampled, tally.refused), ([1, 0, 0], [1, 0, 0]));
        assert_eq!(acknowledged, [(255, 3)]);
        note(Kind::Game, 400, b"{}", &mut tally, &mut acknowledged).unwrap_err();
    }
}
