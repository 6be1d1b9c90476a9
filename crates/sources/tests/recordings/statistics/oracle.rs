//! A plain reading of a server's log: each round as a list of what was done in it, looked at as a whole
//! afterwards.

use std::collections::{BTreeMap, BTreeSet};

use matchwire_domain::live_match::cs::Tally;

/// What a player did in one round.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Deeds {
    pub(super) rounds: u16,
    pub(super) kills: u16,
    pub(super) deaths: u16,
    pub(super) assists: u16,
    pub(super) headshots: u16,
    pub(super) team_kills: u16,
    pub(super) trades: u16,
    pub(super) traded_deaths: u16,
    pub(super) damage: u32,
    pub(super) utility_damage: u32,
    pub(super) opening_kills: u16,
    pub(super) opening_deaths: u16,
    pub(super) multi_kills: u16,
    pub(super) clutches: u16,
    pub(super) clutches_won: u16,
    pub(super) kast_rounds: u16,
}

impl Deeds {
    /// What came to a tally.
    pub(super) fn between(before: &Tally, after: &Tally) -> Self {
        Self {
            rounds: after.rounds - before.rounds,
            kills: after.kills - before.kills,
            deaths: after.deaths - before.deaths,
            assists: after.assists - before.assists,
            headshots: after.headshots - before.headshots,
            team_kills: after.team_kills - before.team_kills,
            trades: after.trades - before.trades,
            traded_deaths: after.traded_deaths - before.traded_deaths,
            damage: after.damage - before.damage,
            utility_damage: after.utility_damage - before.utility_damage,
            opening_kills: after.opening_kills - before.opening_kills,
            opening_deaths: after.opening_deaths - before.opening_deaths,
            multi_kills: after.multi_kills - before.multi_kills,
            clutches: after.clutches - before.clutches,
            clutches_won: after.clutches_won - before.clutches_won,
            kast_rounds: after.kast_rounds - before.kast_rounds,
        }
    }
}

/// A round, read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) deeds: BTreeMap<String, Deeds>,
    /// `CT` or `TERRORIST`, by account.
    pub(super) sides: BTreeMap<String, String>,
    /// Against how many somebody was left alone, counter-terrorists first, and whether they won.
    pub(super) clutches: Vec<(u16, bool)>,
    /// What was carried into the round, in dollars: counter-terrorists, terrorists.
    pub(super) carried: [u32; 2],
}

/// A death, with whose doing it was if it was another player's.
struct Death {
    second: i64,
    victim: String,
    killer: Option<String>,
    headshot: bool,
    /// Whether it was before the round was decided.
    in_play: bool,
}

/// The lines of a round as they are gathered.
#[derive(Default)]
struct Lines {
    started: Option<i64>,
    winner: Option<String>,
    sides: BTreeMap<String, String>,
    deaths: Vec<Death>,
    assists: Vec<(String, String)>,
    /// Attacker, victim, weapon, damage, health left.
    hits: Vec<(String, String, String, u32, u32)>,
    carried: BTreeMap<String, u32>,
}

/// Every round that counts: from the last start of the match before its end.
pub(super) fn read(log: &[u8]) -> Vec<Read> {
    let text = String::from_utf8_lossy(log);
    let end = text.find("Game Over:").unwrap();
    let start = text[..end].rfind("\"Match_Start\"").unwrap();
    let (mut rounds, mut lines) = (Vec::new(), Lines::default());
    for line in text[start..end].lines() {
        if line.contains("Starting Freeze period") {
            rounds.push(std::mem::take(&mut lines).whole());
        }
        lines.take(line);
    }
    rounds.push(lines.whole());
    rounds
}

/// The account and the side of `name<7><STEAM_1:0:5><CT>`.
fn person(text: &str) -> Option<(String, String)> {
    let mut parts = text.rsplit('<');
    let (side, id) = (parts.next()?.trim_end_matches('>'), parts.next()?.trim_end_matches('>'));
    let (universe, number) = id.strip_prefix("STEAM_1:")?.split_once(':')?;
    let number: u64 = number.parse().ok()?;
    let account = 76_561_197_960_265_728 + number * 2 + universe.parse::<u64>().ok()?;
    Some((format!("steam:{account}"), side.to_owned()))
}

fn second(line: &str) -> Option<i64> {
    let clock = line.split(" - ").nth(1)?.get(..8)?;
    let mut parts = clock.split(':').map(str::parse::<i64>);
    let mut next = || parts.next()?.ok();
    Some((next()? * 60 + next()?) * 60 + next()?)
}

