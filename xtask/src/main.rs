//! The workspace's own tasks: `cargo xtask tidy`, `bench`, `drill`, `sim` and `train`.
//!
//! It has no dependencies, so that `tidy`, which also runs as a test, builds in a second; the load
//! generator is a crate of its own, `xtask/bench`, the trainer of the model another, `xtask/train`, and the simulator of the log a binary of
//! `crates/sim`.

mod tidy;

use std::{
    path::Path,
    process::{Command, ExitCode},
};

const USAGE: &str = "usage: cargo xtask tidy
       cargo xtask bench [log|streams|views|events|delivery|players|open|old|overload]… [--help]
       cargo xtask drill restore [--events N] [--dir DIR]
       cargo xtask sim [--seeds N] [--seed S] [--trace]
       cargo xtask train [--judge | --check] [--recordings DIR]

tidy   checks the structure rules of the workspace and prints what breaks them
bench  measures this machine: the log, many streams, the HTTP intake, the delivery, and if it is
       named, the view of players, the start after a kill and the memory of a large log, and what old
       events take; builds the release first
drill  loses a server and its disk while it is backed up, and restores it: how many seconds of the
       log were lost, and how long N events take to come back, by default 10 million
sim    lives N lives of a log on a disk that fails, each from a seed, and stops at the first failure
train  judges the model of the round on matches kept apart, trains it on all, and writes its file; with
       --check it trains again and compares";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((task, [])) if task == "tidy" => tidy(),
        Some((task, rest)) if task == "bench" => bench(rest),
        Some((task, rest)) if task == "sim" => sim(rest),
        Some((task, rest)) if task == "train" => train(rest),
        Some((task, rest)) if task == "drill" && rest.first().is_some_and(|t| t == "restore") => {
            bench(rest)
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The top of the workspace, where this was built.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

fn tidy() -> ExitCode {
    match tidy::check(root()) {
        Ok(report) if report.findings.is_empty() => {
            println!("tidy: {}", report.sizes);
            ExitCode::SUCCESS
        }
        Ok(report) => {
            for finding in &report.findings {
                println!("{finding}");
            }
            println!("tidy: {} findings; {}", report.findings.len(), report.sizes);
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy: cannot read the workspace: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the server and the load generator in release, and runs the latter.
fn bench(arguments: &[String]) -> ExitCode {
    let build = ["build", "--release", "--package", "matchwire-server"];
    let run = ["run", "--quiet", "--release", "--package", "matchwire-bench"];
    // What `log` compares with takes a minute to compile, and the other parts do not use it.
    let names = |part: &str| arguments.iter().any(|argument| argument == part);
    let others = [
        "bytes", "crowd", "delivery", "events", "fanout", "old", "open", "overload", "players",
        "restore", "streams", "views",
    ];
    let peers = names("log") || !others.iter().any(|part| names(part));
    let features: &[&str] = if peers { &["--features", "peers", "--"] } else { &["--"] };
    let run = [run.as_slice(), features].concat();
    if cargo(&build, &[]) && cargo(&run, arguments) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Builds the simulator of the log in release, and runs it.
fn sim(arguments: &[String]) -> ExitCode {
    let run = ["run", "--quiet", "--release", "--package", "matchwire-sim", "--features", "log"];
    let run = [run.as_slice(), &["--bin", "matchwire-sim-log", "--"]].concat();
    if cargo(&run, arguments) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Builds the trainer in release, and runs it.
fn train(arguments: &[String]) -> ExitCode {
    let run = ["run", "--quiet", "--release", "--package", "matchwire-train", "--"];
    if cargo(&run, arguments) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs cargo at the top of the workspace; whether it went well.
fn cargo(command: &[&str], arguments: &[String]) -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(cargo);
    match cargo.current_dir(root()).args(command).args(arguments).status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("xtask: cannot run cargo: {error}");
            false
        }
    }
}
