//! From a moment and its history to the numbers that the model weighs.
//!
//! Each feature has a direction, if more of it can only help one side. Linear weights and trees are
//! trained to keep it, so that one player more is never worse. A *log ratio* is
//! ln((CT + k) / (T + k)): 0 when both sides have the same.

use super::{
    history::History,
    moment::{Force, Known, MAPS, Moment, ROUND_S},
};

/// How many features there are.
pub const COUNT: usize = 77;

/// The features of a moment; 0 where what they need is not known.
pub type Features = [f32; COUNT];

/// What is said of a feature.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// 1 if more of it can only help CT, −1 if it can only harm, 0 if either.
    pub direction: i8,
    /// What must be known for it.
    pub needs: Known,
    /// Whether weapons must be unknown, since with them it tells nothing more.
    pub without_weapons: bool,
    /// Whether the linear part has it.
    pub linear: bool,
    /// Whether the trees have it.
    pub trees: bool,
}

/// Whether a feature is used where so much is known.
pub fn is_used(spec: &Spec, known: Known) -> bool {
    known.has(spec.needs) && !(spec.without_weapons && known.has(Known::WEAPONS))
}

/// All features, in order.
pub fn specs() -> Vec<Spec> {
    let mut list = List(None);
    let mut all = Vec::with_capacity(COUNT);
    list.0 = Some(&mut all);
    fill(&Moment::default(), &History::default(), &mut list);
    all
}

/// The features of a moment.
pub fn features(now: &Moment, history: &History) -> Features {
    let mut values = Values { x: [0.0; COUNT], at: 0 };
    fill(now, history, &mut values);
    values.x
}

/// Where features go: their values, or what is said of them.
trait Sink {
    fn put(&mut self, spec: Spec, value: f32);
}

struct Values {
    x: Features,
    at: usize,
}

impl Sink for Values {
    #[inline]
    fn put(&mut self, _: Spec, value: f32) {
        if let Some(place) = self.x.get_mut(self.at) {
            *place = value;
        }
        self.at += 1;
    }
}

struct List<'a>(Option<&'a mut Vec<Spec>>);

impl Sink for List<'_> {
    fn put(&mut self, spec: Spec, _: f32) {
        if let Some(all) = &mut self.0 {
            all.push(spec);
        }
    }
}

const fn spec(name: &'static str, direction: i8, needs: Known) -> Spec {
    Spec { name, direction, needs, without_weapons: false, linear: true, trees: true }
}

const fn tree(name: &'static str, direction: i8, needs: Known) -> Spec {
    Spec { linear: false, ..spec(name, direction, needs) }
}

const fn line(name: &'static str, direction: i8, needs: Known) -> Spec {
    Spec { trees: false, ..spec(name, direction, needs) }
}

/// Of rounds before; with weapons known it was measured not to help.
const fn past(name: &'static str, direction: i8, needs: Known) -> Spec {
    Spec { without_weapons: true, ..spec(name, direction, needs) }
}

const EVERY: Known = Known::NOTHING;
const WEALTH: Known = Known::MONEY.and(Known::WEAPONS);

#[inline]
fn fill(now: &Moment, history: &History, to: &mut impl Sink) {
    let [ct, t] = &now.sides;
    let alive = [ct.living(), t.living()];
    let left = now.left_s.unwrap_or(if now.planted == Some(true) { 20.0 } else { 60.0 });
    let clock = left.clamp(0.0, ROUND_S) / ROUND_S;
    common(now, left, clock, alive, to);
    if_alive(alive, clock, to);
    vitals(ct, t, clock, to);
    weapons(ct, t, left, to);
    grenades(ct, t, to);
    economy(ct, t, alive, clock, history, to);
    before(history, to);
}

