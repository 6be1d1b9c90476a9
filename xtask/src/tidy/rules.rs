//! What must be true of one Rust file.

use std::collections::BTreeSet;

use super::{
    Finding,
    lexis::{Source, closing, line_of, words},
};

/// The longest that a production file may be, in lines without its inline tests.
const MAX_FILE_LINES: usize = 800;
/// The longest that a function may be, in lines from `fn` to the closing brace.
const MAX_FUNCTION_LINES: usize = 70;
/// The longest that a test module may be before it moves to a file of its own, in lines.
const MAX_INLINE_TEST_LINES: usize = 150;
/// Names that say nothing, under which everything ends up.
const DRAWERS: [&str; 9] =
    ["common", "core", "helper", "helpers", "misc", "shared", "types", "util", "utils"];

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is part of what is built.
    Production,
    /// It tests, fuzzes or measures that.
    Test,
}

impl Role {
    /// By the file's path, and by which modules are declared for tests only.
    pub(super) fn of(file: &str, test_modules: &BTreeSet<String>) -> Self {
        let by_place = file
            .split('/')
            .any(|part| matches!(part, "tests" | "benches" | "fuzz" | "tests.rs" | "proptests.rs"));
        let by_declaration = test_modules.iter().any(|module| {
            file.strip_prefix(module.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
        if by_place || by_declaration { Self::Test } else { Self::Production }
    }
}

/// Everything that a file breaks.
pub(super) fn check(file: &str, source: &Source, role: Role) -> Vec<Finding> {
    let mut findings = Findings { file, found: Vec::new() };
    findings.opening(source);
    findings.name();
    findings.leftovers(source);
    let code = source.joined();
    findings.functions(&code);
    findings.allows(&code);
    if file.ends_with("/lib.rs") {
        findings.contents(&code);
    }
    if role == Role::Production {
        findings.length(source);
        findings.inline_tests(&code);
    }
    findings.found
}

/// How many lines of a file are production: all but its inline tests.
pub(super) fn production_lines(source: &Source) -> usize {
    let code = source.joined();
    let tests: usize = inline_tests(&code).map(|(from, to)| 1 + to - from).sum();
    source.code.len() - tests
}

/// The paths, without `.rs`, of the modules that a file declares for tests only.
pub(super) fn test_modules(file: &str, source: &Source) -> Vec<String> {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let home = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => file.trim_end_matches(".rs").to_owned(),
    };
    let code = source.joined();
    let declared = test_attributes(&code).filter_map(|(_, item)| {
        let (at, name) = module_name(&code, item)?;
        code.get(at + name.len()..)?.trim_start().starts_with(';').then_some(name)
    });
    declared.map(|name| format!("{home}/{name}")).collect()
}

struct Findings<'a> {
    file: &'a str,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, line: usize, rule: &'static str, advice: impl Into<String>) {
        self.found.push(Finding { file: self.file.into(), line, rule, advice: advice.into() });
    }

    fn opening(&mut self, source: &Source) {
        if !source.comments.first().is_some_and(|line| line.starts_with("//!")) {
            self.add(1, "doc", "open with `//!`: what it does, and what it leaves to whom");
        }
    }

    fn name(&mut self) {
        for part in self.file.split('/') {
            let part = part.trim_end_matches(".rs").trim_start_matches("matchwire-");
            if DRAWERS.contains(&part) {
                let advice = format!("`{part}` is a drawer; put each thing with what it serves");
                self.add(1, "drawer", advice);
            }
        }
    }

    fn leftovers(&mut self, source: &Source) {
        for (line, text) in (1..).zip(&source.comments) {
            for (_, word) in words(text) {
                if matches!(word, "TODO" | "FIXME" | "XXX") {
                    self.add(line, "leftover", format!("do what the {word} says, or drop it"));
                }
            }
        }
        for (line, text) in (1..).zip(&source.code) {
            for (at, word) in words(text) {
                let is_macro =
                    text.get(at + word.len()..).is_some_and(|rest| rest.starts_with('!'));
                if is_macro && matches!(word, "todo" | "unimplemented") {
                    self.add(line, "leftover", format!("build what `{word}!` stands for"));
                }
            }
        }
    }

    fn functions(&mut self, code: &str) {
        for (at, name, body) in functions(code) {
            let from = line_of(code, at);
            let lines = 1 + line_of(code, closing(code, body) - 1) - from;
            if lines > MAX_FUNCTION_LINES {
                let advice = format!(
                    "`{name}` has {lines} lines, at most {MAX_FUNCTION_LINES}; \
                     give its parts names"
                );
                self.add(from, "function", advice);
            }
        }
    }

