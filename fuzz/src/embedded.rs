//! Segment files that are not what was written.

use std::sync::{Arc, OnceLock};

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject, timestamp::Timestamp};
use matchwire_embedded::{
    Options, Segments,
    disk::{Disk, Faulty},
};
use matchwire_log::{Medium, medium::Record};

const OPTIONS: Options = Options {
    segment_bytes: 1 << 20,
    ahead_bytes: 4_096,
    max_waiting: 8,
    fan_in: 8,
    cache_bytes: 1 << 20,
    background: false,
    log_id: Some(7),
    scrub_bytes_per_s: 0,
};
const GROUPS: u64 = 5;

/// The names and contents of a log's files.
type Files = Vec<(String, Vec<u8>)>;
/// The stored events of both streams.
type Streams = [Vec<Vec<u8>>; 2];

struct Good {
    files: Files,
    streams: Streams,
}

/// The segment of a good log, for a fuzzer to start from.
pub fn good_segment() -> Vec<u8> {
    segment_of(&mut good().files.clone()).clone()
}

/// Any bytes in the place of a segment are opened or refused, and what is opened can be read.
pub fn segment_bytes(input: &[u8]) -> bool {
    let mut files = good().files.clone();
    segment_of(&mut files).splice(.., input.iter().copied());
    opened(&files).is_some()
}

/// Up to three flipped bits, which a CRC always notices, are refused, or cost groups at the end, one
/// for each at most; they never change an event or take one out of the middle.
///
/// Each three bytes of the input say where to flip and which bit.
pub fn segment_flips(input: &[u8]) -> bool {
    let Good { files, streams: whole } = good();
    let mut files = files.clone();
    let segment = segment_of(&mut files);
    let flips = input.chunks_exact(3).take(3);
    let most_lost = flips.len() * subjects().len();
    for flip in flips {
        if let [high, low, bit] = *flip {
            let place = usize::from(u16::from_be_bytes([high, low])) % segment.len();
            segment[place] ^= 1 << (bit % 8);
        }
    }
    let Some(streams) = opened(&files) else { return false };
    for (stream, written) in streams.iter().zip(whole) {
        assert!(written.starts_with(stream), "what is left is the start of what was written");
    }
    let left: usize = streams.iter().map(Vec::len).sum();
    let all: usize = whole.iter().map(Vec::len).sum();
    assert!(all - left <= most_lost, "{left} of {all} events are left");
    true
}

/// Opens files as a log and reads both streams; `None` if damage is reported.
fn opened(files: &Files) -> Option<Streams> {
    let disk = Faulty::new(1);
    for (name, content) in files {
        let file = disk.create(name).expect("the disk works");
        file.write_at(content, 0).expect("the disk works");
    }
    let medium = Segments::open_on(Arc::new(disk), OPTIONS).ok()?;
    let mut streams = [Vec::new(), Vec::new()];
    for (stream, subject) in streams.iter_mut().zip(subjects()) {
        loop {
            let page = medium.read(&subject, stream.len() as u64, 100, 1 << 20).ok()?;
            if page.is_empty() {
                break;
            }
            stream.extend(page.iter().map(|recorded| recorded.stored.to_vec()));
        }
    }
    Some(streams)
}

fn segment_of(files: &mut Files) -> &mut Vec<u8> {
    let segment = files.iter_mut().find(|(name, _)| name.contains(".seg"));
    &mut segment.expect("a log has a segment").1
}

fn subjects() -> [Subject; 2] {
    ["match/m1/1", "match/m2/1"].map(|subject| Subject::parse(subject).expect("a good subject"))
}

/// A log of a few groups, written once.
fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let disk = Faulty::new(1);
        let medium = Segments::open_on(Arc::new(disk.clone()), OPTIONS).expect("an empty disk");
        let first = medium.tail().position;
        for group in 0..GROUPS {
            let records = subjects().map(|subject| record(subject, group + 1));
            medium.append(first + group, &records).expect("the disk works");
        }
        drop(medium);
        let names = disk.list().expect("the disk works");
        let files = names.into_iter().map(|name| (name.clone(), disk.content(&name))).collect();
        let streams = opened(&files).expect("a good log opens");
        Good { files, streams }
    })
}

fn record(subject: Subject, seq: u64) -> Record {
    let stored: Arc<[u8]> = format!(r#"{{"id":"{seq}","data":{{}}}}"#).into_bytes().into();
    let leaf = Digest::leaf(&stored);
    let recorded = Timestamp::from_ms(1_700_000_000_000);
    let recorded = Recorded { seq, recorded, leaf, chain: leaf, stored };
    Record { subject, fingerprint: seq, recorded, seals: false }
}
