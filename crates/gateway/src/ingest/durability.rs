//! What a sender asks an acknowledgement to mean, and whether it can be had.

use matchwire_log::Durability;

use crate::{
    app::App,
    problem::{Code, Problem},
    query::wrong,
};

/// What the acknowledgement is to mean; by default, and at most, what the log gives.
pub(super) fn of(app: &App, asked: Option<&str>) -> Result<Durability, Problem> {
    let own = app.log.durability();
    match (asked, own) {
        (None, _) => Ok(own),
        (Some(asked), own) if asked == own.as_str() => Ok(own),
        (Some("memory"), _) if app.memory_acks => Ok(Durability::Memory),
        (Some("memory"), _) => Err(Problem::new(
            Code::MemoryAcks,
            "this server acknowledges only what is on disk; its operator may start it with \
             --allow-memory-acks",
        )),
        (Some("disk"), _) => {
            Err(wrong("durability disk cannot be had: the log of this server is in memory"))
        }
        (Some(other), _) => {
            let other: String = other.chars().take(40).collect();
            Err(wrong(format!("durability {other:?} must be disk or memory")))
        }
    }
}