    fn allows(&mut self, code: &str) {
        for (at, attribute) in attributes(code) {
            let mut names = words(attribute).map(|(_, word)| word);
            if names.next() == Some("allow") && !names.any(|word| word == "reason") {
                self.add(line_of(code, at), "allow", "say why: `reason = \"…\"`");
            }
        }
    }

    fn contents(&mut self, code: &str) {
        let mut items = code.to_owned();
        for (at, attribute) in attributes(code) {
            // Blank, with its line feeds, so that lines stay where they are.
            let blank: String =
                attribute.chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
            items.replace_range(at..at + attribute.len(), &blank);
        }
        let mut at = 0;
        for item in items.split_inclusive(';') {
            let start = at + item.len() - item.trim_start().len();
            at += item.len();
            let item = item.trim();
            let mut names = words(item)
                .map(|(_, word)| word)
                .skip_while(|word| matches!(*word, "pub" | "crate" | "super"));
            let kind = names.next();
            let listed = matches!(kind, Some("use" | "extern"))
                || kind == Some("mod") && !item.contains('{');
            if !item.is_empty() && !listed {
                let advice =
                    "keep only docs, `mod`, `use` and attributes; move the rest to a module";
                self.add(line_of(code, start), "contents", advice);
                return;
            }
        }
    }

    fn length(&mut self, source: &Source) {
        let lines = production_lines(source);
        if lines > MAX_FILE_LINES {
            let advice =
                format!("{lines} lines, at most {MAX_FILE_LINES}; split it by what it does");
            self.add(1, "length", advice);
        }
    }

    fn inline_tests(&mut self, code: &str) {
        for (from, to) in inline_tests(code) {
            let lines = 1 + to - from;
            if lines > MAX_INLINE_TEST_LINES {
                let advice = format!(
                    "{lines} lines of tests, at most {MAX_INLINE_TEST_LINES}; \
                     move them to a sibling tests.rs"
                );
                self.add(from, "tests", advice);
            }
        }
    }
}

/// Every function with a body: where its `fn` is, its name, and where its body opens.
fn functions(code: &str) -> impl Iterator<Item = (usize, &str, usize)> {
    words(code).zip(words(code).skip(1)).filter_map(move |((at, word), (name_at, name))| {
        let between = code.get(at + word.len()..name_at)?;
        if word != "fn" || !between.trim().is_empty() {
            return None;
        }
        let mut cursor = name_at + name.len();
        loop {
            match code.as_bytes().get(cursor)? {
                b'{' => return Some((at, name, cursor)),
                b';' => return None,
                b'(' | b'[' => cursor = closing(code, cursor),
                _ => cursor += 1,
            }
        }
    })
}

/// Every attribute: where its `#` is, and its text up to the closing bracket.
fn attributes(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.match_indices('#').filter_map(move |(at, _)| {
        let rest = code.get(at + 1..)?;
        let open = at + 1 + usize::from(rest.starts_with('!'));
        (code.as_bytes().get(open) == Some(&b'[')).then_some(())?;
        code.get(at..closing(code, open)).map(|attribute| (at, attribute))
    })
}

/// Every `#[cfg(test)]` or the like: where it starts, and where it ends.
fn test_attributes(code: &str) -> impl Iterator<Item = (usize, usize)> {
    attributes(code).filter_map(|(at, attribute)| {
        let mut names = words(attribute).map(|(_, word)| word);
        let is_test = names.next() == Some("cfg")
            && names.clone().any(|word| word == "test")
            && !names.any(|word| word == "not");
        is_test.then_some((at, at + attribute.len()))
    })
}

/// The name of the module that is declared at a place, after further attributes.
fn module_name(code: &str, at: usize) -> Option<(usize, &str)> {
    let mut from = at;
    while let Some((next, attribute)) = attributes(code.get(from..)?).next() {
        if !code.get(from..from + next)?.trim().is_empty() {
            break;
        }
        from += next + attribute.len();
    }
    let mut names =
        words(code.get(from..)?).skip_while(|(_, word)| matches!(*word, "pub" | "crate" | "super"));
    let (_, "mod") = names.next()? else { return None };
    let (at, name) = names.next()?;
    Some((from + at, name))
}

/// The first and last line of every inline test module.
fn inline_tests(code: &str) -> impl Iterator<Item = (usize, usize)> {
    test_attributes(code).filter_map(move |(attribute, item)| {
        let (at, name) = module_name(code, item)?;
        let after = at + name.len();
        let rest = code.get(after..)?;
        let open = after + rest.len() - rest.trim_start().len();
        (code.as_bytes().get(open) == Some(&b'{')).then_some(())?;
        Some((line_of(code, attribute), line_of(code, closing(code, open) - 1)))
    })
}
