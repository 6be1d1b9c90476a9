//! Where settings come from: flags, over `MATCHWIRE_*` variables, over a TOML file, over defaults.
//!
//! What is in the file takes the place of the defaults before the command line is read. So each value
//! is checked in one place, however it came, and the command line knows where it came from.

mod audience;
mod file;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use clap::{
    ArgMatches, Args as _, Command, CommandFactory as _, FromArgMatches as _,
    error::{ContextKind, ContextValue},
    parser::ValueSource,
};

use self::file::File;
use crate::{
    alerts,
    cli::{Cli, Serve},
};

/// The command that prints them.
pub(crate) const CONFIG: &str = "config";
/// The command that sends a trial of an alert.
pub(crate) const ALERTS: &str = "alerts";
/// The commands that have a file of settings.
const WITH_FILE: [&str; 3] = ["serve", CONFIG, ALERTS];

/// What the command line asks for.
pub(crate) enum Asked {
    /// A command.
    Command(Box<Cli>),
    /// The settings of `serve`; whether as JSON.
    Settings(Vec<Setting>, bool),
    /// A trial of the alerts that are set; whether the answer as JSON.
    Alerts(Box<alerts::Settings>, bool),
}

/// A setting as it is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Its key in the file.
    pub(crate) key: String,
    /// Its values; several where several may be given, none where it is not set.
    pub(crate) values: Vec<String>,
    /// Where they come from.
    pub(crate) origin: String,
}

/// Why the command line, or the file that it names, makes no sense.
pub(crate) enum Wrong {
    /// The command line: clap tells it.
    Usage(clap::Error),
    /// The file.
    File(String),
}

/// Reads a command line.
pub(crate) fn read(arguments: &[OsString]) -> Result<Asked, Wrong> {
    let command = command();
    let file = match path(command.clone(), arguments) {
        Some(path) => File::read(&path).map_err(Wrong::File)?,
        None => File::default(),
    };
    let command = file.over_defaults(command, &WITH_FILE).map_err(Wrong::File)?;
    let matches = command.try_get_matches_from(arguments);
    let matches = matches.map_err(|error| wrong(&file, error))?;
    if let Some((CONFIG, config)) = matches.subcommand() {
        let _ = file.upstreams().map_err(Wrong::File)?;
        let _ = file.audiences().map_err(Wrong::File)?;
        return Ok(Asked::Settings(settings(config, &file), config.get_flag("json")));
    }
    if let Some((ALERTS, asked)) = matches.subcommand() {
        let settings = alerts::Settings::from_arg_matches(asked).map_err(Wrong::Usage)?;
        return Ok(Asked::Alerts(Box::new(settings), asked.get_flag("json")));
    }
    let mut cli = Cli::from_arg_matches(&matches).map_err(Wrong::Usage)?;
    if let crate::cli::Command::Serve(serve) = &mut cli.command {
        serve.upstreams = file.upstreams().map_err(Wrong::File)?;
        serve.audiences = file.audiences().map_err(Wrong::File)?;
    }
    Ok(Asked::Command(Box::new(cli)))
}

/// The command line, with the commands that have the arguments of `serve` and need none of them.
fn command() -> Command {
    let json = || clap::Arg::new("json").long("json").help("Print JSON");
    let of_serve = |name: &'static str, about: &'static str| {
        Serve::augment_args(Command::new(name).about(about))
            .mut_args(|argument| argument.required(false))
            .arg(json().action(clap::ArgAction::SetTrue))
    };
    let about = "Print the settings of serve as they are in force, and where each comes from";
    let config = of_serve(CONFIG, about);
    let about = "Send a trial of an alert to where the settings of serve say";
    let test = clap::Arg::new("test").required(true).value_parser(["test"]).help("What to do");
    Cli::command().subcommand(config).subcommand(of_serve(ALERTS, about).arg(test))
}

/// The file that a command line, or a variable, names. What else is wrong with it is told later.
fn path(command: Command, arguments: &[OsString]) -> Option<PathBuf> {
    let is_optional = |argument: clap::Arg| argument.required(false);
    let lenient = WITH_FILE.iter().fold(command, |command, name| {
        command.mut_subcommand(name, |serve| serve.mut_args(is_optional))
    });
    let matches = lenient.try_get_matches_from(arguments).ok()?;
    let (name, serve) = matches.subcommand()?;
    WITH_FILE.contains(&name).then(|| serve.get_one::<PathBuf>("config").cloned())?
}

/// An error that says which file a value is from, if it is from one.
fn wrong(file: &File, error: clap::Error) -> Wrong {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return Wrong::Usage(error);
    };
    let flag = argument.split_whitespace().next().unwrap_or_default();
    let key = file::key_of(flag.trim_start_matches("--"));
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value.as_str(),
        _ => return Wrong::Usage(error),
    };
    match file.path() {
        // The same key may be on the command line, too, with another value.
        Some(path) if file.has(&key, value) => Wrong::File(in_file(path, &key, &error)),
        _ => Wrong::Usage(error),
    }
}

fn in_file(path: &Path, key: &str, error: &clap::Error) -> String {
    let what = std::error::Error::source(error).map_or_else(
        || "this value is not one of those that can be set".into(),
        ToString::to_string,
    );
    format!("{}: {key}: {what}", path.display())
}

/// The settings in force, in the order of the command line's help. Secrets are not told.
fn settings(matches: &ArgMatches, file: &File) -> Vec<Setting> {
    let command = command();
    let Some(config) = command.find_subcommand(CONFIG) else { return Vec::new() };
    let mut settings = Vec::new();
    for argument in config.get_arguments() {
        let (id, Some(long)) = (argument.get_id().as_str(), argument.get_long()) else { continue };
        if matches!(long, "json" | "help" | "version") {
            continue;
        }
        let key = file::key_of(long);
        let raw = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
        let values = raw.map(|value| value.to_string_lossy().into_owned());
        let is_secret = argument.is_hide_env_values_set();
        let values = values.map(|value| if is_secret { "***".into() } else { value }).collect();
        let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
        let origin = match matches.value_source(id) {
            Some(ValueSource::CommandLine) => format!("--{long}"),
            Some(ValueSource::EnvVariable) => variable.unwrap_or_default(),
            Some(_) if file.sets(&key) => "file".into(),
            Some(_) => "default".into(),
            None => "not set".into(),
        };
        settings.push(Setting { key, values, origin });
    }
    for (key, value) in file.shown_upstreams() {
        settings.push(Setting { key, values: vec![value], origin: "file".into() });
    }
    for (key, values) in file.shown_audiences() {
        settings.push(Setting { key, values, origin: "file".into() });
    }
    settings
}

#[cfg(test)]
mod tests;
