//! StatsBomb's files of events and of line-ups, cut into posts of a line for each.

use anyhow::Context as _;
use matchwire_sources::statsbomb::event_time_ms;
use serde_json::Value;

use super::Part;

/// How many events a post has at the most, and how many bytes.
const POST_EVENTS: usize = 500;
const POST_BYTES: usize = 1 << 20;

/// Cuts a file into large posts or, to be played at a speed, into one for each second of the match.
pub(super) fn parts(
    data: &[u8],
    match_id: &str,
    map: &str,
    paced: bool,
) -> anyhow::Result<Vec<Part>> {
    let items = match serde_json::from_slice(data).context("it is not JSON")? {
        Value::Array(items) => items,
        item => vec![item],
    };
    let mut parts: Vec<(usize, Part)> = Vec::new();
    for item in items {
        let line = format!("{item}\n");
        // What does not say when it happened goes with what is before it.
        let time = event_time_ms(&item).filter(|_| paced).map(|ms| ms - ms % 1_000);
        match parts.last_mut() {
            Some((count, part))
                if *count < POST_EVENTS
                    && part.body.len() + line.len() < POST_BYTES
                    && (time.is_none() || part.time_ms == time) =>
            {
                *count += 1;
                part.body.extend_from_slice(line.as_bytes());
            }
            _ => parts.push((
                1,
                Part {
                    path: format!("/sources/statsbomb/{match_id}/{map}"),
                    headers: vec![("content-type", "application/x-ndjson".into())],
                    body: line.into_bytes(),
                    time_ms: time,
                },
            )),
        }
    }
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_file() {
        let event = |id: u32, timestamp: &str| {
            let kind = r#"{"id":30,"name":"Pass"}"#;
            format!(r#"{{"id":"{id}","type":{kind},"period":1,"timestamp":"{timestamp}"}}"#)
        };
        let times = ["00:00:01.000", "00:00:01.900", "00:00:02.000", "?", "00:10:00.000"];
        let events: Vec<_> = (1..).zip(times).map(|(id, time)| event(id, time)).collect();
        let file = format!("[\n{}\n]", events.join(",\n"));
        for (paced, times) in
            [(true, vec![Some(1_000), Some(2_000), Some(600_000)]), (false, vec![None])]
        {
            let parts = parts(file.as_bytes(), "m", "1", paced).unwrap();
            assert_eq!(parts.iter().map(|part| part.time_ms).collect::<Vec<_>>(), times);
            assert!(parts.iter().all(|part| part.path == "/sources/statsbomb/m/1"));
            let lines = parts.iter().flat_map(|part| part.body.split(|byte| *byte == b'\n'));
            assert_eq!(lines.filter(|line| !line.is_empty()).count(), events.len());
        }
        assert!(parts(b"[", "m", "1", false).is_err());
    }

    #[test]
    fn parts_are_within_bounds() {
        let event = format!(r#"{{"id":"a","type":{{}},"more":"{}"}}"#, "x".repeat(10_000));
        let file = format!("[{}]", vec![event; 1_200].join(","));
        let parts = parts(file.as_bytes(), "m", "1", false).unwrap();
        assert!(parts.iter().all(|part| part.body.len() < POST_BYTES));
        assert!(parts.len() > 11, "{}", parts.len());
    }
}
