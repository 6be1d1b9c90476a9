//! `matchwire tail`: a stream's events, as they come.

use std::io::Write as _;

use matchwire_client::{Client, Told};
use serde_json::Value;

use crate::cli::Tail;

/// Runs the command; ends only with an error, or when nobody reads any more.
pub(crate) async fn run(args: &Tail) -> anyhow::Result<()> {
    let mut follow = Client::new(&args.server)?.follow(&args.subject, &args.after);
    let mut reached = false;
    loop {
        match follow.next().await {
            Ok(Told::Event(frame)) => {
                reached = true;
                if print(&frame, args).is_err() {
                    return Ok(());
                }
            }
            Ok(Told::Reset(reason)) => eprintln!("what was shown is void: {reason}"),
            Err(error) if reached && error.is_retryable() => {
                eprintln!("{error}; connecting again");
                follow.pause().await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn print(frame: &Value, args: &Tail) -> std::io::Result<()> {
    let event = frame.get("event").unwrap_or(&Value::Null);
    let mut out = std::io::stdout().lock();
    if args.json {
        return writeln!(out, "{event}");
    }
    let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
    let seq = event.get("seq").and_then(Value::as_u64).unwrap_or_default();
    let time = if text("time").is_empty() { text("recordedtime") } else { text("time") };
    let data = event.get("data").unwrap_or(&Value::Null);
    let subject = text("subject");
    if subject != args.subject {
        write!(out, "{subject}  ")?;
    }
    writeln!(out, "{seq:>6}  {time}  {:<20} {data}", text("type"))
}
