//! What must not come here from another log: player ids that it gave, and names that it sealed. The server refuses such
//! events one by one; a dry run tells them before.

use std::cell::RefCell;

use matchwire_domain::{
    envelope::{Attributes, Event},
    live_match::{Games, PersonName},
    vocabulary,
};
use matchwire_gateway::sealed_elsewhere;

use crate::vault::form_of;

/// Why the server would not take an event, for the people in it.
pub(super) fn objection(games: &Games, event: &Event) -> Option<String> {
    let told = Attributes::read(&event.stored).ok()?;
    let objection = RefCell::new(None);
    let mut exchange = |person: &str| {
        if !person.contains(':')
            && let Some(why) = form_of(person).objection(person, true)
        {
            objection.borrow_mut().get_or_insert(why);
        }
        person.to_owned()
    };
    let seal = |player: &str, name: &PersonName| {
        if name.as_sealed().is_some() {
            objection.borrow_mut().get_or_insert_with(|| sealed_elsewhere(player));
        }
        name.clone()
    };
    // What is wrong with it otherwise was found when it was read.
    let _ = vocabulary::admit(games, &told, &mut exchange, &seal);
    objection.into_inner()
}
