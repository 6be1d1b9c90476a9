//! The file of settings: keys of `serve`, named as its flags are with `_` for `-`, those of people in a table, and a table for
//! each upstream and each audience.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::{ArgAction, Command};
use matchwire_gateway::Audience;
use matchwire_upstream::{Feed, Written};
use serde::Deserialize;
use toml::{Table, Value};

use super::audience;

/// The key of the upstreams.
const UPSTREAM: &str = "upstream";
/// The key of the audiences.
const AUDIENCE: &str = "audience";
/// The tables of what is set by flags: those without its name and a dash. Of two of which one begins with the other, the longer
/// one comes first.
const TABLES: [&str; 4] = ["people", "players", "alerts.smtp", "alerts"];
/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;
/// How many upstreams there may be.
const MAX_UPSTREAMS: usize = 64;

/// What a file says, or nothing if there is none.
#[derive(Debug, Default)]
pub(crate) struct File {
    path: Option<PathBuf>,
    text: String,
    /// By key, what each setting has.
    values: BTreeMap<String, Vec<String>>,
}

/// The upstreams as they are written; what else there is is looked at elsewhere.
#[derive(Deserialize)]
struct Upstreams {
    #[serde(default)]
    upstream: BTreeMap<String, Written>,
}

/// The audiences as they are written.
#[derive(Deserialize)]
struct Audiences {
    #[serde(default)]
    audience: BTreeMap<String, audience::Written>,
}

