//! What was said before of an event that a referee corrects, so that the same command is the same event for
//! as long as it is in force, and a new one after it was taken back.

use std::collections::BTreeMap;

use matchwire_client::Client;
use matchwire_domain::subject::Subject;
use serde_json::Value;

/// How many events are read at a time.
const PAGE: usize = 1_000;

/// The corrections after an event, oldest first.
pub(super) struct Corrections(Vec<Value>);

impl Corrections {
    /// Reads the stream from an event on.
    pub(super) async fn after(
        client: &Client,
        subject: &Subject,
        seq: u64,
    ) -> anyhow::Result<Self> {
        let (mut found, mut after) = (Vec::new(), seq);
        loop {
            let path = format!("/events?subject={subject}&after={after}&limit={PAGE}");
            let mut page = client.get(&path).await?;
            let Some(Value::Array(events)) = page.get_mut("events").map(Value::take) else { break };
            let Some(last) = events.last().map(seq_of) else { break };
            after = last;
            found.extend(events.into_iter().filter(is_correction));
        }
        Ok(Self(found))
    }

    /// The id with which a correction of an event is sent, if `base` is what it would be called at first:
    /// that of the same correction while it is in force, else one that is new.
    pub(super) fn id(&self, base: &str, source: &str, target: u64) -> String {
        // By its id: the people in it have other names in the log.
        let is_same = |event: &&Value| {
            let told = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
            let rest = told("id").strip_prefix(base);
            let is_numbered = |rest: &str| rest.is_empty() || rest.starts_with('-');
            told("source") == source && rest.is_some_and(is_numbered)
        };
        let in_force = self.in_force(target).filter(is_same);
        if let Some(id) = in_force.and_then(|event| event.get("id")).and_then(Value::as_str) {
            return id.to_owned();
        }
        let said = self.0.iter().filter(is_same).count();
        if said == 0 { base.to_owned() } else { format!("{base}-{}", said + 1) }
    }

    /// The last correction of an event that is not void itself.
    fn in_force(&self, target: u64) -> Option<&Value> {
        // Who voids a correction comes after it: so they are read from the last to the first.
        let mut verdicts: BTreeMap<u64, &Value> = BTreeMap::new();
        for event in self.0.iter().rev() {
            let about = event.pointer("/data/seq").and_then(Value::as_u64).unwrap_or_default();
            if !verdicts.contains_key(&seq_of(event)) {
                verdicts.entry(about).or_insert(event);
            }
        }
        verdicts.get(&target).copied()
    }
}

fn seq_of(event: &Value) -> u64 {
    let seq = event.get("seq");
    let text = seq.and_then(Value::as_str).and_then(|seq| seq.parse().ok());
    seq.and_then(Value::as_u64).or(text).unwrap_or_default()
}

fn is_correction(event: &Value) -> bool {
    let kind = event.get("type").and_then(Value::as_str);
    matches!(kind, Some("event.voided" | "event.amended"))
}
