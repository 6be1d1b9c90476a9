//! The disk that fails does what it says.

use super::{Fault, Faulty};
use crate::disk::Disk;

const SEEDS: u64 = 64;

fn restarted(seed: u64, write: impl Fn(&Faulty)) -> Faulty {
    let disk = Faulty::new(seed);
    write(&disk);
    disk.restart();
    disk
}

/// How many of the seeds leave a disk with some property.
fn count(write: impl Fn(&Faulty), property: impl Fn(&Faulty) -> bool) -> u64 {
    let disks = (0..SEEDS).map(|seed| restarted(seed, &write));
    disks.filter(property).count() as u64
}

#[test]
fn what_was_synced_outlasts_a_crash() {
    let write = |disk: &Faulty| {
        let file = disk.create("a").unwrap();
        file.write_at(&[7; 3_000], 0).unwrap();
        file.sync().unwrap();
        disk.sync().unwrap();
        file.write_at(&[8; 10], 3_000).unwrap();
    };
    assert_eq!(count(write, |disk| disk.content("a")[..3_000] == [7; 3_000]), SEEDS);
    let longer = count(write, |disk| disk.content("a").len() > 3_000);
    assert!(longer > 0 && longer < SEEDS, "{longer}");
}

#[test]
fn what_was_not_synced_is_torn_everywhere() {
    let write = |disk: &Faulty| {
        let file = disk.create("a").unwrap();
        file.sync().unwrap();
        disk.sync().unwrap();
        file.write_at(&[1; 2_048], 0).unwrap();
    };
    let reordered = |disk: &Faulty| {
        let content = disk.content("a");
        content.windows(2).any(|two| two == [0, 1])
    };
    let within_a_sector =
        |disk: &Faulty| disk.content("a").split(|byte| *byte == 0).any(|run| run.len() % 512 > 0);
    assert!(count(write, |disk| disk.content("a").is_empty()) > 0);
    assert!(count(write, |disk| disk.content("a") == [1; 2_048]) > 0);
    assert!(count(write, reordered) > 0);
    assert!(count(write, within_a_sector) > 0);
}

#[test]
fn a_failed_sync_is_never_made_good_by_a_later_one() {
    let write = |disk: &Faulty| {
        let file = disk.create("a").unwrap();
        file.write_at(&[0; 9_000], 0).unwrap();
        file.sync().unwrap();
        disk.sync().unwrap();
        file.write_at(&[1; 9_000], 0).unwrap();
        disk.fail_after(Fault::Sync, 0);
        file.sync().unwrap_err();
        // The second page is written again, and with it what else is in it.
        file.write_at(&[2], 5_000).unwrap();
        file.sync().unwrap();
        let content = disk.content("a");
        assert!(content[0] == 1 && content[5_000] == 2, "reads see what was written");
        assert_eq!(disk.met().syncs, 1);
    };
    assert!(count(write, |disk| disk.content("a").contains(&0)) > 0);
    let second_page = |disk: &Faulty| !disk.content("a")[4_096..8_192].contains(&0);
    assert_eq!(count(write, second_page), SEEDS);
}

#[test]
fn a_killed_process_leaves_the_page_cache() {
    let disk = Faulty::new(1);
    disk.create("a").unwrap().write_at(b"here", 0).unwrap();
    disk.crash_after(1);
    disk.remove("a").ok();
    assert!(disk.has_crashed());
    disk.open("a").map(|_| ()).unwrap_err();
    disk.create("b").map(|_| ()).unwrap_err();
    disk.revive();
    assert!(disk.list().unwrap().len() <= 1);
    disk.create("b").unwrap();
}

#[test]
fn a_renamed_file_has_one_name_or_the_other() {
    let write = |disk: &Faulty| {
        for (name, byte) in [("old", 1), ("new", 2)] {
            let file = disk.create(name).unwrap();
            file.write_at(&[byte], 0).unwrap();
            file.sync().unwrap();
        }
        disk.sync().unwrap();
        disk.rename("new", "old").unwrap();
        assert_eq!((disk.list().unwrap(), disk.content("old")), (vec!["old".into()], vec![2]));
    };
    let before = count(write, |disk| disk.content("old") == [1] && disk.content("new") == [2]);
    let after = count(write, |disk| disk.content("old") == [2] && disk.list().unwrap().len() == 1);
    assert!(before > 0 && after > 0 && before + after == SEEDS, "{before} {after}");
    let synced = |disk: &Faulty| {
        write(disk);
        disk.sync().unwrap();
    };
    assert_eq!(count(synced, |disk| disk.content("old") == [2]), SEEDS);
}

#[test]
fn a_full_disk_takes_what_fits() {
    let disk = Faulty::new(1);
    disk.set_capacity(10);
    let file = disk.create("a").unwrap();
    let error = file.write_at(&[1; 16], 0).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!((disk.content("a"), disk.used_bytes()), (vec![1; 10], 10));
    file.write_at(&[2; 10], 0).unwrap();
    disk.create("b").map(|_| ()).unwrap_err();
    assert_eq!(disk.met().full, 2);
    disk.calm();
    disk.create("b").unwrap();
}

#[test]
fn flipped_bits_stay_until_they_are_written_over_or_healed() {
    let disk = Faulty::new(1);
    let file = disk.create("a").unwrap();
    file.write_at(&[0; 100], 0).unwrap();
    file.sync().unwrap();
    disk.sync().unwrap();
    assert_eq!(disk.flip_within(&[]), None);
    let places = [("b".into(), 0..0), ("a".into(), 40..60)];
    for _ in 0..100 {
        let flip = disk.flip_within(&places).unwrap();
        assert!(flip.name == "a" && (40..60).contains(&flip.offset), "{flip:?}");
    }
    disk.restart();
    assert!(disk.content("a") != [0; 100] && disk.met().flips == 100);
    let file = disk.open("a").unwrap();
    file.write_at(&[0; 10], 40).unwrap();
    disk.heal();
    assert!(disk.content("a") == [0; 100]);
}

#[test]
fn each_fault_strikes_once_and_a_slow_disk_takes_its_own_time() {
    let disk = Faulty::new(1);
    let file = disk.create("a").unwrap();
    assert_eq!(disk.elapsed_ms(), 0);
    disk.set_latency_ms(50);
    file.write_at(&[1; 8], 0).unwrap();
    disk.fail_after(Fault::Read, 1);
    disk.fail_after(Fault::Write, 0);
    let mut buffer = [0; 8];
    file.read_at(&mut buffer, 0).unwrap();
    file.read_at(&mut buffer, 0).unwrap_err();
    file.read_at(&mut buffer, 0).unwrap();
    file.write_at(&[2; 8], 0).unwrap_err();
    file.write_at(&[2; 8], 0).unwrap();
    let met = disk.met();
    assert_eq!((met.reads, met.writes, met.syncs), (1, 1, 0));
    assert!(disk.elapsed_ms() > 0 && disk.elapsed_ms() <= 50 * 6);
}
