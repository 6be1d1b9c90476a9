//! `cargo xtask sim`: lives of a log under faults, over as many seeds as wanted, on all cores.
//!
//! It stops at the first failure, and says how to see it again.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use matchwire_sim::log::{Failure, Report, Settings, Trace, run};

const USAGE: &str = "usage: cargo xtask sim [--seeds N] [--seed S] [--trace]

--seeds N  how many lives of a log, by default 1,000
--seed S   the first seed; without it a random one, and with it one life unless --seeds says more
--trace    print what happens, one line an operation";

/// What the command line asks for.
struct Wanted {
    seeds: u64,
    first: u64,
    trace: bool,
}

fn main() -> ExitCode {
    let Some(wanted) = wanted(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let lived = if wanted.trace { told(&wanted) } else { silent(&wanted) };
    match lived {
        Ok(report) => {
            println!("{}", summary(wanted.seeds, &report));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            println!("see it with: cargo xtask sim --seed {} --trace", failure.seed);
            ExitCode::FAILURE
        }
    }
}

/// Reads the command line; nothing if it makes no sense.
fn wanted(mut arguments: impl Iterator<Item = String>) -> Option<Wanted> {
    let (mut seeds, mut first, mut trace) = (None, None, false);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seeds" => seeds = Some(arguments.next()?.parse().ok()?),
            "--seed" => first = Some(arguments.next()?.parse().ok()?),
            "--trace" => trace = true,
            _ => return None,
        }
    }
    let seeds = seeds.unwrap_or(if first.is_some() { 1 } else { 1_000 });
    Some(Wanted { seeds, first: first.unwrap_or_else(drawn), trace })
}

/// A seed that nobody has chosen.
fn drawn() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one("seed") >> 24
}

/// One life after the other, with everything that happens.
fn told(wanted: &Wanted) -> Result<Report, Failure> {
    let mut report = Report::default();
    for seed in wanted.first..wanted.first.saturating_add(wanted.seeds) {
        println!("seed {seed}");
        let mut print = |line: &str| println!("{line}");
        report.add(&run(seed, Settings::default(), Trace::to(&mut print))?);
    }
    Ok(report)
}

/// All lives, on all cores.
fn silent(wanted: &Wanted) -> Result<Report, Failure> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let results = Mutex::new((Report::default(), None::<Failure>));
    let shows = std::io::stderr().is_terminal();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= wanted.seeds {
                        break;
                    }
                    if shows && index.is_multiple_of(100) {
                        eprint!("\r{index} of {} seeds", wanted.seeds);
                        let _ = std::io::stderr().flush();
                    }
                    let seed = wanted.first.wrapping_add(index);
                    let lived = run(seed, Settings::default(), Trace::off());
                    let Ok(mut results) = results.lock() else { break };
                    match lived {
                        Ok(report) => results.0.add(&report),
                        Err(failure) => {
                            failed.store(true, Ordering::Relaxed);
                            // The smallest seed, should several fail at once.
                            let known = results.1.take().filter(|known| known.seed < failure.seed);
                            results.1 = Some(known.unwrap_or(failure));
                        }
                    }
                }
            });
        }
    });
    if shows {
        eprintln!("\r{} seeds from {}    ", wanted.seeds, wanted.first);
    }
    let (report, failure) = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failure.map_or(Ok(report), Err)
}

fn summary(seeds: u64, report: &Report) -> String {
    let Report { operations, opens, appended, duplicates, conflicts, unknown, .. } = report;
    let met = report.met;
    format!(
        "{seeds} seeds, {operations} operations, {opens} openings, {} pieces of background work, {} files \
         trimmed or archived\n\
         events: {appended} appended, {duplicates} duplicates; {conflicts} conflicts, {unknown} calls \
         without an answer\n\
         faults: {} power failures, {} kills, {} failed reads, {} failed writes, {} failed syncs, \
         {} times full, {} flipped bits of which {} answers told",
        report.maintained,
        report.aged,
        met.crashes,
        met.kills,
        met.reads,
        met.writes,
        met.syncs,
        met.full,
        met.flips,
        report.damaged,
    )
}
