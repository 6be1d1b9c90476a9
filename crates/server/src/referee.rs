//! `matchwire referee`: corrections and decisions, each an event like any other.
//!
//! What an event is refused for is its shape alone, so this looks first whether what it names is
//! there, and tells what came of it.

mod corrections;

use anyhow::{Context as _, bail};
use corrections::Corrections;
use matchwire_client::Client;
use matchwire_domain::subject::{Kind, Subject};
use serde_json::{Map, Value, json};

use crate::cli::{Action, Referee};

/// Runs the command.
pub(crate) async fn run(args: &Referee) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let subject = stream(&args.action)?;
    let head = head(&client, &subject).await?;
    let ruling = Ruling::of(&args.action, &client, &subject, head).await?;
    let result = ruling.send(&client, &subject, &args.by).await?;
    let state = state(&client, &subject).await?;
    if args.json {
        println!("{}", json!({"result": result, "state": state}));
        return Ok(());
    }
    let field = |name: &str| result.get(name).cloned().unwrap_or_default();
    let told = if field("status") == "duplicate" { " (it was so already)" } else { "" };
    println!("{subject}: {} is event {}{told}", ruling.kind, field("seq"));
    println!("{}", summary(&state));
    Ok(())
}

/// An event that a referee sends.
struct Ruling {
    kind: &'static str,
    data: Map<String, Value>,
    /// What it is about, so that the same command again is the same event.
    about: u64,
}

impl Ruling {
    async fn of(
        action: &Action,
        client: &Client,
        subject: &Subject,
        head: u64,
    ) -> anyhow::Result<Self> {
        let (kind, about, data) = match action {
            Action::Void { seq, reason, .. } => {
                event(client, subject, *seq, head).await?;
                ("event.voided", *seq, json!({"seq": seq, "reason": reason.reason}))
            }
            Action::Amend { seq, kind, time, data, reason, .. } => {
                let event = event(client, subject, *seq, head).await?;
                let told = event.get("type").and_then(Value::as_str).unwrap_or_default();
                let kind = kind.as_deref().unwrap_or(told);
                let right: Map<String, Value> =
                    serde_json::from_str(data).context("--data must be a JSON object")?;
                let reason = &reason.reason;
                let data = json!({"seq": seq, "type": kind, "time": time, "data": right, "reason": reason});
                ("event.amended", *seq, data)
            }
            Action::Pause { reason, side, .. } => {
                ("match.paused", head, json!({"reason": reason.name(), "side": side}))
            }
            Action::Resume { .. } => ("match.resumed", head, json!({})),
            Action::Forfeit { team, how, reason, .. } => {
                let data = json!({"team": team, "how": how.name(), "reason": reason.reason});
                ("match.forfeited", head, data)
            }
            Action::Abandon { reason, .. } => {
                ("match.abandoned", head, json!({"reason": reason.reason}))
            }
            Action::Result { score, winner, reason, .. } => {
                if score.is_none() && winner.is_none() {
                    bail!("a result needs --score or --winner");
                }
                let data =
                    json!({"seq": head, "score": score, "winner": winner, "reason": reason.reason});
                ("result.amended", head, data)
            }
            Action::Confirm { .. } => ("result.confirmed", head, json!({"seq": head})),
        };
        let mut data: Map<String, Value> = serde_json::from_value(data)?;
        data.retain(|_, value| !value.is_null());
        Ok(Self { kind, data, about })
    }