impl Lines {
    fn take(&mut self, line: &str) {
        let Some(second) = second(line) else { return };
        if line.contains("World triggered \"Round_Start\"") {
            self.started = Some(second);
        }
        let parts: Vec<&str> = line.split('"').collect();
        if let ["Team", ..] =
            [parts.first().map_or("", |head| head.rsplit(' ').nth(1).unwrap_or(""))]
            && parts.get(3).is_some_and(|notice| notice.starts_with("SFUI_Notice_"))
        {
            self.winner = Some(parts[1].to_owned());
        }
        let Some((who, side)) = parts.get(1).and_then(|text| person(text)) else { return };
        if side == "CT" || side == "TERRORIST" {
            self.sides.entry(who.clone()).or_insert(side);
        }
        let whom = parts.get(3).and_then(|text| person(text)).map(|(whom, _)| whom);
        let deed = parts[2];
        let in_play = self.winner.is_none();
        let dies = |killer, victim, headshot| Death { second, victim, killer, headshot, in_play };
        match whom {
            Some(whom) if deed.contains("] killed ") => {
                self.deaths.push(dies(Some(who), whom, line.contains("(headshot")));
            }
            Some(whom) if deed.contains("] attacked ") => {
                let (damage, health) = (parts[7].parse().unwrap(), parts[11].parse().unwrap());
                self.hits.push((who, whom, parts[5].to_owned(), damage, health));
            }
            Some(whom) if deed.contains("assisted killing") => self.assists.push((who, whom)),
            None if deed.contains("committed suicide") || deed.contains("killed by the bomb") => {
                self.deaths.push(dies(None, who, false));
            }
            None if deed.contains(" left buyzone with [") => self.leave_buyzone(who, second, deed),
            _ => {}
        }
    }

    /// Somebody carries things out of the zone where things are bought. That is possible for 20 seconds;
    /// who comes through it later, or dies in it, carries what was found since.
    fn leave_buyzone(&mut self, who: String, second: i64, deed: &str) {
        let is_time = self.started.is_none_or(|started| second <= started + 20);
        let is_dead = self.deaths.iter().any(|death| death.victim == who);
        let is_late = !is_time && self.carried.contains_key(&who);
        if is_dead || self.winner.is_some() || is_late {
            return;
        }
        let items = deed.split(['[', ']']).nth(1).unwrap_or("").split_whitespace();
        self.carried.insert(who, items.map(price).sum());
    }

    fn whole(self) -> Read {
        let mut read = Read { sides: self.sides.clone(), ..Read::default() };
        for who in self.sides.keys() {
            read.deeds.insert(who.clone(), Deeds { rounds: 1, ..Deeds::default() });
        }
        self.kills(&mut read.deeds);
        self.damage(&mut read.deeds);
        self.clutches(&mut read);
        for (who, deeds) in &mut read.deeds {
            deeds.multi_kills = u16::from(deeds.kills > 1);
            let kast =
                deeds.kills + deeds.assists > 0 || deeds.deaths == 0 || deeds.traded_deaths > 0;
            deeds.kast_rounds = u16::from(kast);
            let place = usize::from(self.sides[who] != "CT");
            read.carried[place] += self.carried.get(who).copied().unwrap_or(0);
        }
        read
    }

    fn are_foes(&self, a: &str, b: &str) -> bool {
        self.sides.get(a) != self.sides.get(b)
    }

    fn kills(&self, deeds: &mut BTreeMap<String, Deeds>) {
        let mut is_opening = true;
        for death in &self.deaths {
            deeds.get_mut(&death.victim).unwrap().deaths += 1;
            let Some(killer) = &death.killer else { continue };
            if !self.are_foes(killer, &death.victim) {
                deeds.get_mut(killer).unwrap().team_kills += u16::from(*killer != death.victim);
                continue;
            }
            // The killer falls to the victim's side within five seconds.
            let is_traded = self.deaths.iter().any(|later| {
                later.victim == *killer
                    && (0..=5).contains(&(later.second - death.second))
                    && later.killer.as_ref().is_some_and(|avenger| self.are_foes(avenger, killer))
                    && self.comes_after(later, death)
            });
            let is_trade = self.deaths.iter().any(|earlier| {
                earlier.killer.as_ref() == Some(&death.victim)
                    && (0..=5).contains(&(death.second - earlier.second))
                    && self.are_foes(&earlier.victim, &death.victim)
                    && self.comes_after(death, earlier)
            });
            deeds.get_mut(&death.victim).unwrap().traded_deaths += u16::from(is_traded);
            deeds.get_mut(&death.victim).unwrap().opening_deaths += u16::from(is_opening);
            let own = deeds.get_mut(killer).unwrap();
            own.kills += 1;
            own.headshots += u16::from(death.headshot);
            own.trades += u16::from(is_trade);
            own.opening_kills += u16::from(is_opening);
            is_opening = false;
        }
        for (who, whom) in self.assists.iter().filter(|(who, whom)| self.are_foes(who, whom)) {
            let _ = whom;
            deeds.get_mut(who).unwrap().assists += 1;
        }
    }

