//! What a player's equipment is worth, and what of it matters for the round.

use super::Label;

/// The prices of Counter-Strike 2's buy menu in dollars, by the game's names for the items. Items
/// that everyone has, and unknown ones, are worth nothing.
const PRICES: &[(&str, u32)] = &[
    ("ak47", 2700),
    ("assaultsuit", 1000),
    ("aug", 3300),
    ("awp", 4750),
    ("bizon", 1400),
    ("cz75a", 500),
    ("deagle", 700),
    ("decoy", 50),
    ("defuser", 400),
    ("elite", 300),
    ("famas", 2050),
    ("fiveseven", 500),
    ("flashbang", 200),
    ("g3sg1", 5000),
    ("galilar", 1800),
    ("glock", 200),
    ("hegrenade", 300),
    ("helmet", 350),
    ("hkp2000", 200),
    ("incgrenade", 500),
    ("kevlar", 650),
    ("m249", 5200),
    ("m4a1", 3100),
    ("m4a1_silencer", 2900),
    ("mac10", 1050),
    ("mag7", 1300),
    ("molotov", 400),
    ("mp5sd", 1500),
    ("mp7", 1500),
    ("mp9", 1250),
    ("negev", 1700),
    ("nova", 1050),
    ("p250", 300),
    ("p90", 2350),
    ("revolver", 600),
    ("sawedoff", 1100),
    ("scar20", 5000),
    ("sg556", 3000),
    ("smokegrenade", 300),
    ("ssg08", 1700),
    ("taser", 200),
    ("tec9", 500),
    ("ump45", 1200),
    ("usp_silencer", 200),
    ("vest", 650),
    ("vesthelm", 1000),
    ("xm1014", 2000),
];

/// The sum of some items' prices, in dollars. A prefix `weapon_` or `item_` and what follows a
/// parenthesis (`kevlar(100)`) are passed over.
pub(super) fn value(items: &[Label]) -> u32 {
    items.iter().map(|item| price(item)).sum()
}

/// What a player carries, as far as it matters for the round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gear {
    /// Armour, 0 to 100.
    pub armor: u16,
    /// Has a helmet.
    pub helmet: bool,
    /// Has a defuse kit.
    pub kit: bool,
    /// The weapons' prices in all, in dollars.
    pub weapons: u32,
    /// Assault rifles.
    pub rifles: u16,
    /// The dearest sniper rifles.
    pub awps: u16,
    /// Submachine guns and shotguns.
    pub smgs: u16,
    /// Pistols that nobody is given for nothing.
    pub pistols: u16,
}

impl Gear {
    /// Of what a player carries.
    pub(super) fn of(items: &[Label]) -> Self {
        let mut gear = Self::default();
        for item in items {
            gear.add(item);
        }
        gear
    }

    /// With one item more. A second weapon of a slot would be thrown away in the game, where it is
    /// mostly the teammate's who picks it up; so it counts.
    pub(super) fn add(&mut self, item: &str) {
        let name = bare(item);
        let one = |count: &mut u16| *count = count.saturating_add(1);
        match name {
            "kevlar" | "vest" => self.armor = points(item),
            "helmet" => self.helmet = true,
            "assaultsuit" | "vesthelm" => (self.armor, self.helmet) = (100, true),
            "defuser" => self.kit = true,
            "decoy" | "flashbang" | "hegrenade" | "incgrenade" | "molotov" | "smokegrenade"
            | "taser" => {}
            _ => {
                self.weapons = self.weapons.saturating_add(price(item));
                match name {
                    "ak47" | "aug" | "famas" | "galilar" | "m4a1" | "m4a1_silencer" | "sg556" => {
                        one(&mut self.rifles);
                    }
                    "awp" => one(&mut self.awps),
                    "bizon" | "mac10" | "mag7" | "mp5sd" | "mp7" | "mp9" | "nova" | "p90"
                    | "sawedoff" | "ump45" | "xm1014" => one(&mut self.smgs),
                    "cz75a" | "deagle" | "elite" | "fiveseven" | "p250" | "revolver" | "tec9" => {
                        one(&mut self.pistols);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Armour is left so much; without any the helmet is gone, too.
    pub(super) fn set_armor(&mut self, armor: u16) {
        self.armor = armor.min(100);
        self.helmet &= armor > 0;
    }
}

/// The armour in `kevlar(87)`; a new one has 100.
fn points(item: &str) -> u16 {
    let told = item.split_once('(').and_then(|(_, rest)| rest.trim_end_matches(')').parse().ok());
    told.unwrap_or(100).min(100)
}

/// An item's name without what the game puts around it.
fn bare(item: &str) -> &str {
    let name = item.split('(').next().unwrap_or_default();
    name.strip_prefix("weapon_").or(name.strip_prefix("item_")).unwrap_or(name)
}

fn price(item: &str) -> u32 {
    let name = bare(item);
    PRICES
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()
        .and_then(|i| PRICES.get(i))
        .map_or(0, |(_, price)| *price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_sorted_and_found() {
        assert!(PRICES.is_sorted_by_key(|(name, _)| name));
        let items =
            ["weapon_ak47", "kevlar(87)", "helmet", "weapon_knife_t", "vesthelm"].map(Label::cut);
        assert_eq!(value(&items), 2700 + 650 + 350 + 1000);
    }

    #[test]
    fn gear_is_what_matters() {
        let items = ["weapon_ak47", "kevlar(87)", "helmet", "weapon_flashbang", "weapon_p250"];
        let mut gear = Gear::of(&items.map(Label::cut));
        assert_eq!((gear.armor, gear.helmet, gear.kit, gear.rifles), (87, true, false, 1));
        assert_eq!((gear.weapons, gear.pistols, gear.awps), (3_000, 1, 0));
        gear.add("item_defuser");
        gear.set_armor(0);
        assert_eq!((gear.armor, gear.helmet, gear.kit), (0, false, true));
        gear.add("item_assaultsuit");
        assert_eq!((gear.armor, gear.helmet), (100, true));
    }
}
