//! What can be bought, what it costs, and what it does. Prices, rewards and damages are those of
//! Counter-Strike 2; `power` is invented, for how a duel goes.

/// A gun.
#[derive(Debug, PartialEq)]
pub(crate) struct Weapon {
    /// As the game calls it in a kill.
    pub(crate) name: &'static str,
    /// In dollars.
    pub(crate) price: u32,
    /// For a kill, in dollars.
    pub(crate) reward: u32,
    /// To an unarmoured body at a usual distance.
    pub(crate) damage: u16,
    /// How much of the damage goes through armour, in percent.
    pub(crate) through_armor: u16,
    /// How many of its kills are headshots, in percent.
    pub(crate) headshots: u32,
    /// How well it does in a duel; a rifle has 1.
    pub(crate) power: f64,
}

macro_rules! weapons {
    ($($id:ident: $name:literal $price:literal $reward:literal $damage:literal $armor:literal $head:literal $power:literal;)+) => {
        $(pub(crate) static $id: Weapon = Weapon {
            name: $name,
            price: $price,
            reward: $reward,
            damage: $damage,
            through_armor: $armor,
            headshots: $head,
            power: $power,
        };)+
    };
}

weapons! {
    // id       name             price reward damage armour% headshot% power
    GLOCK:     "glock"             200  300  30  47 52 0.50;
    USP:       "usp_silencer"      200  300  35  51 60 0.54;
    P250:      "p250"              300  300  38  64 55 0.58;
    TEC9:      "tec9"              500  300  33  90 50 0.64;
    FIVESEVEN: "fiveseven"         500  300  32  91 50 0.64;
    DEAGLE:    "deagle"            700  300  53  93 62 0.68;
    MAC10:     "mac10"            1050  600  29  58 38 0.74;
    MP9:       "mp9"              1250  600  26  60 38 0.75;
    SCOUT:     "ssg08"            1700  300  88  85 40 0.72;
    GALIL:     "galilar"          1800  300  30  78 46 0.88;
    FAMAS:     "famas"            2050  300  30  70 45 0.88;
    AK47:      "ak47"             2700  300  36  78 55 1.00;
    M4A1S:     "m4a1_silencer"    2900  300  38  70 50 1.00;
    AWP:       "awp"              4750  100 115  98 12 1.16;
}

/// A thing from the buy menu.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item {
    /// A gun that is carried on the back.
    Primary(&'static Weapon),
    /// A gun in the place of the one that everybody has.
    Pistol(&'static Weapon),
    /// Armour for the body.
    Kevlar,
    /// Armour for body and head.
    Helmet,
    /// Halves the time to defuse.
    Kit,
    /// One to throw.
    Grenade(&'static str, u32),
}

pub(crate) const FLASH: Item = Item::Grenade("flashbang", 200);
pub(crate) const SMOKE: Item = Item::Grenade("smokegrenade", 300);
pub(crate) const FRAG: Item = Item::Grenade("hegrenade", 300);
pub(crate) const MOLOTOV: Item = Item::Grenade("molotov", 400);
pub(crate) const INCENDIARY: Item = Item::Grenade("incgrenade", 500);

/// What kevlar costs, and half of the price of both.
pub(crate) const KEVLAR_PRICE: u32 = 650;
/// What a helmet costs over whole kevlar.
pub(crate) const HELMET_PRICE: u32 = 350;
/// What a defuse kit costs.
pub(crate) const KIT_PRICE: u32 = 400;
/// How many grenades a player may carry.
pub(crate) const MAX_GRENADES: usize = 4;
