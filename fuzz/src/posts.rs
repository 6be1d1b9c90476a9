//! Sources that post JSON: Game State Integration and the webhooks of `MatchZy`.

use matchwire_domain::{live_match::cs, series};
use matchwire_sources::{Headers, Post, Source, gsi::Gsi, matchzy::MatchZy};

/// Posts of a client of the game, a line a post.
pub fn gsi_posts(input: &[u8]) -> bool {
    posts(&Gsi::default(), input)
}

/// Posts of a plug-in, a line a post.
pub fn matchzy_posts(input: &[u8]) -> bool {
    posts(&MatchZy, input)
}

/// Whatever is posted, what it tells has a stored form that reads back, under an id of its own; what
/// is carried survives being stored and stays small; and the same posts give the same.
fn posts(source: &impl Source, input: &[u8]) -> bool {
    let whole = read(source, input);
    assert_eq!(whole, read(source, input));
    let mut ids: Vec<_> = whole.iter().map(|(map, id, ..)| (map, id)).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is given once");
    !whole.is_empty()
}

/// The map, id, tag and data of each draft. Posts that came before are not read, as in a server.
fn read<S: Source>(source: &S, input: &[u8]) -> Vec<(Option<u16>, String, &'static str, String)> {
    let headers = Headers::new();
    let (mut carry, mut known, mut told) = (S::Carry::default(), Vec::new(), Vec::new());
    for body in input.split(|byte| *byte == b'\n').take(64) {
        let post = Post { body, headers: &headers };
        let identity = source.identity(&carry, &post);
        if known.contains(&identity) {
            continue;
        }
        let answer = source.read(None, carry.clone(), &post, &mut str::to_owned);
        let stored = serde_json::to_string(&answer.carry).expect("a carry is stored as JSON");
        let read_back: S::Carry = serde_json::from_str(&stored).expect("a stored carry reads back");
        assert!(read_back == answer.carry && stored.len() < 1 << 20);
        if !answer.drafts.is_empty() || carry != read_back {
            known.push(identity);
        }
        carry = read_back;
        for draft in answer.drafts {
            let (tag, data) = (draft.tag, draft.data.as_str());
            let again = match draft.map {
                Some(_) => {
                    cs::Event::parse(tag, data).map(|event| event.map(|event| event.to_json()))
                }
                None => {
                    series::Event::parse(tag, data).map(|event| event.map(|event| event.to_json()))
                }
            };
            let again = again.expect("the tag is known").expect("the data fits its own type");
            assert_eq!(again, draft.data);
            told.push((draft.map, draft.id.clone(), draft.tag, draft.data.clone()));
            draft.into_event("m").expect("it has a good envelope");
        }
    }
    told
}
