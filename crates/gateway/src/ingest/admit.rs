//! Admission: the check of an event from outside, with every person in it exchanged and every name sealed.

use matchwire_domain::{
    envelope::{Attributes, Event, MAX_SAMPLED_RATE},
    live_match::Priority,
    vocabulary,
};

use matchwire_log::Refused;

use crate::{
    admission::refusal,
    app::{App, EventName},
    problem::{Code, Problem},
};

/// Why one event of a request is not taken.
#[derive(Clone)]
pub(crate) struct Rejected {
    pub(super) code: &'static str,
    pub(super) detail: String,
}

impl Rejected {
    /// Whether it was refused for a limit, and is worth while sending again.
    pub(super) fn is_limit(&self) -> bool {
        [Code::Overloaded, Code::RateLimited].iter().any(|code| code.as_str() == self.code)
    }
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

/// Checks one event, which stands for so many, and says what it is worth. The ids in it are durable
/// only once the exchange is synced.
pub(super) fn admit(app: &App, json: &[u8], rate: u32) -> Result<(Event, Priority), Rejected> {
    let (event, priority) = admit_any(app, json, rate)?;
    if let Some(import) = app.imports.owner(&event.source) {
        let detail = format!("source {:?} is that of the import {import} alone", &*event.source);
        return Err(rejected("source", &detail));
    }
    Ok((event, priority))
}

/// Checks one event of an import, as that of anybody.
pub(super) fn admit_history(app: &App, json: &[u8]) -> Result<Event, Rejected> {
    admit_any(app, json, 1).map(|(event, _)| event)
}

fn admit_any(app: &App, json: &[u8], rate: u32) -> Result<(Event, Priority), Rejected> {
    let Ok(text) = std::str::from_utf8(json) else {
        return Err(rejected("envelope", "the event must be UTF-8"));
    };
    let mut exchange = |person: &str| {
        // A person without a colon is named by a player id already.
        if person.contains(':') { app.exchange.id_for(person) } else { person.to_owned() }
    };
    let mut checked = || {
        let mut attributes = Attributes::parse(text)?;
        if rate > 1 {
            let before = attributes.sampledrate.unwrap_or(1);
            attributes.sampledrate = Some(before.saturating_mul(rate).min(MAX_SAMPLED_RATE));
        }
        let Attributes { subject, source, id, .. } = &attributes;
        let event = EventName { subject, source, id };
        let seal = |player: &str, name: &_| app.exchange.seal(event, player, name);
        let event = vocabulary::admit(app.live.games(), &attributes, &mut exchange, &seal)?;
        Ok((event, app.admission.priority(&attributes.kind)))
    };
    checked().map_err(|error: vocabulary::Error| rejected(error.code(), &error.to_string()))
}

/// The refusal of an event that was not looked into.
pub(super) fn refused(code: Code) -> Rejected {
    rejected(code.as_str(), refusal(code))
}

/// Makes the ids durable that admitted events carry.
pub(crate) fn sync(app: &App) -> Result<(), Problem> {
    app.exchange.sync().map_err(|error| {
        tracing::error!(%error, "accounts could not be exchanged");
        Problem::new(Code::Busy, "accounts cannot be exchanged now; try again later")
    })
}

fn rejected(code: &'static str, detail: &str) -> Rejected {
    Rejected { code, detail: detail.chars().take(MAX_DETAIL).collect() }
}
