//! An event in its envelope: CloudEvents 1.0 in JSON, as it is sent, stored and delivered.
//!
//! [`Event::parse`] checks the envelope of an event from outside and leaves its data to
//! [`crate::vocabulary`]. [`Event::new`] writes the stored bytes, once; from then on they are only
//! copied. [`Recorded`] is an event that the log has numbered, and [`Recorded::write`] is its form
//! on every wire.

use std::{borrow::Cow, sync::Arc};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    chain::Digest,
    subject::{self, Subject},
    timestamp::{self, Timestamp},
};

/// The longest `id`, `source` or `type`, in bytes.
pub const MAX_ATTRIBUTE_BYTES: usize = 256;
/// The type of the event that seals its stream: it is the last one, nothing may follow.
pub const SEALED: &str = "stream.sealed";
/// The largest `sampledrate`: the largest Integer of CloudEvents.
pub const MAX_SAMPLED_RATE: u32 = i32::MAX.unsigned_abs();
/// The deepest nesting of objects and arrays in an event.
pub const MAX_DEPTH: usize = 64;

/// A valid event that is on its way to the log.
#[derive(Debug, Clone)]
pub struct Event {
    /// The stream that it belongs to.
    pub subject: Subject,
    /// Who says so; with `subject` and `id` its identity.
    pub source: Arc<str>,
    /// Its name within `subject` and `source`.
    pub id: Arc<str>,
    /// The bytes that are stored, hashed and delivered.
    pub stored: Arc<[u8]>,
    /// Whether it seals its stream, by its type [`SEALED`].
    pub seals: bool,
}

/// Why an envelope is refused. Each has a stable code, [`Error::code`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not JSON, or not an object with the attributes of an event.
    #[error("not a CloudEvent in JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// An attribute has a value that it may not have.
    #[error("{0} must be {1}")]
    Attribute(&'static str, &'static str),
    /// The subject is outside the grammar.
    #[error(transparent)]
    Subject(#[from] subject::Error),
    /// `time` is not RFC 3339.
    #[error(transparent)]
    Time(#[from] timestamp::Error),
    /// Objects and arrays are nested too deeply.
    #[error("objects and arrays are nested more than {MAX_DEPTH} deep")]
    Depth,
}

impl Error {
    /// The stable code of the error, for `results[].error.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Attribute(..) | Self::Time(_) => "envelope",
            Self::Subject(_) => "subject",
            Self::Depth => "too_deep",
        }
    }
}

/// The attributes of an event, borrowed from its JSON.
///
/// Attributes that the server gives (`seq`, `leaf`, `chain`, `recordedtime`) and unknown ones are
/// errors, since a misspelt attribute that is dropped in silence would be found months later.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attributes<'a> {
    /// `1.0`, the version of CloudEvents.
    #[serde(borrow)]
    pub specversion: Cow<'a, str>,
    /// Its name within subject and source.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Who says so.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// The stream.
    #[serde(borrow)]
    pub subject: Cow<'a, str>,
    /// What kind of fact it is.
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    /// When it happened, RFC 3339.
    #[serde(borrow, default)]
    pub time: Option<Cow<'a, str>>,
    /// The type of `data`, `application/json` if it is there.
    #[serde(borrow, default)]
    pub datacontenttype: Option<Cow<'a, str>>,
    /// A URI of the schema of `data`; kept, not used.
    #[serde(borrow, default)]
    pub dataschema: Option<Cow<'a, str>>,
    /// Its place among the events of its source, compared as text: one that arrives late is
    /// folded where this says. (CloudEvents' `sequence` extension.)
    #[serde(borrow, default)]
    pub sequence: Option<Cow<'a, str>>,
    /// W3C trace context. (CloudEvents' distributed tracing extension.)
    #[serde(borrow, default)]
    pub traceparent: Option<Cow<'a, str>>,
    /// Of how many events like it this is the one that was kept, itself among them; 1 to
    /// [`MAX_SAMPLED_RATE`]. A sender that samples sets it, and admission multiplies it where it
    /// samples. (CloudEvents' sampling extension.)
    #[serde(default)]
    pub sampledrate: Option<u32>,
    /// The fact itself.
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
}

impl Attributes<'_> {
    /// The names of all of them, as they stand in JSON. Whoever passes on what others say keeps these.
    pub const NAMES: [&'static str; 12] = [
        "specversion",
        "id",
        "source",
        "subject",
        "type",
        "time",
        "datacontenttype",
        "dataschema",
        "sequence",
        "traceparent",
        "sampledrate",
        "data",
    ];
}

/// What of an event must be known to say what it is worth; the rest is passed over.
#[derive(Debug, Deserialize)]
pub struct Glance<'a> {
    /// Its name within subject and source.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Who says so.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// The stream.
    #[serde(borrow)]
    pub subject: Cow<'a, str>,
    /// What kind of fact it is.
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
}

