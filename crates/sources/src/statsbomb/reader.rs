//! Posts of StatsBomb's data, and how they become drafts of events.

use std::collections::BTreeSet;

use matchwire_domain::{
    live_match::football::{Event, Lineup, LineupTold, PossessionChanged},
    live_match::{Label, TeamIndex},
    timestamp::Timestamp,
};
use serde::{Deserialize as _, de::IgnoredAny};
use serde_json::Value;

use super::{
    Carry, parse,
    raw::{Event as Raw, Named, Squad, since_kick_off_ms},
};
use crate::{Answer, Draft, Post, Source, source::hash};

/// The header that tells when a match was kicked off, RFC 3339: the data itself has no time of day.
/// Events are then said to have happened at about that time and their clock; else at none.
pub const KICK_OFF_HEADER: &str = "x-kick-off";

/// StatsBomb's event data, as a source.
#[derive(Debug, Clone, Copy)]
pub struct StatsBomb;

impl Source for StatsBomb {
    type Carry = Carry;

    const NAME: &'static str = "statsbomb";

    const HEADERS: &'static [&'static str] = &[KICK_OFF_HEADER];

    fn is_foreign(&self, post: &Post<'_>) -> bool {
        let mut lines = post.body.split(|byte| *byte == b'\n');
        let is_json = |text: &[u8]| serde_json::from_slice::<IgnoredAny>(text).is_ok();
        !is_json(post.body) && !lines.any(is_json)
    }

    fn identity(&self, _: &Carry, post: &Post<'_>) -> String {
        let kick_off = post.headers.get(KICK_OFF_HEADER).map_or("", String::as_str);
        format!("{}-{}", hash(post.body), hash(kick_off))
    }

    fn read(
        &self,
        map: Option<u16>,
        carry: Carry,
        post: &Post<'_>,
        exchange: &mut dyn FnMut(&str) -> String,
    ) -> Answer<Carry> {
        let kick_off = post.headers.get(KICK_OFF_HEADER).and_then(|at| Timestamp::parse(at).ok());
        let (map, drafts) = (map.unwrap_or(1), Vec::new());
        let mut reading =
            Reading { map, kick_off, carry, exchange, drafts, duplicate: 0, unknown: 0 };
        reading.read(post.body);
        let Reading { carry, drafts, duplicate, unknown, .. } = reading;
        Answer { drafts, duplicate, unknown, carry }
    }
}

/// A post that is being read.
struct Reading<'a> {
    map: u16,
    kick_off: Option<Timestamp>,
    carry: Carry,
    exchange: &'a mut dyn FnMut(&str) -> String,
    drafts: Vec<Draft>,
    duplicate: usize,
    unknown: usize,
}

