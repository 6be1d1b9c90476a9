//! Damage to a sealed file: verify finds all of it, and nothing wrong is ever read.

use std::sync::Arc;

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::Error;

use super::{LOG_ID, Made, Model, NEVER, boxed, target};
use crate::{
    disk::{Disk, Faulty},
    sealed::{
        Range, Sealed, Streams, frame::Home, seal, sealed_name, streams::Row, writer::Writer,
    },
};

const RANGE: Range = Range { first: 1, last: 9 };

fn written() -> (Faulty, Model) {
    let row = |n: u16| Made {
        stream: n % 3,
        size: 40,
        fingerprint: u64::from(n) << 50,
        ends_group: true,
    };
    let model = Model::new(&(0..30).map(row).collect::<Vec<_>>(), &[1, 5, 1], 1);
    let disk = Faulty::new(0);
    seal(&target(&disk, 1, 9), boxed(model.arrivals(&[7]))).unwrap();
    (disk, model)
}

fn open(disk: &Faulty) -> Result<Sealed, Error> {
    Sealed::open(disk, LOG_ID, RANGE, Arc::default())
}

/// An error of damage, or one that says that the format is not known.
fn is_told(error: &Error) -> bool {
    matches!(error, Error::Corrupt { .. } | Error::Unusable { .. })
}

/// Every answer is right or an error.
fn check_answers(sealed: &Sealed, model: &Model) {
    for (subject, rows) in model.recorded() {
        let entry = match sealed.entry(subject.as_str()) {
            Ok(entry) => entry.unwrap(),
            Err(error) => {
                assert!(is_told(&error), "{error}");
                continue;
            }
        };
        match sealed.read(&subject, &entry, 0, 1_000, 1 << 20) {
            Ok(records) => assert_eq!(records, rows),
            Err(error) => assert!(is_told(&error), "{error}"),
        }
        let fingerprints: Vec<u64> = (0..30).map(|n| n << 50).collect();
        let mut found = 0;
        match sealed.lookup(subject.as_str(), &entry, &fingerprints, &mut |_, _, _| found += 1) {
            Ok(()) => assert_eq!(found, rows.len()),
            Err(error) => assert!(is_told(&error), "{error}"),
        }
    }
    match sealed.subjects("", None, 10) {
        Ok(subjects) => assert_eq!(subjects.len(), 3),
        Err(error) => assert!(is_told(&error), "{error}"),
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let (disk, model) = written();
    let name = sealed_name(RANGE);
    let before = open(&disk).unwrap();
    for offset in 0..disk.content(&name).len() {
        for bit in [0, offset % 8] {
            disk.flip(&name, offset, 1 << bit);
            let error = match open(&disk) {
                Ok(sealed) => {
                    check_answers(&sealed, &model);
                    sealed.verify(&mut |_| ()).unwrap_err()
                }
                Err(error) => error,
            };
            assert!(is_told(&error), "{offset}: {error}");
            assert!(before.verify(&mut |_| ()).is_err(), "{offset}");
            disk.flip(&name, offset, 1 << bit);
        }
    }
    before.verify(&mut |_| ()).unwrap();
}

#[test]
fn a_file_that_is_cut_off_is_not_opened() {
    let (disk, model) = written();
    let name = sealed_name(RANGE);
    let whole = disk.content(&name);
    let file = disk.open(&name).unwrap();
    let before = open(&disk).unwrap();
    for size in (0..whole.len()).rev() {
        file.set_size(size as u64).unwrap();
        assert!(is_told(&open(&disk).err().unwrap()), "{size}");
        if size % 50 == 0 {
            check_answers(&before, &model);
        }
    }
    file.write_at(&whole, 0).unwrap();
    file.set_size(whole.len() as u64 + 1).unwrap();
    assert!(is_told(&open(&disk).err().unwrap()));
}

/// A file, or a frame, from elsewhere does not pass.
#[test]
fn what_belongs_elsewhere_is_refused() {
    let (disk, _) = written();
    let whole = disk.content(&sealed_name(RANGE));
    let other = Range { first: 1, last: 10 };
    disk.create(&sealed_name(other)).unwrap().write_at(&whole, 0).unwrap();
    assert!(is_told(&Sealed::open(&disk, LOG_ID, other, Arc::default()).err().unwrap()));
    assert!(is_told(&Sealed::open(&disk, LOG_ID + 1, RANGE, Arc::default()).err().unwrap()));
}

/// Each read proves itself, also where every checksum is right.
#[test]
fn a_row_that_is_not_in_the_chain_is_not_read() {
    let row = |n: u16| Made { stream: 0, size: 50, fingerprint: n.into(), ends_group: true };
    let model = Model::new(&(0..100).map(row).collect::<Vec<_>>(), &[1], 0);
    for wrong in [1, 40, 64, 65, 100] {
        let disk = Faulty::new(0);
        let home = Home { log_id: LOG_ID, range: RANGE };
        let file = disk.create(&sealed_name(RANGE)).unwrap();
        let mut writer = Writer::new(file, home, Timestamp::default(), 1, &NEVER).unwrap();
        let mut source = model.arrivals(&[]).remove(0);
        writer.open(source.next_stream().unwrap().unwrap()).unwrap();
        while let Some(row) = source.next_row().unwrap() {
            let stored = if row.seq == wrong { b"{}" } else { row.stored };
            writer.push(&Row { stored, ..row }).unwrap();
        }
        writer.close().unwrap();
        writer.end_streams().unwrap();
        while let Some(id) = source.next_id().unwrap() {
            writer.push_id(id).unwrap();
        }
        writer.finish().unwrap();

        let sealed = open(&disk).unwrap();
        let (subject, rows) = model.recorded().remove(0);
        let entry = sealed.entry(subject.as_str()).unwrap().unwrap();
        for row in rows {
            let same_chunk = (row.seq - 1) / 64 == (wrong - 1) / 64;
            match sealed.read(&subject, &entry, row.seq - 1, 1, 1) {
                Ok(found) => assert!(!same_chunk && found == [row]),
                Err(error) => assert!(same_chunk && is_told(&error), "{error}"),
            }
        }
        assert!(is_told(&sealed.verify(&mut |_| ()).unwrap_err()));
    }
}
