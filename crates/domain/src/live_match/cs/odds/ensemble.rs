//! A trained model: for each combination of what is known, and each stage of a round, a linear part and
//! small trees upon it. Reading it from its file, and asking it.
//!
//! ```text
//! "mw-gbt-1\n"  parts: u16
//! part:  known: u8  stage: u8  bias: f32  weights: u8 × (feature: u8, weight: f32)
//!        trees: u16 × (7 × (feature: u8, threshold: half), 8 × leaf: half)
//! SHA-256 of all before it
//! ```
//!
//! Numbers are little-endian; a half is the upper half of an f32, to which a tree's numbers are
//! rounded. A tree is complete, three questions deep: to the right if the feature
//! exceeds the threshold.

use sha2::{Digest as _, Sha256};

use super::{
    features::{COUNT, Features},
    moment::{Known, Stage},
};

/// What a file of this form begins with.
const MAGIC: &[u8] = b"mw-gbt-1\n";
/// Questions of a tree.
const NODES: usize = 7;
/// Answers of a tree.
const LEAVES: usize = 8;
/// The most trees that a part may have.
const MAX_TREES: u16 = 1_000;

/// A tree: three questions, the answer a number that is added to the log odds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tree {
    /// The feature that each question is about, the root first, then its children from the left.
    pub features: [u8; NODES],
    /// To the right above it.
    pub thresholds: [f32; NODES],
    /// Log odds, from the left.
    pub leaves: [f32; LEAVES],
}

/// What is asked where so much is known, in one stage.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Part {
    /// Log odds when every feature is 0.
    pub bias: f32,
    /// Features with their weights.
    pub weights: Vec<(u8, f32)>,
    /// Added to the linear part.
    pub trees: Vec<Tree>,
}

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// By combination, then stage; empty where it was not trained.
    parts: Vec<Option<Part>>,
}

/// Why a model file is not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is something else, or of another version.
    #[error("not a model of the form mw-gbt-1")]
    Magic,
    /// Its checksum does not fit.
    #[error("the checksum of the model does not fit its bytes")]
    Checksum,
    /// It ends early, or has more than it says, or names what there is not.
    #[error("the model is damaged at byte {0}")]
    Damaged(usize),
}

impl Tree {
    /// The same with numbers that its file can hold. Rounding keeps the order of numbers, and with it
    /// every direction.
    #[must_use]
    pub fn rounded(mut self) -> Self {
        let halved = |number: f32| f32::from_bits(u32::from(upper(number)) << 16);
        self.thresholds = self.thresholds.map(halved);
        self.leaves = self.leaves.map(halved);
        self
    }

    /// What it adds to the log odds.
    pub fn answer(&self, x: &Features) -> f32 {
        let mut at = 0;
        for _ in 0..3 {
            let (Some(feature), Some(threshold)) = (self.features.get(at), self.thresholds.get(at))
            else {
                return 0.0;
            };
            let value = x.get(usize::from(*feature)).copied().unwrap_or_default();
            at = 2 * at + 1 + usize::from(value > *threshold);
        }
        self.leaves.get(at - NODES).copied().unwrap_or_default()
    }
}

impl Part {
    /// The log odds that CT wins.
    pub fn log_odds(&self, x: &Features) -> f64 {
        let mut sum = self.linear(x);
        for tree in &self.trees {
            sum += f64::from(tree.answer(x));
        }
        sum
    }

    /// The log odds without the trees.
    pub fn linear(&self, x: &Features) -> f64 {
        let mut sum = f64::from(self.bias);
        for (feature, weight) in &self.weights {
            let value = x.get(usize::from(*feature)).copied().unwrap_or_default();
            sum += f64::from(*weight) * f64::from(value);
        }
        sum
    }
}

impl Default for Ensemble {
    fn default() -> Self {
        Self { parts: vec![None; usize::from(Known::COUNT) * Stage::ALL.len()] }
    }
}

impl Ensemble {
    fn place(known: Known, stage: Stage) -> usize {
        usize::from(known.number()) * Stage::ALL.len() + stage as usize
    }

