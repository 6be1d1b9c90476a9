//! An event as it was delivered, byte for byte, so that its hashes can be computed again.

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use serde::Deserialize;

use crate::Error;

/// An event that was delivered.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// Its stream.
    pub subject: String,
    /// Its number in the stream.
    pub seq: u64,
    /// When the log took it.
    pub recorded: Timestamp,
    /// SHA-256 of its stored bytes, as the server says.
    pub leaf: Digest,
    /// The chain of the stream up to and with it, as the server says.
    pub chain: Digest,
    /// The whole CloudEvent, as it came.
    pub text: String,
}

/// The attributes that the log gave, and the stream.
#[derive(Deserialize)]
struct Attributes {
    subject: String,
    seq: u64,
    recordedtime: String,
    leaf: String,
    chain: String,
}

impl Delivered {
    /// Reads a delivered event.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |what: String| Error::Answer(format!("an event: {what}"));
        let attributes: Attributes =
            serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        let Attributes { subject, seq, recordedtime, leaf, chain } = attributes;
        let recorded = Timestamp::parse(&recordedtime).map_err(|error| bad(error.to_string()))?;
        let hash = |text: &str| digest(text).ok_or_else(|| bad(format!("{text:?} is no SHA-256")));
        let (leaf, chain) = (hash(&leaf)?, hash(&chain)?);
        Ok(Self { subject, seq, recorded, leaf, chain, text: text.to_owned() })
    }

    /// The stored bytes: what is left without the attributes that the log gave. Nothing if the event
    /// is not in the form in which the server delivers.
    pub fn stored(&self) -> Option<String> {
        let at = self.text.find("\"specversion\"")?;
        let (_, stored) = self.text.split_at_checked(at)?;
        Some(format!("{{{stored}"))
    }
}

/// Reads a SHA-256 of 64 hexadecimal digits.
pub fn digest(text: &str) -> Option<Digest> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Digest(bytes))
}
