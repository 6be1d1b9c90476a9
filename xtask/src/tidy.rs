//! The structure rules, as a program: what a reader may rely on in every file of the workspace.
//!
//! [`check`] walks the tree and puts the rules together; [`lexis`] tells code from comments and
//! strings, [`rules`] holds what is said of one file, [`crates`] which crate may use which. What
//! clippy and rustfmt can check is left to them.

mod crates;
mod lexis;
mod rules;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use rules::Role;

/// The longest that half of the production files may be, in lines.
const MAX_MEDIAN_LINES: usize = 150;
/// The longest that nine tenths of the production files may be, in lines.
const MAX_P90_LINES: usize = 400;

/// A rule that is broken, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// From the top of the workspace.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
    /// The rule's name.
    pub(crate) rule: &'static str,
    /// What to do.
    pub(crate) advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.rule, self.advice)
    }
}

/// What a check found.
pub(crate) struct Report {
    /// In the order of files and lines.
    pub(crate) findings: Vec<Finding>,
    /// How long the production files are.
    pub(crate) sizes: Sizes,
}

/// How long the production files are, in lines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    files: usize,
    median: usize,
    p90: usize,
    longest: usize,
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { files, median, p90, longest } = self;
        write!(f, "{files} production files: median {median}, p90 {p90}, longest {longest} lines")
    }
}

impl Sizes {
    fn of(mut lines: Vec<usize>) -> Self {
        lines.sort_unstable();
        // The nearest rank: the smallest that so many percent of the files do not exceed.
        let percentile = |percent: usize| {
            let rank = (lines.len() * percent).div_ceil(100).max(1);
            lines.get(rank - 1).copied().unwrap_or(0)
        };
        Self {
            files: lines.len(),
            median: percentile(50),
            p90: percentile(90),
            longest: percentile(100),
        }
    }

    fn findings(&self) -> impl Iterator<Item = Finding> {
        let over = |rule, name, lines, max| {
            (lines > max).then(|| Finding {
                file: "Cargo.toml".into(),
                line: 1,
                rule,
                advice: format!(
                    "the {name} of the production files is {lines} lines, at most {max}; \
                     split the longest by what they do"
                ),
            })
        };
        let median = over("median", "median", self.median, MAX_MEDIAN_LINES);
        let p90 = over("p90", "90th percentile", self.p90, MAX_P90_LINES);
        median.into_iter().chain(p90)
    }
}

/// Checks a workspace.
pub(crate) fn check(root: &Path) -> io::Result<Report> {
    let mut paths = Vec::new();
    walk(root, &mut paths)?;
    paths.sort_unstable();
    let (mut manifests, mut sources) = (Vec::new(), Vec::new());
    for path in paths {
        let text = fs::read_to_string(&path)?;
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let kind = if path.ends_with("Cargo.toml") { &mut manifests } else { &mut sources };
        kind.push((name, text));
    }
    let guide = fs::read_to_string(root.join("CONTRIBUTING.md"))?;
    let mut report = report(&manifests, &sources);
    report.findings.extend(crates::outside(&manifests, &guide));
    report.findings.sort_unstable();
    Ok(report)
}

/// Checks manifests and sources, each a path and a text.
fn report(manifests: &[(String, String)], sources: &[(String, String)]) -> Report {
    let sources: Vec<_> =
        sources.iter().map(|(name, text)| (name.as_str(), lexis::Source::read(text))).collect();
    let test_modules: BTreeSet<String> =
        sources.iter().flat_map(|(name, source)| rules::test_modules(name, source)).collect();
    let mut findings = Vec::new();
    let mut lines = Vec::new();
    for (name, source) in &sources {
        let role = Role::of(name, &test_modules);
        findings.extend(rules::check(name, source, role));
        if role == Role::Production {
            lines.push(rules::production_lines(source));
        }
    }
    for (name, text) in manifests {
        findings.extend(crates::check(name, text));
    }
    let sizes = Sizes::of(lines);
    findings.extend(sizes.findings());
    findings.sort_unstable();
    Report { findings, sizes }
}

/// Collects the Rust files and manifests below a folder, but for hidden folders and caches (cargo
/// marks its target folder as one).
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let hidden = name.to_string_lossy().starts_with('.');
        if entry.file_type()?.is_dir() {
            if !hidden && !path.join("CACHEDIR.TAG").exists() {
                walk(&path, found)?;
            }
        } else if name == "Cargo.toml" || path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    Ok(())
}
