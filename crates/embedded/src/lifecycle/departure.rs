//! Files whose events leave for the archive, and objects that no file names any more.
//!
//! The object is written first and read back whole through the file that is to stand here; then that
//! file takes the old one's place. A crash at any step leaves the one or the other, and perhaps an
//! object too many, which is removed when the log is open again.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_log::Error;

use crate::{
    archive::{About, Row},
    history::Part,
    retention::later,
    sealed::{Emptied, Groups, Kind, Leaves, Opening, Range, Sealed, Streams},
    segments::Shared,
};

impl Shared {
    /// Whether a file is old enough to leave, and has something that can.
    pub(super) fn may_depart(&self, file: &Sealed, now: Timestamp) -> bool {
        let Some(after) = self.aging.lifecycle.archive_after else { return false };
        let stats = file.stats();
        self.aging.lifecycle.archive.is_some()
            && stats.away == 0
            && stats.events > 0
            && now >= later(stats.last_recorded, after)
    }

    /// Moves the events of a file to the archive.
    pub(super) fn depart(&self, file: &Arc<Sealed>) -> Result<(), Error> {
        let Some(archive) = &self.aging.lifecycle.archive else { return Ok(()) };
        let Range { first, last } = file.range();
        let about = About {
            name: format!(
                "{}{first:020}-{last:020}-{}.parquet",
                self.folder(),
                file.stats().events
            ),
            log_id: self.log_name.clone(),
            positions: (first, last),
        };
        let mut departing = Departing::new(file.walk()?);
        // Until a file names it, nobody does.
        self.note_left();
        let object = archive.write(&about, &mut || {
            if self.keeping.stop.load(Ordering::SeqCst) {
                return Err(Error::Stopped);
            }
            departing.next_group()
        })?;
        let leaves = Leaves::All(Groups::default());
        let emptied = Emptied::new(Box::new(file.walk()?), leaves, file.range());
        let (bytes, name) = (object.bytes, object.name.clone());
        if let Some(sealed) = self.rewrite(file, Some(object), Box::new(emptied))? {
            let events = sealed.stats().away;
            tracing::info!(file = file.name(), object = name, events, bytes, "archived");
        }
        Ok(())
    }

    /// Where this history of the log keeps its objects. Another one, of a copy that was restored, has
    /// a folder of its own, so that neither removes what the other needs.
    fn folder(&self) -> String {
        format!("{}/{}/", self.log_name, self.lineage_name)
    }

    /// Removes objects that no file names: a file was trimmed since, or could not be archived.
    pub(super) fn sweep(&self) -> Result<(), Error> {
        let Some(archive) = &self.aging.lifecycle.archive else { return Ok(()) };
        let parts = self.state.read().parts.clone();
        let named: BTreeSet<&str> = parts
            .iter()
            .filter_map(|part| match part {
                Part::Sealed(file) => Some(file.object()?.name.as_str()),
                _ => None,
            })
            .collect();
        for name in archive.list(&self.folder())? {
            if !named.contains(name.as_str()) && !self.aging.claimed.lock().contains(&name) {
                tracing::info!(object = name, "removing an object that no file of the log names");
                archive.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// The events of a file as rows of an object.
struct Departing<S> {
    streams: S,
    groups: Groups,
    subject: Arc<str>,
    chain: Option<Digest>,
    is_anchored: bool,
    /// The row that begins the next group.
    ahead: Option<Row>,
    is_open: bool,
}

impl<S: Streams> Departing<S> {
    fn new(streams: S) -> Self {
        Self {
            streams,
            groups: Groups::default(),
            subject: "".into(),
            chain: None,
            is_anchored: false,
            ahead: None,
            is_open: false,
        }
    }

    /// The rows of the next group; nothing behind the last one.
    fn next_group(&mut self) -> Result<Option<Vec<Row>>, Error> {
        let mut rows: Vec<Row> = self.ahead.take().into_iter().collect();
        while let Some(row) = self.next_event()? {
            let is_first = self.groups.next(row.stored.len()).row == 0;
            if is_first && !rows.is_empty() {
                self.ahead = Some(row);
                break;
            }
            // Within a group the last row of a stream tells the chain.
            if let Some(last) = rows.last_mut().filter(|last| last.subject == row.subject) {
                last.chain = None;
            }
            rows.push(row);
        }
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// The next event of any stream, with its chain.
    fn next_event(&mut self) -> Result<Option<Row>, Error> {
        loop {
            if !self.is_open {
                let Some(opening) = self.streams.next_stream()? else { return Ok(None) };
                let Opening { subject, before, is_anchored, .. } = opening;
                (self.subject, self.chain) = ((&*subject).into(), Some(before));
                (self.is_anchored, self.is_open) = (is_anchored, true);
            }
            let Some(row) = self.streams.next_row()? else {
                self.is_open = false;
                continue;
            };
            let is_anchor = std::mem::take(&mut self.is_anchored);
            if !matches!(row.kind, Kind::Event | Kind::Last) {
                self.chain = row.chain;
                continue;
            }
            let leaf = Digest::leaf(row.stored);
            let next = |chain: Digest| {
                if is_anchor { chain } else { chain.next(row.seq, row.recorded, leaf) }
            };
            self.chain = row.chain.or(self.chain.map(next));
            return Ok(Some(Row {
                subject: self.subject.clone(),
                seq: row.seq,
                position: row.position,
                recorded: row.recorded,
                fingerprint: row.fingerprint,
                chain: self.chain,
                stored: row.stored.to_vec(),
            }));
        }
    }
}
