//! `cargo xtask train`: trains the model of the round from the recording, judges it on matches kept
//! apart, and writes the model's file.
//!
//! [`rows`] reads the recording, [`linear`] and [`boost`] fit, [`judge`] measures. What a feature is, and
//! how a model is asked, is left to `matchwire_domain`, so that what is trained is what is asked.

mod boost;
mod judge;
mod linear;
mod rows;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use boost::Growth;
use clap::Parser;
use judge::{Figures, Judged};
use matchwire_domain::live_match::cs::odds::{
    Ensemble, Features, Known, Moment, Part, Stage, is_used, specs,
};
use rows::Example;

/// The seed of everything that is drawn.
const SEED: u64 = 20_260_101;
/// Parts of the matches, of which each is judged by a model that saw the others.
const FOLDS: u32 = 5;
/// Where the model is, from the top of the workspace.
const MODEL: &str = "crates/domain/src/live_match/cs/odds/mw-gbt-1.model";

#[derive(Parser)]
#[command(about = "Trains the model of the round, and judges it on matches kept apart")]
struct Cli {
    /// The folder with `cs-round-win`, read only.
    #[arg(long, env = "MATCHWIRE_RECORDINGS")]
    recordings: Option<PathBuf>,
    /// Trains again and compares with the model that is there, without writing.
    #[arg(long)]
    check: bool,
    /// Only judges, and writes nothing.
    #[arg(long)]
    judge: bool,
    /// Only measures what a prediction takes by the model that is there.
    #[arg(long)]
    cost: bool,
}

/// What is known, and by which name.
const SOURCES: [(&str, Known); 5] = [
    ("all columns", Known::ALL),
    ("a server log: all but grenades", LOG),
    ("a server log without money", LOG_WITHOUT_MONEY),
    ("alive, bomb, time, score, map, money", Known::MONEY),
    ("alive, bomb, time, score, map", Known::NOTHING),
];
const LOG_WITHOUT_MONEY: Known = Known::HEALTH.and(Known::ARMOR).and(Known::WEAPONS);
const LOG: Known = LOG_WITHOUT_MONEY.and(Known::MONEY);

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("train: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("no workspace")?;
    let recordings = cli.recordings.clone().unwrap_or_else(|| top.join("../shared/recordings"));
    let examples = rows::read(&recordings.join("cs-round-win/train.csv.zst"))?;
    if cli.cost {
        println!("{:.2} µs a prediction", rows::cost_us(&examples));
        return Ok(ExitCode::SUCCESS);
    }
    if !cli.check {
        judge_all(&examples);
    }
    if cli.judge {
        return Ok(ExitCode::SUCCESS);
    }
    let mut model = Ensemble::default();
    for known in (0..Known::COUNT).filter_map(Known::of_number) {
        let seen = rows::seen(&examples, known);
        train(&mut model, known, &examples, &seen, |_| true);
    }
    let (path, bytes) = (top.join(MODEL), model.bytes());
    if cli.check {
        let there = std::fs::read(&path)?;
        println!("{} bytes; {}", bytes.len(), if there == bytes { "the same" } else { "others" });
        return Ok(if there == bytes { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    std::fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    println!("\n{} bytes in {MODEL}", bytes.len());
    Ok(ExitCode::SUCCESS)
}

/// Trains what is asked where so much is known, on the matches that `is_in` takes.
fn train(
    model: &mut Ensemble,
    known: Known,
    examples: &[Example],
    seen: &[(Moment, Features)],
    is_in: impl Fn(u32) -> bool,
) {
    for stage in Stage::ALL {
        let is_one = |(example, (moment, _)): &(&Example, &(Moment, Features))| {
            is_in(example.match_no) && moment.stage() == stage && moment.decided().is_none()
        };
        let (x, y): (Vec<&Features>, Vec<f32>) = examples
            .iter()
            .zip(seen)
            .filter(is_one)
            .map(|(example, (_, x))| (x, f32::from(u8::from(example.ct_won))))
            .unzip();
        model.set(known, stage, fit(&x, &y, known, stage));
    }
}

fn fit(x: &[&Features], y: &[f32], known: Known, stage: Stage) -> Part {
    let specs = specs();
    let used = specs.iter().enumerate().filter(|(_, spec)| is_used(spec, known));
    let (lines, trees): (Vec<_>, Vec<_>) = (
        used.clone().filter(|(_, spec)| spec.linear).map(|(at, _)| at).collect(),
        used.filter(|(_, spec)| spec.trees).map(|(at, spec)| (at, spec.direction)).collect(),
    );
    let line = linear::fit(x, y, &specs, lines);
    let mut part = Part { bias: line.bias, weights: line.weights, trees: Vec::new() };
    let odds = x.iter().map(|x| part.linear(x)).collect();
    let seed = SEED + u64::from(known.number()) * 8 + stage as u64;
    part.trees = boost::grow(x, y, odds, &trees, &growth(known, stage), seed);
    part
}

/// How trees are grown in a stage. Found by trying some ten settings, five-fold; between most of them the
/// log loss differs by less than 0.0005. Where weapons are not known there is more for trees to do.
fn growth(known: Known, stage: Stage) -> Growth {
    let trees = match (stage, known.has(Known::WEAPONS)) {
        (Stage::Buy, _) => 240,
        (Stage::Open, true) => 90,
        (Stage::Open, false) => 220,
        (Stage::Planted, true) => 40,
        (Stage::Planted, false) => 100,
    };
    Growth { trees, rate: 0.02, ridge: 50.0, least: 60.0, rows: 0.35, features: 0.4 }
}

fn judge_all(examples: &[Example]) {
    let mut calibration = Vec::new();
    println!("{}", judge::HEAD);
    for (name, known) in SOURCES {
        let seen = rows::seen(examples, known);
        let judged = cross_validated(examples, &seen, known);
        println!("{}", Figures::of(&judged).row(name));
        for (stage, name) in Stage::ALL.into_iter().zip(["time to buy", "no bomb", "bomb planted"])
        {
            let here: Vec<Judged> =
                judged.iter().filter(|one| one.stage == stage).copied().collect();
            println!("{}", Figures::of(&here).row(&format!("… {name}")));
        }
        if known == Known::ALL {
            calibration = judge::calibration(&judged);
        }
    }
    println!("\nall columns, in ten bins of equal width\n");
    println!("| rows | mean prediction | CT won |\n|---|---|---|");
    for (rows, mean, won) in calibration {
        println!("| {rows} | {mean:.3} | {won:.3} |");
    }
}

/// Predictions of each row by models that saw no row of its match.
fn cross_validated(examples: &[Example], seen: &[(Moment, Features)], known: Known) -> Vec<Judged> {
    let fold = |match_no: u32| match_no % FOLDS;
    let models: Vec<Ensemble> = (0..FOLDS)
        .map(|held_out| {
            let mut model = Ensemble::default();
            train(&mut model, known, examples, seen, |match_no| fold(match_no) != held_out);
            model
        })
        .collect();
    let judge = |(example, (moment, x)): (&Example, &(Moment, Features))| {
        let stage = moment.stage();
        let part = models
            .get(usize::try_from(fold(example.match_no)).unwrap_or_default())
            .and_then(|model| model.part(known, stage));
        let open = part.map_or(0.5, |part| linear::logistic(part.log_odds(x)));
        let p = moment.decided().unwrap_or(open).clamp(0.001, 0.999);
        Judged { p, ct_won: example.ct_won, stage }
    };
    examples.iter().zip(seen).map(judge).collect()
}
