//! What is done on a map by what the plug-ins tell: deaths, bombs, people, pauses.

use matchwire_domain::live_match::{
    Label, PauseReason, PersonName, TeamIndex,
    course::{self, MatchPaused, MatchResumed},
    cs::{
        BombDefused, BombExploded, BombPlanted, Cause, FreezeStarted, PlayerAssisted,
        PlayerConnected, PlayerDied, PlayerDisconnected, PlayerKilled, RoundStarted, Side,
        SidesSwapped,
    },
};
use serde_json::Value;

use super::{
    carry::{Carry, Paused},
    event::{self, Person},
    reader::{Moment, Reading},
};

/// Which pause of the match a post is about; `None` if it is about none.
pub(super) fn number_of_pause(carry: &Carry, post: &Value) -> Option<u32> {
    let begun = carry.series.pauses;
    match post.get("event")?.as_str()? {
        "game_paused" | "pause_began" if carry.series.pause.is_none() => {
            Some(begun.saturating_add(1))
        }
        "game_paused" | "pause_began" | "game_unpaused" => Some(begun),
        _ => None,
    }
}

impl Reading<'_> {
    /// Tells what an event of play says; `None` if that is nothing we know.
    pub(super) fn play(&mut self, kind: &str, post: &Value) -> Option<()> {
        let person = || post.get("player").and_then(Person::of);
        let site = || Some(Label::cut(&post.get("site")?.as_str()?.to_uppercase()));
        match kind {
            "round_start" => self.say(FreezeStarted {}),
            "player_death" => return self.death(post),
            "bomb_planted" => {
                let player = person();
                self.go_into_round(post, &[player.as_ref()]);
                let player = player.map(|person| self.player(&person));
                self.say(BombPlanted { player, site: site() });
            }
            "bomb_defused" => {
                let player = person();
                self.go_into_round(post, &[player.as_ref()]);
                let player = player.map(|person| self.player(&person));
                self.say(BombDefused { player });
            }
            "bomb_exploded" => {
                self.go_into_round(post, &[]);
                self.say(BombExploded {});
            }
            "player_connect" => {
                let person = person().filter(|person| !person.account.starts_with("bot:"))?;
                let (player, name) = (self.player(&person), PersonName::cut(person.name));
                self.say(PlayerConnected { player, name });
            }
            "player_disconnect" => {
                let player = self.player(&person()?);
                self.say(PlayerDisconnected { player, reason: None });
            }
            "game_paused" => self.pause(post, false),
            "pause_began" => self.pause(post, true),
            "game_unpaused" => self.resume(),
            _ => return None,
        }
        Some(())
    }

    /// A player died: by another one's hand, with whoever helped, or otherwise.
    fn death(&mut self, post: &Value) -> Option<()> {
        let flag = |key: &str| match post.get(key) {
            Some(Value::Bool(flag)) => *flag,
            // So many things that a bullet went through.
            Some(Value::Number(count)) => count.as_u64() > Some(0),
            _ => false,
        };
        let victim = post.get("player").and_then(Person::of)?;
        let killer = post.get("attacker").and_then(Person::of);
        let killer = killer.filter(|killer| killer.account != victim.account && !flag("suicide"));
        let assist = post.get("assist").filter(|assist| assist.is_object());
        let helper = assist.and_then(|assist| assist.get("player")).and_then(Person::of);
        self.go_into_round(post, &[Some(&victim), killer.as_ref(), helper.as_ref()]);
        let fallen = self.player(&victim);
        let Some(killer) = killer.filter(|_| !flag("bomb")) else {
            let cause = match (
                flag("bomb"),
                flag("suicide") || post.get("attacker").is_some_and(Value::is_object),
            ) {
                (true, _) => Cause::Bomb,
                (false, true) => Cause::Suicide,
                (false, false) => Cause::World,
            };
            self.say(PlayerDied { player: fallen, cause });
            return Some(());
        };
        let weapon = post.pointer("/weapon/name").and_then(Value::as_str).unwrap_or_default();
        let killer = self.player(&killer);
        self.say(PlayerKilled {
            killer,
            victim: fallen.clone(),
            weapon: Label::cut(weapon.strip_prefix("weapon_").unwrap_or(weapon)),
            headshot: flag("headshot"),
            penetrated: flag("penetrated"),
            through_smoke: flag("thru_smoke"),
            attacker_blind: flag("attacker_blind"),
            no_scope: flag("no_scope"),
            killer_at: None,
            victim_at: None,
        });
        if let Some(helper) = helper {
            let is_flash = |assist: &Value| assist.get("flash_assist") == Some(&Value::Bool(true));
            let (assister, flash) = (self.player(&helper), assist.is_some_and(is_flash));
            self.say(PlayerAssisted { assister, victim: fallen, flash });
        }
        Some(())
    }

    /// Something is done in a round: it has started, and those who are named are on their sides. No
    /// plug-in says when the time to buy is over.
    fn go_into_round(&mut self, post: &Value, people: &[Option<&Person<'_>>]) {
        let Some(round) = self.round else { return };
        let time_ms = post.get("round_time").and_then(Value::as_u64).unwrap_or(0);
        let time_ms = u32::try_from(time_ms.max(1)).unwrap_or(u32::MAX);
        // What is told late may be of other sides.
        let is_past = self.carry.is_past(round);
        let people: Vec<&Person<'_>> = people.iter().copied().flatten().collect();
        if !is_past {
            self.moment = Moment::Start;
            self.follow_sides(&people);
            if self.carry.open(round) {
                self.say(RoundStarted {});
                self.play_on(round);
            }
        }
        self.moment = Moment::Play(time_ms);
        for person in people.iter().filter(|_| !is_past) {
            let id = (self.exchange)(&person.account);
            let Some(side) = person.side.filter(|_| !self.carry.roster.knows(&id)) else {
                continue;
            };
            if let Some(joined) = self.carry.roster.introduce(&id, person.name, side) {
                self.say(joined);
            }
        }
    }

    /// Where all who are named are on the other side than they were, the teams have changed sides.
    fn follow_sides(&mut self, people: &[&Person<'_>]) {
        let mut moved = people.iter().filter_map(|person| {
            let id = (self.exchange)(&person.account);
            Some(person.side? != self.carry.roster.side_of(&id)?)
        });
        let has_moved = moved.next().is_some_and(|first| first && moved.all(|moved| moved));
        if has_moved {
            self.say(SidesSwapped {});
            self.carry.change_sides();
        }
    }

    /// A round started. A pause that was called in the round before it is over; one that was called since
    /// is still to begin.
    fn play_on(&mut self, round: u16) {
        let Some(pause) = self.series.pause.as_mut().filter(|pause| pause.map == self.map) else {
            return;
        };
        pause.played_on = true;
        if pause.over_by <= round {
            self.series.pause = None;
        }
    }

    /// A pause is called, which begins with the next time to buy, or has begun.
    fn pause(&mut self, post: &Value, has_begun: bool) {
        let reason = match post.get("pause_type").and_then(Value::as_str) {
            Some("tactical") => PauseReason::Timeout,
            Some("technical") => PauseReason::Technical,
            _ => PauseReason::Other,
        };
        let team = post.get("team").and_then(event::team);
        let over_by = self.carry.last().saturating_add(if has_begun { 1 } else { 2 });
        let paused = Paused { map: self.map, reason, team, over_by, played_on: false };
        let before = self.series.pause.filter(|_| !self.carry.over);
        // Nothing is paused after the end: it is said again.
        if self.carry.over || before.is_some_and(|known| Paused { over_by, ..known } == paused) {
            self.series.pause =
                before.map(|known| Paused { over_by: known.over_by.min(over_by), ..known });
            self.duplicate += 1;
            return;
        }
        if self.series.pause.replace(paused).is_none() {
            self.series.pauses = self.series.pauses.saturating_add(1);
        }
        let side = team.and_then(|team| self.side_of(team)).map(|side| Label::cut(side.name()));
        self.round = None;
        self.say(course::Event::from(MatchPaused { reason, side }));
    }

    fn resume(&mut self) {
        self.series.pause = None;
        if self.carry.over {
            self.duplicate += 1;
            return;
        }
        self.round = None;
        self.say(course::Event::from(MatchResumed {}));
    }

    /// The side on which a team is, as far as that was told.
    fn side_of(&self, team: TeamIndex) -> Option<Side> {
        let chosen = || self.series.first_side_on(self.series.name_of(self.map)?);
        let first = self.carry.first_side.or_else(chosen)?;
        Some(if team == TeamIndex::First { first } else { first.other() })
    }
}
