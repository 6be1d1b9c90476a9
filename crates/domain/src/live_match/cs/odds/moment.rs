//! What a source knows of one moment of a round, as the models of the round see it: a number, or
//! nothing where nobody told.
//!
//! The same struct is filled from a live state and from a row of a file, so that both are predicted by
//! one piece of code. Turning it into features is left to [`super::features`].

/// The maps that the model knows apart; any other is one of which nothing is known.
pub const MAPS: [&str; 7] =
    ["de_dust2", "de_inferno", "de_mirage", "de_nuke", "de_overpass", "de_train", "de_vertigo"];

/// The seconds of a round without a bomb that the model was trained on; more are time to buy.
pub const ROUND_S: f32 = 115.0;

/// A moment of a round.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moment {
    /// Seconds left: to the end of the round, or with a bomb planted to its explosion. Above
    /// [`ROUND_S`] it is time to buy, which counts down from 175 to 155.
    pub left_s: Option<f32>,
    /// Whether the bomb ticks.
    pub planted: Option<bool>,
    /// The map, as an index into [`MAPS`].
    pub map: Option<u8>,
    /// Rounds since the teams began with the money of a new half; 3 to 5 in overtime.
    pub round_of_half: Option<u16>,
    /// What each side has: CT and T.
    pub sides: [Force; 2],
}

/// What a side has.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Force {
    /// Players alive, 0 to 5.
    pub alive: Option<f32>,
    /// Their health in all.
    pub health: Option<f32>,
    /// Their armour, in points.
    pub armor: Option<f32>,
    /// Their helmets.
    pub helmets: Option<f32>,
    /// The side's money in dollars.
    pub money: Option<f32>,
    /// Defuse kits, of CT.
    pub kits: Option<f32>,
    /// The weapons of those who live.
    pub weapons: Option<Weapons>,
    /// The grenades of those who live.
    pub grenades: Option<Grenades>,
}

/// A side's weapons.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Weapons {
    /// At the prices of the buy menu, in dollars.
    pub value: f32,
    /// Assault rifles.
    pub rifles: f32,
    /// Sniper rifles of the dearest kind.
    pub awps: f32,
    /// Submachine guns and shotguns.
    pub smgs: f32,
    /// Pistols that nobody is given for nothing.
    pub pistols: f32,
}

/// A side's grenades.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Grenades {
    /// At the prices of the buy menu, in dollars.
    pub value: f32,
    /// Flashbangs.
    pub flashes: f32,
    /// Smoke grenades.
    pub smokes: f32,
    /// Molotovs and incendiary grenades.
    pub fires: f32,
}

/// Where a round stands; each has coefficients of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Time to buy.
    Buy,
    /// The round is played and no bomb planted.
    Open,
    /// The bomb ticks.
    Planted,
}

impl Stage {
    /// All of them, in the order in which a model file has them.
    pub const ALL: [Self; 3] = [Self::Buy, Self::Open, Self::Planted];
}

/// Which kinds of input are known of both sides, one bit for each. What every source knows (alive,
/// bomb, time, score, map) has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Known(u8);

impl Known {
    /// Health.
    pub const HEALTH: Self = Self(1);
    /// Armour and helmets.
    pub const ARMOR: Self = Self(2);
    /// Money.
    pub const MONEY: Self = Self(4);
    /// Weapons and kits.
    pub const WEAPONS: Self = Self(8);
    /// Grenades; they tell something only with weapons.
    pub const GRENADES: Self = Self(16);
    /// Nothing but what every source knows.
    pub const NOTHING: Self = Self(0);
    /// All of it.
    pub const ALL: Self = Self(31);
    /// How many combinations there are with grenades or without.
    pub const COUNT: u8 = 32;

    /// The combination of a number below [`Self::COUNT`], if a model has it: grenades come with
    /// weapons.
    pub fn of_number(number: u8) -> Option<Self> {
        let known = Self(number);
        let is_one =
            number < Self::COUNT && (!known.has(Self::GRENADES) || known.has(Self::WEAPONS));
        is_one.then_some(known)
    }

    /// Its number, below [`Self::COUNT`].
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether all of `other` is in it.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Moment {
    /// Where the round stands; a round of which no time is known is being played.
    pub fn stage(&self) -> Stage {
        match (self.planted, self.left_s) {
            (Some(true), _) => Stage::Planted,
            (_, Some(left)) if left > ROUND_S => Stage::Buy,
            _ => Stage::Open,
        }
    }

    /// What is known of both sides.
    pub fn known(&self) -> Known {
        let [ct, t] = &self.sides;
        let both = |known: Known, has: fn(&Force) -> bool| {
            if has(ct) && has(t) { known } else { Known::NOTHING }
        };
        let known = both(Known::HEALTH, |force| force.health.is_some())
            .and(both(Known::ARMOR, |force| force.armor.is_some()))
            .and(both(Known::MONEY, |force| force.money.is_some()))
            .and(both(Known::WEAPONS, |force| force.weapons.is_some()));
        if known.has(Known::WEAPONS) {
            known.and(both(Known::GRENADES, |force| force.grenades.is_some()))
        } else {
            known
        }
    }

    /// The same as a source would tell that knows no more than `known`.
    #[must_use]
    pub fn restricted(mut self, known: Known) -> Self {
        for force in &mut self.sides {
            force.health = force.health.filter(|_| known.has(Known::HEALTH));
            force.armor = force.armor.filter(|_| known.has(Known::ARMOR));
            force.helmets = force.helmets.filter(|_| known.has(Known::ARMOR));
            force.money = force.money.filter(|_| known.has(Known::MONEY));
            force.weapons = force.weapons.filter(|_| known.has(Known::WEAPONS));
            force.kits = force.kits.filter(|_| known.has(Known::WEAPONS));
            force.grenades = force.grenades.filter(|_| known.has(Known::GRENADES));
        }
        self
    }

    /// P(CT wins) where the rules decide it: a side that is dead has lost, unless the bomb ticks.
    pub fn decided(&self) -> Option<f64> {
        let [ct, t] = self.sides.map(|force| force.alive.is_some_and(|alive| alive < 0.5));
        match (ct, t, self.planted == Some(true)) {
            (true, true, false) => Some(0.5),
            (true, _, _) => Some(0.0),
            (false, true, false) => Some(1.0),
            _ => None,
        }
    }
}

impl Force {
    /// Players alive: as told, or by their health, or all five.
    pub(super) fn living(&self) -> f32 {
        let by_health = self.health.map(|health| libm::ceilf(health / 100.0));
        self.alive.or(by_health).unwrap_or(5.0).clamp(0.0, 5.0)
    }

    /// What is known of what the side carries, in dollars: 650 a full armour, 350 a helmet, 400 a kit.
    pub(super) fn equipment(&self) -> f32 {
        self.weapons.map_or(0.0, |weapons| weapons.value)
            + self.grenades.map_or(0.0, |grenades| grenades.value)
            + self.armor.map_or(0.0, |armor| armor * 6.5)
            + self.helmets.map_or(0.0, |helmets| helmets * 350.0)
            + self.kits.map_or(0.0, |kits| kits * 400.0)
    }
}
