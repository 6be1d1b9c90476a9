//! Which column is what, and the numbers in a row.

use matchwire_domain::live_match::cs::odds::{Force, Grenades, MAPS, Moment, Weapons};

/// The weapons with their prices in dollars, and what kind each is.
const WEAPONS: [(&str, f32, Kind); 34] = [
    ("ak47", 2700.0, Kind::Rifle),
    ("aug", 3300.0, Kind::Rifle),
    ("awp", 4750.0, Kind::Awp),
    ("bizon", 1400.0, Kind::Smg),
    ("cz75auto", 500.0, Kind::Pistol),
    ("deagle", 700.0, Kind::Pistol),
    ("elite", 300.0, Kind::Pistol),
    ("famas", 2050.0, Kind::Rifle),
    ("fiveseven", 500.0, Kind::Pistol),
    ("g3sg1", 5000.0, Kind::Other),
    ("galilar", 1800.0, Kind::Rifle),
    ("glock", 200.0, Kind::Other),
    ("m249", 5200.0, Kind::Other),
    ("m4a1s", 2900.0, Kind::Rifle),
    ("m4a4", 3100.0, Kind::Rifle),
    ("mac10", 1050.0, Kind::Smg),
    ("mag7", 1300.0, Kind::Smg),
    ("mp5sd", 1500.0, Kind::Smg),
    ("mp7", 1500.0, Kind::Smg),
    ("mp9", 1250.0, Kind::Smg),
    ("negev", 1700.0, Kind::Other),
    ("nova", 1050.0, Kind::Smg),
    ("p2000", 200.0, Kind::Other),
    ("p250", 300.0, Kind::Pistol),
    ("p90", 2350.0, Kind::Smg),
    ("r8revolver", 600.0, Kind::Pistol),
    ("sawedoff", 1100.0, Kind::Smg),
    ("scar20", 5000.0, Kind::Other),
    ("sg553", 3000.0, Kind::Rifle),
    ("ssg08", 1700.0, Kind::Other),
    ("tec9", 500.0, Kind::Pistol),
    ("ump45", 1200.0, Kind::Smg),
    ("usps", 200.0, Kind::Other),
    ("xm1014", 2000.0, Kind::Smg),
];
/// The grenades with their prices in dollars.
const GRENADES: [(&str, f32); 6] = [
    ("decoygrenade", 50.0),
    ("flashbang", 200.0),
    ("hegrenade", 300.0),
    ("incendiarygrenade", 500.0),
    ("molotovgrenade", 400.0),
    ("smokegrenade", 300.0),
];
/// More than any cell of these columns can mean: money of five players, in dollars.
const MOST: f32 = 1e6;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rifle,
    Awp,
    Smg,
    Pistol,
    Other,
}

/// A row that was read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Row {
    /// The moment.
    pub moment: Moment,
    /// Rounds won so far, CT and T.
    pub score: Option<[u16; 2]>,
    /// The match's number, if there is such a column.
    pub match_no: Option<f64>,
    /// The round's number within the match, if there is such a column.
    pub round_no: Option<f64>,
}

/// A cell that is not what its column holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}` has `{cell}`, where {wanted} or nothing belongs")]
pub struct BadCell {
    /// The column's name.
    pub column: String,
    /// The cell, at most 40 characters of it.
    pub cell: String,
    /// What belongs there.
    pub wanted: &'static str,
}

/// Where each column is.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    names: Vec<String>,
    match_no: Option<usize>,
    round_no: Option<usize>,
    left: Option<usize>,
    planted: Option<usize>,
    map: Option<usize>,
    score: [Option<usize>; 2],
    sides: [Side; 2],
}

#[derive(Debug, Clone, PartialEq)]
struct Side {
    alive: Option<usize>,
    health: Option<usize>,
    armor: Option<usize>,
    helmets: Option<usize>,
    money: Option<usize>,
    kits: Option<usize>,
    weapons: Vec<(Option<usize>, f32, Kind)>,
    grenades: Vec<(Option<usize>, &'static str, f32)>,
}

impl Columns {
    /// Finds the columns by the names in the first row; those that it does not know it passes over.
    pub fn of<'a>(header: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> = header.map(|name| name.trim().to_owned()).collect();
        let at = |name: &str| names.iter().position(|known| known == name);
        let side = |side: &str| Side {
            alive: at(&format!("{side}_players_alive")),
            health: at(&format!("{side}_health")),
            armor: at(&format!("{side}_armor")),
            helmets: at(&format!("{side}_helmets")),
            money: at(&format!("{side}_money")),
            kits: at(&format!("{side}_defuse_kits")),
            weapons: WEAPONS
                .map(|(name, price, kind)| (at(&format!("{side}_weapon_{name}")), price, kind))
                .to_vec(),
            grenades: GRENADES
                .map(|(name, price)| (at(&format!("{side}_grenade_{name}")), name, price))
                .to_vec(),
        };
        Self {
            match_no: at("match_no"),
            round_no: at("round_no"),
            left: at("time_left"),
            planted: at("bomb_planted"),
            map: at("map"),
            score: [at("ct_score"), at("t_score")],
            sides: [side("ct"), side("t")],
            names,
        }
    }

    /// Whether none of the columns is one that a prediction could use.
    pub fn are_unknown(&self) -> bool {
        *self == Self { names: self.names.clone(), ..Self::of(std::iter::empty()) }
    }

