//! People: who is there, on which side, and what the scoreboard says of them.

use std::collections::BTreeSet;

use matchwire_domain::live_match::cs::{Items, Player, PlayerDisconnected, PlayerReported};

use super::{
    reader::Reading,
    snapshot::{Person, Snapshot},
};

impl Reading<'_> {
    /// Introduces whom the stream does not know, and reports what changed of everyone.
    pub(super) fn people(&mut self, snapshot: &Snapshot) {
        let mut seen = BTreeSet::new();
        let everyone = snapshot.everyone.iter().flatten();
        for person in everyone.chain(&snapshot.player) {
            let id = (self.exchange)(&person.account);
            if !seen.insert(id.clone()) {
                continue;
            }
            if let Some(joined) = self.carry.roster.introduce(&id, &person.name, person.side) {
                self.say(joined);
            }
        }
        if snapshot.everyone.is_some() {
            self.see_off(seen);
        }
    }

    /// Reports what changed of everyone.
    pub(super) fn reports(&mut self, snapshot: &Snapshot) {
        let everyone = snapshot.everyone.iter().flatten();
        for person in everyone.chain(&snapshot.player) {
            let id = (self.exchange)(&person.account);
            self.report(&id, person);
        }
    }

    /// Those whom a spectator does not see any more have left.
    fn see_off(&mut self, seen: BTreeSet<String>) {
        if seen.is_empty() {
            return;
        }
        let gone: Vec<String> = self.carry.present.difference(&seen).cloned().collect();
        for id in gone {
            self.part(&id);
        }
        self.carry.present = seen;
    }

    /// The owner of a client has left the game.
    pub(super) fn leave(&mut self, client: &str) {
        if self.carry.roster.knows(client) {
            self.part(client);
        }
        self.carry.present.remove(client);
    }

    fn part(&mut self, id: &str) {
        self.carry.reported.remove(id);
        self.say(PlayerDisconnected { player: Player::new(id), reason: None });
    }

    /// Whether most of those who are seen are on the other side than they were.
    pub(super) fn most_moved(&mut self, snapshot: &Snapshot) -> bool {
        let (mut moved, mut stayed) = (0, 0);
        for person in snapshot.everyone.iter().flatten().chain(&snapshot.player) {
            let id = (self.exchange)(&person.account);
            match self.carry.roster.side_of(&id) {
                Some(side) if side == person.side => stayed += 1,
                Some(_) => moved += 1,
                None => {}
            }
        }
        moved > stayed
    }

    /// Reports what changed since the last report of a player.
    fn report(&mut self, id: &str, person: &Person) {
        let last = self.carry.reported.get(id).cloned();
        let last = last.unwrap_or_else(|| PlayerReported::nothing(id));
        let kit = if person.kit { Some(true) } else { last.kit.map(|_| false) };
        let items = person.items.as_ref();
        let items = items.map(|items| Items::cut(items.iter().map(String::as_str)));
        let mut known = last.clone();
        let news = PlayerReported {
            health: news(&mut known.health, person.health.map(|health| health.min(100))),
            armor: news(&mut known.armor, person.armor.map(|armor| armor.min(100))),
            helmet: news(&mut known.helmet, person.helmet),
            kit: news(&mut known.kit, kit),
            money: news(&mut known.money, person.money),
            equipment: news(&mut known.equipment, person.equipment),
            items: news(&mut known.items, items),
            kills: news(&mut known.kills, person.kills),
            deaths: news(&mut known.deaths, person.deaths),
            assists: news(&mut known.assists, person.assists),
            mvps: news(&mut known.mvps, person.mvps),
            ..PlayerReported::nothing(id)
        };
        if known != last {
            self.carry.note(id, known);
            self.say(news);
        }
    }
}

/// What is told, if that is not known.
fn news<T: Clone + PartialEq>(known: &mut Option<T>, told: Option<T>) -> Option<T> {
    if told.is_none() || *known == told {
        return None;
    }
    known.clone_from(&told);
    told
}
