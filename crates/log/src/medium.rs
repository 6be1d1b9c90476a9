//! The seam under the log: a durable, ordered list of groups of records.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject, timestamp::Timestamp};

use crate::{Error, Lineage};

/// Where a log keeps its records.
///
/// ```text
///   position 1      2            3        4 = tail().position
///            ┌──────┬────────────┬────────┐
///            │ a1 b1│ a2 a3 c1 b2│ a4     │ ← append(4, [b3 …])
///            └──────┴────────────┴────────┘
///            groups of records; `a3` is the record of stream a with seq 3
/// ```
///
/// # The contract
///
/// **Order.** A medium is a list of groups, and a group a list of records. Groups are appended one
/// at a time at the end, each at the position that [`tail`](Self::tail) or the append before it
/// gave; an append at any other position changes nothing and is [`Error::Stopped`], for somebody
/// else has written. Within a stream `seq` is 1, 2, 3, …; the sequencer sees to that, and a medium
/// may rely on it. A medium never looks into a record.
///
/// **Durability.** When [`append`](Self::append) returns `Ok`, the group is stored as
/// [`durability`](Self::durability) says, and every later read sees it, also after a crash and in
/// another process. A group is stored as a whole or not at all.
///
/// **Failure.** [`Error::Full`] says that nothing of the group is stored and that the same position
/// may be appended to again, with any records; should the process die before that, the group may be
/// found whole when the medium is opened again. After every other error nobody knows whether the
/// group is stored: the sequencer stops for good, and a medium refuses later appends. A medium that
/// can find out asks again by itself, with the same bytes at the same position, before it returns.
/// A read that meets damage says [`Error::Corrupt`] with the place, and never leaves a record out.
///
/// **Back-pressure.** `append` blocks until it is done. There is one call at a time; the queue
/// before it is the sequencer's.
///
/// **Reading.** Every other method may be called from any thread at any time, also during an
/// append, and blocks for disk reads at most. What it finds is a prefix of each stream.
pub trait Medium: Send + Sync + 'static {
    /// Whose medium it is; the same for as long as it is open.
    fn identity(&self) -> &Identity;

    /// Where the next group goes, and the latest time that a record has.
    fn tail(&self) -> Tail;

    /// The last record of a stream, if it has any. Where damage hides which one that is, it is
    /// [`Error::Corrupt`], and the stream can neither be read to its end nor appended to.
    fn head(&self, subject: &Subject) -> Result<Option<Head>, Error>;

    /// The `seq` that a stream had reached before the group at `position`; 0 if it had no records.
    /// Damage that hides it is [`Error::Corrupt`].
    fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error>;

    /// Subjects that start with `prefix` of streams with records in groups at these positions, in
    /// order, after `after`. None of them is left out, but those of which all that is there is hidden by
    /// damage; there may be others among them, whose records are all elsewhere.
    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error>;

    /// Up to which group whoever has seen all groups up to `position` had best read on, stream by
    /// stream: how far what lies behind it is stored together. At least `position`, which is the
    /// answer at the end, and at most the last group.
    fn stretch(&self, position: u64) -> u64;

    /// Appends a group, which has at least one record, and gives the cost.
    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error>;

    /// Records of a stream with `seq` greater than `after`, in order and without a gap: at least one
    /// if there is one, at most `limit`, and no further one once `limit_bytes` stored bytes are
    /// reached. Before damage it ends early, and the next read is the error; behind a loss that was
    /// accepted, the first record is the first that is there. A read of what retention has removed is
    /// [`Error::Trimmed`], with the stream's floor; one of what is in an archive takes longer, and is
    /// [`Error::Away`] while that cannot be reached.
    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error>;

    /// Where the fingerprints occur in a stream. There may be several records with one fingerprint,
    /// and none is left out that is there, trimmed or archived ones included. It never waits for an
    /// archive.
    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error>;
}

/// One that the log shares with whoever looks after it.
impl<M: Medium + ?Sized> Medium for Arc<M> {
    fn identity(&self) -> &Identity {
        (**self).identity()
    }

    fn tail(&self) -> Tail {
        (**self).tail()
    }

    fn head(&self, subject: &Subject) -> Result<Option<Head>, Error> {
        (**self).head(subject)
    }

    fn seq_before(&self, subject: &Subject, position: u64) -> Result<u64, Error> {
        (**self).seq_before(subject, position)
    }

    fn subjects(
        &self,
        prefix: &str,
        after: Option<&str>,
        positions: RangeInclusive<u64>,
        limit: usize,
    ) -> Result<Vec<Subject>, Error> {
        (**self).subjects(prefix, after, positions, limit)
    }

    fn stretch(&self, position: u64) -> u64 {
        (**self).stretch(position)
    }

    fn append(&self, position: u64, group: &[Record]) -> Result<Written, Error> {
        (**self).append(position, group)
    }

    fn read(
        &self,
        subject: &Subject,
        after: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        (**self).read(subject, after, limit, limit_bytes)
    }

    fn lookup(&self, subject: &Subject, fingerprints: &[u64]) -> Result<Hits, Error> {
        (**self).lookup(subject, fingerprints)
    }
}

/// Whose medium it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The log's id: 16 lower-case hexadecimal digits, drawn at random when the log was made. It is
    /// part of every chain.
    pub id: String,
    /// What an `Ok` of [`Medium::append`] promises.
    pub durability: Durability,
    /// The histories of the log.
    pub lineage: Lineage,
}

/// What an acknowledgement promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It lasts as long as the process.
    Memory,
    /// It is synced to the disk of this machine.
    Disk,
}

impl Durability {
    /// The name on the wire: `memory` or `disk`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}

/// A record on its way to a medium.
#[derive(Debug, Clone)]
pub struct Record {
    /// The stream.
    pub subject: Subject,
    /// What [`Medium::lookup`] finds it by.
    pub fingerprint: u64,
    /// The event with its number, time and chain.
    pub recorded: Recorded,
    /// Whether it seals its stream, so that no other record may follow.
    pub seals: bool,
}

/// The end of a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tail {
    /// The position of the next group, from 1 and one more for each.
    pub position: u64,
    /// The latest `recordedtime`; 1970 if there are no records.
    pub recorded: Timestamp,
}

/// The last record of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its `seq`.
    pub seq: u64,
    /// The stream's chain up to and with it.
    pub chain: Digest,
    /// Whether it has sealed the stream.
    pub is_sealed: bool,
}

/// The last event of a stream that was removed by retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// Its `seq`; the next one is the first that can be read.
    pub seq: u64,
    /// The stream's chain up to and with it, from which the chain goes on.
    pub chain: Digest,
}

/// A record that has a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Which of the fingerprints, by its place among those that were asked for.
    pub index: usize,
    /// The record's `seq`.
    pub seq: u64,
    /// Of a record that is not at hand, since it was trimmed or is in an archive: its
    /// [check](crate::Fingerprints::check), by which its identity is told. Nothing of one that can
    /// be read.
    pub check: Option<u64>,
}

/// Where fingerprints occur in a stream.
#[derive(Debug, Default)]
pub struct Hits {
    /// The records, in any order.
    pub found: Vec<Hit>,
    /// The damage that hides records of the stream, if there is any: they may have them, too. The
    /// stream goes on nevertheless if its head is known.
    pub hidden: Option<Error>,
}

/// What an append cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Bytes that were written, with framing.
    pub bytes: u64,
    /// How long the sync took.
    pub sync: Duration,
}
