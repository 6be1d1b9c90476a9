//! CloudEvents, cut into batches. What a log has given them (`seq`, `leaf`, …) is taken off, so
//! that an export can be sent again.

use anyhow::Context as _;
use matchwire_domain::timestamp::Timestamp;
use serde_json::Value;

use super::Part;

/// How many events a batch has at the most, and how many bytes.
const BATCH_EVENTS: usize = 500;
const BATCH_BYTES: usize = 1 << 20;
/// What a log gives.
const GIVEN: [&str; 4] = ["seq", "recordedtime", "leaf", "chain"];

/// A line an event.
pub(super) fn parts_of_lines(data: &[u8], paced: bool) -> anyhow::Result<Vec<Part>> {
    let text = std::str::from_utf8(data).context("it is not UTF-8")?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let events = lines.map(|(number, line)| {
        serde_json::from_str(line).with_context(|| format!("line {} is not JSON", number + 1))
    });
    Ok(batches(events.collect::<anyhow::Result<_>>()?, paced))
}

/// One event or an array of them.
pub(super) fn parts_of_json(data: &[u8], paced: bool) -> anyhow::Result<Vec<Part>> {
    let events = match serde_json::from_slice(data).context("it is not JSON")? {
        Value::Array(events) => events,
        event => vec![event],
    };
    Ok(batches(events, paced))
}

/// Paced, a batch is of one moment.
fn batches(events: Vec<Value>, paced: bool) -> Vec<Part> {
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for mut event in events {
        if let Value::Object(attributes) = &mut event {
            attributes.retain(|name, _| !GIVEN.contains(&name.as_str()));
        }
        let time = event.get("time").and_then(Value::as_str).filter(|_| paced);
        let time_ms = time.and_then(|time| Timestamp::parse(time).ok()).map(Timestamp::ms);
        let line = format!("{event}\n");
        match parts.last_mut() {
            Some((count, part))
                if *count < BATCH_EVENTS
                    && part.body.len() + line.len() < BATCH_BYTES
                    && part.time_ms == time_ms =>
            {
                *count += 1;
                part.body.extend_from_slice(line.as_bytes());
            }
            _ => parts.push((
                1,
                Part {
                    path: "/events".into(),
                    headers: vec![("content-type", "application/x-ndjson".into())],
                    body: line.into_bytes(),
                    time_ms,
                },
            )),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_can_be_sent_again() {
        let exported = br#"{"seq":1,"recordedtime":"t","leaf":"l","chain":"c","id":"1"}"#;
        for parts in
            [parts_of_lines(exported, true).unwrap(), parts_of_json(exported, true).unwrap()]
        {
            assert_eq!(parts.len(), 1);
            assert_eq!(parts[0].body, b"{\"id\":\"1\"}\n");
        }
        assert!(parts_of_lines(b"{}\n{", false).err().unwrap().to_string().contains("line 2"));
    }
}
