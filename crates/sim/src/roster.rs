//! Who plays: invented teams of five, and what each player has and does.

use std::ops::{Index, IndexMut};

use matchwire_domain::live_match::cs::{PersonName, Player, Side};
use rand::{Rng, rngs::SmallRng, seq::SliceRandom};

use crate::{
    arsenal::{self, Item, MAX_GRENADES, Weapon},
    series::PlayerResult,
};

const TEAMS: [&str; 8] = [
    "Copper Foxes",
    "Night Herons",
    "Paper Lanterns",
    "Tidal Engine",
    "Velvet Ravens",
    "Granite Bloom",
    "Static Bears",
    "Lucky Comets",
];

const HANDLES: [&str; 30] = [
    "pebblejam",
    "oxbowl",
    "tinfoil_ted",
    "quarkle",
    "mossdoor",
    "vanillajet",
    "0wlish",
    "brambo",
    "sundial",
    "kettledrum",
    "fogbank",
    "zipline9",
    "marzipanzer",
    "nettles",
    "cactusfax",
    "hushpup",
    "lanternjaw",
    "biscuitron",
    "drizzle",
    "plankwalk",
    "yodelay",
    "snorkel",
    "waffleaxe",
    "icebreakr",
    "turnipking",
    "murmur",
    "gadfly",
    "postbox",
    "rooklift",
    "tangelo",
];

/// The first of the accounts: below every account that Steam has given out.
const FIRST_ACCOUNT: u64 = 76_561_190_000_000_001;
/// The most money that a player may have.
pub(crate) const MAX_MONEY: u32 = 16_000;

/// One of the two teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Team {
    First,
    Second,
}

impl Team {
    pub(crate) const BOTH: [Self; 2] = [Self::First, Self::Second];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// Its place in the order of teams.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// One of something for each team.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Both<T>(pub(crate) [T; 2]);

impl<T> Index<Team> for Both<T> {
    type Output = T;
    fn index(&self, team: Team) -> &T {
        let [first, second] = &self.0;
        match team {
            Team::First => first,
            Team::Second => second,
        }
    }
}

impl<T> IndexMut<Team> for Both<T> {
    fn index_mut(&mut self, team: Team) -> &mut T {
        let [first, second] = &mut self.0;
        match team {
            Team::First => first,
            Team::Second => second,
        }
    }
}

/// A player's seat, 0 to 9; the first team has the first five. Only [`Lobby`] gives them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat(usize);

/// A player.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each with two values")]
pub(crate) struct Fighter {
    pub(crate) account: Player,
    pub(crate) name: PersonName,
    pub(crate) team: Team,
    pub(crate) side: Side,
    /// How good, around 1.
    pub(crate) skill: f64,
    /// Who gets the AWP.
    pub(crate) is_sniper: bool,
    pub(crate) money: u32,
    pub(crate) is_alive: bool,
    pub(crate) health: u16,
    pub(crate) armor: u16,
    pub(crate) has_helmet: bool,
    pub(crate) has_kit: bool,
    pub(crate) primary: Option<&'static Weapon>,
    pub(crate) pistol: &'static Weapon,
    pub(crate) grenades: Vec<&'static str>,
    /// Who took how much of the health in this round.
    pub(crate) hurt_by: Vec<(Seat, u16)>,
    pub(crate) result: PlayerResult,
}

/// The ten players.
#[derive(Debug)]
pub(crate) struct Lobby {
    pub(crate) fighters: [Fighter; 10],
    pub(crate) names: Both<&'static str>,
}

impl Index<Seat> for Lobby {
    type Output = Fighter;
    #[allow(clippy::indexing_slicing, reason = "a lobby gives out seats of its own ten alone")]
    fn index(&self, seat: Seat) -> &Fighter {
        &self.fighters[seat.0]
    }
}

impl IndexMut<Seat> for Lobby {
    #[allow(clippy::indexing_slicing, reason = "a lobby gives out seats of its own ten alone")]
    fn index_mut(&mut self, seat: Seat) -> &mut Fighter {
        &mut self.fighters[seat.0]
    }
}

impl Lobby {
    /// Two teams and their players, of which one team is a little better.
    pub(crate) fn new(rng: &mut SmallRng) -> Self {
        let (mut teams, mut handles) = (TEAMS, HANDLES);
        teams.shuffle(rng);
        handles.shuffle(rng);
        let [first, second, ..] = teams;
        let edge = rng.random_range(-0.04..0.04);
        let mut handles = handles.into_iter();
        let fighters = std::array::from_fn(|seat| {
            let team = if seat < 5 { Team::First } else { Team::Second };
            let lead = if team == Team::First { 1.0 + edge } else { 1.0 - edge };
            let account = format!("steam:{}", FIRST_ACCOUNT + seat as u64);
            let name = handles.next().unwrap_or("nobody");
            let skill = lead * rng.random_range(0.88..1.12);
            Fighter::new(&account, name, team, skill, seat % 5 == 0)
        });
        Self { fighters, names: Both([first, second]) }
    }

