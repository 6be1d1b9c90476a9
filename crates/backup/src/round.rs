//! One round of a back-up: what is new in the log is copied.
//!
//! Of the segment that is written only what is new is copied. Since that would make an object of
//! every round, pieces before it that are together no larger than what is new are copied once more,
//! with it, as one object: so a segment has at most some 20 pieces, and no byte is copied more often
//! than that.

use std::time::{Duration, Instant};

use matchwire_domain::timestamp::Timestamp;
use matchwire_embedded::copy::Extent;

use crate::{Backup, Day, Error, Manifest, backup::FOLDER, error::blocking, manifest::Entry};

/// After so long, or so many bytes, what was copied is written down also within a round.
const CHECKPOINT: Duration = Duration::from_secs(2);
const CHECKPOINT_BYTES: u64 = 1 << 30;

/// How far a back-up is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    /// Everything that was durable then is in the back-up; when it was opened, until a first round
    /// has ended.
    pub as_of: Instant,
    /// The position after the last group that the back-up has.
    pub next: u64,
    /// The latest recordedtime that it has; 1970 if it has no events.
    pub recorded: Timestamp,
    /// Bytes of the log that this round copied.
    pub copied_bytes: u64,
    /// Objects of the log in the back-up.
    pub objects: usize,
    /// Bytes of all of them.
    pub bytes: u64,
    /// The day of the key that the vault is sealed with; nothing before there is a vault.
    pub key_day: Option<Day>,
    /// How many erasures the ledger of the safe has.
    pub erasures: usize,
}

impl Backup {
    /// Copies everything that is durable now, and is not in the back-up yet. `told` hears of every
    /// step that is written down on the way.
    ///
    /// After an error the back-up is what it was at the last such step, and the next round goes on
    /// there.
    pub async fn round(&mut self, told: &mut (dyn FnMut(&Round) + Send)) -> Result<Round, Error> {
        self.look().await?;
        let mut manifest = self.manifest.clone();
        let mut garbage = Vec::new();
        let (mut copied_bytes, mut since) = (0, (Instant::now(), 0_u64));
        if let Some(tidied) = self.tidied().await {
            garbage.extend(manifest.replace(tidied));
        }
        let as_of = loop {
            let looked = Instant::now();
            let reached = manifest.reached();
            let source = self.source.clone();
            let Some(extent) = blocking(move || source.next(&reached)).await?? else {
                break looked;
            };
            let is_end = extent.span.is_end;
            let entry = self.copy(&manifest, extent).await?;
            copied_bytes += entry.span.bytes();
            since.1 += entry.span.bytes();
            garbage.extend(manifest.push(entry));
            // What comes behind the open segment's last group now is for the next round.
            if !is_end {
                break looked;
            }
            if since.0.elapsed() > CHECKPOINT || since.1 > CHECKPOINT_BYTES {
                self.write_down(&manifest, &mut garbage).await?;
                since = (Instant::now(), 0);
                told(&Round { copied_bytes, ..self.standing() });
            }
        };
        self.write_down(&manifest, &mut garbage).await?;
        self.as_of = as_of;
        Ok(Round { copied_bytes, ..self.standing() })
    }

    fn standing(&self) -> Round {
        let Manifest { next, recorded, files, .. } = &self.manifest;
        let (objects, bytes) = (files.len(), self.manifest.bytes());
        let as_of = self.as_of;
        let (key_day, erasures) = (self.vault.key_day(), self.vault.erasures());
        let (next, recorded, copied_bytes) = (*next, *recorded, 0);
        Round { as_of, next, recorded, copied_bytes, objects, bytes, key_day, erasures }
    }

    async fn write_down(
        &mut self,
        manifest: &Manifest,
        garbage: &mut Vec<String>,
    ) -> Result<(), Error> {
        let is_new = *manifest != self.manifest || self.version.is_none();
        if is_new || self.vault.has_changed() || !self.garbage.is_empty() {
            self.publish(manifest.clone(), std::mem::take(garbage)).await?;
        }
        Ok(())
    }

    /// Copies an extent, with the small pieces before it.
    async fn copy(&mut self, manifest: &Manifest, extent: Extent) -> Result<Entry, Error> {
        let Extent { file_name, file, mut span } = extent;
        let before = manifest.files.iter().rev().take_while(|old| old.file == file_name);
        for old in before {
            if old.span.to != span.from || old.span.bytes() > span.bytes() {
                break;
            }
            (span.from, span.first) = (old.span.from, old.span.first);
        }
        let object = match (span.from, span.is_end) {
            (0, true) => file_name.clone(),
            _ => format!("{file_name}.{:012}-{:012}", span.from, span.to),
        };
        self.keep(&object);
        let name = format!("{FOLDER}/{object}");
        let stored = self.store.upload(&name, file, span.from, span.to).await?;
        Ok(Entry { object, file: file_name, span, sha256: stored.sha256 })
    }
}