fn common(now: &Moment, left: f32, clock: f32, alive: [f32; 2], to: &mut impl Sink) {
    to.put(tree("left", 0, EVERY), left);
    to.put(line("clock", 0, EVERY), clock);
    to.put(line("buying", 0, EVERY), (left - ROUND_S).clamp(0.0, 60.0) / 60.0);
    to.put(line("last_60_s", 0, EVERY), (60.0 - left).clamp(0.0, 60.0) / 60.0);
    to.put(line("last_30_s", 0, EVERY), (30.0 - left).clamp(0.0, 30.0) / 30.0);
    to.put(line("bomb", 0, EVERY), left.clamp(0.0, 40.0) / 40.0);
    to.put(line("last_10_s", 0, EVERY), left.clamp(0.0, 10.0) / 10.0);
    let [_, t_alive] = alive;
    to.put(line("cleared", 1, EVERY), flag(t_alive == 0.0));
    to.put(line("one_t", 1, EVERY), flag(t_alive <= 1.0));
    for (number, name) in (0..).zip(MAPS) {
        to.put(spec(name, 0, EVERY), flag(now.map == Some(number)));
    }
    to.put(tree("round_of_half", 0, EVERY), f32::from(now.round_of_half.unwrap_or(5).min(30)));
    to.put(line("pistols", 0, EVERY), flag(now.round_of_half == Some(0)));
}

fn if_alive([ct, t]: [f32; 2], clock: f32, to: &mut impl Sink) {
    let ratio = log_ratio(ct, t, 0.5);
    to.put(tree("ct_alive", 1, EVERY), ct);
    to.put(tree("t_alive", -1, EVERY), t);
    to.put(tree("alive", 1, EVERY), ratio);
    to.put(line("alive_early", 1, EVERY), ratio * clock);
    to.put(line("alive_late", 1, EVERY), ratio * (1.0 - clock));
    to.put(tree("alive_more", 1, EVERY), ct - t);
}

fn vitals(ct: &Force, t: &Force, clock: f32, to: &mut impl Sink) {
    let [a, b] = [ct.health, t.health].map(Option::unwrap_or_default);
    let ratio = log_ratio(a, b, 50.0);
    to.put(tree("ct_health", 1, Known::HEALTH), a);
    to.put(tree("t_health", -1, Known::HEALTH), b);
    to.put(tree("health", 1, Known::HEALTH), ratio);
    to.put(line("health_early", 1, Known::HEALTH), ratio * clock);
    to.put(line("health_late", 1, Known::HEALTH), ratio * (1.0 - clock));
    let [a, b] = [ct.armor, t.armor].map(Option::unwrap_or_default);
    to.put(tree("ct_armor", 1, Known::ARMOR), a);
    to.put(tree("t_armor", -1, Known::ARMOR), b);
    to.put(spec("armor", 1, Known::ARMOR), log_ratio(a, b, 100.0));
    let [a, b] = [ct.helmets, t.helmets].map(Option::unwrap_or_default);
    to.put(tree("ct_helmets", 1, Known::ARMOR), a);
    to.put(tree("t_helmets", -1, Known::ARMOR), b);
    to.put(spec("helmets", 1, Known::ARMOR), log_ratio(a, b, 1.0));
}

fn weapons(ct: &Force, t: &Force, left: f32, to: &mut impl Sink) {
    let [a, b] = [ct.weapons, t.weapons].map(Option::unwrap_or_default);
    to.put(spec("weapons", 1, Known::WEAPONS), log_ratio(a.value, b.value, 1_000.0));
    for (names, ours, theirs) in [
        (["ct_rifles", "t_rifles", "rifles"], a.rifles, b.rifles),
        (["ct_awps", "t_awps", "awps"], a.awps, b.awps),
        (["ct_smgs", "t_smgs", "smgs"], a.smgs, b.smgs),
        (["ct_pistols", "t_pistols", "pistols_bought"], a.pistols, b.pistols),
    ] {
        let [our_name, their_name, both] = names;
        to.put(tree(our_name, 1, Known::WEAPONS), ours);
        to.put(tree(their_name, -1, Known::WEAPONS), theirs);
        to.put(line(both, 1, Known::WEAPONS), log_ratio(ours, theirs, 1.0));
    }
    let kits = ct.kits.unwrap_or_default();
    to.put(tree("kits", 1, Known::WEAPONS), kits);
    to.put(line("some_kits", 1, Known::WEAPONS), libm::logf(1.0 + kits.max(0.0)));
    let hurry = (10.0 - left).clamp(0.0, 5.0) / 5.0;
    to.put(line("kit_in_time", 1, Known::WEAPONS), hurry * kits.clamp(0.0, 1.0));
}

