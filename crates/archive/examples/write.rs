//! Writes an object as an archive has them to `DIR/archive/example.parquet`, and what a reader must find in
//! it to `DIR/expected.json`, for `ops/archive-test/read.py`:
//!
//! ```text
//! cargo run -p matchwire-archive --example write -- DIR
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "it ends where something is wrong")]

use std::{fs, path::Path};

use matchwire_archive::Parquet;
use matchwire_domain::{
    chain::Digest, envelope::Attributes, subject::Subject, timestamp::Timestamp,
};
use matchwire_embedded::archive::{About, Archive as _, Row};
use serde_json::{Value, json};

const LOG_ID: &str = "0123456789abcdef";
/// How many streams, and how many events in each.
const STREAMS: u64 = 12;
const EVENTS: u64 = 2_500;
/// As the log makes its groups.
const GROUP_ROWS: usize = 16_384;
const GROUP_BYTES: usize = 2 << 20;

fn main() {
    let folder = std::env::args().nth(1).expect("name a directory");
    let folder = Path::new(&folder);
    let mut rows: Vec<Row> = (1..=STREAMS).flat_map(stream).collect();
    rows.sort_by(|a, b| (&a.subject, a.seq).cmp(&(&b.subject, b.seq)));
    let groups = groups(&rows);
    let stored: usize = rows.iter().map(|row| row.stored.len()).sum();
    let rows: Vec<&Row> = groups.iter().flatten().collect();

    let archive = Parquet::open(folder.join("archive").to_str().expect("a path in UTF-8")).unwrap();
    let last = rows.iter().map(|row| row.position).max().unwrap();
    let positions = (1, last);
    let about = About { name: "example.parquet".into(), log_id: LOG_ID.into(), positions };
    let mut next = groups.iter().cloned();
    let object = archive.write(&about, &mut || Ok(next.next())).unwrap();
    for (number, group) in (0..).zip(&groups) {
        assert_eq!(&archive.read(&object, number).unwrap(), group);
    }

    let expected = json!({
        "log_id": LOG_ID,
        "bytes": object.bytes,
        "groups": groups.len(),
        "last_position": last,
        "rows": rows.iter().map(|row| expected(row)).collect::<Vec<_>>(),
    });
    fs::write(folder.join("expected.json"), serde_json::to_vec(&expected).unwrap()).unwrap();
    println!(
        "{} events in {} groups: {stored} stored bytes, {} in Parquet",
        rows.len(),
        groups.len(),
        object.bytes
    );
}

/// A stream with its chain.
fn stream(number: u64) -> Vec<Row> {
    let subject = Subject::parse(&format!("match/m{number}/1")).unwrap();
    let mut chain = Digest::genesis(LOG_ID, &subject);
    let row = |seq| {
        let ms: u64 = 1_767_225_600_000 + seq * 1_370 + number * 11;
        let recorded = Timestamp::from_ms(ms.try_into().unwrap());
        let stored = stored(subject.as_str(), number, seq, recorded);
        chain = chain.next(seq, recorded, Digest::leaf(&stored));
        Row {
            subject: subject.as_str().into(),
            seq,
            position: seq * STREAMS + number,
            recorded,
            // Half of them are over 2^63.
            fingerprint: (number * EVENTS + seq).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            chain: Some(chain),
            stored,
        }
    };
    (1..=EVENTS).map(row).collect()
}

/// An event of some 300 bytes; some without a time, with all kinds of text, and large.
fn stored(subject: &str, number: u64, seq: u64, recorded: Timestamp) -> Vec<u8> {
    let mix = (number * EVENTS + seq).wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(23);
    let text = match seq {
        7 => "\u{0}\u{1F600}é \"quoted\" \\ / \n\t".into(),
        8 => "x".repeat(1 << 20),
        9 => "\u{ffff}\u{10ffff}\u{202e}".into(),
        _ => String::new(),
    };
    let (kind, weapon) = match mix % 4 {
        0 => ("cs.kill", "ak47"),
        1 => ("cs.kill", "m4a1"),
        2 => ("cs.damage", "awp"),
        _ => ("cs.round.started", ""),
    };
    let data = json!({
        "text": text, "weapon": weapon, "killer": format!("p{}", mix % 10),
        "victim": format!("p{}", mix / 16 % 10), "headshot": mix.is_multiple_of(3),
        "position": [mix % 4_096, mix / 64 % 4_096, mix / 4_096 % 256],
    });
    let time =
        if seq.is_multiple_of(10) { String::new() } else { format!(r#","time":"{recorded}""#) };
    let id = format!("{number}-{:08x}", mix >> 32);
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"cs-log/{number}","subject":"{subject}","type":"{kind}"{time},"datacontenttype":"application/json","data":{data}}}"#
    )
    .into_bytes()
}

/// Groups of rows, of which the last of each stream, and each 64th, keeps its chain.
fn groups(rows: &[Row]) -> Vec<Vec<Row>> {
    let mut groups: Vec<Vec<Row>> = vec![Vec::new()];
    let mut bytes = 0;
    for row in rows {
        bytes += row.stored.len();
        let group = groups.last_mut().unwrap();
        if !group.is_empty() && (bytes > GROUP_BYTES || group.len() >= GROUP_ROWS) {
            bytes = row.stored.len();
            groups.push(vec![row.clone()]);
        } else {
            group.push(row.clone());
        }
    }
    for group in &mut groups {
        let subjects: Vec<_> = group.iter().skip(1).map(|row| row.subject.clone()).collect();
        let next = subjects.into_iter().map(Some).chain([None]);
        for (row, next) in group.iter_mut().zip(next) {
            let is_last = next.as_ref() != Some(&row.subject);
            row.chain = row.chain.filter(|_| is_last || row.seq.is_multiple_of(64));
        }
    }
    groups
}

/// What a reader must find of a row.
fn expected(row: &Row) -> Value {
    let attributes = Attributes::read(&row.stored).unwrap();
    let time = attributes.time.as_deref().map(|time| Timestamp::parse(time).unwrap().ms());
    json!({
        "subject": &*row.subject, "seq": row.seq, "recordedtime": row.recorded.ms(),
        "type": attributes.kind, "source": attributes.source, "id": attributes.id, "time": time,
        "position": row.position, "fingerprint": row.fingerprint,
        "chain": row.chain.map(|chain| chain.to_string()),
        "leaf": Digest::leaf(&row.stored).to_string(),
    })
}
