//! A step in its envelope.

use matchwire_domain::timestamp::Timestamp;

use crate::Step;

/// The `source` of every simulated event.
pub const SOURCE: &str = "sim";

/// The step as a CloudEvent in JSON, as `POST /events` takes it.
///
/// `match_id` is a segment of a subject; `index` is the step's place in the series, which makes its
/// `id`; `base_time` is the moment at which the series began.
pub fn cloud_event_json(step: &Step, match_id: &str, index: usize, base_time: Timestamp) -> String {
    let at_ms = i64::try_from(step.at_ms).unwrap_or(i64::MAX);
    let time = Timestamp::from_ms(base_time.ms().saturating_add(at_ms));
    // None of these texts needs an escape: a segment, numbers, a tag and a timestamp.
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{index}\",\"source\":\"{SOURCE}\",\
         \"subject\":\"match/{match_id}/{}\",\"type\":\"{}\",\"time\":\"{time}\",\"data\":{}}}",
        step.map,
        step.event.tag(),
        step.event.to_json()
    )
}
