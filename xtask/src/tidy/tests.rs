//! The workspace is tidy, and the scanner is not fooled: each case is a source and its findings.

use super::{Finding, Sizes, check, crates, lexis::Source, report};

#[test]
fn the_workspace_is_tidy() {
    let report = check(crate::root()).unwrap();
    let lines: Vec<_> = report.findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n{}\n", lines.join("\n"), report.sizes);
}

/// Checks one source and compares its findings as `line: rule`, apart from those of the sizes.
fn finds(file: &str, text: &str, want: &[&str]) {
    let report = report(&[], &[(file.to_owned(), text.to_owned())]);
    let own = report.findings.iter().filter(|finding| finding.file == file);
    let got: Vec<_> = own.map(|finding| format!("{}: {}", finding.line, finding.rule)).collect();
    assert_eq!(got, want, "{file}\n{text}");
}

fn lines(count: usize, line: &str) -> String {
    format!("{line}\n").repeat(count)
}

#[test]
fn opening() {
    finds("crates/a/src/b.rs", "//! Doc.\nfn f() {}\n", &[]);
    finds("crates/a/src/b.rs", "// Not a doc.\n", &["1: doc"]);
    finds("crates/a/src/b.rs", "\n//! Too late.\n", &["1: doc"]);
    finds("crates/a/src/b.rs", "", &["1: doc"]);
    finds("crates/a/tests/b.rs", "fn f() {}\n", &["1: doc"]);
}

#[test]
fn drawers() {
    finds("crates/a/src/utils.rs", "//! Doc.\n", &["1: drawer"]);
    finds("crates/a/src/types/b.rs", "//! Doc.\n", &["1: drawer"]);
    finds("crates/matchwire-core/src/b.rs", "//! Doc.\n", &["1: drawer"]);
    finds("crates/a/src/core_dump.rs", "//! Doc.\n", &[]);
}

#[test]
fn leftovers() {
    let check = |text: &str, want: &[&str]| finds("a.rs", &format!("//! Doc.\n{text}\n"), want);
    check("// TODO: later", &["2: leftover"]);
    check("/* a\n FIXME */", &["3: leftover"]);
    check("/// See TODOLIST.", &[]);
    check("const A: &str = \"TODO\";", &[]);
    check("fn f() { unimplemented!() }", &["2: leftover"]);
    check("fn f() { todo!(\"x\") }", &["2: leftover"]);
    check("fn todo() { todo() }", &[]);
}

#[test]
fn functions() {
    let check = |text: &str, want: &[&str]| finds("a.rs", &format!("//! Doc.\n{text}"), want);
    let function = |body: usize, line: &str| format!("fn f() {{\n{}}}\n", lines(body, line));
    check(&function(68, "x();"), &[]);
    check(&function(69, "x();"), &["2: function"]);
    check(&function(69, "// }"), &["2: function"]);
    check(&function(69, "x(\"}\");"), &["2: function"]);
    check(&function(69, "x('}', '\\'', b'}');"), &["2: function"]);
    check(&function(69, "x(r#\"}\"\"#);"), &["2: function"]);
    check(&function(69, "x(r\"\\\", '}');"), &["2: function"]);
    check(&function(69, "/* /* } */ } */"), &["2: function"]);
    check(&function(69, "y::<'static>(r#type);"), &["2: function"]);
    check(&format!("trait T {{\nfn f(a: [u8; 2]);\n{}}}\n", lines(80, "const A: u8;")), &[]);
    check(&format!("const F: fn(u8) = g;\n{}", lines(80, "const A: u8 = 1;")), &[]);
    check(
        &format!("impl A {{\n{}{}}}\n", function(3, "x();"), function(69, "x();")),
        &["8: function"],
    );
    check(&format!("fn f(\n{}) {{\n}}\n", lines(68, "a: u8,")), &["2: function"]);
}

#[test]
fn lengths() {
    let file = |count: usize| format!("//! Doc.\n{}", lines(count - 1, "const A: u8 = 1;"));
    finds("a.rs", &file(800), &[]);
    finds("a.rs", &file(801), &["1: length"]);
    finds("tests/a.rs", &file(801), &[]);
    finds("src/a/tests.rs", &file(801), &[]);
    let tests = |count: usize| {
        format!("#[cfg(test)]\nmod tests {{\n{}}}\n", lines(count - 3, "const A: u8 = 1;"))
    };
    finds("a.rs", &format!("{}{}", file(700), tests(150)), &[]);
    finds("a.rs", &format!("{}{}", file(10), tests(151)), &["11: tests"]);
    finds("a.rs", &format!("{}{}", file(801), tests(100)), &["1: length"]);
}

