//! Keys of rows: texts one after the other, in an order that is that of the texts, and numbers.

use matchwire_domain::{activity::Activity, timestamp::Timestamp};

use crate::Key as Place;

/// A key that is put together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Key(pub(super) Vec<u8>);

impl Key {
    /// Adds a text. It ends with 0 1, and a 0 in it is 0 255, so that no text's key begins with that of
    /// another one.
    pub(super) fn text(mut self, text: &str) -> Self {
        self.0.reserve(text.len() + 2);
        for (index, part) in text.as_bytes().split(|byte| *byte == 0).enumerate() {
            if index > 0 {
                self.0.extend_from_slice(&[0, u8::MAX]);
            }
            self.0.extend_from_slice(part);
        }
        self.0.extend_from_slice(&[0, 1]);
        self
    }

    /// Adds a number.
    pub(super) fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    /// Adds a time, so that the latest comes first.
    pub(super) fn latest_first(self, time: Timestamp) -> Self {
        self.number(!ordered(time.ms()))
    }

    /// Adds a time, so that the earliest comes first.
    pub(super) fn earliest_first(self, time: Timestamp) -> Self {
        self.number(ordered(time.ms()))
    }

    /// Adds a number that may be less than nought, so that the greatest comes first.
    pub(super) fn greatest_first(self, number: i64) -> Self {
        self.number(!ordered(number))
    }

    /// Adds a count, so that the greatest comes first; less than nought is as nought.
    pub(super) fn most_first(self, count: i64) -> Self {
        self.number(!u64::try_from(count).unwrap_or(0))
    }

    /// Where an activity stands among those of its player.
    pub(super) fn of_activity(activity: &Activity) -> Self {
        let Activity { player, source_model, source_id, kind, revision, deed } = activity;
        let key = Self::default().text(player).latest_first(deed.time);
        key.text(source_model.as_str())
            .text(source_id)
            .text(kind.as_str())
            .number(u64::from(*revision))
    }
}

/// A number whose order as an unsigned one is that of the signed one.
fn ordered(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

/// Reads a text at the start of some bytes, and what comes behind it.
pub(super) fn read_text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (mut text, mut rest) = (Vec::new(), bytes);
    loop {
        let zero = rest.iter().position(|byte| *byte == 0)?;
        text.extend_from_slice(rest.get(..zero)?);
        let is_end = *rest.get(zero + 1)? == 1;
        rest = rest.get(zero + 2..)?;
        if is_end {
            return Some((String::from_utf8(text).ok()?, rest));
        }
        text.push(0);
    }
}

/// Where a text at the start of some bytes ends, with what ends it.
pub(super) fn text_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair == [0, 1]).map(|at| at + 2)
}

/// The text at the start of a key, with what ends it, and what comes behind it.
pub(super) fn split_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(text_end(bytes)?)
}

/// Of whom and of what an activity is, by its key: how the key of its player begins, and the key of its match or
/// tournament.
pub(super) fn owners_of_activity(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (player, rest) = split_text(key)?;
    let (_, rest) = rest.split_at_checked(size_of::<u64>())?;
    let model = text_end(rest)?;
    let id = text_end(rest.get(model..)?)?;
    Some((player, rest.get(..model + id)?))
}

/// Reads a place in the order of results, the earliest first, at the start of some bytes.
pub(super) fn read_place(bytes: &[u8]) -> Option<Place> {
    let ended = Timestamp::from_ms((read_number(bytes)? ^ (1 << 63)).cast_signed());
    let (match_id, _) = read_text(bytes.get(size_of::<u64>()..)?)?;
    Some(Place { ended, match_id })
}

/// Reads a number at the start of some bytes.
pub(super) fn read_number(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|number| u64::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_what_they_are_made_of(
            one in ("[a-b\u{0}\u{1}]{0,3}", -1_000_000_000_000_i64..1_000_000_000_000),
            other in ("[a-b\u{0}\u{1}]{0,3}", -1_000_000_000_000_i64..1_000_000_000_000),
        ) {
            let key = |(text, ms): &(String, i64)| {
                Key::default().text(text).latest_first(Timestamp::from_ms(*ms)).0
            };
            let order = one.0.cmp(&other.0).then(other.1.cmp(&one.1));
            prop_assert_eq!(key(&one).cmp(&key(&other)), order);
            let place = Place { ended: Timestamp::from_ms(one.1), match_id: one.0.clone() };
            let placed = Key::default().earliest_first(place.ended).text(&place.match_id).0;
            prop_assert_eq!(read_place(&placed), Some(place));
            let bytes = key(&one);
            let (text, rest) = read_text(&bytes).unwrap();
            prop_assert_eq!((text, read_number(rest)), (one.0, Some(!ordered(one.1))));
        }
    }
}