    async fn send(&self, client: &Client, subject: &Subject, by: &str) -> anyhow::Result<Value> {
        let digest =
            matchwire_domain::chain::Digest::leaf(serde_json::to_string(&self.data)?.as_bytes());
        let base = format!("{}-{}-{:.8}", self.kind, self.about, digest.to_string());
        let source = if by == "referee" { by.to_owned() } else { format!("referee/{by}") };
        let id = if matches!(self.kind, "event.voided" | "event.amended") {
            let said = Corrections::after(client, subject, self.about).await?;
            said.id(&base, &source, self.about)
        } else {
            base
        };
        let event = json!({
            "specversion": "1.0", "id": id, "source": source, "subject": subject.as_str(),
            "type": self.kind, "time": now(), "data": self.data,
        });
        let kind = ("content-type", "application/cloudevents+json".to_owned());
        let answer = client.post("/events", &[kind], event.to_string().into()).await?;
        let result = answer.pointer("/results/0").cloned();
        result.context("the server's answer has no result")
    }
}

fn now() -> String {
    use matchwire_log::Clock as _;
    matchwire_log::SystemClock.now().to_string()
}

/// The stream that an action is about.
fn stream(action: &Action) -> anyhow::Result<Subject> {
    let (Action::Void { subject, .. }
    | Action::Amend { subject, .. }
    | Action::Pause { subject, .. }
    | Action::Resume { subject }
    | Action::Forfeit { subject, .. }
    | Action::Abandon { subject, .. }
    | Action::Result { subject, .. }
    | Action::Confirm { subject }) = action;
    let subject = Subject::parse(subject)?;
    match subject.kind() {
        Kind::Match(_) | Kind::MatchMap(..) => Ok(subject),
        _ => bail!("{subject} must be match/<match> or match/<match>/<map>"),
    }
}

/// The number of the stream's last event.
async fn head(client: &Client, subject: &Subject) -> anyhow::Result<u64> {
    let state = state(client, subject).await?;
    let head = state.get("seq").and_then(Value::as_u64).unwrap_or_default();
    if head == 0 {
        bail!("{subject} has no events");
    }
    Ok(head)
}

/// The state of a map, or of the match as a whole.
async fn state(client: &Client, subject: &Subject) -> anyhow::Result<Value> {
    let path = match subject.kind() {
        Kind::MatchMap(id, map) => format!("/matches/{id}/maps/{map}"),
        _ => format!("/matches/{}", subject.as_str().trim_start_matches("match/")),
    };
    let mut state = client.get(&path).await?;
    Ok(state.get_mut("series").map(Value::take).unwrap_or(state))
}

/// The event that a correction names.
async fn event(client: &Client, subject: &Subject, seq: u64, head: u64) -> anyhow::Result<Value> {
    if seq == 0 || seq > head {
        bail!("{subject} has the events 1 to {head}, and no {seq}");
    }
    let path = format!("/events?subject={subject}&after={}&limit=1", seq - 1);
    let mut page = client.get(&path).await?;
    let event = page.pointer_mut("/events/0").map(Value::take);
    event.with_context(|| format!("{subject} has no event {seq}"))
}

/// Where a map or a match stands, on a line.
fn summary(state: &Value) -> String {
    let text = |at: &str| state.pointer(at).and_then(Value::as_str).unwrap_or_default();
    let number = |at: &str| state.pointer(at).and_then(Value::as_u64);
    let team = |index: usize| {
        let name = text(&format!("/teams/{index}/name"));
        let name = if name.is_empty() { format!("team {index}") } else { name.to_owned() };
        let score =
            number(&format!("/teams/{index}/score")).or_else(|| number(&format!("/score/{index}")));
        score.map_or_else(|| name.clone(), |score| format!("{name} {score}"))
    };
    let mut line = format!("now {}: {}, {}", text("/status"), team(0), team(1));
    if let Some(winner) = number("/winner") {
        line += &format!("; team {winner} wins");
    }
    let ruling = text("/ruling/kind");
    if !ruling.is_empty() {
        line += &format!("; {ruling}");
    }
    if state.pointer("/ruling/confirmed") == Some(&Value::Bool(true)) {
        line += "; confirmed";
    }
    let anomalies = number("/anomaly_count").unwrap_or_default();
    if anomalies > 0 {
        line += &format!("; {anomalies} anomalies");
    }
    line
}
