//! Defects on purpose: the simulator of `matchwire-sim` must find each of them.
//!
//! Without the feature `faults` there is none, and what asks for one costs nothing. With it, a
//! thread can have one for a while; the simulator runs a whole log on one thread.

/// A defect that a log can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// A group is not synced before it counts as durable.
    SkipSync,
    /// Senders have their answers before the group is written.
    AnswerBeforeSync,
    /// A checksum that is wrong is taken for right.
    IgnoreChecksum,
    /// Recovery cuts off whatever follows a damaged group.
    CutMore,
    /// Recovery serves what it found without syncing it.
    ServeUnsyncedTail,
    /// The second append to a stream in a group gets the numbers of the first.
    ReuseSeq,
    /// An event whose fingerprint is known counts as a duplicate.
    TrustFingerprint,
}

impl Defect {
    /// Every defect.
    pub const ALL: [Self; 7] = [
        Self::SkipSync,
        Self::AnswerBeforeSync,
        Self::IgnoreChecksum,
        Self::CutMore,
        Self::ServeUnsyncedTail,
        Self::ReuseSeq,
        Self::TrustFingerprint,
    ];

    /// Whether this thread has the defect now.
    #[cfg(feature = "faults")]
    pub fn is_on(self) -> bool {
        ON.get() == Some(self)
    }

    /// Whether this thread has the defect now: never, in what is shipped.
    #[cfg(not(feature = "faults"))]
    #[inline]
    pub const fn is_on(self) -> bool {
        false
    }

    /// Does something with a defect, or without any.
    #[cfg(feature = "faults")]
    pub fn during<T>(defect: Option<Self>, action: impl FnOnce() -> T) -> T {
        struct Restore(Option<Defect>);
        impl Drop for Restore {
            fn drop(&mut self) {
                ON.set(self.0);
            }
        }
        let _restore = Restore(ON.replace(defect));
        action()
    }
}

#[cfg(feature = "faults")]
thread_local! {
    static ON: std::cell::Cell<Option<Defect>> = const { std::cell::Cell::new(None) };
}