    fn comes_after(&self, later: &Death, earlier: &Death) -> bool {
        let place = |it: &Death| self.deaths.iter().position(|death| std::ptr::eq(death, it));
        place(later) > place(earlier)
    }

    /// A hit takes what it says, and the last one what was left.
    fn damage(&self, deeds: &mut BTreeMap<String, Deeds>) {
        let mut health: BTreeMap<&str, u32> = BTreeMap::new();
        for (who, whom, weapon, damage, left) in &self.hits {
            let had = health.insert(whom, *left).unwrap_or(100);
            let taken = (*damage).min(had);
            if self.are_foes(who, whom) {
                let own = deeds.get_mut(who).unwrap();
                own.damage += taken;
                let is_utility = matches!(weapon.as_str(), "hegrenade" | "inferno");
                own.utility_damage += if is_utility { taken } else { 0 };
            }
        }
    }

    /// Who is the last one of five, while enemies are left and the round is open.
    fn clutches(&self, read: &mut Read) {
        let mut alone: [Option<(String, u16)>; 2] = [None, None];
        let mut dead: BTreeSet<&str> = BTreeSet::new();
        for death in self.deaths.iter().filter(|death| death.in_play) {
            dead.insert(&death.victim);
            let alive = |side: &str| -> Vec<&String> {
                let own = self.sides.iter().filter(|(_, of)| *of == side);
                own.map(|(who, _)| who).filter(|who| !dead.contains(who.as_str())).collect()
            };
            for (place, (own, other)) in
                [("CT", "TERRORIST"), ("TERRORIST", "CT")].iter().enumerate()
            {
                let (own, others) = (alive(own), alive(other));
                if let ([last], false, None) = (&own[..], others.is_empty(), &alone[place]) {
                    alone[place] = Some(((*last).clone(), u16::try_from(others.len()).unwrap()));
                }
            }
        }
        for (side, alone) in ["CT", "TERRORIST"].iter().zip(alone) {
            let Some((who, against)) = alone else { continue };
            let has_won = self.winner.as_deref() == Some(side);
            let own = read.deeds.get_mut(&who).unwrap();
            (own.clutches, own.clutches_won) = (1, u16::from(has_won));
            read.clutches.push((against, has_won));
        }
    }
}

/// What an item costs in the buy menu, by the game's list; what everyone has costs nothing.
fn price(item: &str) -> u32 {
    let name = item.split('(').next().unwrap().trim_start_matches("weapon_");
    match name {
        "decoy" => 50,
        "glock" | "usp_silencer" | "hkp2000" | "flashbang" | "taser" => 200,
        "p250" | "elite" | "smokegrenade" | "hegrenade" => 300,
        "helmet" => 350,
        "molotov" | "defuser" => 400,
        "fiveseven" | "cz75a" | "tec9" | "incgrenade" => 500,
        "revolver" => 600,
        "kevlar" => 650,
        "deagle" => 700,
        "nova" | "mac10" => 1_050,
        "sawedoff" => 1_100,
        "ump45" => 1_200,
        "mp9" => 1_250,
        "mag7" => 1_300,
        "bizon" => 1_400,
        "mp7" | "mp5sd" => 1_500,
        "ssg08" | "negev" => 1_700,
        "galilar" => 1_800,
        "xm1014" => 2_000,
        "famas" => 2_050,
        "p90" => 2_350,
        "ak47" => 2_700,
        "m4a1_silencer" => 2_900,
        "sg556" => 3_000,
        "m4a1" => 3_100,
        "aug" => 3_300,
        "awp" => 4_750,
        "scar20" | "g3sg1" => 5_000,
        "m249" => 5_200,
        _ => 0,
    }
}
