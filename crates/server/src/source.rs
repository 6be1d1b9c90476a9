//! Other systems' formats: which there are, and what they ask of those who post.

mod intake;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::bail;
use intake::Intake;
use matchwire_domain::{secret::Secret, subject};
use matchwire_gateway::{Followup, Sources};
use matchwire_log::Log;
use matchwire_sources::{Source, cs_log::CsLog, gsi::Gsi, matchzy::MatchZy, statsbomb::StatsBomb};

use crate::vault::OpenVault;

/// The names of all sources.
pub(crate) const NAMES: [&str; 4] = [CsLog::NAME, Gsi::NAME, MatchZy::NAME, StatsBomb::NAME];

/// Every source, by its name in a path.
pub(crate) fn table(
    log: &Log,
    vault: &OpenVault,
    followup: &Followup,
    gsi_token: Option<&str>,
) -> Sources {
    let mut sources = Sources::new();
    add(&mut sources, CsLog, log, vault, followup);
    add(&mut sources, StatsBomb, log, vault, followup);
    let gsi = Gsi::default();
    let gsi = match gsi_token {
        Some(token) => gsi.with_token(Secret::new(token)),
        None => gsi,
    };
    add(&mut sources, gsi, log, vault, followup);
    add(&mut sources, MatchZy, log, vault, followup);
    sources
}

fn add<S: Source>(
    sources: &mut Sources,
    source: S,
    log: &Log,
    vault: &OpenVault,
    followup: &Followup,
) {
    let intake = Intake::new(source, log.clone(), vault.clone(), followup.clone());
    sources.insert(S::NAME, Arc::new(intake));
}

/// Reads `SOURCE=TOKEN`; an error does not tell the token.
pub(crate) fn tokens(
    texts: &[String],
    sources: &Sources,
) -> anyhow::Result<BTreeMap<String, Secret>> {
    let mut tokens = BTreeMap::new();
    for text in texts {
        let Some((source, token)) = text.split_once('=') else {
            bail!("--ingest-token must be SOURCE=TOKEN, as in cs-log=TOKEN");
        };
        if !sources.contains_key(source) {
            let known: Vec<&str> = sources.keys().copied().collect();
            bail!("--ingest-token names the source {source:?}; known are {}", known.join(", "));
        }
        if token.is_empty() || subject::check_segment(&format!("~{token}")).is_err() {
            bail!(
                "--ingest-token of {source} must be 1 to 63 of the characters A-Z a-z 0-9 . _ ~ -, \
                 since it stands in a path"
            );
        }
        tokens.insert(source.to_owned(), Secret::new(token));
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use matchwire_gateway::Ranking;
    use matchwire_log::{Memory, Options, SystemClock};

    use super::*;

    #[test]
    fn ingest_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let vault = OpenVault::open(folder.path()).unwrap();
        let clock = Arc::new(SystemClock);
        let log = Log::open_with(Box::new(Memory::new()), clock, Options::default()).unwrap();
        let sources = table(&log, &vault, &Followup::new(Ranking::default()), None);
        let read = |text: &str| tokens(&[text.to_owned()], &sources);
        assert!(read("cs-log=s3cret").unwrap()["cs-log"].is("s3cret"));
        for bad in ["s3cret", "telex=s3cret", "cs-log=", "cs-log=s3cret/s3cret", "cs-log=s3cret?"] {
            let error = read(bad).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
