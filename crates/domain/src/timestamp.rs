//! A moment, as events carry it: milliseconds since 1970 in UTC, written as RFC 3339.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// Milliseconds since 1970-01-01T00:00:00Z, from the year 1 to the year 9999.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// A text is not a moment in RFC 3339 within the years 1 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("time {0:?} must be RFC 3339, like 2026-01-19T18:55:38.250Z")]
pub struct Error(String);

impl Timestamp {
    /// The moment so many milliseconds after 1970, held to the years 1 to 9999.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(-62_135_596_800_000, 253_402_300_799_999))
    }

    /// Milliseconds since 1970.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with any offset; digits finer than milliseconds are cut.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = || Error(text.chars().take(40).collect());
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| bad())?;
        let ms = i64::try_from(moment.unix_timestamp_nanos().div_euclid(1_000_000));
        ms.ok().filter(|ms| Self::from_ms(*ms).0 == *ms).map(Self).ok_or_else(bad)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        let nanos = i128::from(self.0) * 1_000_000;
        let text = OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|moment| moment.format(format).ok())
            .ok_or(fmt::Error)?;
        f.write_str(&text)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "string", "format": "date-time"})
    }
}

impl TryFrom<String> for Timestamp {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Timestamp> for String {
    fn from(moment: Timestamp) -> Self {
        moment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc_3339() {
        let check = |text: &str, want: &str| {
            assert_eq!(Timestamp::parse(text).map(|t| t.to_string()), Ok(want.into()));
        };
        check("2026-01-19T18:55:38Z", "2026-01-19T18:55:38.000Z");
        check("2026-01-19T18:55:38.2509+02:00", "2026-01-19T16:55:38.250Z");
        check("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z");
        check("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z");
        for bad in
            ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01", "9999-12-31T23:59:59-01:00"]
        {
            assert!(Timestamp::parse(bad).is_err(), "{bad}");
        }
    }
}
