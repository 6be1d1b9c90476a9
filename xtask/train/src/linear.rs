//! Logistic regression by Newton's method, with a ridge and with signs that weights must have.

use matchwire_domain::live_match::cs::odds::{Features, Spec};

/// The ridge, in units of standardised features: too weak to matter where there is much data.
const RIDGE: f64 = 30.0;
/// Steps of Newton's method; the objective is convex and this is far more than it needs.
const STEPS: usize = 9;

/// A bias and weights of raw features.
pub(crate) struct Line {
    pub(crate) bias: f32,
    pub(crate) weights: Vec<(u8, f32)>,
}

/// Fits the features that `uses` names. A weight that would point against its feature's direction is
/// nought, and the others are fitted again.
pub(crate) fn fit(x: &[&Features], y: &[f32], specs: &[Spec], mut uses: Vec<usize>) -> Line {
    loop {
        let scales: Vec<(f64, f64)> = uses.iter().map(|&at| scale(x, at)).collect();
        let weights = newton(x, y, &uses, &scales);
        let against = |(place, &at): (usize, &usize)| {
            let direction = f64::from(specs.get(at).map_or(0, |spec| spec.direction));
            (direction * value(&weights, place) < 0.0).then_some(at)
        };
        let wrong: Vec<usize> = uses.iter().enumerate().filter_map(against).collect();
        if wrong.is_empty() {
            return raw(&uses, &scales, &weights);
        }
        uses.retain(|at| !wrong.contains(at));
    }
}

fn raw(uses: &[usize], scales: &[(f64, f64)], weights: &[f64]) -> Line {
    let mut bias = value(weights, uses.len());
    let mut line = Line { bias: 0.0, weights: Vec::new() };
    for ((&at, (mean, deviation)), weight) in uses.iter().zip(scales).zip(weights) {
        bias -= weight * mean / deviation;
        line.weights.push((u8::try_from(at).unwrap_or(u8::MAX), single(weight / deviation)));
    }
    line.bias = single(bias);
    line
}

/// Mean and standard deviation of a feature; 1 for one that never changes.
fn scale(x: &[&Features], at: usize) -> (f64, f64) {
    let of = |row: &&Features| f64::from(row.get(at).copied().unwrap_or_default());
    let count = count(x.len());
    let mean = x.iter().map(of).sum::<f64>() / count;
    let variance = x.iter().map(|row| (of(row) - mean) * (of(row) - mean)).sum::<f64>() / count;
    (mean, if variance > 1e-12 { variance.sqrt() } else { 1.0 })
}

/// Weights of standardised features, the bias last.
fn newton(x: &[&Features], y: &[f32], uses: &[usize], scales: &[(f64, f64)]) -> Vec<f64> {
    let size = uses.len() + 1;
    let mut weights = vec![0.0; size];
    let mut row = vec![1.0; size];
    for _ in 0..STEPS {
        let mut slope = vec![0.0; size];
        let mut curve = vec![vec![0.0; size]; size];
        for (features, &y) in x.iter().zip(y) {
            for ((place, &at), (mean, deviation)) in row.iter_mut().zip(uses).zip(scales) {
                let raw = f64::from(features.get(at).copied().unwrap_or_default());
                *place = (raw - mean) / deviation;
            }
            let odds: f64 = row.iter().zip(&weights).map(|(x, w)| x * w).sum();
            let p = logistic(odds);
            let (error, weight) = (p - f64::from(y), p * (1.0 - p));
            for ((line, slope), &a) in curve.iter_mut().zip(&mut slope).zip(&row) {
                *slope += error * a;
                let a = a * weight;
                for (place, &b) in line.iter_mut().zip(&row) {
                    *place += a * b;
                }
            }
        }
        for (place, (slope, weight)) in slope.iter_mut().zip(&weights).enumerate() {
            let ridge = if place < uses.len() { RIDGE } else { 1e-6 };
            *slope += ridge * weight;
            if let Some(diagonal) = curve.get_mut(place).and_then(|line| line.get_mut(place)) {
                *diagonal += ridge;
            }
        }
        for (weight, step) in weights.iter_mut().zip(solve(curve, slope)) {
            *weight -= step;
        }
    }
    weights
}

/// Solves a system whose matrix is positive definite, by elimination.
#[allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "indexes stay below the size of the square matrix"
)]
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let size = b.len();
    for pivot in 0..size {
        for row in pivot + 1..size {
            let factor = a[row][pivot] / a[pivot][pivot];
            for column in pivot..size {
                a[row][column] -= factor * a[pivot][column];
            }
            b[row] -= factor * b[pivot];
        }
    }
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|column| a[row][column] * b[column]).sum();
        b[row] = (b[row] - known) / a[row][row];
    }
    b
}

fn value(weights: &[f64], place: usize) -> f64 {
    weights.get(place).copied().unwrap_or_default()
}

/// 1 / (1 + e^−x), the same on every machine.
pub(crate) fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-odds))
}

#[allow(clippy::cast_possible_truncation, reason = "a model's numbers are single precision")]
pub(crate) fn single(number: f64) -> f32 {
    number as f32
}

#[allow(clippy::cast_precision_loss, reason = "there are far fewer rows than 2^52")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}
