//! A place that cannot be used, and objects that are not finished.

use std::fs;

use matchwire_archive::Parquet;
use matchwire_embedded::archive::Archive as _;
use matchwire_log::Error;

use crate::harness::{Folder, about, groups, read, write};

#[test]
fn places() {
    for bad in ["ftp://x/y", "s3://"] {
        let error = Parquet::open(bad).unwrap_err();
        assert!(error.to_string().contains(bad), "{error}");
    }
    let folder = Folder::new();
    fs::write(folder.file("file"), "").unwrap();
    assert!(Parquet::open(folder.file("file").to_str().unwrap()).is_err());
    let deep = folder.file("a/b");
    assert_eq!(Parquet::open(deep.to_str().unwrap()).unwrap().place(), deep.to_str().unwrap());
    assert!(deep.is_dir());
}

/// A file stands where a folder is needed; that stops root, too.
#[test]
fn a_directory_that_cannot_be_written() {
    let folder = Folder::new();
    let archive = folder.open();
    fs::write(folder.file("a"), "").unwrap();
    for groups in [groups(1, 10), groups(40, 1_000)] {
        match write(&archive, "a/x.parquet", &groups) {
            Err(error @ Error::Away { .. }) => {
                let said = error.to_string();
                assert!(said.contains(folder.folder.path().to_str().unwrap()), "{said}");
                assert!(error.is_retryable());
            }
            done => panic!("{done:?}"),
        }
    }
    fs::remove_file(folder.file("a")).unwrap();
    let object = write(&archive, "a/x.parquet", &groups(2, 10)).unwrap();
    assert_eq!(read(&archive, &object, 2).unwrap(), groups(2, 10));
}

#[test]
fn rows_that_do_not_come() {
    let folder = Folder::new();
    let archive = folder.open();
    let mut left = groups(5, 10).into_iter();
    let stopped = archive.write(&about("x.parquet"), &mut || match left.next() {
        Some(group) => Ok(Some(group)),
        None => Err(Error::Stopped),
    });
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        archive.write(&about("x.parquet"), &mut || panic!("on purpose"))
    }));
    assert!(panicked.is_err());
    drop(archive);
    assert!(!folder.file("x.parquet").exists());
}

/// A process that ends while it writes leaves a file that has no name of an object yet.
#[test]
fn what_was_left_goes() {
    let folder = Folder::new();
    for left in ["x.parquet#1", "x.parquet#23", "y.parquet#1", "x.parquet#a"] {
        fs::write(folder.file(left), "half").unwrap();
    }
    write(&folder.open(), "x.parquet", &groups(1, 10)).unwrap();
    assert_eq!(folder.files(), ["x.parquet", "x.parquet#a", "y.parquet#1"]);
}