impl File {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let named = |what: &dyn std::fmt::Display| named(path, what);
        let size = std::fs::metadata(path).map_err(|error| named(&error))?.len();
        if size > MAX_BYTES {
            return Err(named(&format!("it has {size} bytes, and at most {MAX_BYTES} are read")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
        let table: Table = toml::from_str(&text).map_err(|error| named(&error))?;
        let mut values = BTreeMap::new();
        for (key, value) in table {
            if matches!(key.as_str(), UPSTREAM | AUDIENCE) {
                continue;
            }
            for (key, value) in flat(key, value) {
                let read = texts(&value).ok_or_else(|| {
                    named(&format!(
                        "{key}: it must be a text, a number, true or false, or a list of those"
                    ))
                })?;
                values.insert(key, read);
            }
        }
        Ok(Self { path: Some(path.into()), text, values })
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether it has a key.
    pub(super) fn sets(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Whether a value of a key is from here.
    pub(super) fn has(&self, key: &str, value: &str) -> bool {
        let values = self.values.get(key);
        values.is_some_and(|values| {
            values.iter().any(|own| own.split(',').any(|it| it == value) || own == value)
        })
    }

    /// Puts what it says in the place of the defaults of some commands.
    pub(super) fn over_defaults(
        &self,
        mut command: Command,
        commands: &[&str],
    ) -> Result<Command, String> {
        let Some(path) = &self.path else { return Ok(command) };
        let serve = command.find_subcommand("serve").cloned().unwrap_or_default();
        let flags: BTreeMap<String, &clap::Arg> = serve
            .get_arguments()
            .filter_map(|argument| Some((key_of(argument.get_long()?), argument)))
            .filter(|(key, _)| !matches!(key.as_str(), "config" | "help" | "version"))
            .collect();
        for (key, values) in &self.values {
            let named = |what: &str| format!("{}: {key}: {what}", path.display());
            let Some(argument) = flags.get(key) else {
                let known = flags.keys().map(String::as_str).chain([UPSTREAM, AUDIENCE]);
                let known: Vec<&str> = known.collect();
                return Err(named(&format!(
                    "no setting is called so; there are {}",
                    known.join(", ")
                )));
            };
            let takes_many = matches!(argument.get_action(), ArgAction::Append);
            if !takes_many && values.len() != 1 {
                return Err(named("it takes one value, and no list"));
            }
            let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
            if is_switch && !values.iter().all(|value| matches!(value.as_str(), "true" | "false")) {
                return Err(named("it must be true or false"));
            }
            let id = argument.get_id().to_string();
            for name in commands {
                command = command.mut_subcommand(name, |command| {
                    command.mut_arg(&id, |argument| {
                        argument.required(false).default_values(values.clone())
                    })
                });
            }
        }
        Ok(command)
    }

    /// The upstreams that it sets, in the order of their names.
    pub(super) fn upstreams(&self) -> Result<Vec<Feed>, String> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let named = |what: &dyn std::fmt::Display| named(path, what);
        let read: Upstreams = toml::from_str(&self.text).map_err(|error| named(&error))?;
        if read.upstream.len() > MAX_UPSTREAMS {
            return Err(named(&format!("there may be at most {MAX_UPSTREAMS} upstreams")));
        }
        let variable = |name: &str| std::env::var(name).ok();
        let feed = |(name, written): (String, Written)| {
            Feed::new(&name, written, &crate::source::NAMES, &variable)
                .map_err(|error| named(&format!("{UPSTREAM}.{name}.{error}")))
        };
        read.upstream.into_iter().map(feed).collect()
    }

    /// The audiences that it sets, in the order of their names.
    pub(super) fn audiences(&self) -> Result<Vec<Audience>, String> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let named = |what: &dyn std::fmt::Display| named(path, what);
        let read: Audiences = toml::from_str(&self.text).map_err(|error| named(&error))?;
        if read.audience.len() > audience::MAX_AUDIENCES {
            let max = audience::MAX_AUDIENCES;
            return Err(named(&format!("there may be at most {max} audiences")));
        }
        let audience = |(name, written): (&String, &audience::Written)| {
            written.audience(name).map_err(|error| named(&format!("{AUDIENCE}.{name}.{error}")))
        };
        let audiences = read.audience.iter().map(audience).collect::<Result<Vec<_>, _>>()?;
        let ambiguous = audience::ambiguous(&audiences);
        ambiguous.map_or(Ok(audiences), |what| Err(named(&format!("{AUDIENCE}: {what}"))))
    }

    /// What is set of audiences, key by key.
    pub(super) fn shown_audiences(&self) -> Vec<(String, Vec<String>)> {
        let Ok(Audiences { audience }) = toml::from_str(&self.text) else { return Vec::new() };
        let keys = |(name, written): (&String, &audience::Written)| {
            written.shown().map(|(key, values)| (format!("{AUDIENCE}.{name}.{key}"), values))
        };
        audience.iter().flat_map(keys).collect()
    }

    /// What is set of upstreams, key by key. Headers, and what stands in the query of an address, may be
    /// secret and are not told.
    pub(super) fn shown_upstreams(&self) -> Vec<(String, String)> {
        let table: Table = toml::from_str(&self.text).unwrap_or_default();
        let Some(Value::Table(upstreams)) = table.get(UPSTREAM) else { return Vec::new() };
        let feeds = self.upstreams().unwrap_or_default();
        let mut shown = Vec::new();
        for (name, keys) in upstreams {
            let Value::Table(keys) = keys else { continue };
            for (key, value) in keys {
                let value = match (key.as_str(), value) {
                    ("url", _) => {
                        let feed = feeds.iter().find(|feed| feed.name == *name);
                        feed.map(Feed::shown_url).unwrap_or_default()
                    }
                    ("headers", Value::Table(headers)) => {
                        let names: Vec<&str> = headers.keys().map(String::as_str).collect();
                        names.join(", ")
                    }
                    ("hello", _) => "***".into(),
                    (_, value) => texts(value).unwrap_or_default().join(", "),
                };
                shown.push((format!("{UPSTREAM}.{name}.{key}"), value));
            }
        }
        shown
    }
}

/// The settings of a table, each with its key; of what is no table of ours, itself.
fn flat(key: String, value: Value) -> Vec<(String, Value)> {
    match value {
        Value::Table(table) if TABLES.contains(&&*key) => {
            let settings = table.into_iter();
            settings.flat_map(|(own, value)| flat(format!("{key}.{own}"), value)).collect()
        }
        value => vec![(key, value)],
    }
}

/// The key of a flag.
pub(super) fn key_of(flag: &str) -> String {
    let in_table = |table: &&str| {
        let rest = flag.strip_prefix(&table.replace('.', "-"))?.strip_prefix('-')?;
        Some(format!("{table}.{}", rest.replace('-', "_")))
    };
    TABLES.iter().find_map(in_table).unwrap_or_else(|| flag.replace('-', "_"))
}

fn named(path: &Path, what: &dyn std::fmt::Display) -> String {
    format!("{}: {}", path.display(), what.to_string().trim_end())
}

/// A value as it would stand on a command line.
fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(switch) => Some(switch.to_string()),
        Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        value => Some(vec![text(value)?]),
    }
}