impl<'a> Glance<'a> {
    /// Glances at an event from outside. `None` if it is none; why, [`Attributes::parse`] says.
    pub fn at(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

/// Whether stored events are the same but for `sampledrate`, which depends on how busy the server
/// was when it took them.
pub fn same_but_sampling(one: &[u8], other: &[u8]) -> bool {
    let (Ok(one), Ok(other)) = (Attributes::read(one), Attributes::read(other)) else {
        return false;
    };
    one.texts() == other.texts()
}

impl<'a> Attributes<'a> {
    /// Of an event that is made here, without those that may be left out.
    pub fn of(
        id: impl Into<Cow<'a, str>>,
        source: impl Into<Cow<'a, str>>,
        subject: impl Into<Cow<'a, str>>,
        kind: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            specversion: "1.0".into(),
            id: id.into(),
            source: source.into(),
            subject: subject.into(),
            kind: kind.into(),
            time: None,
            datacontenttype: None,
            dataschema: None,
            sequence: None,
            traceparent: None,
            sampledrate: None,
            data: None,
        }
    }

    /// Reads an event from outside and checks its envelope, all but the data.
    pub fn parse(json: &'a str) -> Result<Self, Error> {
        if depth(json) > MAX_DEPTH {
            return Err(Error::Depth);
        }
        let attributes: Self = serde_json::from_str(json)?;
        attributes.check()?;
        Ok(attributes)
    }

    /// Reads the stored bytes of an event; those are valid, so an error here is damage.
    pub fn read(stored: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(stored)
    }

    /// Everything that tells two stored events apart, but for `sampledrate`.
    fn texts(&self) -> [Option<&str>; 9] {
        [
            Some(&self.id),
            Some(&self.source),
            Some(&self.subject),
            Some(&self.kind),
            self.time.as_deref(),
            self.sequence.as_deref(),
            self.traceparent.as_deref(),
            self.dataschema.as_deref(),
            self.data.map(RawValue::get),
        ]
    }

    fn check(&self) -> Result<(), Error> {
        let short = |name, value: &str| {
            let printable = value.chars().all(|c| !c.is_control());
            if (1..=MAX_ATTRIBUTE_BYTES).contains(&value.len()) && printable {
                Ok(())
            } else {
                Err(Error::Attribute(name, "1 to 256 bytes without control characters"))
            }
        };
        if self.specversion != "1.0" {
            return Err(Error::Attribute("specversion", "\"1.0\""));
        }
        short("id", &self.id)?;
        short("source", &self.source)?;
        short("type", &self.kind)?;
        for (name, value) in [
            ("sequence", &self.sequence),
            ("traceparent", &self.traceparent),
            ("dataschema", &self.dataschema),
        ] {
            value.as_ref().map_or(Ok(()), |value| short(name, value))?;
        }
        if self.sampledrate.is_some_and(|rate| !(1..=MAX_SAMPLED_RATE).contains(&rate)) {
            return Err(Error::Attribute("sampledrate", "an integer from 1 to 2147483647"));
        }
        match self.datacontenttype.as_deref() {
            None | Some("application/json") => Ok(()),
            Some(_) => Err(Error::Attribute("datacontenttype", "application/json")),
        }
    }
}

impl Event {
    /// Writes the stored bytes of an event: its attributes in a fixed order, `time` in UTC, and
    /// `data` as given.
    pub fn new(attributes: &Attributes<'_>, data: &str) -> Result<Self, Error> {
        let subject = Subject::parse(&attributes.subject)?;
        let time = attributes.time.as_deref().map(Timestamp::parse).transpose()?;
        let mut stored = String::with_capacity(160 + data.len());
        stored.push_str("{\"specversion\":\"1.0\"");
        let mut put = |name: &str, value: Option<&str>| -> Result<(), Error> {
            if let Some(value) = value {
                stored.push_str(",\"");
                stored.push_str(name);
                stored.push_str("\":");
                push_json(&mut stored, value);
            }
            Ok(())
        };
        put("id", Some(&attributes.id))?;
        put("source", Some(&attributes.source))?;
        put("subject", Some(subject.as_str()))?;
        put("type", Some(&attributes.kind))?;
        put("time", time.map(|t| t.to_string()).as_deref())?;
        put("sequence", attributes.sequence.as_deref())?;
        put("traceparent", attributes.traceparent.as_deref())?;
        put("dataschema", attributes.dataschema.as_deref())?;
        if let Some(rate) = attributes.sampledrate {
            stored.push_str(",\"sampledrate\":");
            stored.push_str(&rate.to_string());
        }
        stored.push_str(",\"data\":");
        stored.push_str(data);
        stored.push('}');
        Ok(Self {
            subject,
            source: attributes.source.as_ref().into(),
            id: attributes.id.as_ref().into(),
            stored: stored.into_bytes().into(),
            seals: attributes.kind == SEALED,
        })
    }
}

/// An event that the log has taken: numbered, timed and chained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number in its stream, from 1 without a gap.
    pub seq: u64,
    /// When the log took it; never goes back within a partition.
    pub recorded: Timestamp,
    /// SHA-256 of `stored`.
    pub leaf: Digest,
    /// The stream's chain up to and with this event.
    pub chain: Digest,
    /// The event, byte for byte as it was admitted.
    pub stored: Arc<[u8]>,
}

