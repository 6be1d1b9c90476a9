//! Admission: the check of an event from outside, with every person in it exchanged and every name sealed.

use std::cell::RefCell;

use matchwire_domain::{
    envelope::{Attributes, Event, MAX_SAMPLED_RATE},
    live_match::{PersonName, Priority},
    subject, vocabulary,
};

use matchwire_log::Refused;

use crate::{
    admission::refusal,
    app::{App, EventName, sealed_elsewhere},
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
    let (event, priority) = admit_any(app, json, rate, Origin::Live)?;
    if let Some(import) = app.imports.owner(&event.source) {
        let detail = format!("source {:?} is that of the import {import} alone", &*event.source);
        return Err(rejected("source", &detail));
    }
    Ok((event, priority))
}

/// Checks one event of an import, as that of anybody; but for names and ids that only the log has given from which it was read.
pub(super) fn admit_history(app: &App, json: &[u8]) -> Result<Event, Rejected> {
    admit_any(app, json, 1, Origin::History).map(|(event, _)| event)
}

/// Where an event comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Live,
    /// It may have been in another log before.
    History,
}

impl Origin {
    /// Why an event from there must not name a player so, if it must not.
    fn objection(self, app: &App, player: &str) -> Option<String> {
        app.exchange.form_of(player).objection(player, self == Self::History)
    }
}

fn admit_any(
    app: &App,
    json: &[u8],
    rate: u32,
    origin: Origin,
) -> Result<(Event, Priority), Rejected> {
    let Ok(text) = std::str::from_utf8(json) else {
        return Err(rejected("envelope", "the event must be UTF-8"));
    };
    let objection = RefCell::new(None);
    let mut exchange = |person: &str| {
        if person.contains(':') {
            return app.exchange.id_for(person);
        }
        // A person without a colon is named by a player id already.
        match origin.objection(app, person) {
            Some(why) => drop(objection.borrow_mut().get_or_insert(why)),
            None => app.exchange.note_named(person),
        }
        person.to_owned()
    };
    let mut checked = || {
        let mut attributes = Attributes::parse(text)?;
        if rate > 1 {
            let before = attributes.sampledrate.unwrap_or(1);
            attributes.sampledrate = Some(before.saturating_mul(rate).min(MAX_SAMPLED_RATE));
        }
        let Attributes { subject, source, id, .. } = &attributes;
        let event = EventName { subject, source, id };
        let seal = |player: &str, name: &PersonName| {
            if origin == Origin::History && name.as_sealed().is_some() {
                objection.borrow_mut().get_or_insert_with(|| sealed_elsewhere(player));
            }
            app.exchange.seal(event, player, name)
        };
        let event = vocabulary::admit(app.live.games(), &attributes, &mut exchange, &seal)?;
        Ok((event, app.admission.priority(&attributes.kind)))
    };
    let admitted =
        checked().map_err(|error: vocabulary::Error| rejected(error.code(), &error.to_string()))?;
    if let Some(why) = objection.into_inner() {
        return Err(rejected("schema", &why));
    }
    if let Some(player) = player_of(&admitted.0) {
        if let Some(why) = origin.objection(app, player) {
            return Err(rejected("subject", &why));
        }
        app.exchange.note_named(player);
    }
    Ok(admitted)
}

/// The player whose own stream an event is of.
fn player_of(event: &Event) -> Option<&str> {
    match event.subject.kind() {
        subject::Kind::Player(player) => Some(player),
        _ => None,
    }
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