    /// Reads a row whose cells `cell` gives by number.
    pub fn read<'a>(&self, cell: impl Fn(usize) -> Option<&'a str>) -> Result<Row, BadCell> {
        let cells = Cells { names: &self.names, cell };
        let map = self.map.and_then(&cells.cell).map(str::trim);
        let index = map.and_then(|name| MAPS.iter().position(|known| *known == name));
        let [ct, t] = &self.sides;
        let [ct_score, t_score] = self.score;
        let score = match (cells.number(ct_score, MOST)?, cells.number(t_score, MOST)?) {
            (Some(ct), Some(t)) => Some([whole(ct), whole(t)]),
            _ => None,
        };
        let moment = Moment {
            left_s: cells.number(self.left, MOST)?,
            planted: cells.flag(self.planted)?,
            map: index.and_then(|index| u8::try_from(index).ok()),
            round_of_half: score.map(|[ct, t]| round_of_half(ct + t)),
            sides: [cells.side(ct)?, cells.side(t)?],
        };
        Ok(Row {
            moment,
            score,
            match_no: cells.place(self.match_no)?,
            round_no: cells.place(self.round_no)?,
        })
    }

    /// The text of the map's cell, by which a change of map is seen.
    pub fn map_name<'a>(&self, cell: impl Fn(usize) -> Option<&'a str>) -> Option<&'a str> {
        self.map.and_then(cell).map(str::trim).filter(|name| !name.is_empty())
    }
}

/// The whole number in a cell that is not above [`MOST`]; what is beyond a score is one no match has.
fn whole(number: f32) -> u16 {
    let mut whole = 0;
    while f32::from(whole) < number && whole < 999 {
        whole += 1;
    }
    whole
}

/// Rounds since the teams began with the money of a new half, by the rules of the data: halves of 15
/// rounds, and of 3 in overtime.
fn round_of_half(played: u16) -> u16 {
    match played.checked_sub(30) {
        Some(overtime) => 3 + overtime % 3,
        None => played % 15,
    }
}

struct Cells<'n, F> {
    names: &'n [String],
    cell: F,
}

impl<'a, F: Fn(usize) -> Option<&'a str>> Cells<'_, F> {
    fn number(&self, column: Option<usize>, most: f32) -> Result<Option<f32>, BadCell> {
        self.parse(column, "a number from 0", |text| {
            text.parse().ok().filter(|number: &f32| (0.0..=most).contains(number))
        })
    }

    /// The number of a match or a round.
    fn place(&self, column: Option<usize>) -> Result<Option<f64>, BadCell> {
        self.parse(column, "a number from 0", |text| {
            text.parse().ok().filter(|number: &f64| (0.0..=1e15).contains(number))
        })
    }

    fn flag(&self, column: Option<usize>) -> Result<Option<bool>, BadCell> {
        self.parse(column, "0, 1, true or false", |text| match text {
            "0" | "0.0" | "false" | "False" => Some(false),
            "1" | "1.0" | "true" | "True" => Some(true),
            _ => None,
        })
    }

    fn parse<T>(
        &self,
        column: Option<usize>,
        wanted: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, BadCell> {
        let Some(column) = column else { return Ok(None) };
        let text = (self.cell)(column).unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).ok_or_else(|| BadCell {
            column: self.names.get(column).cloned().unwrap_or_default(),
            cell: text.chars().take(40).collect(),
            wanted,
        })
    }

    fn side(&self, side: &Side) -> Result<Force, BadCell> {
        Ok(Force {
            alive: self.number(side.alive, 64.0)?,
            health: self.number(side.health, MOST)?,
            armor: self.number(side.armor, MOST)?,
            helmets: self.number(side.helmets, MOST)?,
            money: self.number(side.money, MOST)?,
            kits: self.number(side.kits, MOST)?,
            weapons: self.weapons(&side.weapons)?,
            grenades: self.grenades(&side.grenades)?,
        })
    }

    /// The weapons, if a count of any of them is told; those that are not are taken to be none.
    fn weapons(&self, columns: &[(Option<usize>, f32, Kind)]) -> Result<Option<Weapons>, BadCell> {
        let (mut weapons, mut is_told) = (Weapons::default(), false);
        for (column, price, kind) in columns {
            let Some(count) = self.number(*column, MOST)? else { continue };
            is_told = true;
            weapons.value += count * price;
            match kind {
                Kind::Rifle => weapons.rifles += count,
                Kind::Awp => weapons.awps += count,
                Kind::Smg => weapons.smgs += count,
                Kind::Pistol => weapons.pistols += count,
                Kind::Other => {}
            }
        }
        Ok(is_told.then_some(weapons))
    }

    /// The grenades, if a count of any of them is told; those that are not are taken to be none.
    fn grenades(
        &self,
        columns: &[(Option<usize>, &'static str, f32)],
    ) -> Result<Option<Grenades>, BadCell> {
        let (mut grenades, mut is_told) = (Grenades::default(), false);
        for (column, name, price) in columns {
            let Some(count) = self.number(*column, MOST)? else { continue };
            is_told = true;
            grenades.value += count * price;
            match *name {
                "flashbang" => grenades.flashes += count,
                "smokegrenade" => grenades.smokes += count,
                "incendiarygrenade" | "molotovgrenade" => grenades.fires += count,
                _ => {}
            }
        }
        Ok(is_told.then_some(grenades))
    }
}
