//! Admission: the check of an event from outside, with every person in it exchanged.

use matchwire_domain::{
    envelope::{Attributes, Event},
    vocabulary,
};

use matchwire_log::Refused;

use crate::{
    app::App,
    problem::{Code, Problem},
};

/// Why one event of a request is not taken.
#[derive(Clone)]
pub(crate) struct Rejected {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

impl From<Refused> for Rejected {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::Conflict { .. } => "conflict",
            Refused::Sealed { .. } | Refused::NotLast => "sealed",
        };
        rejected(code, &refused.to_string())
    }
}

impl From<Problem> for Rejected {
    fn from(problem: Problem) -> Self {
        rejected(problem.code.as_str(), &problem.detail)
    }
}

/// The longest detail that is told, in characters: errors may quote what was sent.
const MAX_DETAIL: usize = 400;

/// Checks one event. The ids in it are durable only once the exchange is synced.
pub(super) fn admit(app: &App, json: &[u8]) -> Result<Event, Rejected> {
    let Ok(text) = std::str::from_utf8(json) else {
        return Err(rejected("envelope", "the event must be UTF-8"));
    };
    let mut exchange = |person: &str| {
        // A person without a colon is named by a player id already.
        if person.contains(':') { app.exchange.id_for(person) } else { person.to_owned() }
    };
    Attributes::parse(text)
        .map_err(vocabulary::Error::from)
        .and_then(|attributes| vocabulary::admit(app.live.games(), &attributes, &mut exchange))
        .map_err(|error| rejected(error.code(), &error.to_string()))
}

/// Makes the ids durable that admitted events carry.
pub(super) fn sync(app: &App) -> Result<(), Problem> {
    app.exchange.sync().map_err(|error| {
        tracing::error!(%error, "accounts could not be exchanged");
        Problem::new(Code::Busy, "accounts cannot be exchanged now; try again later")
    })
}

fn rejected(code: &'static str, detail: &str) -> Rejected {
    Rejected { code, detail: detail.chars().take(MAX_DETAIL).collect() }
}
