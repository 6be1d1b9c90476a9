//! The answer to `POST /api/v1/events`, and what is counted of it.

use std::fmt::Write as _;

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
};
use matchwire_log::{Durability, Outcome};
use serde_json::json;

use super::events::Fate;
use crate::{
    admission::Advice,
    metrics::{Count, Meter},
};

/// One result for each event, in the order of the request. 200 when every event was taken or
/// sampled, 207 when some were, and when none was 429 if it is worth while to send some again, else
/// 400.
pub(super) fn response(
    durability: Durability,
    fates: &[Fate],
    advice: Option<Advice>,
) -> Response<Body> {
    let mut text = String::with_capacity(64 + fates.len() * 240);
    let _ = write!(text, "{{\"durability\":\"{}\",\"results\":[", durability.as_str());
    for (index, fate) in fates.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        write_fate(&mut text, index, fate);
    }
    text.push_str("]}");
    let taken = fates.iter().filter(|fate| !matches!(fate, Fate::Rejected(_))).count();
    let is_limited = fates.iter().any(|fate| matches!(fate, Fate::Rejected(it) if it.is_limit()));
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = match taken {
        _ if taken == fates.len() => StatusCode::OK,
        0 if is_limited => StatusCode::TOO_MANY_REQUESTS,
        0 => StatusCode::BAD_REQUEST,
        _ => StatusCode::MULTI_STATUS,
    };
    if let Some(advice) = advice {
        advice.write(response.headers_mut(), is_limited);
    }
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn write_fate(text: &mut String, index: usize, fate: &Fate) {
    let _ = match fate {
        Fate::Rejected(rejected) => {
            let detail = json!(rejected.detail);
            let code = rejected.code;
            write!(
                text,
                "{{\"index\":{index},\"status\":\"rejected\",\
                 \"error\":{{\"code\":\"{code}\",\"detail\":{detail}}}}}"
            )
        }
        Fate::Sampled(rate) => {
            write!(text, "{{\"index\":{index},\"status\":\"sampled\",\"sampledrate\":{rate}}}")
        }
        Fate::Accepted(event) => {
            let (id, subject) = (json!(&*event.id), &event.subject);
            write!(text, "{{\"id\":{id},\"subject\":\"{subject}\",\"status\":\"accepted\"}}")
        }
        Fate::Taken { event, outcome } => {
            let (seq, leaf, chain, status) = match outcome {
                Outcome::Known { seq } => {
                    let (id, subject) = (json!(&*event.id), &event.subject);
                    let _ = write!(
                        text,
                        "{{\"id\":{id},\"subject\":\"{subject}\",\"seq\":{seq},\
                         \"status\":\"duplicate\"}}"
                    );
                    return;
                }
                Outcome::Appended { seq, leaf, chain } => (seq, leaf, chain, "appended\"}"),
                Outcome::Duplicate { seq, leaf, chain, differs: false } => {
                    (seq, leaf, chain, "duplicate\"}")
                }
                Outcome::Duplicate { seq, leaf, chain, differs: true } => {
                    (seq, leaf, chain, "duplicate\",\"differs\":true}")
                }
            };
            write!(
                text,
                "{{\"id\":{},\"subject\":\"{}\",\"seq\":{seq},\"leaf\":\"{leaf}\",\
                 \"chain\":\"{chain}\",\"status\":\"{status}",
                json!(&*event.id),
                event.subject
            )
        }
    };
}

/// Counts what became of the events.
pub(super) fn count(meter: &Meter, source: &'static str, fates: &[Fate]) {
    let mut count = Count { received: fates.len() as u64, ..Count::default() };
    for fate in fates {
        match fate {
            // Those that were not let through are counted as such.
            Fate::Rejected(rejected) => count.rejected += u64::from(!rejected.is_limit()),
            Fate::Sampled(_) => {}
            Fate::Accepted(_) => count.accepted += 1,
            Fate::Taken { outcome: Outcome::Appended { .. }, .. } => count.appended += 1,
            Fate::Taken { outcome: Outcome::Duplicate { .. } | Outcome::Known { .. }, .. } => {
                count.duplicate += 1;
            }
        }
    }
    meter.count(source, count);
}
