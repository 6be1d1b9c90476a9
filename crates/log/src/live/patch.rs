//! RFC 7396: the merge patch that turns one JSON value into another.

use serde_json::{Map, Value};

/// The patch from `old` to `new`; `None` if they are equal. The values carry no nulls.
pub fn diff(old: &Value, new: &Value) -> Option<Value> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut patch = Map::new();
            for (key, value) in new {
                match old.get(key) {
                    Some(before) => {
                        if let Some(change) = diff(before, value) {
                            patch.insert(key.clone(), change);
                        }
                    }
                    None => {
                        patch.insert(key.clone(), value.clone());
                    }
                }
            }
            for key in old.keys().filter(|key| !new.contains_key(*key)) {
                patch.insert(key.clone(), Value::Null);
            }
            (!patch.is_empty()).then_some(Value::Object(patch))
        }
        _ => (old != new).then(|| new.clone()),
    }
}

/// Applies a patch to a value.
pub fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, change) in patch {
        if change.is_null() {
            target.shift_remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn patches() {
        let check = |old: Value, new: Value, patch: Option<Value>| {
            assert_eq!(diff(&old, &new), patch);
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
            if let Some(patch) = diff(&old, &new) {
                merge(&mut target, patch);
            }
            // An object in the place of a scalar is merged into nothing, so empty ones stay.
            prop_assert_eq!(target, new);
        }
    }
}
