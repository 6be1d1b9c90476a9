//! Settings from the command line and from files, and what is wrong with them.

use std::path::Path;

use super::*;

/// What comes of a command line, with a file of settings in its `FILE`.
fn asked(file: &str, line: &str) -> Result<Asked, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matchwire.toml");
    std::fs::write(&path, file).unwrap();
    let words = line.split(' ').map(|word| match word {
        "FILE" => path.clone().into_os_string(),
        word => word.into(),
    });
    let words: Vec<OsString> = std::iter::once("matchwire".into()).chain(words).collect();
    read(&words).map_err(|wrong| match wrong {
        Wrong::Usage(error) => error.to_string(),
        Wrong::File(what) => what,
    })
}

fn serve(file: &str, line: &str) -> Result<Box<Serve>, String> {
    match asked(file, line)? {
        Asked::Command(cli) => match cli.command {
            crate::cli::Command::Serve(serve) => Ok(serve),
            other => panic!("{other:?}"),
        },
        Asked::Settings(..) | Asked::Alerts(..) => panic!("it runs nothing"),
    }
}

#[test]
fn flags_go_over_the_file_which_goes_over_defaults() {
    let file = r#"
        data = "/somewhere"
        segment_mib = 7
        retain = ["room/*=90d", "x/**=1d"]
        source_rank = "gsi,cs-log"
        allow_memory_acks = true
        dead_letters = 5
    "#;
    let it = serve(file, "serve --config FILE --segment-mib 9 --retain player/*=2d").unwrap();
    assert_eq!((it.data.as_path(), it.segment_mib), (Path::new("/somewhere"), 9));
    assert_eq!(it.retain.iter().map(ToString::to_string).collect::<Vec<_>>(), ["player/*=2d"]);
    assert_eq!(it.source_rank, ["gsi", "cs-log"]);
    assert!(it.allow_memory_acks && it.dead_letters == 5 && it.dead_letters_mib == 64);
    let it = serve(file, "serve --config FILE --data d").unwrap();
    assert_eq!((it.data.as_path(), it.segment_mib), (Path::new("d"), 7));
    assert_eq!(it.retain.len(), 2);
    let it = serve("allow_memory_acks = false", "serve --config FILE --data d").unwrap();
    assert!(!it.allow_memory_acks);
    assert!(serve("", "serve --config FILE").unwrap_err().contains("--data <DIR>"));
}

#[test]
fn what_is_in_force_and_where_it_comes_from() {
    let file = r#"
        dead_letters = 5
        gsi_token = "s3cret"
        [upstream.league]
        url = "https://user:s3cret@league.example/x?key=s3cret"
        headers = { authorization = "Bearer s3cret" }
    "#;
    let asked = asked(file, "config --config FILE --segment-mib 9 --json").unwrap();
    let Asked::Settings(settings, true) = asked else { panic!("it prints JSON") };
    let of = |key: &str| {
        let found = settings.iter().find(|it| it.key == key).unwrap();
        (found.values.join("|"), found.origin.clone())
    };
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(of("dead_letters"), pair("5", "file"));
    assert_eq!(of("segment_mib"), pair("9", "--segment-mib"));
    assert_eq!(of("dead_letters_mib"), pair("64", "default"));
    assert_eq!(of("data"), pair("", "not set"));
    assert_eq!(of("gsi_token"), pair("***", "file"));
    assert_eq!(of("upstream.league.url"), pair("https://league.example/x?…", "file"));
    assert_eq!(of("upstream.league.headers"), pair("authorization", "file"));
    assert!(!format!("{settings:?}").contains("s3cret"));
}