#[test]
fn modules_for_tests_do_not_count() {
    let long = format!("//! Doc.\n{}", lines(900, "const A: u8 = 1;"));
    let check = |declaration: &str, file: &str, want: usize| {
        let home = ("src/a.rs".to_owned(), format!("//! Doc.\n{declaration}\n"));
        let sources = [home, (file.to_owned(), long.clone())];
        let report = report(&[], &sources);
        let long = report.findings.iter().filter(|finding| finding.rule == "length");
        assert_eq!(long.count(), want, "{declaration} {file}");
    };
    check("#[cfg(test)]\nmod model;", "src/a/model.rs", 0);
    check("#[cfg(test)]\nmod model;", "src/a/model/b.rs", 0);
    check("#[cfg(test)]\n#[path = \"x\"]\npub(crate) mod model;", "src/a/model.rs", 0);
    check("#[cfg(test)]\nmod model;", "src/a/models.rs", 1);
    check("#[cfg(test)]\nuse b::c;\nmod model;", "src/a/model.rs", 1);
    check("#[cfg(not(test))]\nmod model;", "src/a/model.rs", 1);
    check("mod model;", "src/a/model.rs", 1);
}

#[test]
fn allows() {
    let check = |text: &str, want: &[&str]| finds("a.rs", &format!("//! Doc.\n{text}\n"), want);
    check("#[allow(dead_code)]\nfn f() {}", &["2: allow"]);
    check("#![allow(dead_code)]", &["2: allow"]);
    check("#[allow(\n    dead_code,\n    reason = \"a good one\"\n)]\nfn f() {}", &[]);
    check("// #[allow(dead_code)]", &[]);
}

#[test]
fn contents() {
    let check = |text: &str, want: &[&str]| {
        finds("crates/a/src/lib.rs", &format!("//! Doc.\n{text}\n"), want);
    };
    check(
        "#![no_std]\n\nmod a;\n/// Doc.\npub mod b;\n\npub use a::{B, C};\npub(crate) use b::D;",
        &[],
    );
    check("mod a;\n\npub struct B;", &["4: contents"]);
    check("mod a {\n}", &["2: contents"]);
    check("use a::b;\nfn f() {}", &["3: contents"]);
    finds("crates/a/src/b.rs", "//! Doc.\nfn f() {}\n", &[]);
}

#[test]
fn directions() {
    let check = |manifest: &str, want: &[&str]| {
        let report = report(&[("crates/a/Cargo.toml".into(), manifest.into())], &[]);
        let got: Vec<_> =
            report.findings.iter().map(|f| format!("{}: {}", f.line, f.rule)).collect();
        assert_eq!(got, want, "{manifest}");
    };
    let package = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\n{rest}\n");
    check(&package("matchwire-log", "[dependencies]\nmatchwire-domain.workspace = true"), &[]);
    check(
        &package("matchwire-log", "[dependencies]\nmatchwire-gateway.workspace = true"),
        &["4: direction"],
    );
    check(
        &package(
            "matchwire-gateway",
            "[dev-dependencies]\nx = { package = \"matchwire-embedded\" }",
        ),
        &["4: direction"],
    );
    check(
        &package("matchwire-domain", "[dependencies.matchwire-log]\npath = \"\""),
        &["3: direction"],
    );
    check(&package("matchwire-domain", "description = \"not matchwire-log\""), &[]);
    check(&package("matchwire-new", ""), &["2: direction"]);
    check("[workspace.dependencies]\nmatchwire-log = { path = \"\" }", &[]);
}

#[test]
fn dependencies_from_outside() {
    let check = |member: &str, guide: &str, want: &[&str]| {
        let workspace = "[workspace.dependencies]\nmatchwire-log = { path = \"\" }\naxum = \"1\"\n";
        let manifests = [("Cargo.toml", workspace), ("a/Cargo.toml", member)]
            .map(|(file, text)| (file.to_owned(), text.to_owned()));
        let found = crates::outside(&manifests, guide);
        let got: Vec<_> = found.iter().map(|f| format!("{}: {}", f.line, f.advice)).collect();
        assert_eq!(got, want, "{member}{guide}");
    };
    let uses = "[dependencies]\naxum.workspace = true\n";
    check(uses, "| axum, tower | HTTP |", &[]);
    check(
        uses,
        "axum is good\n| axum-core | HTTP |",
        &["3: say in CONTRIBUTING.md what `axum` is for"],
    );
    check("[dev-dependencies]\naxum = { workspace = true }\n", "| axum | HTTP |", &[]);
    check("[features]\naxum = []\n", "| axum | HTTP |", &["3: nothing uses `axum`; drop it"]);
}

#[test]
fn sizes() {
    let of = |lines: &[usize]| {
        let Sizes { files, median, p90, longest } = Sizes::of(lines.to_vec());
        (files, median, p90, longest)
    };
    assert_eq!(of(&[]), (0, 0, 0, 0));
    assert_eq!(of(&[7]), (1, 7, 7, 7));
    assert_eq!(of(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]), (10, 5, 9, 10));
    let rules = |lines: &[usize]| {
        Sizes::of(lines.to_vec()).findings().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    assert!(rules(&[150, 400]).is_empty());
    assert_eq!(rules(&[151, 400]), ["median"]);
    assert_eq!(rules(&[1, 1, 401]), ["p90"]);
}

#[test]
fn code_and_comments_keep_their_places() {
    let source = Source::read("let a = \"x//\"; // b\n/* c */ d");
    assert_eq!(source.code, ["let a = \"   \";     ", "        d"]);
    assert_eq!(source.comments, ["               // b", "/* c */  "]);
}
