//! What a sealed file must give, in memory.

use std::{collections::BTreeMap, sync::Arc};

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject, timestamp::Timestamp};
use matchwire_log::medium::Record;
use rand::{Rng, SeedableRng, rngs::SmallRng};

use super::LOG_ID;
use crate::{
    format::Home,
    format::View,
    sealed::{Arrivals, Kind, Sealed, Streams, arrival::Arrival},
};

/// A row to be made.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) stream: u16,
    pub(super) size: usize,
    pub(super) fingerprint: u64,
    pub(super) ends_group: bool,
}

/// Records in order of arrival, and by stream.
pub(super) struct Model {
    arrived: Vec<(u64, Kind, Record)>,
    streams: BTreeMap<Box<str>, Stream>,
}

struct Stream {
    subject: Subject,
    before: Digest,
    rows: Vec<(u64, Kind, Record)>,
}

impl Model {
    /// The streams below `closed` are sealed by their last record; a stream starts with the seq that
    /// `starts` says.
    pub(super) fn new(made: &[Made], starts: &[u64], closed: u16) -> Self {
        let mut random = SmallRng::seed_from_u64(made.len() as u64);
        let mut model = Self { arrived: Vec::new(), streams: BTreeMap::new() };
        let (mut position, mut ms) = (1, 1_700_000_000_000);
        for (n, row) in made.iter().enumerate() {
            let subject = Subject::parse(&format!("match/m{}/1", row.stream)).unwrap();
            let key: Box<str> = subject.as_str().into();
            let start = starts[usize::from(row.stream)];
            let stream = model.streams.entry(key).or_insert_with(|| {
                let id = format!("{LOG_ID:016x}");
                let before = match start {
                    1 => Digest::genesis(&id, &subject),
                    _ => Digest::leaf(subject.as_str().as_bytes()),
                };
                Stream { subject: subject.clone(), before, rows: Vec::new() }
            });
            let last = stream.rows.last().map(|(_, _, last)| &last.recorded);
            let (seq, before) =
                last.map_or((start, stream.before), |last| (last.seq + 1, last.chain));
            let mut stored = format!(r#"{{"specversion":"1.0","id":"{n}","data":""#).into_bytes();
            stored.extend((0..row.size).map(|_| random.random_range(b'a'..b'q')));
            stored.truncate(row.size.max(1));
            let later = made[n + 1..].iter().any(|later| later.stream == row.stream);
            let kind = if row.stream < closed && !later { Kind::Last } else { Kind::Event };
            let (recorded, leaf) = (Timestamp::from_ms(ms), Digest::leaf(&stored));
            let chain = before.next(seq, recorded, leaf);
            let stored: Arc<[u8]> = stored.into();
            let recorded = Recorded { seq, recorded, leaf, chain, stored };
            let fingerprint = row.fingerprint;
            let record = Record { subject, fingerprint, recorded, seals: kind == Kind::Last };
            stream.rows.push((position, kind, record.clone()));
            model.arrived.push((position, kind, record));
            position += u64::from(row.ends_group);
            ms += i64::from(random.random_range(0..3_u8)) * 500;
        }
        model
    }

    pub(super) fn last_position(&self) -> u64 {
        self.arrived.last().map_or(1, |(position, _, _)| *position)
    }

    pub(super) fn subjects(&self) -> Vec<Box<str>> {
        self.streams.keys().cloned().collect()
    }

    /// Every stream with its records.
    pub(super) fn recorded(&self) -> Vec<(Subject, Vec<Recorded>)> {
        let rows = |stream: &Stream| stream.rows.iter().map(|row| row.2.recorded.clone()).collect();
        self.streams.values().map(|stream| (stream.subject.clone(), rows(stream))).collect()
    }

    /// The records as raw segments, cut at these places.
    pub(super) fn arrivals(&self, cuts: &[usize]) -> Vec<Arrival> {
        let ends = cuts.iter().copied().chain([self.arrived.len()]);
        let starts = [0].into_iter().chain(cuts.iter().copied());
        let parts = starts.zip(ends).map(|(start, end)| self.arrival(start, end));
        parts.collect()
    }

    fn arrival(&self, start: usize, end: usize) -> Arrival {
        let (mut arrivals, mut bytes) = (Arrivals::default(), vec![7; 99]);
        for (position, kind, record) in &self.arrived[start..end] {
            let view = View::of(record);
            arrivals.add(*position, bytes.len() as u64, *kind, &view).unwrap();
            view.put(&mut bytes);
        }
        let before = |subject: &str, _: u64| {
            let here = |(_, _, record): &&(u64, Kind, Record)| record.subject.as_str() == subject;
            let last = self.arrived[..start].iter().rfind(here);
            let before = self.streams[subject].before;
            Ok(Some(last.map_or(before, |(_, _, record)| record.recorded.chain)))
        };
        arrivals.over(Home::new(LOG_ID, 1), bytes, &mut { before }).unwrap()
    }

    /// Checks that a file has exactly this.
    pub(super) fn check(&self, sealed: &Sealed) {
        sealed.verify(&mut |_| ()).unwrap();
        let stats = sealed.stats();
        let stored = self.arrived.iter().map(|(_, _, it)| it.recorded.stored.len() as u64);
        assert_eq!(stats.events, self.arrived.len() as u64);
        assert_eq!(stats.streams, self.streams.len() as u64);
        assert_eq!(stats.stored_bytes, stored.sum::<u64>());
        let times = || self.arrived.iter().map(|(_, _, record)| record.recorded.recorded);
        assert_eq!(Some(stats.first_recorded), times().min());
        assert_eq!(Some(stats.last_recorded), times().max());
        assert_eq!(Some(sealed.recorded()), times().max());
        self.check_subjects(sealed);
        let mut random = SmallRng::seed_from_u64(stats.file_bytes);
        for stream in self.streams.values() {
            check_stream(sealed, stream, &mut random);
        }
        for absent in ["match/m", "match/m1", "room/r", "account/a", "match/zz/1", "match/m1/2"] {
            assert!(sealed.entry(absent).unwrap().is_none());
        }
        self.check_walk(sealed);
    }

    fn check_subjects(&self, sealed: &Sealed) {
        let all: Vec<&str> = self.streams.keys().map(|key| &**key).collect();
        for (prefix, after, limit) in [
            ("", None, usize::MAX),
            ("", None, 3),
            ("match/m1", None, 1_000),
            ("match/m1", Some("match/m11/1"), 5),
            ("match/m2", Some("match/m1"), 5),
            ("match/m1", Some("match/m2"), 5),
            ("", all.get(all.len() / 2).copied(), 100),
            ("room/", None, 5),
            ("a", None, 5),
            ("", None, 0),
        ] {
            let found = sealed.subjects(prefix, after, limit).unwrap();
            let found: Vec<&str> = found.iter().map(Subject::as_str).collect();
            let wanted =
                |key: &&&str| key.starts_with(prefix) && after.is_none_or(|after| **key > after);
            let expected: Vec<&str> = all.iter().filter(wanted).take(limit).copied().collect();
            assert_eq!(found, expected, "{prefix:?} {after:?} {limit}");
        }
    }

    fn check_walk(&self, sealed: &Sealed) {
        let mut walk = sealed.walk().unwrap();
        for (subject, stream) in &self.streams {
            let opening = walk.next_stream().unwrap().unwrap();
            assert_eq!((&opening.subject, opening.before), (subject, stream.before));
            assert_eq!(opening.first_seq, stream.rows[0].2.recorded.seq);
            for (position, kind, record) in &stream.rows {
                let row = walk.next_row().unwrap().unwrap();
                let recorded = &record.recorded;
                assert_eq!((row.seq, row.position, row.kind), (recorded.seq, *position, *kind));
                assert_eq!(row.recorded, recorded.recorded);
                assert_eq!(row.fingerprint, record.fingerprint);
                assert_eq!(row.stored, &*recorded.stored);
                assert!(row.chain.is_none_or(|chain| chain == recorded.chain));
            }
            assert_eq!(walk.next_row().unwrap(), None);
        }
        assert_eq!(walk.next_stream().unwrap(), None);
        let mut ids = Vec::new();
        while let Some(id) = walk.next_id().unwrap() {
            ids.push((id.fingerprint, id.ordinal, id.seq));
        }
        assert!(ids.is_sorted_by_key(|id| id.0));
        let streams = self.streams.values().zip(0..);
        let mut expected: Vec<(u64, u32, u64)> = streams
            .flat_map(|(stream, ordinal)| stream.rows.iter().map(move |row| (&row.2, ordinal)))
            .map(|(record, ordinal)| (record.fingerprint, ordinal, record.recorded.seq))
            .collect();
        expected.sort_unstable();
        ids.sort_unstable();
        assert_eq!(ids, expected);
    }
}

fn check_stream(sealed: &Sealed, stream: &Stream, random: &mut SmallRng) {
    let entry = sealed.entry(stream.subject.as_str()).unwrap().unwrap();
    let rows: Vec<&Recorded> = stream.rows.iter().map(|row| &row.2.recorded).collect();
    let (first, last) = (rows[0], rows[rows.len() - 1]);
    assert_eq!((entry.first_seq, entry.last_seq), (first.seq, last.seq));
    assert_eq!((entry.before, entry.chain), (stream.before, last.chain));
    assert_eq!(entry.is_closed, stream.rows[rows.len() - 1].1 == Kind::Last);

    let positions: Vec<u64> = stream.rows.iter().map(|row| row.0).collect();
    let edges = [0, positions[0], positions[positions.len() - 1], u64::MAX];
    for position in edges
        .into_iter()
        .chain((0..20).map(|_| random.random_range(0..=positions[positions.len() - 1] + 1)))
    {
        let before = positions.partition_point(|at| *at < position) as u64;
        let seq = sealed.seq_before(&stream.subject, &entry, position).unwrap();
        assert_eq!(seq, first.seq - 1 + before, "before {position}");
    }

    let (mut after, limit, bytes) =
        (0, random.random_range(1..200), random.random_range(1..90_000));
    let mut found = Vec::new();
    loop {
        let page = sealed.read(&stream.subject, &entry, after, limit, bytes).unwrap();
        let sizes: usize = page.iter().map(|it| it.stored.len()).sum();
        assert!(page.len() <= limit);
        let Some(last) = page.last() else { break };
        assert!(sizes - last.stored.len() < bytes);
        after = last.seq;
        let is_full = page.len() == limit || sizes >= bytes;
        assert!(is_full || after == entry.last_seq);
        found.extend(page);
    }
    assert_eq!(found.iter().collect::<Vec<_>>(), rows);
    let none = sealed.read(&stream.subject, &entry, 0, 0, 9).unwrap();
    assert!(none.is_empty());
    let one = rows[random.random_range(0..rows.len())];
    let page = sealed.read(&stream.subject, &entry, one.seq - 1, 1, 9_999_999).unwrap();
    assert_eq!(page, std::slice::from_ref(one));

    let mut fingerprints: Vec<u64> = stream.rows.iter().map(|row| row.2.fingerprint).collect();
    fingerprints.truncate(50);
    fingerprints.extend([3, 4, 5, random.random()]);
    let mut found = Vec::new();
    let mut hit = |index, seq, check: Option<u64>| {
        assert_eq!(check, None);
        found.push((index, seq));
    };
    sealed.lookup(stream.subject.as_str(), &entry, &fingerprints, &mut hit).unwrap();
    let expected = fingerprints.iter().enumerate().flat_map(|(index, fingerprint)| {
        let rows = stream.rows.iter().filter(|row| row.2.fingerprint == *fingerprint);
        rows.map(move |row| (index, row.2.recorded.seq))
    });
    let mut expected: Vec<(usize, u64)> = expected.collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}
