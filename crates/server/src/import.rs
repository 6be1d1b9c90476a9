//! `matchwire players import`: the history of a club goes into a server, and can be taken back as a whole.
//!
//! ```text
//! files ─► History ─► preview (--dry-run)
//!             └─────► guard ─► batches, slower while the server is slow
//! ```
//!
//! Everything is read before anything is sent, so that what is wrong with a file is told first, and the name of the
//! import can be made of what it tells. How far an import is, the log itself knows; nothing is kept here.

mod batches;
mod foreign;
mod guard;
mod pace;
mod preview;
mod progress;
mod read;
mod revoke;

use anyhow::{Context as _, bail};
use matchwire_client::{Client, Error};
use matchwire_domain::import;
use serde_json::{Value, json};

pub(crate) use self::guard::Hours;
use self::{batches::Total, read::History};
use crate::{
    ask::{asked, is_somebody_there},
    cli::{Import, ImportArgs, ImportCommand},
    terminal::{print, text},
};

/// Runs the command.
pub(crate) async fn run(args: &ImportArgs) -> anyhow::Result<()> {
    match &args.command {
        None => bring_in(&args.import).await,
        Some(ImportCommand::List(server)) => revoke::list(server).await,
        Some(ImportCommand::Revoke(args)) => revoke::run(args).await,
    }
}

async fn bring_in(args: &Import) -> anyhow::Result<()> {
    let history = History::read(args)?;
    let name = args.name.clone().unwrap_or_else(|| history.default_name());
    import::subject(&name).context("--name")?;
    if args.dry_run {
        return preview::tell(args, &name, &history);
    }
    if !args.json {
        eprint!("{}", history.summary(&name));
    }
    if history.events.is_empty() {
        bail!("there is nothing to import");
    }
    let client = Client::new(&args.server)?;
    let known = standing(&client, &name).await?;
    match known.as_ref().map(|import| text(import, "status")).as_deref() {
        Some("finished") if is_same(known.as_ref(), &history) => {
            return told(args, &name, "was imported already", &Total::default());
        }
        Some("revoking" | "revoked") => bail!(
            "the import {name} is revoked, and its name is not used again; to import the same again, give it \
             another one with --name"
        ),
        _ => {}
    }
    guard::check(args, &client).await?;
    let question = format!("Import it as {name} into {}?", args.server);
    if !is_wanted(args.yes, &question)? {
        bail!("nothing was imported");
    }
    let total = batches::send(args, &client, &name, &history).await?;
    told(args, &name, "is imported", &total)?;
    if total.rejected > 0 {
        bail!("{} refused", counted(total.rejected, "event was", "events were"));
    }
    Ok(())
}

fn is_same(known: Option<&Value>, history: &History) -> bool {
    known.is_some_and(|import| text(import, "content") == history.content)
}

/// Whether the operator wants it, by their word or by the flag.
fn is_wanted(yes: bool, question: &str) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    if !is_somebody_there() {
        bail!("{question} There is nobody to ask; say --yes");
    }
    Ok(asked(question)?)
}

/// How an import stands, if there is one of that name.
async fn standing(client: &Client, name: &str) -> anyhow::Result<Option<Value>> {
    match client.get(&format!("/imports/{name}")).await {
        Ok(import) => Ok(Some(import)),
        Err(Error::Refused { status: 404, code, .. }) if code == "not_found" => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Says what it came to.
fn told(args: &Import, name: &str, what: &str, total: &Total) -> anyhow::Result<()> {
    let Total { appended, duplicate, skipped, rejected } = total;
    if args.json {
        let told = json!({
            "import": name, "appended": appended, "duplicate": duplicate, "skipped": skipped,
            "rejected": rejected,
        });
        return Ok(print(&format!("{told}\n"))?);
    }
    let new = counted(*appended, "event is new", "events are new");
    let mut line = format!("{name} {what}: {new}");
    if duplicate + skipped > 0 {
        line.push_str(&format!(", {} were there before", grouped(duplicate + skipped)));
    }
    if what == "was imported already" {
        line = format!("{name} {what}; nothing was sent");
    }
    Ok(print(&format!("{line}\n"))?)
}

/// A number as people read it, `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its word: `1 match`, `2 matches`.
fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        let check = |number, text: &str| assert_eq!(grouped(number), text);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
        assert_eq!(counted(1, "match", "matches"), "1 match");
        assert_eq!(counted(2_000, "match", "matches"), "2,000 matches");
    }
}
