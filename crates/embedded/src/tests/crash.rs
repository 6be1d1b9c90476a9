//! Crashes at moments that matter. Random ones, with every other fault, are the simulation's.

use super::{append, call, log, read};
use crate::disk::Faulty;

/// A process is killed right after it has written the log's name, and never synced it; the next
/// one relies on it, and then the power fails.
#[test]
fn the_name_of_a_log_outlasts_what_is_in_it() {
    for seed in 0..16 {
        let disk = Faulty::new(seed);
        disk.crash_after(3);
        assert!(log(&disk).is_err());
        disk.revive();
        let next = log(&disk).unwrap();
        call(&next, vec![append("room/r", &[String::from("1")])]).unwrap();
        drop(next);
        disk.restart();
        assert_eq!(read(&log(&disk).unwrap(), "room/r").unwrap().len(), 1, "seed {seed}");
    }
}
