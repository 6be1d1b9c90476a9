//! What a refused event says of itself. It was refused, so nothing about it can be relied on: each
//! attribute is taken if it is what it should be, and left out if not.

use std::{borrow::Cow, fmt};

use matchwire_domain::{dead_letter::Origin, envelope::MAX_ATTRIBUTE_BYTES, subject::Subject};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The origin of an event, if it has an envelope: a JSON object with one at least of the attributes
/// that identify an event, or its type.
///
/// A subject that is no stream's name is left out, since it may be anything, an account too; it is in
/// the body.
pub(crate) fn origin(json: &[u8]) -> Option<Origin> {
    let Named { source, subject, kind, id } = serde_json::from_slice(json).ok()?;
    if source.is_none() && subject.is_none() && kind.is_none() && id.is_none() {
        return None;
    }
    let is_name = |text: &String| {
        (1..=MAX_ATTRIBUTE_BYTES).contains(&text.len()) && !text.chars().any(char::is_control)
    };
    Some(Origin {
        source: source.filter(is_name).unwrap_or_default(),
        subject: subject.filter(|subject| Subject::parse(subject).is_ok()),
        kind: kind.filter(is_name),
        id: id.filter(is_name),
    })
}

/// The attributes that are texts.
#[derive(Default)]
struct Named {
    source: Option<String>,
    subject: Option<String>,
    kind: Option<String>,
    id: Option<String>,
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Attributes)
    }
}

/// Goes through an object, and keeps nothing of what it does not look for.
struct Attributes;

impl<'de> Visitor<'de> for Attributes {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
        let mut named = Named::default();
        while let Some(Key(key)) = map.next_key()? {
            let place = match &*key {
                "source" => &mut named.source,
                "subject" => &mut named.subject,
                "type" => &mut named.kind,
                "id" => &mut named.id,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value: &RawValue = map.next_value()?;
            *place = serde_json::from_str(value.get()).ok();
        }
        Ok(named)
    }
}

/// A key, borrowed where it can be.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read() {
        let json = br#"{"id":"1","source":"feed","subject":"match/m1/1","type":"x.a","data":[[1]],
                        "colour":"red"}"#;
        let origin = origin(json).unwrap();
        assert_eq!(origin.source, "feed");
        assert_eq!(origin.subject.as_deref(), Some("match/m1/1"));
        assert_eq!((origin.kind.as_deref(), origin.id.as_deref()), (Some("x.a"), Some("1")));
    }

    #[test]
    fn what_cannot_is_left_out() {
        let long = "x".repeat(MAX_ATTRIBUTE_BYTES + 1);
        let json = format!(r#"{{"id":7,"source":"a\nb","subject":"steam:1","type":"{long}"}}"#);
        // It has attributes, though none is what it should be.
        assert_eq!(origin(json.as_bytes()), Some(Origin::default()));
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let json = format!(r#"{{"i\u0064":"1","data":{deep}}}"#);
        assert_eq!(origin(json.as_bytes()).unwrap().id.as_deref(), Some("1"));
    }

    #[test]
    fn what_is_no_event() {
        for json in ["", "{", "[]", "null", "7", "{}", r#"{"data":{}}"#, r#"{"id":"1""#, "{}x"] {
            assert_eq!(origin(json.as_bytes()), None, "{json}");
        }
        assert_eq!(origin(b"{\"id\":\"\xff\"}"), None);
    }
}
