//! Admission: the check of an event from outside, with every person in it exchanged.

use matchwire_domain::{
    envelope::{Attributes, Event},
    vocabulary,
};

use crate::{
    app::App,
    problem::{Code, Problem},
};

/// Why one event of a request is not taken.
pub(super) struct Rejected {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

/// The longest detail that is told, in characters: errors may quote what was sent.
const MAX_DETAIL: usize = 400;

/// Checks one event. A problem is one of the whole request: the exchange fails.
pub(super) fn admit(app: &App, json: &[u8]) -> Result<Result<Event, Rejected>, Problem> {
    let Ok(text) = std::str::from_utf8(json) else {
        return Ok(Err(rejected("envelope", "the event must be UTF-8")));
    };
    let mut failed = None;
    let mut exchange = |person: &str| {
        // A person without a colon is named by a player id already.
        if !person.contains(':') {
            return person.to_owned();
        }
        app.exchange.id_for(person).unwrap_or_else(|error| {
            failed = Some(error);
            String::new()
        })
    };
    let event = Attributes::parse(text)
        .map_err(vocabulary::Error::from)
        .and_then(|attributes| vocabulary::admit(&attributes, &mut exchange));
    if let Some(error) = failed {
        tracing::error!(%error, "an account could not be exchanged");
        return Err(Problem::new(Code::Busy, "accounts cannot be exchanged now; try again later"));
    }
    Ok(event.map_err(|error| rejected(error.code(), &error.to_string())))
}

fn rejected(code: &'static str, detail: &str) -> Rejected {
    Rejected { code, detail: detail.chars().take(MAX_DETAIL).collect() }
}
