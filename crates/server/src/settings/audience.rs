//! A table `[audience.NAME]` of the file of settings: who sees events later than others.

use std::{net::IpAddr, time::Duration};

use matchwire_domain::subject::{self, Pattern};
use matchwire_gateway::Audience;
use matchwire_log::{Delays, MAX_DELAY};
use serde::Deserialize;

/// How many audiences there may be.
pub(super) const MAX_AUDIENCES: usize = 16;
/// How many networks, or delays, an audience may have.
const MAX_RULES: usize = 64;

/// An audience as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    networks: Vec<String>,
    delay: Vec<WrittenDelay>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDelay {
    topic: String,
    seconds: u64,
}

impl Written {
    /// Reads it; the error names the key.
    pub(super) fn audience(&self, name: &str) -> Result<Audience, String> {
        subject::check_segment(name).map_err(|error| format!("{error}"))?;
        let Self { networks, delay } = self;
        if networks.is_empty() || networks.len() > MAX_RULES {
            return Err(format!("networks: there must be from 1 to {MAX_RULES}"));
        }
        if delay.len() > MAX_RULES {
            return Err(format!("delay: there may be at most {MAX_RULES}"));
        }
        let network = |text: &String| {
            let network = text.parse().or_else(|_| text.parse().map(IpAddr::into));
            network.map_err(|_| {
                format!("networks: {text:?} must be a network like 10.0.0.0/8 or an address")
            })
        };
        let networks = networks.iter().map(network).collect::<Result<_, _>>()?;
        let rules = delay.iter().map(WrittenDelay::rule).collect::<Result<Vec<_>, _>>()?;
        for (at, (pattern, _)) in rules.iter().enumerate() {
            if rules.iter().take(at).any(|(other, _)| other == pattern) {
                return Err(format!("delay: {pattern} is there twice"));
            }
        }
        Ok(Audience { name: name.into(), networks, delays: Delays::new(rules) })
    }

    /// What is set, key by key.
    pub(super) fn shown(&self) -> [(&'static str, Vec<String>); 2] {
        let delay = self.delay.iter().map(|it| format!("{}={}s", it.topic, it.seconds));
        [("networks", self.networks.clone()), ("delay", delay.collect())]
    }
}

impl WrittenDelay {
    fn rule(&self) -> Result<(Pattern, Duration), String> {
        let Self { topic, seconds } = self;
        let pattern = topic.parse().map_err(|error| format!("delay: topic: {error}"))?;
        let (delay, max) = (Duration::from_secs(*seconds), MAX_DELAY.as_secs());
        if delay > MAX_DELAY {
            return Err(format!("delay: {topic}: seconds {seconds} must be from 0 to {max}"));
        }
        Ok((pattern, delay))
    }
}

/// A network that two audiences name, which says nothing of who sees what.
pub(super) fn ambiguous(audiences: &[Audience]) -> Option<String> {
    for (at, audience) in audiences.iter().enumerate() {
        for other in audiences.iter().take(at) {
            let both = audience
                .networks
                .iter()
                .find(|net| other.networks.iter().any(|named| named.trunc() == net.trunc()));
            if let Some(network) = both {
                let (first, second) = (&other.name, &audience.name);
                return Some(format!("{network} is of {first} and of {second}"));
            }
        }
    }
    None
}