impl Recorded {
    /// Appends the delivered form to `out`: the attributes that the log gave, then the stored ones.
    ///
    /// A reader gets the stored bytes back, to check `leaf`, by cutting everything before
    /// `"specversion"` and putting `{` in front.
    pub fn write(&self, out: &mut String) {
        use std::fmt::Write as _;
        let _ = write!(
            out,
            "{{\"seq\":{},\"recordedtime\":\"{}\",\"leaf\":\"{}\",\"chain\":\"{}\",",
            self.seq, self.recorded, self.leaf, self.chain
        );
        let stored = std::str::from_utf8(&self.stored).unwrap_or("{}");
        out.push_str(stored.get(1..).unwrap_or("}"));
    }

    /// The delivered form as text.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(self.stored.len() + 240);
        self.write(&mut out);
        out
    }
}

/// How deep objects and arrays are nested in a text that may be JSON.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_string = true,
                b'{' | b'[' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    deepest
}

/// Appends a text as a JSON string.
fn push_json(out: &mut String, text: &str) {
    if text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(json: &str) -> Result<String, String> {
        let attributes = Attributes::parse(json).map_err(|e| format!("{}: {e}", e.code()))?;
        let data = attributes.data.map_or("{}", RawValue::get);
        Event::new(&attributes, data)
            .map(|event| String::from_utf8(event.stored.to_vec()).unwrap())
            .map_err(|e| format!("{}: {e}", e.code()))
    }

    #[test]
    fn stored_form() {
        assert_eq!(
            stored(
                r#"{"data":{"b": 1},"type":"x.a","subject":"match/m/1","source":"s\"q","id":"1",
                    "time":"2026-01-01T01:00:00+01:00","specversion":"1.0"}"#
            )
            .unwrap(),
            r#"{"specversion":"1.0","id":"1","source":"s\"q","subject":"match/m/1","type":"x.a","time":"2026-01-01T00:00:00.000Z","data":{"b": 1}}"#
        );
    }

    #[test]
    fn a_sampled_event_is_the_same_event() {
        let json = |rate: &str| {
            format!(
                r#"{{"specversion":"1.0","id":"1","source":"s","subject":"match/m/1","type":"x.a"{rate},"data":{{"b": 1}}}}"#
            )
        };
        let (plain, kept) =
            (stored(&json("")).unwrap(), stored(&json(r#","sampledrate":8"#)).unwrap());
        assert_eq!(kept, json(r#","sampledrate":8"#));
        assert!(same_but_sampling(plain.as_bytes(), kept.as_bytes()));
        assert!(!same_but_sampling(plain.as_bytes(), plain.replace("1}", "2}").as_bytes()));
        for rate in ["0", "-1", "1.5", "2147483648", "\"8\""] {
            let error = stored(&json(&format!(r#","sampledrate":{rate}"#))).unwrap_err();
            assert!(error.starts_with("envelope: "), "{error}");
        }
        let json = json("");
        let glance = Glance::at(json.as_bytes()).unwrap();
        assert_eq!((&*glance.id, &*glance.source, &*glance.kind), ("1", "s", "x.a"));
        assert!(Glance::at(b"[1]").is_none());
    }

    #[test]
    fn delivered_form_gives_back_the_stored_bytes() {
        let stored: Arc<[u8]> = br#"{"specversion":"1.0","id":"1","data":{}}"#.as_slice().into();
        let leaf = Digest::leaf(&stored);
        let recorded = Timestamp::from_ms(0);
        let json =
            Recorded { seq: 7, recorded, leaf, chain: leaf, stored: stored.clone() }.to_json();
        let cut = json.find("\"specversion\"").unwrap();
        assert_eq!(format!("{{{}", &json[cut..]).as_bytes(), &*stored);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["seq"], 7);
        assert_eq!(value["recordedtime"], "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn bad_envelopes() {
        let code = |json: &str| stored(json).unwrap_err().split(':').next().unwrap().to_owned();
        let event = |change: &str| {
            format!(
                r#"{{"specversion":"1.0","id":"1","source":"s","subject":"match/m/1","type":"x.a",{change}}}"#
            )
        };
        assert_eq!(code("{}"), "envelope");
        assert_eq!(code("[]"), "envelope");
        assert_eq!(code(&event(r#""seq":1"#)), "envelope");
        assert_eq!(code(&event(r#""id":"2""#)), "envelope");
        assert_eq!(code(&event(r#""time":"now""#)), "envelope");
        assert_eq!(code(&event(r#""datacontenttype":"text/xml""#)), "envelope");
        assert_eq!(
            code(&event(&format!(r#""data":{}"#, "[".repeat(70) + &"]".repeat(70)))),
            "too_deep"
        );
        assert_eq!(
            code(&event("").replace(",}", "}").replace("match/m/1", "match/m/x")),
            "subject"
        );
        assert_eq!(code(&event("").replace(",}", "}").replace("\"s\"", "\"\"")), "envelope");
    }
}
