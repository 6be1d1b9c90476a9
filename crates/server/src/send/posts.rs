//! Recorded posts of JSON, sent one by one as they came.

use anyhow::Context as _;
use matchwire_domain::timestamp::Timestamp;
use serde_json::Value;

use super::Part;

/// Reads a post a line, or one post over many. A line is the post itself, or an object with the post
/// as `body` (a text or an object) and when it came as `timestamp`.
pub(super) fn parts(
    data: &[u8],
    source: &str,
    match_id: &str,
    map: &str,
) -> anyhow::Result<Vec<Part>> {
    let text = std::str::from_utf8(data).context("it is not UTF-8")?;
    let posts: Vec<Value> = if let Ok(post) = serde_json::from_str(text) {
        vec![post]
    } else {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let posts = lines.map(|(number, line)| {
            serde_json::from_str(line).with_context(|| format!("line {} is not JSON", number + 1))
        });
        posts.collect::<anyhow::Result<_>>()?
    };
    let part = |post: Value| {
        let time = post.get("timestamp").and_then(Value::as_str);
        let time_ms = time.and_then(|time| Timestamp::parse(time).ok()).map(Timestamp::ms);
        let body = match post.get("body") {
            Some(Value::String(body)) => body.clone(),
            Some(body @ Value::Object(_)) => body.to_string(),
            _ => post.to_string(),
        };
        let own_s = post.pointer("/provider/timestamp").and_then(Value::as_i64);
        Part {
            path: format!("/sources/{source}/{match_id}/{map}"),
            headers: vec![("content-type", "application/json".into())],
            body: body.into_bytes(),
            time_ms: time_ms.or(own_s.map(|seconds| seconds.saturating_mul(1_000))),
        }
    };
    Ok(posts.into_iter().map(part).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posts_bare_and_wrapped() {
        let bare = r#"{"provider":{"timestamp":7}}"#;
        let wrapped = r#"{"timestamp":"1970-01-01T00:00:09Z","body":"{ }"}"#;
        let inside = r#"{"timestamp":"1970-01-01T00:00:09Z","body":{"a":1}}"#;
        let parts =
            parts(format!("{bare}\n\n{wrapped}\n{inside}\n").as_bytes(), "gsi", "m", "auto");
        let parts = parts.unwrap();
        let told: Vec<_> = parts.iter().map(|part| (part.body.as_slice(), part.time_ms)).collect();
        let expected: [(&[u8], _); 3] =
            [(bare.as_bytes(), Some(7_000)), (b"{ }", Some(9_000)), (br#"{"a":1}"#, Some(9_000))];
        assert_eq!(told, expected);
        assert_eq!(parts[0].path, "/sources/gsi/m/auto");
    }

    #[test]
    fn one_post_over_many_lines() {
        assert_eq!(parts(b"{\n\"event\": \"x\"\n}", "matchzy", "m", "1").unwrap().len(), 1);
        let error = parts(b"{}\n{", "gsi", "m", "1").err().unwrap();
        assert_eq!(error.to_string(), "line 2 is not JSON");
    }
}