fn grenades(ct: &Force, t: &Force, to: &mut impl Sink) {
    let [a, b] = [ct.grenades, t.grenades].map(Option::unwrap_or_default);
    to.put(spec("grenades", 1, Known::GRENADES), log_ratio(a.value, b.value, 500.0));
    to.put(spec("flashes", 1, Known::GRENADES), log_ratio(a.flashes, b.flashes, 2.0));
    to.put(spec("smokes", 1, Known::GRENADES), log_ratio(a.smokes, b.smokes, 1.0));
    to.put(spec("fires", 1, Known::GRENADES), log_ratio(a.fires, b.fires, 1.0));
}

fn economy(
    ct: &Force,
    t: &Force,
    alive: [f32; 2],
    clock: f32,
    history: &History,
    to: &mut impl Sink,
) {
    let equipment = [ct.equipment(), t.equipment()];
    let [a, b] = equipment;
    let ratio = log_ratio(a, b, 1_000.0);
    to.put(tree("ct_equipment", 1, Known::WEAPONS), a);
    to.put(tree("t_equipment", -1, Known::WEAPONS), b);
    to.put(tree("equipment", 1, Known::WEAPONS), ratio);
    to.put(line("equipment_early", 1, Known::WEAPONS), ratio * clock);
    to.put(line("equipment_late", 1, Known::WEAPONS), ratio * (1.0 - clock));
    let money = [ct.money, t.money].map(Option::unwrap_or_default);
    let [ours, theirs] = money;
    to.put(tree("ct_money", 0, Known::MONEY), ours);
    to.put(tree("t_money", 0, Known::MONEY), theirs);
    to.put(spec("money", 0, Known::MONEY), log_ratio(ours, theirs, 2_000.0));
    to.put(spec("wealth", 1, WEALTH), log_ratio(a + ours, b + theirs, 4_000.0));
    let [a, b] = thought(history);
    let [ct_alive, t_alive] = alive;
    to.put(spec("spent", 0, Known::MONEY), log_ratio(a, b, 1_000.0));
    to.put(past("spent_and_money", 0, Known::MONEY), log_ratio(a + ours, b + theirs, 4_000.0));
    let in_play = log_ratio(a * ct_alive, b * t_alive, 5_000.0);
    to.put(past("spent_in_play", 1, Known::MONEY), in_play);
    to.put(past("ct_spent", 0, Known::MONEY), a);
    to.put(past("t_spent", 0, Known::MONEY), b);
    let [a, b] = history.money_at_start.map(Option::unwrap_or_default);
    to.put(spec("money_at_start", 0, Known::MONEY), log_ratio(a, b, 2_000.0));
}

/// What the sides are thought to have brought into the round, in dollars.
fn thought(history: &History) -> [f32; 2] {
    let ([ct, t], [ct_kept, t_kept]) = (history.spent, history.kept);
    [ct + ct_kept, t + t_kept]
}

fn before(history: &History, to: &mut impl Sink) {
    let [a, b] = history.saved;
    to.put(spec("saved", 0, Known::WEAPONS), log_ratio(a, b, 1_000.0));
    let [a, b] = history.survivors.unwrap_or([0.0; 2]);
    to.put(past("ct_survivors", 0, EVERY), a);
    to.put(past("t_survivors", 0, EVERY), b);
    let [a, b] = history.losses;
    to.put(past("ct_losses", 0, EVERY), a);
    to.put(past("t_losses", 0, EVERY), b);
    let [a, b] = history.wins;
    to.put(past("wins", 0, EVERY), a - b);
    to.put(past("planted_before", 0, EVERY), flag(history.planted_before));
}

fn log_ratio(ours: f32, theirs: f32, prior: f32) -> f32 {
    libm::logf((ours.max(0.0) + prior) / (theirs.max(0.0) + prior))
}

fn flag(is_so: bool) -> f32 {
    if is_so { 1.0 } else { 0.0 }
}
