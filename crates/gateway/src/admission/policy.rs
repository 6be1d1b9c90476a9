//! What a source may send: its class, its rate and its burst, and how all that is written.

use std::{fmt, str::FromStr};

use matchwire_domain::envelope::MAX_ATTRIBUTE_BYTES;

/// Where a source stands among others: of two events of one priority that of the lesser class is
/// given up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Class {
    /// Social media.
    Social,
    /// Broadcast APIs.
    Broadcast,
    /// Game servers and sensors of a stadium: who was there.
    #[default]
    Sensor,
}

impl Class {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Social, Self::Broadcast, Self::Sensor];

    /// Its name, in settings and as a label of metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Social => "social",
            Self::Broadcast => "broadcast",
            Self::Sensor => "sensor",
        }
    }
}

impl FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|class| class.as_str() == text);
        found.ok_or_else(|| format!("class {text:?} must be sensor, broadcast or social"))
    }
}

/// What the sources of a name may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLimit {
    /// The `source` of the events, or its beginning and a `*`. Each source has the rate by itself.
    pub pattern: String,
    /// Events per second, 1 to 1,000,000.
    pub rate: u32,
    /// Events that may come at once, 1 to 1,000,000.
    pub burst: u32,
    /// The class.
    pub class: Class,
    /// Over its rate, one of so many of its events of low priority is kept at first.
    pub sample: u32,
}

/// The largest rate, and the largest burst.
const MAX_RATE: u32 = 1_000_000;
/// The `sample` of a source for which nothing else is said.
const SAMPLE: u32 = 10;

impl SourceLimit {
    /// Whether it is for a source.
    pub(crate) fn covers(&self, source: &str) -> bool {
        match self.pattern.strip_suffix('*') {
            Some(beginning) => source.starts_with(beginning),
            None => source == self.pattern,
        }
    }
}

/// `NAME=RATE[/BURST][:CLASS]`, as in `hltv-*=500/2000:broadcast`; the burst is a second's worth if
/// it is left out.
impl FromStr for SourceLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A source may be a URI, with all of these signs in it.
        let form = || {
            format!("{text:?} must be NAME=RATE[/BURST][:CLASS], as in feed-*=500/2000:broadcast")
        };
        let (pattern, rest) = text.rsplit_once('=').ok_or_else(form)?;
        if pattern.is_empty() || pattern.len() > MAX_ATTRIBUTE_BYTES {
            return Err(form());
        }
        let (rates, class) = match rest.split_once(':') {
            Some((rates, class)) => (rates, class.parse()?),
            None => (rest, Class::default()),
        };
        let number = |text: &str| {
            let number = text.parse().ok().filter(|number| (1..=MAX_RATE).contains(number));
            number.ok_or_else(|| format!("{text:?} must be a number from 1 to {MAX_RATE}"))
        };
        let (rate, burst) = match rates.split_once('/') {
            Some((rate, burst)) => (number(rate)?, number(burst)?),
            None => (number(rates)?, number(rates)?),
        };
        Ok(Self { pattern: pattern.into(), rate, burst, class, sample: SAMPLE })
    }
}

impl fmt::Display for SourceLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pattern, rate, burst, class, .. } = self;
        write!(f, "{pattern}={rate}/{burst}:{}", class.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_it_is_written() {
        let parse = |text: &str| text.parse::<SourceLimit>().map(|limit| limit.to_string());
        assert_eq!(parse("a=5").unwrap(), "a=5/5:sensor");
        assert_eq!(parse("a-*=5/7:social").unwrap(), "a-*=5/7:social");
        assert_eq!(parse("https://a/?b=c=5:broadcast").unwrap(), "https://a/?b=c=5/5:broadcast");
        for bad in ["", "a", "=5", "a=", "a=0", "a=-1", "a=1.5", "a=5/", "a=5/0", "a=5:", "a=5:x"] {
            let error = parse(bad).unwrap_err();
            assert!(error.contains("must be"), "{bad}: {error}");
        }
        let limit: SourceLimit = "feed-*=1".parse().unwrap();
        assert!(limit.covers("feed-") && limit.covers("feed-1") && !limit.covers("fee"));
        let limit: SourceLimit = "feed=1".parse().unwrap();
        assert!(limit.covers("feed") && !limit.covers("feed-1"));
    }
}