#[test]
fn people() {
    let file = r#"
        [people]
        secret = "s3cret, of more than 32 bytes, s3cret"
        issuer = "https://platform.example"
        leeway = "5s"
    "#;
    let it = serve(file, "serve --config FILE --data d --people-leeway 7s").unwrap();
    assert!(it.people.open().unwrap().is_some());
    let asked = asked(file, "config --config FILE --people-leeway 7s").unwrap();
    let Asked::Settings(settings, false) = asked else { panic!("it prints a table") };
    let of = |key: &str| {
        let found = settings.iter().find(|it| it.key == key).unwrap();
        (found.values.join("|"), found.origin.clone())
    };
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(of("people.secret"), pair("***", "file"));
    assert_eq!(of("people.issuer"), pair("https://platform.example", "file"));
    assert_eq!(of("people.leeway"), pair("7s", "--people-leeway"));
    assert_eq!(of("people.jwks"), pair("", "not set"));
    assert!(!format!("{settings:?} {it:?}").contains("s3cret"));
}

#[test]
fn alerts() {
    let file = r#"
        [players]
        reconcile_at = "off"
        [alerts]
        url = "https://hooks.example.org/s3cret"
        format = "discord"
        [alerts.smtp]
        host = "localhost"
        tls = "none"
        from = "Matchwire <a@example.org>"
        to = ["b@example.org", "c@example.org"]
    "#;
    let it = serve(file, "serve --config FILE --data d").unwrap();
    assert_eq!(it.players_reconcile_at, crate::reconcile::At::OFF);
    let places = it.alerts.open().unwrap().places();
    assert_eq!(
        places,
        ["https://hooks.example.org/…", "b@example.org, c@example.org by localhost"]
    );
    let asked_for = asked(file, "config --config FILE --json").unwrap();
    let Asked::Settings(settings, true) = asked_for else { panic!("it prints JSON") };
    let of = |key: &str| settings.iter().find(|it| it.key == key).unwrap().values.join("|");
    let shown = ["alerts.url", "alerts.format", "alerts.drift_percent", "alerts.smtp.tls"].map(of);
    assert_eq!(shown, ["***", "discord", "1", "none"]);
    assert!(!format!("{settings:?} {it:?}").contains("s3cret"));
    let trial = asked(file, "alerts test --config FILE --alerts-format slack --json").unwrap();
    let Asked::Alerts(trial, true) = trial else { panic!("it sends a trial") };
    assert_eq!(trial.open().unwrap().places().len(), 2);
    for wrong in [
        "[alerts]\nformat = \"telegram\"",
        "[alerts]\ndrift_percent = 101",
        "[alerts.smtp]\nhosts = \"x\"",
        "[players]\nreconcile_at = \"4\"",
    ] {
        let error = asked(wrong, "config --config FILE").err().unwrap();
        assert!(error.contains("matchwire.toml: "), "{error}");
    }
}

