//! Which crate may use which: dependencies point one way, and engines and gateway never see each
//! other. And what comes from outside: it is used, and it is said what for.

use super::Finding;

/// Each crate of the workspace, with those that it may use, in any kind of dependency.
const USES: [(&str, &[&str]); 19] = [
    ("domain", &[]),
    ("sources", &["domain"]),
    ("players", &["domain", "log", "sources"]),
    ("log", &["domain"]),
    ("embedded", &["domain", "log"]),
    ("cluster", &["domain", "log"]),
    ("store", &[]),
    ("vault", &["domain"]),
    ("backup", &["domain", "log", "embedded", "store", "vault"]),
    ("archive", &["domain", "log", "embedded", "store"]),
    ("gateway", &["domain", "sources", "log", "players"]),
    ("upstream", &["domain", "log", "gateway"]),
    ("client", &["domain"]),
    ("sim", &["domain", "sources", "log", "embedded", "sim"]),
    (
        "server",
        &[
            "domain", "sources", "log", "embedded", "backup", "archive", "cluster", "gateway",
            "upstream", "client", "sim", "players", "vault",
        ],
    ),
    ("bench", &["domain", "log", "embedded", "backup", "archive", "client", "players"]),
    ("train", &["domain", "sources"]),
    ("fuzz", &["domain", "sources", "log", "embedded"]),
    ("xtask", &[]),
];

/// Everything in a manifest that points the wrong way.
pub(super) fn check(file: &str, manifest: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |line, advice: String| {
        found.push(Finding { file: file.into(), line, rule: "direction", advice });
    };
    let mut section = "";
    let mut may_use: Option<&[&str]> = None;
    for (line, text) in (1..).zip(manifest.lines().map(str::trim)) {
        if let Some(header) = text.strip_prefix('[') {
            section = header.trim_end_matches(']');
        }
        if let (true, Some(name)) = (section == "package", value_of(text, "name")) {
            let name = name.trim_start_matches("matchwire-");
            may_use = USES.iter().find(|(known, _)| *known == name).map(|(_, uses)| *uses);
            if may_use.is_none() {
                add(line, format!("say in xtask/src/tidy/crates.rs what `{name}` may use"));
            }
        }
        let (Some(may_use), true) = (may_use, section.contains("dependencies")) else { continue };
        for used in text.split("matchwire-").skip(1) {
            let end = used.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let used = used.get(..end.unwrap_or(used.len())).unwrap_or(used);
            if !may_use.contains(&used) {
                add(line, format!("do not use `{used}` here; this crate may use {may_use:?}"));
            }
        }
    }
    found
}

/// Every dependency from outside that nobody uses, or of which `guide` does not say in a row of a
/// table what it is for.
pub(super) fn outside(manifests: &[(String, String)], guide: &str) -> Vec<Finding> {
    let rows: Vec<&str> = guide.lines().filter_map(|line| line.strip_prefix("| ")).collect();
    let explained = |name: &str| {
        let in_row = |row: &&str| row.split([' ', ',', '|']).any(|word| word == name);
        rows.iter().any(in_row)
    };
    let used = |name: &str| {
        let mut lines = manifests.iter().flat_map(|(_, text)| dependencies(text));
        lines.any(|(_, section, used)| section != WORKSPACE && used == name)
    };
    let mut found = Vec::new();
    for (file, text) in manifests {
        for (line, _, name) in dependencies(text).filter(|(_, section, _)| *section == WORKSPACE) {
            let advice = if name.starts_with("matchwire-") {
                continue;
            } else if !used(name) {
                format!("nothing uses `{name}`; drop it")
            } else if !explained(name) {
                format!("say in CONTRIBUTING.md what `{name}` is for")
            } else {
                continue;
            };
            found.push(Finding { file: file.clone(), line, rule: "dependency", advice });
        }
    }
    found
}

/// The section in which the workspace says which version it means.
const WORKSPACE: &str = "workspace.dependencies";

/// Every dependency in a manifest: its line, its section, its name.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut section = "";
    (1..).zip(manifest.lines()).filter_map(move |(line, text)| {
        if let Some(header) = text.strip_prefix('[') {
            section = header.trim_end_matches(']');
            return None;
        }
        let name = text.split(['.', ' ', '=']).next()?;
        let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        (is_name && section.contains("dependencies")).then_some((line, section, name))
    })
}

/// The text that a line gives to a key.
fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let value = line.strip_prefix(key)?.trim_start().strip_prefix('=')?;
    Some(value.trim().trim_matches('"'))
}
