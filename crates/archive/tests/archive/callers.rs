//! Calls from any thread, also from one that runs tasks.

use std::sync::Arc;

use matchwire_embedded::archive::Archive as _;

use crate::harness::{Folder, groups, read, write};

/// All that is called, and the end of the archive.
fn all() {
    let folder = Folder::new();
    let archive = folder.open();
    let groups = groups(3, 50);
    let object = write(&archive, "x.parquet", &groups).unwrap();
    assert_eq!(read(&archive, &object, 3).unwrap(), groups);
    archive.remove("x.parquet").unwrap();
    archive.remove("x.parquet").unwrap();
    assert!(archive.read(&object, 0).is_err());
    drop(archive);
}

#[test]
fn a_plain_thread() {
    all();
}

#[tokio::test(flavor = "current_thread")]
async fn a_task_on_the_only_thread() {
    all();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_on_many_threads() {
    let tasks: Vec<_> = (0..4).map(|_| tokio::spawn(async { all() })).collect();
    tokio::task::spawn_blocking(all).await.unwrap();
    for task in tasks {
        task.await.unwrap();
    }
}

#[test]
fn many_at_once() {
    let folder = Folder::new();
    let archive = Arc::new(folder.open());
    std::thread::scope(|scope| {
        for number in 0..12 {
            let archive = archive.clone();
            scope.spawn(move || {
                let groups = groups(5, 20 + number);
                let object = write(&*archive, &format!("{number}.parquet"), &groups).unwrap();
                for _ in 0..5 {
                    assert_eq!(read(&*archive, &object, 5).unwrap(), groups);
                }
            });
        }
    });
}
