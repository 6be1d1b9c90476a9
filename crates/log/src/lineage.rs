//! The lineage of a log: which histories it has had, and where each went another way.
//!
//! Whatever could make the same `seq` mean another event renews it: a restore, a promotion, a loss
//! that was accepted. A cursor names the lineage under which it was given, so that a reader who has
//! seen what is no longer part of the log is told so.

use serde::{Deserialize, Serialize};

/// One history of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// Its name: 16 lower-case hexadecimal digits.
    pub id: String,
    /// The position of its first group. What an earlier history had from there on is not part of
    /// the log any more.
    pub position: u64,
}

/// The histories of a log, the current one last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lineage(Vec<Fork>);

impl Lineage {
    /// That of a new log; its first history has the log's id.
    pub fn new(log_id: &str) -> Self {
        Self(vec![Fork { id: log_id.into(), position: 1 }])
    }

    /// The name of the current history.
    pub fn current(&self) -> &str {
        self.0.last().map_or("", |fork| &fork.id)
    }

    /// All histories in the order in which they began.
    pub fn forks(&self) -> &[Fork] {
        &self.0
    }

    /// Begins another history, which shares with those before it only the groups before `position`.
    pub fn renew(&mut self, id: String, position: u64) {
        self.0.push(Fork { id, position });
    }

    /// Up to which position, exclusively, the log still is what it was under a history: `u64::MAX`
    /// for the current one, nothing for an unknown one.
    pub fn shared_until(&self, id: &str) -> Option<u64> {
        let at = self.0.iter().rposition(|fork| fork.id == id)?;
        Some(self.0.iter().skip(at + 1).map(|fork| fork.position).min().unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_history_is_shared_until_the_earliest_later_fork() {
        let mut lineage = Lineage::new("a");
        assert_eq!((lineage.current(), lineage.shared_until("a")), ("a", Some(u64::MAX)));
        lineage.renew("b".into(), 100);
        lineage.renew("c".into(), 50);
        lineage.renew("d".into(), 80);
        assert_eq!(lineage.current(), "d");
        let until = ["a", "b", "c", "d", "e"].map(|id| lineage.shared_until(id));
        assert_eq!(until, [Some(50), Some(50), Some(80), Some(u64::MAX), None]);
    }
}