    /// All seats.
    pub(crate) fn seats(&self) -> impl Iterator<Item = Seat> + use<> {
        (0..self.fighters.len()).map(Seat)
    }

    /// Those of a side who are alive.
    pub(crate) fn alive(&self, side: Side) -> Vec<Seat> {
        self.seats().filter(|seat| self[*seat].is_alive && self[*seat].side == side).collect()
    }

    /// All of a team.
    pub(crate) fn of(&self, team: Team) -> impl Iterator<Item = Seat> {
        self.seats().filter(move |seat| self[*seat].team == team)
    }

    /// The team that is on a side.
    pub(crate) fn team_on(&self, side: Side) -> Team {
        let is_first = self.fighters.first().is_some_and(|fighter| fighter.side == side);
        if is_first { Team::First } else { Team::Second }
    }
}

impl Fighter {
    fn new(account: &str, name: &str, team: Team, skill: f64, is_sniper: bool) -> Self {
        Self {
            account: Player::new(account),
            name: PersonName::cut(name),
            team,
            side: Side::Ct,
            skill,
            is_sniper,
            money: 0,
            is_alive: false,
            health: 0,
            armor: 0,
            has_helmet: false,
            has_kit: false,
            primary: None,
            pistol: &arsenal::USP,
            grenades: Vec::new(),
            hurt_by: Vec::new(),
            result: PlayerResult::default(),
        }
    }

    /// Everything but the pistol of the side is gone.
    pub(crate) fn disarm(&mut self) {
        self.armor = 0;
        (self.has_helmet, self.has_kit) = (false, false);
        self.primary = None;
        self.pistol = match self.side {
            Side::Ct => &arsenal::USP,
            Side::T => &arsenal::GLOCK,
        };
        self.grenades.clear();
    }

    /// Alive again for a new round; who died has nothing left.
    pub(crate) fn spawn(&mut self) {
        if !self.is_alive {
            self.disarm();
        }
        self.is_alive = true;
        self.health = 100;
        self.hurt_by.clear();
    }

    /// The gun in hand.
    pub(crate) fn weapon(&self) -> &'static Weapon {
        self.primary.unwrap_or(self.pistol)
    }

    /// Gets money, up to the limit. Answers whether it changed.
    pub(crate) fn earn(&mut self, dollars: u32) -> bool {
        let before = self.money;
        self.money = (self.money + dollars).min(MAX_MONEY);
        self.money != before
    }

    /// Buys a thing if it is useful and affordable. Answers with the game's name for it.
    pub(crate) fn buy(&mut self, item: Item) -> Option<String> {
        let price = self.price(item)?;
        self.money = self.money.checked_sub(price)?;
        match item {
            Item::Primary(weapon) => self.primary = Some(weapon),
            Item::Pistol(weapon) => self.pistol = weapon,
            Item::Kevlar => self.armor = 100,
            Item::Helmet => (self.armor, self.has_helmet) = (100, true),
            Item::Kit => self.has_kit = true,
            Item::Grenade(name, _) => self.grenades.push(name),
        }
        Some(match item {
            Item::Primary(weapon) | Item::Pistol(weapon) => format!("weapon_{}", weapon.name),
            Item::Grenade(name, _) => format!("weapon_{name}"),
            Item::Kevlar => "item_kevlar".into(),
            Item::Helmet => "item_assaultsuit".into(),
            Item::Kit => "item_defuser".into(),
        })
    }

    /// What a thing costs this player; nothing if there is no use for it.
    fn price(&self, item: Item) -> Option<u32> {
        let is_whole = self.armor >= 60;
        match item {
            Item::Primary(weapon) => {
                let has = self.primary.map_or(0, |own| own.price);
                (weapon.price > has + 600).then_some(weapon.price)
            }
            Item::Pistol(weapon) => (weapon.price > self.pistol.price).then_some(weapon.price),
            Item::Kevlar => (!is_whole).then_some(arsenal::KEVLAR_PRICE),
            Item::Helmet if is_whole => (!self.has_helmet).then_some(arsenal::HELMET_PRICE),
            Item::Helmet => Some(arsenal::KEVLAR_PRICE + arsenal::HELMET_PRICE),
            Item::Kit => (self.side == Side::Ct && !self.has_kit).then_some(arsenal::KIT_PRICE),
            Item::Grenade(name, price) => {
                let carried = self.grenades.iter().filter(|own| **own == name).count();
                let most = if name == "flashbang" { 2 } else { 1 };
                (carried < most && self.grenades.len() < MAX_GRENADES).then_some(price)
            }
        }
    }
}
