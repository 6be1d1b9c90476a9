//! Events of 300 bytes, in NDJSON, whose ids can be written over in place.

use bytes::Bytes;

/// The size of an event as it is sent, in bytes, without its line feed.
pub(crate) const EVENT_BYTES: usize = 300;
/// Where an event's id starts, and how long it is.
const ID: std::ops::Range<usize> = 27..43;

/// Events of one match, ready to be sent but for their ids.
pub(crate) struct Batch(Vec<u8>);

impl Batch {
    /// So many events of a type for a match.
    pub(crate) fn new(kind: &str, match_id: &str, events: usize) -> Self {
        let one = event(kind, match_id);
        assert_eq!(one.len(), EVENT_BYTES, "the events are padded to one size");
        Self(format!("{one}\n").into_bytes().repeat(events))
    }

    /// The batch as a body, each event with an id that `next` gives by its index.
    pub(crate) fn body(&mut self, mut next: impl FnMut(usize) -> u64) -> Bytes {
        for (index, line) in self.0.chunks_exact_mut(EVENT_BYTES + 1).enumerate() {
            let id = format!("{:016x}", next(index));
            if let Some(place) = line.get_mut(ID) {
                place.copy_from_slice(id.as_bytes());
            }
        }
        Bytes::copy_from_slice(&self.0)
    }
}

/// Ids that look random and do not repeat: the outputs of SplitMix64, which is a bijection of its
/// counter.
pub(crate) struct Ids(u64);

impl Ids {
    /// A sequence of its own for each lane, for 2^40 ids.
    pub(crate) fn lane(lane: u64) -> Self {
        Self(lane << 40)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 += 1;
        let mut z = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn event(kind: &str, match_id: &str) -> String {
    let with_source = |source: &str| {
        format!(
            r#"{{"specversion":"1.0","id":"0000000000000000","source":"{source}","subject":"match/{match_id}/1","type":"{kind}","data":{{"attacker":"steam:76561198000000001","victim":"steam:76561198000000002","weapon":"ak47","damage":27,"damage_armor":4,"health":73,"armor":96,"hitgroup":"chest"}}}}"#
        )
    };
    let room = EVENT_BYTES.saturating_sub(with_source("").len());
    with_source(&"bench-".chars().cycle().take(room).collect::<String>())
}

#[cfg(test)]
mod tests {
    use matchwire_domain::{envelope::Attributes, live_match::Games, vocabulary};

    use super::*;

    #[test]
    fn events_are_good_and_of_one_size() {
        for kind in ["player.hurt", "x.bench"] {
            let body = Batch::new(kind, "b007", 3).body(|index| index as u64 + 10);
            let lines: Vec<_> = std::str::from_utf8(&body).unwrap().lines().collect();
            assert_eq!(lines.len(), 3);
            for (line, id) in lines.iter().zip(["a", "b", "c"]) {
                assert_eq!(line.len(), EVENT_BYTES);
                let attributes = Attributes::parse(line).unwrap();
                assert_eq!(attributes.id, format!("{id:0>16}"));
                vocabulary::admit(
                    &Games::default(),
                    &attributes,
                    &mut str::to_owned,
                    &|_, name| name.clone(),
                )
                .unwrap();
            }
        }
    }

    #[test]
    fn ids_do_not_repeat() {
        let ids = (0..8).flat_map(|lane| {
            let mut ids = Ids::lane(lane);
            (0..10_000).map(move |_| ids.next())
        });
        let distinct: std::collections::BTreeSet<_> = ids.collect();
        assert_eq!(distinct.len(), 80_000);
    }
}
