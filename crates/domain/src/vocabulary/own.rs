//! The data of a user's own types: any JSON object, as long as every reader can read it.
//!
//! A raw value is only checked for its syntax; this also finds numbers that are out of range
//! (`1e999`) and half surrogates (`"\\ud800"`), at which a reader would fail later.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Reads a JSON object as a whole and keeps nothing of it.
pub(super) fn check(data: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<Object>(data).map(|_| ())
}

struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Discard).map(|()| Self)
    }
}

struct Any;

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Discard).map(|()| Self)
    }
}

struct Discard;

impl<'de> Visitor<'de> for Discard {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<Any>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while fields.next_entry::<Any, Any>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_reader_can_read() {
        for good in ["{}", r#"{"a":[1,-2.5,null,true,"\u00e9",{"b":18446744073709551615}]}"#] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "[]",
            "1",
            "null",
            "{",
            r#"{"a":1e999}"#,
            r#"{"a":[-1e400]}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"\udc00":1}"#,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
