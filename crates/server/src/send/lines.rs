//! A server log, cut into posts as a server would send them.

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_sources::cs_log::line_time;

use super::Part;

/// The size of a post where speed is all.
const POST_BYTES: usize = 64 * 1_024;

/// Cuts a log at line ends: into large posts, or, to be played at a speed, into one for each second
/// of the match.
///
/// The instance token is made from the log's content, so the same log sent again is recognised.
pub(super) fn parts(
    log: &[u8],
    match_id: &str,
    map: &str,
    paced: bool,
) -> anyhow::Result<Vec<Part>> {
    anyhow::ensure!(!log.is_empty(), "it is empty");
    let token = format!("send-{}", Digest::leaf(log));
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut body: Vec<u8> = Vec::new();
    let mut time_ms = None;
    let mut flush = |body: &mut Vec<u8>, begin: &mut usize, time_ms: Option<i64>| {
        let end = *begin + body.len();
        parts.push(Part {
            path: format!("/sources/cs-log/{match_id}/{map}"),
            headers: vec![
                ("content-type", "text/plain".into()),
                ("x-server-instance-token", token.clone()),
                ("x-logbytes-beginoffset", begin.to_string()),
                ("x-logbytes-endoffset", end.to_string()),
            ],
            body: std::mem::take(body),
            time_ms,
        });
        *begin = end;
    };
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let line_ms = line_time(&String::from_utf8_lossy(line)).map(Timestamp::ms);
        let later = paced && line_ms.is_some() && time_ms.is_some() && line_ms != time_ms;
        if !body.is_empty() && (later || body.len() + line.len() > POST_BYTES) {
            flush(&mut body, &mut begin, time_ms);
        }
        time_ms = line_ms.or(time_ms);
        body.extend_from_slice(line);
    }
    flush(&mut body, &mut begin, time_ms);
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_log() {
        let line = |second| format!("L 01/02/2026 - 03:04:{second:02}: World triggered \"x\"\n");
        let log: String = [1, 1, 2, 4].map(line).concat();
        for (paced, count) in [(true, 3), (false, 1)] {
            let parts = parts(log.as_bytes(), "m", "auto", paced).unwrap();
            assert_eq!(parts.len(), count);
            let joined: Vec<u8> = parts.iter().flat_map(|part| part.body.clone()).collect();
            assert_eq!(joined, log.as_bytes());
            let offset = |part: &Part, i: usize| part.headers[i].1.parse::<usize>().unwrap();
            for pair in parts.windows(2) {
                assert_eq!(offset(&pair[0], 3), offset(&pair[1], 2));
            }
        }
    }
}
