//! The frames that are not the same for all readers: those of topics of several streams, and those
//! that begin a subscription.

use bytes::Bytes;
use matchwire_domain::subject::Subject;
use matchwire_log::live::EventFrame;
use serde_json::{Map, Value};

use crate::topic::Topic;

/// A frame of parts, of which some are JSON already.
pub(super) fn frame(parts: &[&[u8]]) -> Bytes {
    parts.concat().into()
}

/// An error that concerns a topic, with the members of a problem.
pub(super) fn error(topic: &Topic, mut members: Map<String, Value>) -> Bytes {
    members.insert("type".into(), "error".into());
    members.insert("topic".into(), topic.as_str().into());
    Value::Object(members).to_string().into()
}

/// An event in a match.
pub(super) fn event(topic: &Topic, subject: &Subject, event: &EventFrame, cursor: &str) -> Bytes {
    let head = format!(
        "{{\"type\":\"event\",\"topic\":\"{}\",\"subject\":\"{subject}\",\"seq\":{},\
         \"cursor\":\"{cursor}\",\"event\":",
        topic.as_str(),
        event.seq
    );
    frame(&[head.as_bytes(), event.event(), b"}"])
}

/// The first part of a frame about one stream of a topic: up to the value of `field`.
pub(super) fn head(kind: &str, topic: &Topic, subject: &Subject, seq: u64, field: &str) -> String {
    let topic = topic.as_str();
    let subject = if topic == subject.as_str() {
        String::new()
    } else {
        format!("\"subject\":\"{subject}\",")
    };
    format!("{{\"type\":\"{kind}\",\"topic\":\"{topic}\",{subject}\"seq\":{seq},\"{field}\":")
}

/// A match with the states of its own stream, which has the number 0, and of its maps, each JSON
/// already.
pub(super) fn match_state(topic: &Topic, parts: &[(u16, &str)]) -> Vec<u8> {
    let mut text = format!("{{\"match\":\"{}\"", topic.match_id()).into_bytes();
    for (_, series) in parts.iter().filter(|(number, _)| *number == 0) {
        text.extend_from_slice(b",\"series\":");
        text.extend_from_slice(series.as_bytes());
    }
    text.extend_from_slice(b",\"maps\":{");
    for (index, (map, state)) in parts.iter().filter(|(number, _)| *number > 0).enumerate() {
        if index > 0 {
            text.push(b',');
        }
        text.extend_from_slice(format!("\"{map}\":").as_bytes());
        text.extend_from_slice(state.as_bytes());
    }
    text.extend_from_slice(b"}}");
    text
}

/// The patch of a match that changes one part of it: a map, or its own stream, which has the number 0.
pub(super) fn part_patch(head: &str, number: u16, patch: &[u8]) -> Bytes {
    match number {
        0 => frame(&[head.as_bytes(), b"{\"series\":", patch, b"}}"]),
        map => {
            let map = format!("{{\"maps\":{{\"{map}\":");
            frame(&[head.as_bytes(), map.as_bytes(), patch, b"}}}"])
        }
    }
}
