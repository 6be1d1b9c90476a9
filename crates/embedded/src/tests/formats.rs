//! Directories that older versions wrote: they are read, and brought to the format of now.

use std::{path::Path, sync::Arc};

use matchwire_log::{Log, ManualClock, Options as Bounds};

use super::{SMALL, append, call, event, read, subject};
use crate::{Segments, format::VERSION, verify};

/// A copy of a fixture.
fn copy(format: &str) -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format);
    let to = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.path().join(file.file_name())).unwrap();
    }
    to
}

fn log(directory: &Path) -> Log {
    let medium = Segments::open(directory, SMALL).unwrap();
    while medium.maintain().unwrap() {}
    let bounds = Bounds { recent_bytes: 0, ..Bounds::default() };
    Log::open_with(Box::new(medium), Arc::new(ManualClock::new(1_000)), bounds).unwrap()
}

/// Twelve groups, each with two events of two streams, over six segments.
#[test]
fn format_1_is_read_and_goes_on() {
    is_read_and_goes_on("format-1");
}

/// The same, of which some are sealed.
#[test]
fn format_2_is_read_and_goes_on() {
    is_read_and_goes_on("format-2");
}

fn is_read_and_goes_on(format: &str) {
    let directory = copy(format);
    for opened in 0..3_u64 {
        let log = log(directory.path());
        for stream in ["match/a/1", "room/b"] {
            let ids: Vec<String> =
                read(&log, stream).unwrap().into_iter().map(|(id, _)| id).collect();
            let written = (0..12).flat_map(|id| [format!("{id}"), format!("{id}-2")]);
            let later = (0..opened).map(|id| format!("new-{id}"));
            assert_eq!(ids, written.chain(later).collect::<Vec<_>>());
            let found = log.find(&subject(stream), "s", "7-2").unwrap().unwrap();
            assert_eq!((found.seq, found.stored), (16, event(stream, "7-2").stored));
            call(&log, vec![append(stream, &[format!("new-{opened}"), "3".into()])]).unwrap();
        }
        drop(log);
        let verified = verify(directory.path(), None, &mut |_| ()).unwrap();
        assert_eq!((verified.damage, verified.streams), (Vec::new(), 2));
    }
    let names = std::fs::read_dir(directory.path()).unwrap();
    let names: Vec<_> =
        names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.contains(".idx")), "{names:?}");
    let json = std::fs::read_to_string(directory.path().join("log.json")).unwrap();
    assert!(json.contains(&format!("\"format\": {VERSION}")), "{json}");
}
