//! The reader of Counter-Strike server logs.

use matchwire_domain::live_match::cs::Event;
use matchwire_sources::{
    Draft,
    cs_log::{Carry, Offsets, Post, Reader, parse_line},
};

/// A line is read or it is not, and what it tells has a stored form that reads back to the same.
pub fn cs_log_line(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input);
    let Some(parsed) = parse_line(&text) else { return false };
    let again = Event::parse(parsed.event.tag(), &parsed.event.to_json());
    let again = again.expect("the tag is known").expect("the data fits its own type");
    assert_eq!(again, parsed.event);
    true
}

/// A feed gives the same events as a whole, in two posts cut anywhere, and with both sent twice;
/// what is carried survives being stored.
///
/// The first two bytes say where to cut.
pub fn cs_log_feed(input: &[u8]) -> bool {
    let Some(([high, low], feed)) = input.split_first_chunk().filter(|_| input.len() <= 16_384)
    else {
        return false;
    };
    let cut = usize::from(u16::from_be_bytes([*high, *low])) % (feed.len() + 1);
    let (whole, _) = read(Carry::default(), feed, 0);
    let (first, rest) = feed.split_at(cut);
    let (mut parts, carry) = read(Carry::default(), first, 0);
    let (more, carry) = read(carry, rest, cut);
    parts.extend(more);
    assert_eq!(parts, whole, "cut at {cut}");
    let (none, carry) = read(carry, first, 0);
    let (none_either, _) = read(carry, rest, cut);
    assert!(none.is_empty() && none_either.is_empty(), "what is sent again changes nothing");
    !whole.is_empty()
}

/// Reads a part of a feed, after a carry that was stored and read back.
fn read(carry: Carry, body: &[u8], begin: usize) -> (Vec<Draft>, Carry) {
    let stored = serde_json::to_string(&carry).expect("a carry is stored as JSON");
    let read_back: Carry = serde_json::from_str(&stored).expect("a stored carry reads back");
    assert_eq!(read_back, carry);
    let (begin, end) = (begin as u64, (begin + body.len()) as u64);
    let offsets = Some(Offsets { feed: "0123456789abcdef".into(), begin, end });
    let answer = Reader::new(None).read(carry, &Post { body, offsets }, &mut str::to_owned);
    (answer.drafts, answer.carry)
}
