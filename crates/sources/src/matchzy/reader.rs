//! From an event of a plug-in to facts.

use matchwire_domain::{
    live_match::cs::{
        BombDefused, BombExploded, BombPlanted, Event, FreezeStarted, Label, MapEnded,
        MatchReloaded, MatchStarted, Player, PlayerConnected, PlayerDisconnected, RoundEnded,
        Score, Side, SidesSwapped, TeamNamed,
    },
    subject::MAX_MAP,
};
use serde_json::Value;

use super::{
    carry::{Carry, MapCarry},
    event::{self, Person, Team},
};
use crate::{Answer, Draft};

/// What is gathered while a post is read.
struct Reading<'a> {
    map: u16,
    carry: &'a mut MapCarry,
    exchange: &'a mut dyn FnMut(&str) -> String,
    identity: &'a str,
    /// The round to which it belongs, where that is told.
    round: Option<u16>,
    /// `b` from the round's end on.
    part: char,
    drafts: Vec<Draft>,
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
    let number_of_map = map.or(told).filter(|map| (1..=MAX_MAP).contains(map));
    let (Some(post), Some(kind), Some(map)) = (post, text("event"), number_of_map) else {
        return Answer { drafts: Vec::new(), duplicate: 0, unknown: 1, carry };
    };
    let mut reading = Reading {
        map,
        carry: carry.map(map),
        exchange,
        identity,
        round: number("round_number").map(|number| number.saturating_add(1)),
        part: 'a',
        drafts: Vec::new(),
    };
    let is_known = reading.event(kind, post).is_some();
    let Reading { drafts, .. } = reading;
    Answer { drafts, duplicate: 0, unknown: usize::from(!is_known), carry }
}

