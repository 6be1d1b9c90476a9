//! People: line-ups, who is on the pitch and for how long, cards.

use std::collections::BTreeMap;

use super::{
    Card, CardShown, CardState, Clock, LineupPlayer, LineupTold, MAX_LISTED, MAX_PLAYERS, Minute,
    Period, Player, PlayerState, PlayerSubstituted, State, Substitution,
};
use crate::live_match::ShownName;

/// How many substitutions a team may make (Law 3, official competitions).
const MAX_SUBSTITUTIONS: u16 = 5;
/// How many more it may make once extra time is played (Law 3, where the competition has it).
const MORE_IN_EXTRA_TIME: u16 = 1;

impl State {
    /// The person, made known if need be; `None` where there are too many already.
    pub(super) fn person(&mut self, id: &str, team: Option<usize>) -> Option<&mut PlayerState> {
        if !self.players.contains_key(id) {
            if self.players.len() >= MAX_PLAYERS {
                let detail = format!("{id} is not counted: {MAX_PLAYERS} people are known already");
                self.course.note_anomaly("too_many_players", detail);
                return None;
            }
            self.players.insert(id.into(), PlayerState::default());
        }
        let person = self.players.get_mut(id)?;
        person.team = person.team.or(team);
        Some(person)
    }

    /// The id of somebody who does something for a team, made known; it is noted if that does not
    /// fit with where the person is.
    pub(super) fn actor(&mut self, player: Option<&Player>, team: usize) -> Option<String> {
        let id = player?.to_string();
        let person = self.person(&id, Some(team))?;
        let (own, on_pitch) = (person.team, person.on_pitch);
        if own.is_some_and(|own| own != team) {
            let detail = format!("{id} is of the other team");
            self.course.note_anomaly("wrong_team", detail);
        } else if on_pitch == Some(false) {
            let detail = format!("{id} plays, and is not on the pitch");
            self.course.note_anomaly("not_on_pitch", detail);
        }
        Some(id)
    }

    /// Takes what is told of a team. Answers whether it moved the odds.
    pub(super) fn line_up(&mut self, told: &LineupTold) -> bool {
        let index = told.team.index();
        let team = self.team_mut(index);
        if let Some(name) = &told.name {
            team.name = Some(name.to_string());
        }
        if let Some(formation) = &told.formation {
            team.formation = Some(formation.to_string());
        }
        if let Some(rate) = told.expected_goals {
            team.expected_goals = Some(rate.into());
        }
        for row in told.players.iter().flat_map(|players| players.iter()) {
            self.add_player(row, index);
        }
        told.expected_goals.is_some()
    }

    fn add_player(&mut self, row: &LineupPlayer, team: usize) {
        let Some(person) = self.person(&row.player, Some(team)) else { return };
        if let Some(name) = &row.name {
            person.name = ShownName::of(name);
        }
        if let Some(position) = &row.position {
            person.position = Some(position.to_string());
        }
        person.number = row.number.or(person.number);
        let own = person.team;
        match row.starts {
            Some(true) if person.starts.is_none() => {
                person.starts = Some(true);
                // Who was taken off before the line-up was told has played until then.
                if person.on_pitch.is_none() {
                    person.on_pitch = Some(true);
                    person.since_ms = Some(0);
                }
            }
            Some(false) => {
                person.starts = person.starts.or(Some(false));
                person.on_pitch = person.on_pitch.or(Some(false));
            }
            _ => {}
        }
        if row.starts == Some(true) {
            let [first, second] = &mut self.ledger.lined_up;
            *(if team == 0 { first } else { second }) = true;
        }
        if own != Some(team) {
            let detail = format!("{} is in the line-ups of both teams", *row.player);
            self.course.note_anomaly("wrong_team", detail);
        }
    }

    pub(super) fn substitute(&mut self, told: &PlayerSubstituted, at: Option<Clock>) {
        let team = told.team.index();
        self.go_off(&told.off, team, at);
        if let Some(person) = self.players.get_mut(&**told.off) {
            person.is_out = true;
        }
        self.come_on(&told.on, team, at);
        let extra = self.period.is_some_and(|period| period >= Period::ExtraTimeFirst);
        let allowed = MAX_SUBSTITUTIONS + if extra { MORE_IN_EXTRA_TIME } else { 0 };
        let made = &mut self.team_mut(team).substitutions;
        *made = made.saturating_add(1);
        if *made > allowed {
            let detail = format!("{made} substitutions of a team that may make {allowed}");
            self.course.note_anomaly("too_many_substitutions", detail);
        }
        let (off, on) = (told.off.to_string(), told.on.to_string());
        list(&mut self.substitutions, Substitution { team, at: Minute::of(at), off, on });
    }

