//! What a client says.

use serde::Deserialize;

use crate::{cursor::After, delivery::Views};

/// A message of a client. What it does not name is an error.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Message {
    Subscribe {
        topic: String,
        #[serde(default)]
        after: Option<Position>,
        #[serde(default)]
        views: Option<Vec<String>>,
        #[serde(default)]
        replay: Option<Pace>,
    },
    Unsubscribe {
        topic: String,
    },
    Ping {},
}

/// How fast a topic is to be replayed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pace {
    #[serde(default)]
    pub(super) speed: Option<f64>,
    #[serde(default)]
    pub(super) max_gap: Option<f64>,
    #[serde(default)]
    pub(super) by: Option<String>,
}

/// A cursor, or a bare `seq`, which may stand there as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Position {
    Seq(u64),
    Cursor(String),
}

/// Reads where to start; `None` if it is no cursor.
pub(super) fn after(position: Option<Position>) -> Option<After> {
    match position {
        None => Some(After::Snapshot),
        Some(Position::Seq(seq)) => Some(After::Seq(seq)),
        Some(Position::Cursor(text)) => After::parse(&text),
    }
}

/// Reads the views; all of them if none are named.
pub(super) fn views(names: Option<&[String]>) -> Result<Views, String> {
    names.map_or(Ok(Views::ALL), |names| Views::parse(names.iter().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages() {
        let good = |text: &str| serde_json::from_str::<Message>(text).is_ok();
        assert!(good(r#"{"type":"subscribe","topic":"match/m1/1"}"#));
        assert!(good(r#"{"type":"subscribe","topic":"match/m1/1","after":17,"views":["events"]}"#));
        assert!(good(r#"{"type":"subscribe","topic":"match/m1","after":"c1~x"}"#));
        assert!(good(
            r#"{"type":"subscribe","topic":"match/m1","replay":{"speed":0.5,"by":"time"}}"#
        ));
        assert!(good(r#"{"type":"unsubscribe","topic":"match/m1"}"#));
        assert!(good(r#"{"type":"ping"}"#));
        for bad in [
            "",
            "[]",
            "{}",
            "17",
            r#"{"type":"subscribe"}"#,
            r#"{"type":"nonsense"}"#,
            r#"{"type":"ping","more":1}"#,
            r#"{"type":"subscribe","topic":"t","after":-1}"#,
            r#"{"type":"subscribe","topic":"t","aftr":1}"#,
            r#"{"type":"subscribe","topic":1}"#,
            r#"{"type":"subscribe","topic":"t","replay":4}"#,
            r#"{"type":"subscribe","topic":"t","replay":{"sped":4}}"#,
        ] {
            assert!(!good(bad), "{bad}");
        }
    }
}
