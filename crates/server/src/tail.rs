//! `matchwire tail`: a stream's events, as they come, each with its hashes computed again.

use std::io::Write as _;

use anyhow::Context as _;
use matchwire_client::{Chains, Checked, Client, Delivered, Follow, Told};
use matchwire_domain::subject::Subject;
use serde_json::Value;

use crate::cli::Tail;

/// Runs the command; ends only with an error, or when nobody reads any more.
pub(crate) async fn run(args: &Tail) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    let mut follow = client.follow(&args.subject, &args.after);
    let mut proof = Proof { client, chains: Chains::default(), is_whole: args.after == "0" };
    let mut reached = false;
    loop {
        match follow.next().await {
            Ok(Told::Event(event)) => {
                reached = true;
                if !args.no_verify {
                    proof.check(&event, &mut follow).await?;
                }
                if print(&event, args).is_err() {
                    return Ok(());
                }
            }
            Ok(Told::Reset(reason)) => {
                eprintln!("what was shown is void: {reason}");
                proof.chains.clear();
                proof.is_whole = false;
            }
            Ok(Told::Lost(what)) => eprintln!("{what}"),
            Ok(Told::State) => {}
            Err(error) if reached && error.is_retryable() => {
                eprintln!("{error}; connecting again");
                follow.pause().await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What the events are checked against.
struct Proof {
    client: Client,
    chains: Chains,
    /// Streams are told from their first event on.
    is_whole: bool,
}

impl Proof {
    async fn check(&mut self, event: &Delivered, follow: &mut Follow) -> anyhow::Result<()> {
        let Delivered { subject, seq, .. } = event;
        if !self.chains.knows(subject) {
            self.begin(event, follow).await?;
        }
        match self.chains.check(event)? {
            Checked::Gap(first) if first < *seq => {
                eprintln!("{subject}: seq {first} to {} are missing", seq - 1);
            }
            Checked::Right | Checked::Gap(_) => {}
        }
        Ok(())
    }

    /// Finds out the chain before the first event of a stream that is seen: from the log's id, or as
    /// the server tells it.
    async fn begin(&mut self, event: &Delivered, follow: &mut Follow) -> anyhow::Result<()> {
        let Delivered { subject, seq, .. } = event;
        let needs_id = "the server does not tell the id of its log, so that nothing can be checked; \
                        --no-verify does without";
        if self.is_whole || *seq == 1 {
            self.chains.begin(&Subject::parse(subject)?, follow.log_id().context(needs_id)?);
            return Ok(());
        }
        let path = format!("/proof?subject={subject}&seq={seq}");
        let proof = loop {
            match self.client.get(&path).await {
                Ok(proof) => break proof,
                Err(error) if error.is_retryable() => {
                    eprintln!("{error}; asking again");
                    follow.pause().await;
                }
                Err(error) => {
                    return Err(error).context(
                        "the server does not tell where the chain goes on, so that it cannot be \
                         checked; --no-verify does without",
                    );
                }
            }
        };
        let chain = proof.pointer("/before/chain").and_then(Value::as_str);
        // Where the event before is lost, the check begins with this one.
        if let Some(chain) = chain.and_then(matchwire_client::digest) {
            self.chains.set(subject, seq - 1, chain);
        }
        Ok(())
    }
}

fn print(event: &Delivered, args: &Tail) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    // Between tokens, where alone it may stand, a line break is a space.
    let text = event.text.replace(['\r', '\n'], " ");
    if args.json {
        return writeln!(out, "{text}");
    }
    let event: Value = serde_json::from_str(&text)?;
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
