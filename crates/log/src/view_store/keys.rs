//! Which keys, and in what order.

use std::ops::{Bound, RangeBounds};

/// Keys next to each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    from: Vec<u8>,
    until: Option<Vec<u8>>,
}

impl Keys {
    /// All keys.
    pub fn all() -> Self {
        Self::default()
    }

    /// The keys that begin with a prefix.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { from: prefix.into(), until: behind(prefix) }
    }

    /// Of these keys, those that are greater than one.
    #[must_use]
    pub fn after(mut self, key: &[u8]) -> Self {
        // The least key that is greater.
        let next = [key, &[0]].concat();
        self.from = self.from.max(next);
        self
    }

    /// Of these keys, those that are not less than one.
    #[must_use]
    pub fn from_key(mut self, key: &[u8]) -> Self {
        self.from = self.from.max(key.to_vec());
        self
    }

    /// Of these keys, those that are less than one.
    #[must_use]
    pub fn before(mut self, key: &[u8]) -> Self {
        let is_nearer = self.until.as_ref().is_none_or(|until| key < until.as_slice());
        if is_nearer {
            self.until = Some(key.into());
        }
        self
    }

    /// The first key that may be one of them.
    pub fn from(&self) -> &[u8] {
        &self.from
    }

    /// The first key behind them; nothing if they go on to the end.
    pub fn until(&self) -> Option<&[u8]> {
        self.until.as_deref()
    }

    /// As bounds of a range; nothing if no key can be one of them.
    pub(crate) fn bounds(&self) -> Option<impl RangeBounds<[u8]>> {
        let until = self.until();
        let is_empty = until.is_some_and(|until| until <= self.from());
        let until = until.map_or(Bound::Unbounded, Bound::Excluded);
        (!is_empty).then_some((Bound::Included(self.from()), until))
    }
}

/// The least key that is greater than all that begin with a prefix.
fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let end = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut behind = prefix.get(..=end)?.to_vec();
    *behind.last_mut()? += 1;
    Some(behind)
}

/// In what order rows are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The least key first.
    Ascending,
    /// The greatest key first.
    Descending,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes among which prefixes and borders are frequent.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0), Just(1), Just(254), Just(u8::MAX)], 0..4)
    }

    fn has(keys: &Keys, key: &[u8]) -> bool {
        key >= keys.from() && keys.until().is_none_or(|until| key < until)
    }

    proptest! {
        #[test]
        fn they_are_what_they_are_called(prefix in key(), one in key(), key in key()) {
            prop_assert!(has(&Keys::all(), &key));
            let begins = key.starts_with(&prefix);
            prop_assert_eq!(has(&Keys::prefix(&prefix), &key), begins);
            prop_assert_eq!(has(&Keys::prefix(&prefix).after(&one), &key), begins && key > one);
            prop_assert_eq!(has(&Keys::prefix(&prefix).from_key(&one), &key), begins && key >= one);
            prop_assert_eq!(has(&Keys::prefix(&prefix).before(&one), &key), begins && key < one);
        }
    }
}
