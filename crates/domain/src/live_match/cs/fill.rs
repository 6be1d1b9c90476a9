//! What a source that is not believed still adds: whatever the believed one does not tell.
//!
//! A server's log says who killed whom, and not always what health a player has; a client of the game
//! knows. Each event tells of some aspects of the map beside what it claims. Of an aspect that the believed
//! source has not told so far, what another one tells is taken. Only what sets something is taken this way,
//! or sums that are set; a kill or a round is claimed, and counts by whoever is believed.

use super::{BombPlanted, Event, PlayerReported, State};
use crate::{
    live_match::{Player, Status},
    timestamp::Timestamp,
};

const HEALTH: &str = "health";
const ARMOR: &str = "armor";
const MONEY: &str = "money";
const EQUIPMENT: &str = "equipment";
const DAMAGE: &str = "damage";
const ASSISTS: &str = "assists";
const MVPS: &str = "mvps";
const CARRIER: &str = "carrier";
const SITE: &str = "site";
const NAMES: &str = "names";
const RULES: &str = "rules";

/// The aspects of a map that an event tells of.
pub(super) fn aspects(event: &Event) -> Vec<&'static str> {
    match event {
        Event::PlayerReported(told) => reported(told),
        Event::PlayerHurt(_) => vec![HEALTH, DAMAGE],
        Event::MoneyChanged(changed) if changed.item.is_some() => vec![MONEY, EQUIPMENT],
        Event::MoneyChanged(_) | Event::RoundStats(_) => vec![MONEY],
        Event::PlayerEquipped(_) => vec![EQUIPMENT],
        Event::PlayerAssisted(_) => vec![ASSISTS],
        Event::BombPickedUp(_) | Event::BombDropped(_) => vec![CARRIER],
        Event::BombPlanted(BombPlanted { site: Some(_), .. }) => vec![SITE],
        Event::TeamNamed(_) => vec![NAMES],
        Event::RulesSet(_) => vec![RULES],
        _ => Vec::new(),
    }
}

fn reported(told: &PlayerReported) -> Vec<&'static str> {
    let armor = told.armor.is_some() || told.helmet.is_some() || told.kit.is_some();
    let all = [
        (HEALTH, told.health.is_some()),
        (ARMOR, armor),
        (MONEY, told.money.is_some()),
        (EQUIPMENT, told.equipment.is_some() || told.items.is_some()),
        (DAMAGE, told.damage.is_some() || told.utility_damage.is_some()),
        (ASSISTS, told.assists.is_some()),
        (MVPS, told.mvps.is_some()),
    ];
    all.into_iter().filter(|(_, is_told)| *is_told).map(|(aspect, _)| aspect).collect()
}

impl State {
    /// Takes of an event what is `lacking`. Answers whether it moved the odds.
    pub(super) fn fill_in(
        &mut self,
        event: &Event,
        time: Timestamp,
        lacking: &dyn Fn(&str) -> bool,
    ) -> bool {
        if self.course.status == Status::Ended {
            return false;
        }
        match event {
            Event::PlayerReported(told) if self.knows(&told.player) => {
                let part = self.missing_part(told, lacking);
                part.is_some_and(|part| self.apply(&part.into(), time))
            }
            Event::BombPlanted(planted) if lacking(SITE) && self.bomb == super::Bomb::Planted => {
                let site = || planted.site.as_ref().map(|site| site.to_string());
                self.bomb_site = self.bomb_site.take().or_else(site);
                false
            }
            Event::PlayerHurt(hurt) => {
                let is_lacking = lacking(HEALTH) && lacking(DAMAGE);
                is_lacking && self.is_alive(&hurt.victim) && self.apply(event, time)
            }
            Event::MoneyChanged(changed) => {
                lacking(MONEY) && self.knows(&changed.player) && self.apply(event, time)
            }
            Event::PlayerEquipped(equipped) => {
                lacking(EQUIPMENT) && self.knows(&equipped.player) && self.apply(event, time)
            }
            Event::PlayerAssisted(assisted) => {
                lacking(ASSISTS) && self.knows(&assisted.assister) && self.apply(event, time)
            }
            Event::RoundStats(stats) if lacking(MONEY) => {
                for row in stats.players.iter() {
                    if let Some(player) = self.players.get_mut(&**row.player) {
                        player.money = Some(row.money);
                    }
                }
                false
            }
            Event::BombPickedUp(_) | Event::BombDropped(_) => {
                lacking(CARRIER) && self.apply(event, time)
            }
            Event::TeamNamed(_) => lacking(NAMES) && self.apply(event, time),
            Event::RulesSet(_) => lacking(RULES) && self.apply(event, time),
            _ => false,
        }
    }

    /// What a scoreboard says of what is lacking. Who is dead is not: that is claimed, kill by kill.
    fn missing_part(
        &self,
        told: &PlayerReported,
        lacking: &dyn Fn(&str) -> bool,
    ) -> Option<PlayerReported> {
        let PlayerReported { player, .. } = PlayerReported::nothing(&told.player);
        let is_alive = self.is_alive(&told.player);
        let health = told.health.filter(|health| lacking(HEALTH) && is_alive && *health > 0);
        let (armor, money, equipment, damage) =
            (lacking(ARMOR), lacking(MONEY), lacking(EQUIPMENT), lacking(DAMAGE));
        let part = PlayerReported {
            health,
            armor: told.armor.filter(|_| armor),
            helmet: told.helmet.filter(|_| armor),
            kit: told.kit.filter(|_| armor),
            money: told.money.filter(|_| money),
            equipment: told.equipment.filter(|_| equipment),
            items: told.items.clone().filter(|_| equipment),
            damage: told.damage.filter(|_| damage),
            utility_damage: told.utility_damage.filter(|_| damage),
            assists: told.assists.filter(|_| lacking(ASSISTS)),
            mvps: told.mvps.filter(|_| lacking(MVPS)),
            ..PlayerReported::nothing(&player)
        };
        (part != PlayerReported::nothing(&player)).then_some(part)
    }

    fn knows(&self, player: &Player) -> bool {
        self.players.contains_key(&***player)
    }

    fn is_alive(&self, player: &Player) -> bool {
        self.players.get(&***player).is_some_and(|player| player.alive)
    }
}