impl Reading<'_> {
    fn read(&mut self, body: &[u8]) {
        let mut events = Vec::new();
        let mut known = BTreeSet::new();
        for item in self.items(body) {
            if let Ok(squad) = Squad::deserialize(&item) {
                self.squad(&squad);
            } else if let Some(event) = Raw::deserialize(&item).ok().filter(is_identified) {
                if known.insert(event.id.clone()) {
                    events.push(event);
                } else {
                    self.duplicate += 1;
                }
            } else {
                self.unknown += 1;
            }
        }
        // In the order of play, however they stand in the post.
        events.sort_by_key(|event| event.index);
        self.meet(&events);
        for event in &events {
            self.event(event);
        }
    }

    /// What is in a body: a JSON array or value, or one on each line. What cannot be read is counted.
    fn items(&mut self, body: &[u8]) -> Vec<Value> {
        match serde_json::from_slice(body) {
            Ok(Value::Array(items)) => return items,
            Ok(item) => return vec![item],
            Err(_) => {}
        }
        let mut items = Vec::new();
        for line in body.split(|byte| *byte == b'\n') {
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(Value::Array(more)) => items.extend(more),
                Ok(item) => items.push(item),
                Err(_) => self.unknown += 1,
            }
        }
        items
    }

    /// Gives both teams their indexes: the home team's starting eleven is the first event, the
    /// visitors' the second.
    fn meet(&mut self, events: &[Raw]) {
        let starting = events.iter().filter(|event| event.kind.name() == "Starting XI");
        for event in starting {
            let Some(id) = event.team.as_ref().and_then(|team| team.id) else { continue };
            if event.index == Some(2) {
                self.carry.set_visitors(id);
            }
            self.carry.team(id);
        }
    }

    /// The index of a team, which is introduced by its name if it is new.
    fn team(&mut self, team: Option<&Named>, event: &Raw) -> Option<TeamIndex> {
        let id = team?.id?;
        let is_new = !self.carry.knows(id);
        let index = self.carry.team(id)?;
        if let Some(name) = team?.name.as_deref().filter(|_| is_new) {
            let (formation, expected_goals, players) = (None, None, None::<Lineup>);
            let name = Some(Label::cut(name));
            let told = LineupTold { team: index, name, formation, expected_goals, players };
            self.push(event, "team", &told.into());
        }
        Some(index)
    }

    fn event(&mut self, event: &Raw) {
        let before = self.drafts.len();
        if let Some(team) = self.team(event.team.as_ref(), event) {
            for (part, fact) in parse::facts(event, team, self.exchange) {
                self.push(event, part, &fact);
            }
        }
        self.possession(event);
        self.unknown += usize::from(self.drafts.len() == before);
    }

    /// Who is in possession, at the first event of each possession.
    fn possession(&mut self, event: &Raw) {
        let Some((number, clock)) = event.possession.zip(event.clock()) else { return };
        // The possession of what stands before the kick-off is nobody's; kicks are no play.
        let is_play = !matches!(
            event.kind.name(),
            "Starting XI" | "Half Start" | "Half End" | "Tactical Shift" | "Substitution"
        );
        let is_shootout = event.period.is_some_and(|period| period > 4);
        if !is_play || is_shootout || !self.carry.opens(number, event.index.unwrap_or(0)) {
            return;
        }
        let Some(team) = self.team(event.possession_team.as_ref(), event) else { return };
        self.push(event, "possession", &PossessionChanged { team, clock }.into());
    }

    fn squad(&mut self, squad: &Squad) {
        let Some(team) = self.carry.team(squad.team_id) else {
            self.unknown += 1;
            return;
        };
        let told = parse::squad(squad, team, self.exchange);
        let data = told.to_json();
        self.drafts.push(Draft {
            map: Some(self.map),
            source: StatsBomb::NAME.into(),
            id: format!("lineup-{}-{}", squad.team_id, hash(&data)),
            // Before everything that happens.
            sequence: Some(sequence(0)),
            time: self.kick_off,
            tag: told.tag(),
            data,
        });
    }

    /// Adds a fact of an event; `part` tells those of one event apart.
    fn push(&mut self, event: &Raw, part: &str, fact: &Event) {
        let at = |start: Timestamp| {
            let since = event.clock().map_or(0, since_kick_off_ms);
            Timestamp::from_ms(start.ms().saturating_add(since))
        };
        let id = if part.is_empty() { event.id.clone() } else { format!("{}-{part}", event.id) };
        self.drafts.push(Draft {
            map: Some(self.map),
            source: StatsBomb::NAME.into(),
            id,
            sequence: event.index.map(sequence),
            time: self.kick_off.map(at),
            tag: fact.tag(),
            data: fact.to_json(),
        });
    }
}

/// Whether an event has an id that can stand in an envelope, with room for a part.
fn is_identified(event: &Raw) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=64).contains(&event.id.len()) && event.id.bytes().all(is_plain)
}

/// A place among the events, so that texts compare as the numbers do.
fn sequence(index: u64) -> String {
    format!("{index:020}")
}
