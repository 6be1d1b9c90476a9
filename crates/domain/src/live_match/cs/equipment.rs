//! What a player's equipment is worth.

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

fn price(item: &str) -> u32 {
    let name = item.split('(').next().unwrap_or_default();
    let name = name.strip_prefix("weapon_").or(name.strip_prefix("item_")).unwrap_or(name);
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
}
