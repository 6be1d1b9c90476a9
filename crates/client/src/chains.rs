//! The chains of the streams that are followed, computed again from what was delivered.
//!
//! An event whose stored bytes were changed has another leaf; one that was left out, put in or moved
//! breaks the chain behind it. A stream is checked from its first event on with the log's id alone; a
//! follower who comes later takes the chain of the event before from the server, as it is told.

use std::collections::HashMap;

use matchwire_domain::{chain::Digest, subject::Subject};

use crate::Delivered;

/// How many streams are followed at once.
const MAX_STREAMS: usize = 10_000;

/// What is known of the chains of streams.
#[derive(Debug, Default)]
pub struct Chains {
    /// The last event of each stream: its seq, and the chain up to it.
    heads: HashMap<String, (u64, Digest)>,
}

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Leaf and chain are right.
    Right,
    /// The leaf is right, and so much is missing before the event that nothing can be said of the
    /// chain: the first seq that is missing. The next event goes on from this one's chain.
    Gap(u64),
}

/// What is wrong with an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is not in the form in which a server delivers.
    #[error("event {1} of {0} is not in the form in which a server delivers")]
    Form(String, u64),
    /// Its stored bytes have another leaf.
    #[error("event {1} of {0} was changed: its bytes do not have the leaf that it names")]
    Leaf(String, u64),
    /// It does not follow from the events before it.
    #[error(
        "event {1} of {0} does not follow from the one before: the chain is another one; something \
         before it was changed, left out or put in"
    )]
    Chain(String, u64),
    /// Its number was there before.
    #[error("event {1} of {0} came after event {2}")]
    Order(String, u64, u64),
}

impl Chains {
    /// Whether the event before this one is known.
    pub fn knows(&self, subject: &str) -> bool {
        self.heads.contains_key(subject)
    }

    /// Begins a stream from nothing, in a log with that id.
    pub fn begin(&mut self, subject: &Subject, log_id: &str) {
        self.set(subject.as_str(), 0, Digest::genesis(log_id, subject));
    }

    /// Begins a stream behind an event whose chain is believed.
    pub fn set(&mut self, subject: &str, seq: u64, chain: Digest) {
        if self.heads.len() >= MAX_STREAMS {
            self.heads.clear();
        }
        self.heads.insert(subject.to_owned(), (seq, chain));
    }

    /// Forgets all streams, since what was told is void.
    pub fn clear(&mut self) {
        self.heads.clear();
    }

    /// Checks the next event of its stream.
    pub fn check(&mut self, event: &Delivered) -> Result<Checked, Broken> {
        let Delivered { subject, seq, recorded, leaf, chain, .. } = event;
        let stored = event.stored().ok_or_else(|| Broken::Form(subject.clone(), *seq))?;
        if Digest::leaf(stored.as_bytes()) != *leaf {
            return Err(Broken::Leaf(subject.clone(), *seq));
        }
        let before = self.heads.get(subject).copied();
        let checked = match before {
            Some((last, _)) if *seq <= last => {
                return Err(Broken::Order(subject.clone(), *seq, last));
            }
            Some((last, before)) if *seq == last + 1 => {
                if before.next(*seq, *recorded, *leaf) != *chain {
                    return Err(Broken::Chain(subject.clone(), *seq));
                }
                Checked::Right
            }
            Some((last, _)) => Checked::Gap(last + 1),
            None => Checked::Gap(1),
        };
        self.set(subject, *seq, *chain);
        Ok(checked)
    }
}

#[cfg(test)]
mod tests {
    use matchwire_domain::{envelope::Recorded, timestamp::Timestamp};

    use super::*;

    const LOG: &str = "0123456789abcdef";

    /// The first events of a stream, as they are delivered.
    fn delivered(count: u64) -> Vec<String> {
        let subject = Subject::parse("match/m1/1").unwrap();
        let mut chain = Digest::genesis(LOG, &subject);
        let event = |seq| {
            let stored = format!(
                r#"{{"specversion":"1.0","id":"{seq}","source":"s","subject":"match/m1/1","type":"x.a","data":{{"n":{seq}}}}}"#
            );
            let recorded = Timestamp::from_ms(1_000 * i64::try_from(seq).unwrap());
            let leaf = Digest::leaf(stored.as_bytes());
            chain = chain.next(seq, recorded, leaf);
            Recorded { seq, recorded, leaf, chain, stored: stored.into_bytes().into() }.to_json()
        };
        (1..=count).map(event).collect()
    }

    fn check(events: &[String]) -> Result<Vec<Checked>, String> {
        let mut chains = Chains::default();
        chains.begin(&Subject::parse("match/m1/1").unwrap(), LOG);
        let check = |event: &String| {
            let event = Delivered::parse(event).map_err(|error| error.to_string())?;
            chains.check(&event).map_err(|error| format!("{error:?}"))
        };
        events.iter().map(check).collect()
    }

    #[test]
    fn whatever_is_changed_is_found() {
        let whole = delivered(4);
        assert_eq!(check(&whole).unwrap(), [Checked::Right; 4]);
        let changed = |at: usize, from: &str, to: &str| {
            let mut events = whole.clone();
            assert!(events[at].contains(from), "{}", events[at]);
            events[at] = events[at].replacen(from, to, 1);
            check(&events).unwrap_err()
        };
        assert!(changed(2, "\"n\":3", "\"n\":4").starts_with("Leaf"));
        assert!(changed(2, "x.a", "x.b").starts_with("Leaf"));
        assert!(changed(1, "00:00:02", "00:00:03").starts_with("Chain"));
        assert!(changed(1, "\"specversion\"", "\"SpecVersion\"").contains("Form"));
        let mut moved = whole.clone();
        moved.swap(1, 2);
        assert!(check(&moved[..2]).is_ok_and(|checked| checked[1] == Checked::Gap(2)));
        assert!(check(&moved).unwrap_err().starts_with("Order"));
        // Numbered anew, what is left out shows in the chain.
        let cut = [whole[0].clone(), whole[2].replacen("\"seq\":3", "\"seq\":2", 1)];
        assert!(check(&cut).unwrap_err().starts_with("Chain"));
        let gone = [whole[0].clone(), whole[2].clone(), whole[3].clone()];
        assert_eq!(check(&gone).unwrap(), [Checked::Right, Checked::Gap(2), Checked::Right]);
    }

    #[test]
    fn another_log_has_another_genesis() {
        let mut chains = Chains::default();
        chains.begin(&Subject::parse("match/m1/1").unwrap(), "ffffffffffffffff");
        let first = Delivered::parse(&delivered(1)[0]).unwrap();
        assert_eq!(chains.check(&first), Err(Broken::Chain("match/m1/1".into(), 1)));
    }
}