impl Reading<'_> {
    /// Tells what an event says; `None` if that is nothing we know.
    fn event(&mut self, kind: &str, post: &Value) -> Option<()> {
        let person = || post.get("player").and_then(Person::of);
        let site = || {
            let site = post.get("site")?.as_str()?;
            Some(Label::cut(&site.to_uppercase()))
        };
        match kind {
            "going_live" => self.go_live(),
            "round_start" => self.say(FreezeStarted {}),
            "round_end" => return self.round_end(post),
            "map_result" => return self.map_result(post),
            "map_picked" => {
                let name = post.get("map_name")?.as_str()?;
                self.carry.name = Some(name.chars().take(128).collect());
                return None;
            }
            "bomb_planted" => {
                let player = person().map(|person| self.player(&person));
                self.say(BombPlanted { player, site: site() });
            }
            "bomb_defused" => {
                let player = person().map(|person| self.player(&person));
                self.say(BombDefused { player });
            }
            "bomb_exploded" => self.say(BombExploded {}),
            "player_connect" => {
                let person = person().filter(|person| !person.account.starts_with("bot:"))?;
                let (player, name) = (self.player(&person), Label::cut(person.name));
                self.say(PlayerConnected { player, name });
            }
            "player_disconnect" => {
                let player = self.player(&person()?);
                self.say(PlayerDisconnected { player, reason: None });
            }
            _ => return None,
        }
        Some(())
    }

    /// A map starts, or starts again: what was played of it is void.
    fn go_live(&mut self) {
        if self.carry.live {
            self.carry.go_back_to(0);
        }
        self.carry.live = true;
        self.carry.first_side = None;
        self.round = Some(0);
        let map_name = self.carry.name.as_deref().map(Label::cut);
        self.say(MatchStarted { map_name });
    }

    fn round_end(&mut self, post: &Value) -> Option<()> {
        let winner = event::side(post.get("winner")?.get("side")?)?;
        let (first, second) = (Team::of(post, "team1")?, Team::of(post, "team2")?);
        let mut score = score(&first, &second)?;
        // The score may be the one before the round.
        let played = score.ct.saturating_add(score.t);
        if self.round.and_then(|round| round.checked_sub(1)) == Some(played) {
            let count = if winner == Side::Ct { &mut score.ct } else { &mut score.t };
            *count = count.saturating_add(1);
        }
        let round = score.ct.saturating_add(score.t);
        (self.round, self.part) = (Some(round), 'b');
        let is_late = round < self.carry.last() && !self.carry.knows(round);
        if self.carry.knows(round) {
            let mut before = score;
            let count = if winner == Side::Ct { &mut before.ct } else { &mut before.t };
            *count = count.saturating_sub(1);
            self.carry.go_back_to(round.saturating_sub(1));
            self.say(MatchReloaded { score: Some(before) });
        }
        self.carry.note(round);
        if !is_late {
            self.sides(&first);
            self.people([&first, &second]);
        }
        self.say(RoundEnded { winner, reason: event::reason(post), score: Some(score) });
        self.reports([&first, &second]);
        Some(())
    }

    fn map_result(&mut self, post: &Value) -> Option<()> {
        let (first, second) = (Team::of(post, "team1")?, Team::of(post, "team2")?);
        let score = score(&first, &second)?;
        self.round = Some(u16::MAX);
        self.sides(&first);
        self.people([&first, &second]);
        self.reports([&first, &second]);
        let map_name = self.carry.name.as_deref().map(Label::cut);
        self.say(MapEnded { score, map_name });
        Some(())
    }

    /// Which team is on which side.
    fn sides(&mut self, first: &Team<'_>) {
        let before = std::mem::replace(&mut self.carry.first_side, first.side);
        if before.is_some() && first.side.is_some() && before != first.side {
            self.say(SidesSwapped {});
        }
    }

    /// Introduces whom the stream does not know, and the teams.
    fn people(&mut self, teams: [&Team<'_>; 2]) {
        for person in teams.iter().flat_map(|team| team.people()) {
            let id = (self.exchange)(&person.account);
            let Some(side) = person.side else { continue };
            if let Some(joined) = self.carry.roster.introduce(&id, person.name, side) {
                self.say(joined);
            }
        }
        for team in teams {
            let (Some(name), Some(side)) = (team.name, team.side) else { continue };
            let [ct, t] = &mut self.carry.names;
            let known = if side == Side::Ct { ct } else { t };
            let name: String = name.chars().take(128).collect();
            if known.as_ref() == Some(&name) {
                continue;
            }
            let label = Label::cut(&name);
            *known = Some(name);
            self.say(TeamNamed { side, name: label });
        }
    }

    fn reports(&mut self, teams: [&Team<'_>; 2]) {
        for person in teams.iter().flat_map(|team| team.people()) {
            let id = (self.exchange)(&person.account);
            if let Some(report) = person.report(&id) {
                self.say(report);
            }
        }
    }

    fn player(&mut self, person: &Person<'_>) -> Player {
        Player::new(&(self.exchange)(&person.account))
    }

    /// Tells a fact, in which accounts are exchanged already.
    fn say(&mut self, event: impl Into<Event>) {
        let event = event.into();
        self.carry.roster.follow(&event);
        let number = self.drafts.len();
        let draft = Draft::new(self.map, "matchzy", format!("{}.{number}", self.identity), &event);
        // What is told before a round's end has no order but that of its arrival.
        let number = if self.part == 'a' { 0 } else { number };
        let (starts, part) = (self.carry.starts, self.part);
        let sequence =
            self.round.map(|round| format!("{starts:010}.{round:05}.{part}.{number:03}"));
        self.drafts.push(Draft { sequence, ..draft });
    }
}

/// The score by side.
fn score(first: &Team<'_>, second: &Team<'_>) -> Option<Score> {
    let (own, other) = (first.score?, second.score?);
    match first.side.or(second.side.map(Side::other))? {
        Side::Ct => Some(Score { ct: own, t: other }),
        Side::T => Some(Score { ct: other, t: own }),
    }
}
