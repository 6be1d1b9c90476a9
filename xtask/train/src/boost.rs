//! Gradient boosting of small trees, by histograms: each tree asks three questions and corrects what the
//! linear part and the trees before it get wrong.
//!
//! A question about a feature with a direction may only move the answer that way, and bounds are handed
//! down, so that the sum keeps every direction (monotone constraints). One thread, sums in the order of
//! rows, and a generator of its own: the same rows give the same trees to the last bit.

use matchwire_domain::live_match::cs::odds::{Features, Tree};

use crate::linear::{logistic, single};

/// How trees are grown.
#[derive(Clone, Copy)]
pub(crate) struct Growth {
    /// How many.
    pub(crate) trees: usize,
    /// The part of a tree's answer that is taken.
    pub(crate) rate: f64,
    /// Added to the curvature of a leaf: the more, the closer to nought it stays.
    pub(crate) ridge: f64,
    /// The least curvature of a leaf; a row has at most a quarter.
    pub(crate) least: f64,
    /// The part of the rows that a tree sees.
    pub(crate) rows: f64,
    /// The part of the features that a tree sees.
    pub(crate) features: f64,
}

/// Questions about one feature that are tried.
const BINS: usize = 64;
const DEPTH: usize = 3;
/// Above every value of a feature: a question that sends all to the left.
const NEVER: f32 = f32::MAX;

/// A feature of all rows, in bins.
struct Column {
    feature: u8,
    direction: i8,
    /// The upper end of each bin but the last.
    edges: Vec<f32>,
    bins: Vec<u8>,
}

/// Grows trees upon `odds`, the log odds of each row so far; `uses` names features and directions.
pub(crate) fn grow(
    x: &[&Features],
    y: &[f32],
    mut odds: Vec<f64>,
    uses: &[(usize, i8)],
    growth: &Growth,
    seed: u64,
) -> Vec<Tree> {
    let columns: Vec<Column> =
        uses.iter().filter_map(|&(at, direction)| column(x, at, direction)).collect();
    let mut random = Random(seed);
    let mut trees = Vec::with_capacity(growth.trees);
    for _ in 0..growth.trees {
        let rows: Vec<(usize, f64, f64)> = odds
            .iter()
            .zip(y)
            .enumerate()
            .filter(|_| random.next() < growth.rows)
            .map(|(row, (odds, y))| {
                let p = logistic(*odds);
                (row, p - f64::from(*y), p * (1.0 - p))
            })
            .collect();
        let columns: Vec<&Column> =
            columns.iter().filter(|_| random.next() < growth.features).collect();
        let tree = Grower { columns: &columns, growth, rows: &rows }.tree().rounded();
        for (odds, x) in odds.iter_mut().zip(x) {
            *odds += f64::from(tree.answer(x));
        }
        trees.push(tree);
    }
    trees
}

fn column(x: &[&Features], at: usize, direction: i8) -> Option<Column> {
    let value = |row: &&Features| row.get(at).copied().unwrap_or_default();
    let mut sorted: Vec<f32> = x.iter().map(value).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let quantile = |part: usize| sorted.get(part * sorted.len() / BINS).copied();
    // Half-way to the next value that there is, so that a number may be rounded; there must be one.
    let above = |edge: f32| sorted.get(sorted.partition_point(|value| *value <= edge)).copied();
    let between = |edge: f32| above(edge).map(|next| f32::midpoint(edge, next));
    let mut edges: Vec<f32> = (1..BINS).filter_map(quantile).filter_map(between).collect();
    edges.dedup();
    let bin = |row: &&Features| edges.partition_point(|edge| *edge < value(row));
    let bins = x.iter().map(|row| u8::try_from(bin(row)).unwrap_or(u8::MAX)).collect();
    (!edges.is_empty()).then(|| Column {
        feature: u8::try_from(at).unwrap_or(u8::MAX),
        direction,
        edges,
        bins,
    })
}

/// Sums of slope and curvature.
type Sums = [f64; 2];

/// Where a tree stands: the bounds of its answer.
#[derive(Clone, Copy)]
struct Node {
    sums: Sums,
    bounds: [f64; 2],
}

#[derive(Clone, Copy)]
struct Split<'a> {
    gain: f64,
    column: &'a Column,
    bin: usize,
    left: Sums,
}

struct Grower<'a> {
    columns: &'a [&'a Column],
    growth: &'a Growth,
    rows: &'a [(usize, f64, f64)],
}