#[test]
fn audiences() {
    let file = r#"
        trusted_proxy = ["127.0.0.1"]
        [audience.fans]
        networks = ["0.0.0.0/0", "::/0"]
        delay = [{ topic = "match/**", seconds = 90 }, { topic = "match/show/**", seconds = 0 }]
        [audience.hall]
        networks = ["10.2.0.7"]
        delay = []
    "#;
    let it = serve(file, "serve --config FILE --data d").unwrap();
    assert_eq!((it.trusted_proxy.as_slice(), it.audiences.len()), (&["127.0.0.1".into()][..], 2));
    assert_eq!((it.audiences[0].name.as_str(), it.audiences[0].networks.len()), ("fans", 2));
    let rules: Vec<String> =
        it.audiences[0].delays.rules().iter().map(|(p, d)| format!("{p} {d:?}")).collect();
    assert_eq!(rules, ["match/show/** 0ns", "match/** 90s"]);
    let asked = asked(file, "config --config FILE --json").unwrap();
    let Asked::Settings(settings, true) = asked else { panic!("it prints JSON") };
    let delay = settings.iter().find(|it| it.key == "audience.fans.delay").unwrap();
    assert_eq!(
        (delay.values.join("|"), delay.origin.as_str()),
        ("match/**=90s|match/show/**=0s".into(), "file")
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    for (file, said) in [
        ("segment = 7", "segment: no setting is called so; there are accept_clock, "),
        ("segment_mib = 0", "matchwire.toml: segment_mib: 0 is not in 1..=1024"),
        ("segment_mib = [1, 2]", "it takes one value, and no list"),
        ("retain = [\"room/*=90d\", \"room\"]", "retain: \"room\" must be PATTERN=AGE"),
        ("retain = [[1]]", "retain: it must be a text, a number, true or false, or a list"),
        ("accept_clock = 1", "accept_clock: it must be true or false"),
        ("config = \"x\"", "config: no setting is called so"),
        ("data = ", "TOML parse error at line 1"),
        ("data = \"a\"\ndata = \"b\"", "duplicate key"),
        ("[upstream.a]", "missing field `url`"),
        ("[upstream.a]\nurl = \"x\"", "upstream.a.url: it cannot be read"),
        (
            "[upstream.a]\nurl = \"http://x\"\nheaders = {b = \"${MATCHWIRE_NOT_SET}\"}",
            "is not set",
        ),
        ("people = 7", "people: no setting is called so"),
        ("people_issuer = \"x\"", "people_issuer: no setting is called so"),
        (
            "[people]\nkeys = \"x\"",
            "people.keys: no setting is called so; there are accept_clock, ",
        ),
        ("[people]\nleeway = \"61s\"", "matchwire.toml: people.leeway: must be from 0s to 60s"),
        ("[people]\nissuer = [\"x\", \"y\"]", "people.issuer: it takes one value, and no list"),
        ("upstream = 7", "upstream"),
        ("audience = 7", "audience"),
        ("[audience.a]\ndelay = []", "missing field `networks`"),
        (
            "[audience.a]\nnetworks = [\"x\"]\ndelay = []",
            "audience.a.networks: \"x\" must be a network",
        ),
        ("[audience.a]\nnetworks = []\ndelay = []", "audience.a.networks: there must be from 1"),
        ("[audience.a]\nnetworks = [\"::/0\"]\ndelay = []\nmore = 1", "unknown field `more`"),
        (
            "[audience.a]\nnetworks = [\"::/0\"]\ndelay = [{topic = \"match/**\", seconds = 3601}]",
            "audience.a.delay: match/**: seconds 3601 must be from 0 to 3600",
        ),
        (
            "[audience.a]\nnetworks = [\"::/0\"]\ndelay = [{topic = \"match/x*\", seconds = 1}]",
            "audience.a.delay: topic: pattern",
        ),
        (
            "[audience.a]\nnetworks = [\"10.0.0.0/8\"]\ndelay = []\n\
             [audience.b]\nnetworks = [\"10.9.9.9/8\"]\ndelay = []",
            "audience: 10.9.9.9/8 is of a and of b",
        ),
    ] {
        for command in ["serve --data d --config FILE", "config --config FILE"] {
            let Err(error) = asked(file, command) else { panic!("{file}") };
            assert!(error.contains(said) && error.contains("matchwire.toml"), "{file}: {error}");
        }
    }
    let many: String = (0..65).map(|n| format!("[upstream.u{n}]\nurl = \"http://x\"\n")).collect();
    let Err(error) = asked(&many, "config --config FILE") else { panic!("65 upstreams") };
    assert!(error.contains("at most 64 upstreams"), "{error}");
    // What the command line says is wrong there, whatever the file has.
    let Err(error) = asked("segment_mib = 7", "config --config FILE --segment-mib 0") else {
        panic!("0 MiB")
    };
    assert!(error.contains("'--segment-mib <MIB>'") && !error.contains("toml"), "{error}");
    let Err(error) = asked("", "serve --data d --config /no/such/file") else { panic!("no file") };
    assert!(error.starts_with("/no/such/file: "), "{error}");
}