    /// What is asked where so much is known.
    pub fn part(&self, known: Known, stage: Stage) -> Option<&Part> {
        self.parts.get(Self::place(known, stage))?.as_ref()
    }

    /// Puts a part in its place.
    pub fn set(&mut self, known: Known, stage: Stage, part: Part) {
        if let Some(place) = self.parts.get_mut(Self::place(known, stage)) {
            *place = Some(part);
        }
    }

    /// The file of it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let count = self.parts.iter().flatten().count();
        out.extend(u16::try_from(count).unwrap_or_default().to_le_bytes());
        for known in (0..Known::COUNT).filter_map(Known::of_number) {
            for stage in Stage::ALL {
                if let Some(part) = self.part(known, stage) {
                    out.extend([known.number(), stage as u8]);
                    part.write(&mut out);
                }
            }
        }
        let sum = Sha256::digest(&out);
        out.extend(sum);
        out
    }

    /// Reads a file. Total: whatever the bytes, there is a model or an error.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let body = bytes.strip_prefix(MAGIC).ok_or(Error::Magic)?;
        let (body, sum) = body.split_last_chunk::<32>().ok_or(Error::Checksum)?;
        let summed = bytes.get(..MAGIC.len() + body.len()).unwrap_or_default();
        if Sha256::digest(summed).as_slice() != sum {
            return Err(Error::Checksum);
        }
        let mut input = Input { rest: body };
        let mut read = || input.model();
        read().ok_or(Error::Damaged(bytes.len() - 32 - input.rest.len()))
    }
}

impl Part {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.bias.to_le_bytes());
        out.push(u8::try_from(self.weights.len()).unwrap_or(u8::MAX));
        for (feature, weight) in &self.weights {
            out.push(*feature);
            out.extend(weight.to_le_bytes());
        }
        out.extend(u16::try_from(self.trees.len()).unwrap_or(u16::MAX).to_le_bytes());
        for tree in &self.trees {
            for (feature, threshold) in tree.features.iter().zip(tree.thresholds) {
                out.push(*feature);
                out.extend(upper(threshold).to_le_bytes());
            }
            out.extend(tree.leaves.iter().flat_map(|leaf| upper(*leaf).to_le_bytes()));
        }
    }
}

/// The upper half of a number.
fn upper(number: f32) -> u16 {
    let [first, second, ..] = number.to_be_bytes();
    u16::from_be_bytes([first, second])
}

/// Bytes that are read from the front.
struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes).filter(|number| number.is_finite())
    }

    fn half(&mut self) -> Option<f32> {
        let upper = u16::from_le_bytes(self.take()?);
        Some(f32::from_bits(u32::from(upper) << 16)).filter(|number| number.is_finite())
    }

    fn feature(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes).filter(|number| usize::from(*number) < COUNT)
    }

    fn model(&mut self) -> Option<Ensemble> {
        let mut model = Ensemble::default();
        for _ in 0..u16::from_le_bytes(self.take()?) {
            let [known, stage] = self.take()?;
            let known = Known::of_number(known)?;
            let stage = *Stage::ALL.get(usize::from(stage))?;
            let part = self.part()?;
            model.set(known, stage, part);
        }
        self.rest.is_empty().then_some(model)
    }

    fn part(&mut self) -> Option<Part> {
        let bias = self.number()?;
        let [weights] = self.take()?;
        let weights =
            (0..weights).map(|_| Some((self.feature()?, self.number()?))).collect::<Option<_>>()?;
        let trees = Some(u16::from_le_bytes(self.take()?)).filter(|trees| *trees <= MAX_TREES)?;
        let trees = (0..trees).map(|_| self.tree()).collect::<Option<_>>()?;
        Some(Part { bias, weights, trees })
    }

    fn tree(&mut self) -> Option<Tree> {
        let mut tree =
            Tree { features: [0; NODES], thresholds: [0.0; NODES], leaves: [0.0; LEAVES] };
        for (feature, threshold) in tree.features.iter_mut().zip(&mut tree.thresholds) {
            (*feature, *threshold) = (self.feature()?, self.half()?);
        }
        for leaf in &mut tree.leaves {
            *leaf = self.half()?;
        }
        Some(tree)
    }
}
