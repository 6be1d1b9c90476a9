//! Which tournament a match belongs to, as one event of it tells, without a fold.

use serde_json::Value;

use super::{Event, MatchScheduled};
use crate::{envelope::Attributes, live_match::course};

/// The tournament that a stored event of a match's own stream names: a `match.scheduled` that has
/// one, or a correction by which another event becomes one.
pub fn tournament_named(stored: &[u8]) -> Option<String> {
    let attributes = Attributes::read(stored).ok()?;
    let event = |tag: &str, data: &str| Event::parse(tag, data)?.ok();
    let scheduled = match event(&attributes.kind, attributes.data?.get())? {
        Event::MatchScheduled(scheduled) => scheduled,
        Event::Common(course::Event::EventAmended(amended)) => {
            let data = Value::Object(amended.data).to_string();
            let Event::MatchScheduled(scheduled) = event(&amended.kind, &data)? else {
                return None;
            };
            scheduled
        }
        _ => return None,
    };
    let MatchScheduled { tournament, .. } = scheduled;
    tournament.map(|name| name.get().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_tournament() {
        let named = |tag: &str, data: &str| {
            tournament_named(
                format!(
                    r#"{{"specversion":"1.0","id":"1","source":"s","subject":"match/m","type":"{tag}","data":{data}}}"#
                )
                .as_bytes(),
            )
        };
        assert_eq!(named("match.scheduled", r#"{"tournament":"t1"}"#).as_deref(), Some("t1"));
        let amended = r#"{"seq":1,"type":"match.scheduled","data":{"tournament":"t2"}}"#;
        assert_eq!(named("event.amended", amended).as_deref(), Some("t2"));
        for (tag, data) in [
            ("match.scheduled", "{}"),
            ("match.scheduled", r#"{"tournament":"a b"}"#),
            ("x.own", r#"{"tournament":"t1"}"#),
            ("event.amended", r#"{"seq":1,"type":"x.own","data":{"tournament":"t1"}}"#),
            ("series.started", "{}"),
        ] {
            assert_eq!(named(tag, data), None, "{tag} {data}");
        }
    }
}
