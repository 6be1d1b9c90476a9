//! What is set of upstreams, and what is wrong with it.

use super::*;

/// What comes of settings of an upstream called `u`.
fn feed(toml: &str) -> Result<Feed, String> {
    let written: Written = toml::from_str(toml).map_err(|error| error.to_string())?;
    let variable = |name: &str| (name == "TOKEN").then(|| "s3cret".to_owned());
    Feed::new("u", written, &["cs-log", "gsi"], &variable).map_err(|error| error.to_string())
}

#[test]
fn what_is_left_out_is_by_default() {
    let poll = feed(r#"url = "https://feed.example/events""#).unwrap();
    assert_eq!(
        (poll.kind, &*poll.format, poll.class),
        (Kind::Poll, "cloudevents", Class::Broadcast)
    );
    assert_eq!((&*poll.cursor, &*poll.cursor_param), ("/next", "after"));
    assert_eq!((poll.every, poll.timeout), (Duration::from_secs(5), Duration::from_secs(10)));
    let socket = feed(r#"url = "ws://feed.example/ws""#).unwrap();
    assert_eq!(
        (socket.kind, &*socket.cursor, &*socket.cursor_param),
        (Kind::WebSocket, "/cursor", "")
    );
    let sse = feed("url = \"http://feed.example/s\"\nkind = \"sse\"").unwrap();
    assert_eq!((sse.kind, sse.silence), (Kind::Sse, Duration::from_mins(1)));
}

#[test]
fn what_can_be_set() {
    let all = r#"
        url = "http://user:pw@feed.example:81/logs?key=s3cret#x"
        format = "cs-log"
        match = "m1"
        map = 2
        class = "sensor"
        every = "250ms"
        timeout = "1s"
        retry = "1s"
        cooldown = "1m"
        cursor = "/data/0/next"
        cursor_param = "since"
        start = "0"
        headers = { Authorization = "Bearer ${TOKEN}" }
    "#;
    let feed = feed(all).unwrap();
    assert_eq!(feed.place, Some(Place { match_id: "m1".into(), map: "2".into() }));
    assert_eq!(feed.shown_url(), "http://feed.example:81/logs?…");
    assert_eq!(feed.headers["authorization"], "Bearer s3cret");
    assert!(!format!("{:?}", feed.headers).contains("s3cret"));
}

#[test]
fn the_examples_in_the_guide_can_be_used() {
    let guide = include_str!("../../../../docs/operations/upstreams.md");
    let (_, example) = guide.split_once("```toml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let file: BTreeMap<String, BTreeMap<String, Written>> = toml::from_str(example).unwrap();
    let variable = |_: &str| Some("key".to_owned());
    for (name, written) in file["upstream"].clone() {
        Feed::new(&name, written, &["gsi"], &variable).unwrap();
    }
    assert_eq!(file["upstream"].len(), 4);
}

#[test]
fn what_is_wrong_is_said() {
    let http = r#"url = "http://h/""#;
    for (toml, said) in [
        ("", "missing field `url`"),
        (r#"url = "feed""#, "url: it cannot be read"),
        (r#"url = "ftp://h/""#, "http, https, ws or wss"),
        (
            r#"url = "http://h/" # ws
            kind = "websocket""#,
            "websocket with ws and wss",
        ),
        ("url = \"http://h/\"\nkind = \"telex\"", "unknown variant `telex`"),
        ("url = \"http://h/\"\nevery = \"soon\"", "must be a time, as in 500ms"),
        ("url = \"http://h/\"\nevery = \"1ms\"", "every: 1ms must be from 50ms to 1h"),
        ("url = \"http://h/\"\ntimeout = \"2h\"", "timeout: 7200s must be from 50ms to 1h"),
        ("url = \"http://h/\"\nclass = \"gossip\"", "must be sensor, broadcast or social"),
        ("url = \"http://h/\"\nclas = \"social\"", "unknown field `clas`"),
        ("url = \"http://h/\"\nformat = \"telex\"", "must be cloudevents or a source: cs-log, gsi"),
        ("url = \"http://h/\"\nformat = \"gsi\"", "match: say for which match the gsi is"),
        ("url = \"http://h/\"\nformat = \"gsi\"\nmatch = \"a/b\"", "match: "),
        ("url = \"http://h/\"\nformat = \"gsi\"\nmatch = \"m\"\nmap = 0", "map: "),
        ("url = \"http://h/\"\nmatch = \"m\"", "match: events in their own envelope"),
        ("url = \"http://h/\"\nevents = \"data\"", "must be a JSON pointer"),
        ("url = \"http://h/\"\nhello = [\"x\"]", "hello: it is for websocket"),
        ("url = \"ws://h/\"\nevery = \"1s\"", "every: it is for poll"),
        ("url = \"http://h/\"\nheaders = { \"a b\" = \"1\" }", "it is no name of a header"),
        ("url = \"http://h/\"\nheaders = { a = \"s3cret ${NONE}\" }", "variable NONE is not set"),
        ("url = \"http://h/\"\nheaders = { a = \"s3cret ${NONE\" }", "a ${ in its value has no }"),
        ("url = \"http://h/\"\nheaders = { a = \"s3cret\\u0001\" }", "a header cannot have"),
    ] {
        let error = feed(toml).unwrap_err();
        assert!(error.contains(said) && !error.contains("s3cret"), "{toml}: {error}");
    }
    let written: Written = toml::from_str(http).unwrap();
    assert!(Feed::new("a/b", written, &[], &|_| None).is_err());
}
