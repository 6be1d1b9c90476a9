//! Puts sealed files in the place of what was copied before they were made.
//!
//! A segment is copied while it is written. Once it is sealed, or sealed files are merged, the new
//! file has the same events in a quarter of the space, or in fewer objects. It is checked as a whole
//! before it takes the place of what is known to be good. The same is done with a file that retention
//! or the archive has written again: a back-up does not hold for ever what the log has let go. Nothing is at risk meanwhile; so this goes
//! on beside the rounds, one file at a time.

use std::io;

use matchwire_embedded::copy::Extent;
use matchwire_log::Error as Log;
use tokio::task::JoinHandle;

use crate::{Backup, Error, backup::FOLDER, error::blocking, manifest::Entry};

/// A file that is on its way.
pub(crate) struct Tidying {
    file_name: String,
    task: JoinHandle<Result<Entry, Error>>,
}

impl Backup {
    /// Begins to copy the next sealed file that is better than what the back-up has, if there is
    /// one and none is on its way; says whether one is on its way. The next round takes it in.
    pub async fn begin_tidying(&mut self) -> Result<bool, Error> {
        if self.tidying.is_some() {
            return Ok(true);
        }
        let (source, copied) = (self.source.clone(), self.manifest.copied());
        let better = blocking(move || source.better(&copied)).await??;
        let is_good = |extent: &Extent| !self.damaged.contains(&extent.file_name);
        let Some(extent) = better.into_iter().find(is_good) else { return Ok(false) };
        let file_name = extent.file_name.clone();
        let object = self.object(&extent);
        self.keep(&object);
        let (source, store) = (self.source.clone(), self.store.clone());
        let task = tokio::spawn(async move {
            let checked = extent.clone();
            blocking(move || source.check(&checked)).await??;
            let span = extent.span;
            let name = format!("{FOLDER}/{object}");
            let stored = store.upload(&name, extent.file, span.from, span.to).await?;
            Ok(Entry { object, file: extent.file_name, span, sha256: stored.sha256 })
        });
        self.tidying = Some(Tidying { file_name, task });
        Ok(true)
    }

    /// What the object of a sealed file is called. One that was written again, without what was
    /// trimmed or archived since, has another name than the object that the back-up holds.
    fn object(&self, extent: &Extent) -> String {
        let name = &extent.file_name;
        match extent.span.footer {
            Some(footer) if self.manifest.files.iter().any(|entry| entry.file == *name) => {
                format!("{name}.{footer:08x}")
            }
            _ => name.clone(),
        }
    }

    /// Copies all of them, and waits for it.
    pub async fn tidy(&mut self) -> Result<(), Error> {
        while self.begin_tidying().await? {
            let Some(tidying) = self.tidying.take() else { break };
            let Some(entry) = self.finished(tidying).await? else { continue };
            let mut manifest = self.manifest.clone();
            let gone = manifest.replace(entry);
            self.publish(manifest, gone).await?;
        }
        Ok(())
    }

    /// The file that was on its way, once it is there. One that could not be copied is tried again.
    pub(crate) async fn tidied(&mut self) -> Option<Entry> {
        let tidying = self.tidying.take_if(|tidying| tidying.task.is_finished())?;
        let entry = self.finished(tidying).await;
        let failed = |error: &Error| tracing::warn!(%error, "segments stay in the back-up");
        entry.inspect_err(failed).ok().flatten()
    }

    /// What became of a file; nothing if it was merged into another one before it was copied.
    async fn finished(
        &mut self,
        Tidying { file_name, task }: Tidying,
    ) -> Result<Option<Entry>, Error> {
        let failed = |source| Error::File { what: "a task has failed".into(), source };
        let entry = task.await.map_err(|error| failed(io::Error::other(error)))?;
        match entry {
            Err(Error::Log(Log::Io(error))) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                if matches!(error, Error::Log(Log::Corrupt { .. })) {
                    self.damaged.push(file_name);
                }
                Err(error)
            }
            Ok(entry) => Ok(Some(entry)),
        }
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        if let Some(tidying) = &self.tidying {
            tidying.task.abort();
        }
    }
}
