//! The reader of event data of football matches.

use matchwire_domain::live_match::football::Event;
use matchwire_sources::{
    Draft, Headers, Post, Source as _,
    statsbomb::{Carry, StatsBomb},
};

/// Whatever a post is, its events have a stored form that reads back to the same, they can stand in
/// an envelope, and the post sent again tells nothing that was not told.
pub fn statsbomb(input: &[u8]) -> bool {
    if input.len() > 65_536 {
        return false;
    }
    let (drafts, carry) = read(Carry::default(), input);
    for draft in &drafts {
        let event = Event::parse(draft.tag, &draft.data).expect("the tag is known");
        let event = event.expect("the data fits its own type");
        assert_eq!((event.tag(), event.to_json()), (draft.tag, draft.data.clone()));
        draft.clone().into_event("m1").expect("a draft fits an envelope");
    }
    let (again, _) = read(carry, input);
    for draft in &again {
        let known = drafts.iter().any(|known| (&known.id, known.tag) == (&draft.id, draft.tag));
        // Who is in possession may be told anew, by an event that told it before or did not open it.
        assert!(known || draft.tag == "possession.changed", "{draft:?} is new");
    }
    !drafts.is_empty()
}

/// Reads a post after a carry that was stored and read back.
fn read(carry: Carry, body: &[u8]) -> (Vec<Draft>, Carry) {
    let stored = serde_json::to_string(&carry).expect("a carry is stored as JSON");
    let read_back: Carry = serde_json::from_str(&stored).expect("a stored carry reads back");
    assert_eq!(read_back, carry);
    let post = Post { body, headers: &Headers::new() };
    let answer = StatsBomb.read(None, carry, &post, &mut str::to_owned);
    (answer.drafts, answer.carry)
}
