//! From an event of a plug-in to facts: what a post is about, and in which order things are told.

use matchwire_domain::{
    live_match::cs::{Event, Player, TeamNamed},
    series,
    subject::MAX_MAP,
};
use serde_json::Value;

use super::{
    carry::{Carry, MapCarry, SeriesCarry},
    event::{self, Person, Team},
};
use crate::{Answer, Draft};

/// What is gathered while a post is read.
pub(super) struct Reading<'a> {
    pub(super) map: u16,
    pub(super) series: &'a mut SeriesCarry,
    pub(super) carry: &'a mut MapCarry,
    pub(super) exchange: &'a mut dyn FnMut(&str) -> String,
    identity: &'a str,
    /// The round to which it belongs, from 1 on, where that is told.
    pub(super) round: Option<u16>,
    pub(super) moment: Moment,
    pub(super) duplicate: usize,
    drafts: Vec<Draft>,
}

/// Where in a round something is told to have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// When the time to buy began.
    Freeze,
    /// When players could move.
    Start,
    /// So many milliseconds later, 1 or more.
    Play(u32),
    /// At its end, or later.
    End,
}

/// Reads a post; `None` is one that is no JSON.
pub(super) fn read(
    map: Option<u16>,
    mut carry: Carry,
    post: Option<&Value>,
    identity: &str,
    exchange: &mut dyn FnMut(&str) -> String,
) -> Answer<Carry> {
    let text = |key: &str| post.and_then(|post| post.get(key)).and_then(Value::as_str);
    let number = |key: &str| post.and_then(|post| post.get(key)).and_then(event::number);
    let told = number("map_number").and_then(|number| number.checked_add(1));
    let of_map = map.or(told).filter(|map| (1..=MAX_MAP).contains(map));
    let unknown = |carry| Answer { drafts: Vec::new(), duplicate: 0, unknown: 1, carry };
    let (Some(post), Some(kind)) = (post, text("event")) else { return unknown(carry) };
    let map = match kind {
        // Of the match as a whole; a number in it is that of a map that is still to be played.
        "series_start" | "series_end" | "map_picked" | "map_vetoed" | "side_picked" => Some(1),
        // On the server, whatever is played there.
        "player_connect" | "player_disconnect" => of_map.or(Some(carry.series.map.max(1))),
        _ => of_map.inspect(|map| carry.series.map = *map),
    };
    let Some(map) = map else { return unknown(carry) };
    let (series, map_carry) = carry.parts(map);
    let mut reading = Reading {
        map,
        series,
        carry: map_carry,
        exchange,
        identity,
        round: number("round_number").map(|number| number.saturating_add(1)),
        moment: Moment::Freeze,
        duplicate: 0,
        drafts: Vec::new(),
    };
    let is_known = reading.event(kind, post).is_some();
    let Reading { drafts, duplicate, .. } = reading;
    Answer { drafts, duplicate, unknown: usize::from(!is_known), carry }
}

impl Reading<'_> {
    /// Tells what an event says; `None` if that is nothing we know.
    fn event(&mut self, kind: &str, post: &Value) -> Option<()> {
        match kind {
            "series_start" => self.series_start(post),
            "series_end" => self.series_end(post),
            "map_picked" => self.map_picked(post),
            "map_vetoed" => self.map_vetoed(post),
            "side_picked" => self.side_picked(post),
            "knife_won" => self.knife_won(post),
            "round_end" => self.round_end(post),
            "map_result" => self.map_result(post),
            "going_live" => {
                self.go_live();
                Some(())
            }
            "backup_loaded" => {
                self.restore();
                Some(())
            }
            _ => self.play(kind, post),
        }
    }

    /// Introduces whom the stream does not know, and the teams.
    pub(super) fn people(&mut self, teams: [&Team<'_>; 2]) {
        for person in teams.iter().flat_map(|team| team.people()) {
            let id = (self.exchange)(&person.account);
            let Some(side) = person.side else { continue };
            if let Some(joined) = self.carry.roster.introduce(&id, person.name, side) {
                self.say(joined);
            }
        }
        for team in teams {
            let (Some(label), Some(side)) = (team.label(), team.side) else { continue };
            let [ct, t] = &mut self.carry.names;
            let known = if side == matchwire_domain::live_match::cs::Side::Ct { ct } else { t };
            if known.as_deref() == Some(label.as_str()) {
                continue;
            }
            *known = Some(label.to_string());
            self.say(TeamNamed { side, name: label });
        }
    }

    pub(super) fn player(&mut self, person: &Person<'_>) -> Player {
        Player::new(&(self.exchange)(&person.account))
    }

    /// Tells a fact of the map, in which accounts are exchanged already.
    pub(super) fn say(&mut self, event: impl Into<Event>) {
        let event = event.into();
        self.carry.roster.follow(&event);
        let id = self.next_id(event.tag());
        let sequence = self.round.map(|round| self.sequence(round));
        let draft = Draft::new(self.map, "matchzy", id, &event);
        self.drafts.push(Draft { sequence, ..draft });
    }

    /// Tells a fact of the match as a whole, in which accounts are exchanged already.
    pub(super) fn say_of_match(&mut self, event: impl Into<series::Event>) {
        let event = event.into();
        let id = self.next_id(event.tag());
        self.drafts.push(Draft::of_match("matchzy", id, &event));
    }

    /// Whether anything was told yet.
    pub(super) fn has_told(&self) -> bool {
        !self.drafts.is_empty()
    }

    /// By what kind of fact it is and how many of that kind there are before it in the post: who is
    /// introduced depends on who was heard of, and changes no other fact's id.
    fn next_id(&self, tag: &str) -> String {
        let before = self.drafts.iter().filter(|draft| draft.tag == tag).count();
        format!("{}.{tag}.{before}", self.identity)
    }

    /// A place in the order of play, so that texts compare as places do.
    fn sequence(&self, round: u16) -> String {
        let (starts, number) = (self.carry.starts, self.drafts.len());
        let (part, time_ms) = match self.moment {
            Moment::Freeze => ("a0", 0),
            Moment::Start => ("a1", 0),
            Moment::Play(time_ms) => ("a2", time_ms),
            Moment::End => ("b0", 0),
        };
        format!("{starts:010}.{round:05}.{part}.{time_ms:010}.{number:03}")
    }
}