    /// Somebody leaves the pitch.
    pub(super) fn go_off(&mut self, player: &Player, team: usize, at: Option<Clock>) {
        let Some(person) = self.person(player, Some(team)) else { return };
        let was_on = person.on_pitch != Some(false);
        leave(person, at);
        if !was_on {
            let detail = format!("{} goes off, and is not on the pitch", **player);
            self.course.note_anomaly("not_on_pitch", detail);
        }
    }

    /// Somebody comes onto the pitch.
    pub(super) fn come_on(&mut self, player: &Player, team: usize, at: Option<Clock>) {
        let Some(person) = self.person(player, Some(team)) else { return };
        let (is_on, is_out) = (person.on_pitch == Some(true), person.is_out);
        if !is_on {
            person.since_ms = at.map(Clock::played_ms);
        }
        person.on_pitch = Some(true);
        person.starts = person.starts.or(Some(false));
        if is_on || is_out {
            let why = if is_on { "is there already" } else { "may not come back" };
            let detail = format!("{} comes on, and {why}", **player);
            self.course.note_anomaly("not_on_pitch", detail);
        }
    }

    /// Takes a card. Answers whether it moved the odds.
    pub(super) fn show_card(&mut self, shown: &CardShown, at: Option<Clock>) -> bool {
        let team = shown.team.index();
        let [first, second] = self.ledger.lined_up;
        let is_lined_up = if team == 0 { first } else { second };
        let player = shown.player.as_ref();
        let mut plays = !self.ledger.is_closed;
        if let Some(player) = player {
            let Some(person) = self.person(player, Some(team)) else { return false };
            // Where the eleven are known, somebody else is a substitute or an official.
            plays &= person.on_pitch.unwrap_or(!is_lined_up && !person.is_out);
            let had = person.yellow_cards;
            let caution = u16::from(shown.card != Card::Red);
            person.yellow_cards = person.yellow_cards.saturating_add(caution);
            let was_out = person.red_cards > 0;
            if shown.card.dismisses() {
                person.red_cards = person.red_cards.saturating_add(1);
                leave(person, at);
                person.is_out = true;
            }
            let why = match shown.card {
                _ if was_out => "was sent off before",
                Card::Yellow if had > 0 => "is cautioned a second time, and not sent off",
                Card::SecondYellow if had == 0 => "was not cautioned before",
                _ => "",
            };
            if !why.is_empty() {
                self.course.note_anomaly("card_mismatch", format!("{} {why}", **player));
            }
        }
        let counts = self.team_mut(team);
        let (caution, red) = (shown.card != Card::Red, shown.card.dismisses());
        counts.yellow_cards = counts.yellow_cards.saturating_add(u16::from(caution));
        counts.red_cards = counts.red_cards.saturating_add(u16::from(red));
        counts.dismissed = counts.dismissed.saturating_add(u16::from(red && plays)).min(11);
        let player = player.map(|player| player.to_string());
        list(&mut self.cards, CardState { team, at: Minute::of(at), player, card: shown.card });
        red
    }

    /// Adds up the minutes of those who are on the pitch.
    pub(super) fn count_minutes(&mut self, played_ms: u32) {
        for person in self.players.values_mut().filter(|person| person.on_pitch == Some(true)) {
            let until = Some(played_ms);
            add_minutes(person, until);
            person.since_ms = person.since_ms.and(until);
        }
    }
}

/// A person is on the pitch no more.
fn leave(person: &mut PlayerState, at: Option<Clock>) {
    add_minutes(person, at.map(Clock::played_ms));
    person.since_ms = None;
    person.on_pitch = Some(false);
}

fn add_minutes(person: &mut PlayerState, until_ms: Option<u32>) {
    let Some((since, until)) = person.since_ms.zip(until_ms) else { return };
    person.played_ms = person.played_ms.saturating_add(until.saturating_sub(since));
    person.minutes = u16::try_from(person.played_ms / 60_000).unwrap_or(u16::MAX);
}

/// Puts one more into a list by number, as long as it has room.
pub(super) fn list<T>(list: &mut BTreeMap<u16, T>, item: T) {
    if list.len() < MAX_LISTED {
        let number = u16::try_from(list.len()).unwrap_or(u16::MAX).saturating_add(1);
        list.insert(number, item);
    }
}
