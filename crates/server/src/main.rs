//! The `matchwire` binary: reads the command line, wires the parts together, ends in order.

mod alerts;
mod archive;
mod ask;
mod cli;
mod settings;
mod terminal;

mod clock;
mod models;
mod people;
mod serve;
mod source;
mod storage;
mod vault;

mod backup;

mod calibration;
mod config;
mod dead_letters;
mod demo;
mod log;
mod person;
mod predict;
mod ratings;
mod reconcile;
mod referee;
mod send;
mod tail;
mod upstreams;
mod views;

use std::{io::IsTerminal as _, process::ExitCode};

use cli::{Command, PlayersCommand};
use settings::{Asked, Wrong};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match settings::read(&arguments) {
        Ok(Asked::Command(cli)) => cli,
        Ok(Asked::Alerts(settings, is_json)) => {
            return ended(alerts::run_test(&settings, is_json).await);
        }
        Ok(Asked::Settings(settings, is_json)) => return ended(config::run(&settings, is_json)),
        Err(Wrong::Usage(error)) => error.exit(),
        Err(Wrong::File(what)) => {
            eprintln!("matchwire: {what}");
            return ExitCode::from(2);
        }
    };
    // The client of S3 tells of every retry.
    let filter = EnvFilter::try_from_env("MATCHWIRE_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,object_store=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let result = match &cli.command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Send(args) => send::run(args).await,
        Command::DeadLetters(command) => dead_letters::run(command).await,
        Command::Referee(args) => referee::run(args).await,
        Command::Upstreams(args) => upstreams::run(args).await,
        Command::Log(command) => log::run(command),
        Command::Views(command) => views::run(command),
        Command::Players(PlayersCommand::Reconcile(args)) => reconcile::run(args),
        Command::Players(PlayersCommand::Ratings(args)) => ratings::run(args),
        Command::Players(PlayersCommand::Export(args)) => person::export(args).await,
        Command::Players(PlayersCommand::Erase(args)) => person::erase(args).await,
        Command::Predict(args) => predict::run(args),
        Command::Calibration(args) => calibration::run(args).await,
        Command::Backup(args) => backup::run(args).await,
        Command::Restore(args) => backup::run_restore(args).await,
        Command::Tail(args) => tokio::select! {
            result = tail::run(args) => result,
            () = serve::told_to_stop() => Ok(()),
        },
        Command::Replay(args) => tokio::select! {
            result = tail::run_replay(args) => result,
            () = serve::told_to_stop() => Ok(()),
        },
    };
    ended(result)
}

fn ended(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("matchwire: {error:#}");
            ExitCode::FAILURE
        }
    }
}
