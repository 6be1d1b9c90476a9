//! How much depends on an event, if not all of them can be taken.

/// What an event is worth where a server cannot take all that it is offered. The order is that in
/// which events are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Frequent, and made good by the next one of its kind, or not looked into at all: the first to
    /// be sampled and refused.
    Low,
    /// Everything else, and whatever is not known.
    Normal,
    /// What a state is wrong without until somebody corrects it: kills, goals, the score, starts and
    /// ends, corrections. Refused only where nothing at all can be taken.
    Critical,
}

impl Priority {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::Critical];

    /// Its name, as a label of metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::Critical => "critical",
        }
    }
}
