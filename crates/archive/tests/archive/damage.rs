//! Whatever happens to an object, its rows are right or there is an error that names it.

use std::{
    fs,
    hash::{BuildHasher as _, RandomState},
};

use matchwire_embedded::archive::{Archive as _, Object, Row};
use matchwire_log::Error;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

use crate::harness::{Folder, groups, read, write};

/// An object, and what was written to it.
struct Written {
    folder: Folder,
    object: Object,
    groups: Vec<Vec<Row>>,
    bytes: Vec<u8>,
}

impl Written {
    fn new() -> Self {
        let (folder, groups) = (Folder::new(), groups(3, 40));
        let object = write(&folder.open(), "x.parquet", &groups).unwrap();
        let bytes = fs::read(folder.file("x.parquet")).unwrap();
        Self { folder, object, groups, bytes }
    }

    /// How many groups are refused once the object has other bytes; the others must be right.
    fn refused(&self, bytes: &[u8], object: &Object) -> usize {
        fs::write(self.folder.file("x.parquet"), bytes).unwrap();
        let archive = self.folder.open();
        let read = |(group, rows): (u32, &Vec<Row>)| match archive.read(object, group) {
            Ok(found) => {
                assert_eq!(&found, rows, "other rows");
                false
            }
            Err(Error::Corrupt { file, offset, .. }) => {
                assert_eq!(file, "x.parquet");
                assert!(offset <= object.bytes, "{offset}");
                true
            }
            Err(error) => panic!("{error}"),
        };
        (0..).zip(&self.groups).filter(|group| read(*group)).count()
    }

    fn says(&self, object: &Object, group: u32) -> String {
        self.folder.open().read(object, group).unwrap_err().to_string()
    }
}

fn random() -> SmallRng {
    let seed = std::env::var("MATCHWIRE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 1);
    println!("MATCHWIRE_SEED={seed}");
    SmallRng::seed_from_u64(seed)
}

#[test]
fn flipped_bits() {
    let (written, mut random) = (Written::new(), random());
    let mut in_groups = 0;
    for _ in 0..1_500 {
        let mut bytes = written.bytes.clone();
        let at = random.random_range(0..bytes.len());
        bytes[at] ^= 1 << random.random_range(0..8);
        in_groups += usize::from(written.refused(&bytes, &written.object) == 1);
    }
    assert!(in_groups > 500, "a flipped bit costs one group, {in_groups}");
}

#[test]
fn bytes_that_are_something_else() {
    let (written, mut random) = (Written::new(), random());
    for _ in 0..300 {
        let mut bytes = written.bytes.clone();
        let from = random.random_range(0..bytes.len());
        let to = bytes.len().min(from + random.random_range(1..200));
        random.fill(&mut bytes[from..to]);
        written.refused(&bytes, &written.object);
    }
}

#[test]
fn cut_off() {
    let (written, mut random) = (Written::new(), random());
    for _ in 0..300 {
        let bytes = &written.bytes[..random.random_range(0..written.bytes.len())];
        assert_eq!(written.refused(bytes, &written.object), 3);
        let short = Object { bytes: bytes.len() as u64, ..written.object.clone() };
        assert_eq!(written.refused(bytes, &short), 3);
    }
    let long = [&written.bytes[..], b"x"].concat();
    assert_eq!(written.refused(&long, &written.object), 3);
}

#[test]
fn missing() {
    let written = Written::new();
    fs::remove_file(written.folder.file("x.parquet")).unwrap();
    assert!(written.says(&written.object, 0).contains("it is missing"));
    let never = Object { name: "a/never".into(), bytes: 100 };
    assert!(written.says(&never, 0).contains("a/never is damaged at byte 0: it is missing"));
    let outside = Object { name: "../x".into(), bytes: 100 };
    assert!(written.says(&outside, 0).contains("no name"));
}

#[test]
fn a_group_that_is_not_there() {
    let written = Written::new();
    assert!(written.says(&written.object, 3).contains("it has 3 groups, and no group 3"));
}

#[test]
fn replaced() {
    let written = Written::new();
    let archive = written.folder.open();
    assert_eq!(read(&archive, &written.object, 3).unwrap(), written.groups);
    // By another object, while the footer is remembered.
    let other = groups(2, 33);
    let object = write(&written.folder.open(), "x.parquet", &other).unwrap();
    let said = archive.read(&written.object, 0).unwrap_err().to_string();
    assert!(said.contains(&format!("it has {} bytes", object.bytes)), "{said}");
    assert_eq!(read(&archive, &object, 2).unwrap(), other);
    // By bytes of the same size.
    fs::write(written.folder.file("x.parquet"), vec![0; object.bytes.try_into().unwrap()]).unwrap();
    let said = archive.read(&object, 0).unwrap_err().to_string();
    assert!(said.contains("group 0: its checksum is another one"), "{said}");
    let said = archive.read(&object, 0).unwrap_err().to_string();
    assert!(said.contains("does not end as a Parquet file"), "{said}");
    // And put right again.
    write(&written.folder.open(), "x.parquet", &other).unwrap();
    assert_eq!(read(&archive, &object, 2).unwrap(), other);
}
