//! The trainer: its sums come out the same, directions are kept, and the recording is read.

use matchwire_domain::live_match::cs::odds::{FEATURES, Features, Known, Model, Tree};

use super::{
    boost::{Growth, grow},
    judge::{Figures, Judged},
    rows,
};

const GROWTH: Growth =
    Growth { trees: 20, rate: 0.1, ridge: 1.0, least: 1.0, rows: 0.7, features: 1.0 };

/// Two features of which the first moves the odds up, against some noise, and the second down.
fn synthetic() -> (Vec<Features>, Vec<f32>) {
    (0..2_000_u16)
        .map(|row| {
            let mut x = [0.0; FEATURES];
            (x[0], x[1]) = (f32::from(row * 7 % 13), f32::from(row * 11 % 17));
            let noise = f32::from(row * 31 % 29) / 29.0;
            (x, f32::from(u8::from(x[0] / 13.0 - x[1] / 17.0 + noise > 0.5)))
        })
        .unzip()
}

fn grown(seed: u64) -> Vec<Tree> {
    let (x, y) = synthetic();
    let x: Vec<&Features> = x.iter().collect();
    grow(&x, &y, vec![0.0; y.len()], &[(0, 1), (1, -1)], &GROWTH, seed)
}

#[test]
fn the_same_seed_gives_the_same_trees() {
    assert_eq!(grown(1), grown(1));
    assert_ne!(grown(1), grown(2));
}

#[test]
fn directions_are_kept() {
    let trees = grown(3);
    let odds = |a: u8, b: u8| {
        let mut x = [0.0; FEATURES];
        (x[0], x[1]) = (f32::from(a), f32::from(b));
        trees.iter().map(|tree| tree.answer(&x)).sum::<f32>()
    };
    for a in 0..13 {
        for b in 0..17 {
            assert!(odds(a + 1, b) >= odds(a, b) && odds(a, b + 1) <= odds(a, b), "{a} {b}");
        }
    }
    assert!(odds(12, 0) > odds(0, 16) + 1.0);
}

/// The committed model was trained on these rows, so that this shows only that it is theirs: it is far
/// better than it is on matches apart from others.
#[test]
fn the_recording_is_read_and_predicted() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let place = std::env::var_os("MATCHWIRE_RECORDINGS")
        .map_or_else(|| top.join("../shared/recordings"), Into::into);
    let file = place.join("cs-round-win/train.csv.zst");
    if !file.exists() {
        let required = std::env::var_os("MATCHWIRE_RECORDINGS_REQUIRED").is_some();
        assert!(!required, "{} is not there", file.display());
        eprintln!("skipped: {} is not there", file.display());
        return;
    }
    let examples = rows::read(&file).unwrap();
    for (known, most) in [(Known::ALL, 0.509), (Known::MONEY, 0.524), (Known::NOTHING, 0.55)] {
        let judged: Vec<Judged> = rows::predicted(&examples, known, Model::Boosted).collect();
        let figures = Figures::of(&judged);
        assert!(figures.log_loss < most, "{} with {known:?}", figures.log_loss);
    }
}
