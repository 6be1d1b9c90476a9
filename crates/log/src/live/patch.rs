//! RFC 7396: the merge patch that turns one JSON text into another.
//!
//! The difference is taken between texts, not between parsed values: what is equal is passed over
//! by comparing bytes, and only the objects on the way to a change are taken apart. Both texts must
//! be written alike, without spaces and with the fields of an object in the same order, and carry
//! no nulls.

use std::{borrow::Cow, fmt, ops::Deref};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// The patch from `old` to `new`; `None` if they are equal.
pub fn diff(old: &str, new: &str) -> Option<String> {
    let mut patch = String::new();
    if old != new {
        write_diff(old, new, &mut patch);
    }
    (old != new).then_some(patch)
}

/// Appends the patch between two texts that differ.
fn write_diff(old: &str, new: &str, patch: &mut String) {
    let (Some(old), Some(new)) = (Fields::of(old), Fields::of(new)) else {
        patch.push_str(new);
        return;
    };
    patch.push('{');
    let (mut at, mut kept) = (0, 0);
    for (name, value) in &new.0 {
        let place = old.find(name, at);
        let Some((place, (_, before))) = place.and_then(|place| Some((place, old.0.get(place)?)))
        else {
            push_name(patch, name);
            patch.push_str(value.get());
            continue;
        };
        at = place + 1;
        kept += 1;
        if before.get() != value.get() {
            push_name(patch, name);
            write_diff(before.get(), value.get(), patch);
        }
    }
    if kept < old.0.len() {
        for (name, _) in old.0.iter().filter(|(name, _)| new.find(name, 0).is_none()) {
            push_name(patch, name);
            patch.push_str("null");
        }
    }
    patch.push('}');
}

/// Appends the name of a field, with what stands before and after it.
fn push_name(patch: &mut String, name: &str) {
    if !patch.ends_with('{') {
        patch.push(',');
    }
    patch.push_str(&Value::from(name).to_string());
    patch.push(':');
}

/// The fields of an object, in order.
struct Fields<'a>(Vec<(Name<'a>, &'a RawValue)>);

/// The name of a field, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Name<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Option<Self> {
        if !text.starts_with('{') {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// The place of a field, which is most likely the one at `at` or after.
    fn find(&self, name: &str, at: usize) -> Option<usize> {
        let is_it = |(other, _): &(Name<'_>, &RawValue)| other.0 == name;
        let after = self.0.iter().skip(at).position(is_it).map(|place| at + place);
        after.or_else(|| self.0.iter().take(at).position(is_it))
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(32);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use matchwire_domain::merge_patch::merge;

    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn patches() {
        let check = |old: Value, new: Value, patch: Option<Value>| {
            let got = diff(&old.to_string(), &new.to_string());
            assert_eq!(got, patch.map(|patch| patch.to_string()));
        };
        check(json!({"a": 1}), json!({"a": 1}), None);
        check(json!({"a": 1, "b": 2}), json!({"a": 2}), Some(json!({"a": 2, "b": null})));
        check(
            json!({"p": {"x": {"k": 1, "d": 0}}}),
            json!({"p": {"x": {"k": 2, "d": 0}}}),
            Some(json!({"p": {"x": {"k": 2}}})),
        );
        check(json!({"l": [1, 2]}), json!({"l": [1, 3]}), Some(json!({"l": [1, 3]})));
        check(json!({"a": {"b": 1}}), json!({"a": {}}), Some(json!({"a": {"b": null}})));
        check(
            json!({"k": {"1": 1, "2": 2, "3": 3}}),
            json!({"k": {"2": 2, "3": 3, "4": 4}}),
            Some(json!({"k": {"4": 4, "1": null}})),
        );
        check(json!({"é\"": 1}), json!({"é\"": 2}), Some(json!({"é\"": 2})));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), (0..4).prop_map(Value::from)];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn merging_the_difference_gives_the_new_value(old in value(), new in value()) {
            let mut target = old.clone();
            let patch = diff(&old.to_string(), &new.to_string());
            prop_assert_eq!(patch.is_none(), old == new);
            if let Some(patch) = patch {
                merge(&mut target, serde_json::from_str(&patch).unwrap());
            }
            prop_assert_eq!(target, new);
        }
    }
}
