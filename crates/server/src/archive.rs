//! The archive that a command is told of.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Args;
use matchwire_archive::Parquet;
use matchwire_embedded::archive::Archive;

/// Where the archive is.
#[derive(Debug, Default, Args)]
pub(crate) struct Place {
    /// Where events are that have left the log's own disk: a directory, or s3://BUCKET/PREFIX, with
    /// the keys in AWS_* variables
    #[arg(long = "archive", env = "MATCHWIRE_ARCHIVE", value_name = "PLACE")]
    place: Option<String>,
}

impl Place {
    /// Opens it, if there is one, and asks it for its objects, so that what stands against it is told
    /// at once. Blocks.
    pub(crate) fn open(&self) -> anyhow::Result<Option<Arc<dyn Archive>>> {
        let Some(place) = &self.place else { return Ok(None) };
        let opened =
            Parquet::open(place).with_context(|| format!("cannot use the archive {place}"))?;
        Ok(Some(Arc::new(opened)))
    }

    /// Its name.
    pub(crate) fn name(&self) -> Option<&str> {
        self.place.as_deref()
    }
}

/// Reads how old something must be, `90d`.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let age = humantime::parse_duration(text).ok().filter(|age| *age >= Duration::from_mins(1));
    age.ok_or_else(|| "must be at least 1m, like 90d or 12h".into())
}
