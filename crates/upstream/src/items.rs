//! Events and cursors within the JSON that upstreams tell. What is found stays as it was written.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use matchwire_domain::envelope::Attributes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A part of a JSON text, where a JSON pointer leads to.
fn at<'a>(json: &'a RawValue, pointer: &str) -> Option<&'a RawValue> {
    let mut steps = pointer.split('/');
    // What is before the first slash is empty.
    steps.next();
    steps.try_fold(json, |json, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        if let Some(items) = array(json) {
            return items.get(step.parse::<usize>().ok()?).copied();
        }
        member(json, &step)
    })
}

fn member<'a>(json: &'a RawValue, key: &str) -> Option<&'a RawValue> {
    serde_json::from_str::<BTreeMap<Key<'a>, &'a RawValue>>(json.get()).ok()?.remove(key)
}

fn array(json: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json.get()).ok()
}

/// A member's name, borrowed where it can be.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::borrow::Borrow<str> for Key<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The events in a message: where the pointer leads to or, without one, the message itself if it is an
/// event or an array, or else its member `events` or `event`. A message that has none, a heartbeat say,
/// gives none.
fn events_in<'a>(message: &'a RawValue, pointer: Option<&str>) -> Vec<&'a RawValue> {
    let found = match pointer {
        Some(pointer) => at(message, pointer),
        None if array(message).is_some() || member(message, "specversion").is_some() => {
            Some(message)
        }
        None => member(message, "events").or_else(|| member(message, "event")),
    };
    let Some(found) = found else { return Vec::new() };
    match array(found) {
        Some(items) => items,
        None if found.get().starts_with('{') => vec![found],
        None => Vec::new(),
    }
}

/// A cursor as text: a string, or a number as it is written.
fn cursor_in(message: &RawValue, pointer: &str) -> Option<String> {
    let found = at(message, pointer)?.get();
    match serde_json::from_str(found).ok()? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(_) => Some(found.to_owned()),
        _ => None,
    }
}

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// The events in it.
    pub(crate) events: Vec<Bytes>,
    /// The cursor in it.
    pub(crate) cursor: Option<String>,
}

/// Reads a message, which is JSON.
pub(crate) fn read(
    message: &[u8],
    events: Option<&str>,
    cursor: &str,
) -> Result<Said, serde_json::Error> {
    let message: &RawValue = serde_json::from_slice(message)?;
    let bytes = |event: &RawValue| Bytes::copy_from_slice(event.get().as_bytes());
    let events = events_in(message, events).into_iter().map(bytes).collect();
    Ok(Said { events, cursor: cursor_in(message, cursor) })
}

/// An event without the attributes that are not known here: others' extensions, and what another
/// server gave, `seq` say. What is no object stays as it is, to be refused for what it is.
pub(crate) fn known(event: Bytes) -> Bytes {
    let members = serde_json::from_slice::<BTreeMap<Key<'_>, &RawValue>>(&event);
    let Ok(mut members) = members else { return event };
    let before = members.len();
    members.retain(|key, _| Attributes::NAMES.contains(&&*key.0));
    if members.len() == before {
        return event;
    }
    // Writing plain data cannot fail.
    serde_json::to_vec(&members).map_or_else(|_| event.clone(), Bytes::from)
}

/// The events of a body that has one in each line.
pub(crate) fn lines(body: &Bytes) -> Vec<Bytes> {
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty()).map(|line| body.slice_ref(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str, events: Option<&str>, cursor: &str) -> (Vec<String>, Option<String>) {
        let said = read(message.as_bytes(), events, cursor).unwrap();
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        (said.events.iter().map(text).collect(), said.cursor)
    }

    #[test]
    fn events_are_found_and_stay_as_they_are() {
        let event = r#"{"specversion":"1.0", "data":{"x":1.0e2}}"#;
        let one = vec![event.to_owned()];
        assert_eq!(said(event, None, "/next"), (one.clone(), None));
        assert_eq!(said(&format!("[{event}]"), None, "/next"), (one.clone(), None));
        let list = format!(r#"{{"events":[{event}],"next":"c\n1"}}"#);
        assert_eq!(said(&list, None, "/next"), (one.clone(), Some("c\n1".into())));
        let frame = format!(r#"{{"type":"event","event":{event},"cursor":12345678901234567890}}"#);
        assert_eq!(said(&frame, None, "/cursor").1, Some("12345678901234567890".into()));
        let deep = format!(r#"{{"a/b":[0,{{"~":{event}}}]}}"#);
        assert_eq!(said(&deep, Some("/a~1b/1/~0"), ""), (one.clone(), None));
        assert_eq!(said(event, Some(""), "/specversion"), (one, Some("1.0".into())));
    }

    #[test]
    fn what_has_no_events() {
        for message in ["{}", "null", "7", r#"{"type":"heartbeat"}"#, r#"{"events":null}"#, "[]"] {
            assert_eq!(said(message, None, "/next"), (vec![], None), "{message}");
        }
        assert_eq!(said(r#"{"next":null}"#, Some("/x/y"), "/next"), (vec![], None));
        assert!(read(b"{", None, "").is_err() && read(b"\xff", None, "").is_err());
    }

    #[test]
    fn what_is_not_known_of_an_event_is_left_out() {
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let event = r#"{"type":"x.a", "id" : "1","data":{"seq":1.0}}"#;
        assert_eq!(text(known(event.into())), event);
        let more = r#"{"seq":7,"type":"x.a","\u0069d":"1","data":{"seq":1.0},"leaf":"f"}"#;
        assert_eq!(text(known(more.into())), r#"{"data":{"seq":1.0},"id":"1","type":"x.a"}"#);
        for other in ["[]", "7", "{", "\u{1}"] {
            assert_eq!(text(known(other.into())), other);
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_sent_it_is_read_or_refused(
            text in r#"(\{|\}|\[|\]|"events"|"next"|"a"|:|,|[0-9]|null|é|\\){0,40}"#,
            pointer in "(/|~1|events|[0-9]|a){0,6}",
        ) {
            if let Ok(said) = read(text.as_bytes(), None, &pointer) {
                // What is passed on is JSON, whatever it is.
                for event in said.events {
                    serde_json::from_slice::<&RawValue>(&known(event)).unwrap();
                }
            }
            let _ = read(text.as_bytes(), Some(&pointer), "/next");
        }
    }

    #[test]
    fn lines_of_a_body() {
        let body = Bytes::from_static(b"{\"a\":1}\r\n\n {} \n");
        assert_eq!(lines(&body), ["{\"a\":1}", "{}"]);
    }
}