impl<'a> Grower<'a> {
    fn tree(&self) -> Tree {
        let mut tree = Tree { features: [0; 7], thresholds: [NEVER; 7], leaves: [0.0; 8] };
        let mut sums = [0.0; 2];
        for (_, slope, curve) in self.rows {
            sums = plus(sums, [*slope, *curve]);
        }
        let mut level = vec![Node { sums, bounds: [f64::NEG_INFINITY, f64::INFINITY] }];
        let mut places = vec![0_u8; self.rows.len()];
        for depth in 0..DEPTH {
            let splits = self.splits(&level, &places);
            let first = (1 << depth) - 1;
            let questions = tree.features.iter_mut().zip(&mut tree.thresholds).skip(first);
            let mut next = Vec::with_capacity(2 * level.len());
            for ((node, split), (feature, threshold)) in level.iter().zip(&splits).zip(questions) {
                if let Some(split) = split {
                    *feature = split.column.feature;
                    *threshold = split.column.edges.get(split.bin).copied().unwrap_or(NEVER);
                }
                next.extend(self.children(node, split.as_ref()));
            }
            for (place, (row, _, _)) in places.iter_mut().zip(self.rows) {
                let is_right =
                    splits.get(usize::from(*place)).and_then(Option::as_ref).is_some_and(|split| {
                        split.column.bins.get(*row).is_some_and(|bin| usize::from(*bin) > split.bin)
                    });
                *place = 2 * *place + u8::from(is_right);
            }
            level = next;
        }
        for (leaf, node) in tree.leaves.iter_mut().zip(&level) {
            *leaf = single(self.growth.rate * self.answer(node.sums, node.bounds));
        }
        tree
    }

    /// The best question at each node of a level.
    fn splits(&self, level: &[Node], places: &[u8]) -> Vec<Option<Split<'a>>> {
        let mut best: Vec<Option<Split<'a>>> = vec![None; level.len()];
        let mut sums = vec![[0.0; 2]; level.len() * BINS];
        for column in self.columns {
            sums.fill([0.0; 2]);
            for ((row, slope, curve), place) in self.rows.iter().zip(places) {
                let bin = column.bins.get(*row).copied().unwrap_or_default();
                if let Some(sum) = sums.get_mut(usize::from(*place) * BINS + usize::from(bin)) {
                    *sum = plus(*sum, [*slope, *curve]);
                }
            }
            for ((node, best), sums) in level.iter().zip(&mut best).zip(sums.chunks(BINS)) {
                let split = self.split(node, column, sums);
                if split.is_some_and(|split| best.is_none_or(|best| split.gain > best.gain)) {
                    *best = split;
                }
            }
        }
        best
    }

    fn split(&self, node: &Node, column: &'a Column, sums: &[Sums]) -> Option<Split<'a>> {
        let before = self.loss(node.sums, self.answer(node.sums, node.bounds));
        let mut best: Option<Split<'a>> = None;
        let mut left = [0.0; 2];
        for (bin, sum) in sums.iter().enumerate().take(column.edges.len()) {
            left = plus(left, *sum);
            let right = minus(node.sums, left);
            let [(_, low), (_, high)] = [left, right].map(|[slope, curve]| (slope, curve));
            if low < self.growth.least || high < self.growth.least {
                continue;
            }
            let [a, b] = [left, right].map(|sums| self.answer(sums, node.bounds));
            if f64::from(column.direction) * (b - a) < 0.0 {
                continue;
            }
            let gain = before - self.loss(left, a) - self.loss(right, b);
            if gain > 1e-9 && best.is_none_or(|best| gain > best.gain) {
                best = Some(Split { gain, column, bin, left });
            }
        }
        best
    }

    fn children(&self, node: &Node, split: Option<&Split<'_>>) -> [Node; 2] {
        let Some(split) = split else {
            // Nobody goes to the right; it is given the same answer all the same.
            return [*node; 2];
        };
        let right = minus(node.sums, split.left);
        let [a, b] = [split.left, right].map(|sums| self.answer(sums, node.bounds));
        let middle = f64::midpoint(a, b);
        let [low, high] = node.bounds;
        let (left_bounds, right_bounds) = match split.column.direction {
            0 => (node.bounds, node.bounds),
            1 => ([low, middle], [middle, high]),
            _ => ([middle, high], [low, middle]),
        };
        [Node { sums: split.left, bounds: left_bounds }, Node { sums: right, bounds: right_bounds }]
    }

    /// The best answer for some rows within bounds.
    fn answer(&self, [slope, curve]: Sums, [low, high]: [f64; 2]) -> f64 {
        (-slope / (curve + self.growth.ridge)).max(low).min(high)
    }

    /// What rows lose by an answer, by the second order of the log loss.
    fn loss(&self, [slope, curve]: Sums, answer: f64) -> f64 {
        slope * answer + 0.5 * (curve + self.growth.ridge) * answer * answer
    }
}

fn plus([a, b]: Sums, [c, d]: Sums) -> Sums {
    [a + c, b + d]
}

fn minus([a, b]: Sums, [c, d]: Sums) -> Sums {
    [a - c, b - d]
}

/// `SplitMix64`, of which every number follows from the seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number from 0 to below 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        // The upper 32 bits, which an f64 holds exactly.
        f64::from(u32::try_from(z >> 32).unwrap_or_default()) / 4_294_967_296.0
    }
}
