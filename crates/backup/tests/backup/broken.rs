//! Back-ups that were broken off, and damaged ones.

use std::{
    fs,
    pin::Pin,
    task::{Context, Poll},
};

use matchwire_backup::Error;
use matchwire_embedded::Options;

use crate::harness::{Data, Place, copy, options};

/// A future that is dropped after it was polled so many times.
struct Cut<F>(Pin<Box<F>>, usize);

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.1 == 0 {
            return Poll::Ready(None);
        }
        self.1 -= 1;
        self.0.as_mut().poll(context).map(Some)
    }
}

/// Makes a round that ends after so many steps, as if killed: says whether it was done before.
fn broken_off(place: &Place, data: &Data, polls: usize) -> bool {
    let work = async {
        let mut backup = place.backup(data.path()).await;
        backup.round(&mut |_| ()).await.unwrap();
        backup.tidy().await.unwrap();
    };
    let runtime = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // With the runtime everything ends that is still on its way.
        runtime.block_on(Cut(Box::pin(work), polls)).is_some()
    };
    std::thread::scope(|scope| scope.spawn(runtime).join().unwrap())
}

#[tokio::test]
async fn one_that_was_broken_off_is_what_it_was_before() {
    let (data, place) = (Data::new(), Place::new());
    let mut log = data.open(options());
    log.fill(1_000, 20).await;
    place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    let before = log.all();
    log.fill(2_000, 40).await;
    let after = log.all();
    drop(log);
    data.maintain(3);
    let (mut polls, mut seen) = (1, (0, 0));
    loop {
        let (torn, target) = (Place::new(), Data::new());
        copy(place.folder.path(), torn.folder.path());
        let is_done = broken_off(&torn, &data, polls);
        let restored = torn.restore(target.path()).await.unwrap();
        assert_eq!(restored.verified.damage, []);
        let found = target.open(options()).all();
        assert!(found == before || found == after, "after {polls} polls");
        if found == before {
            seen.0 += 1;
        } else {
            seen.1 += 1;
        }
        // The next one goes on, and leaves nothing that is not needed.
        let mut backup = torn.backup(data.path()).await;
        backup.round(&mut |_| ()).await.unwrap();
        backup.tidy().await.unwrap();
        assert_eq!(torn.objects().len(), backup.manifest().files.len());
        let target = Data::new();
        torn.restore(target.path()).await.unwrap();
        assert_eq!(target.open(options()).all(), after);
        if is_done {
            break;
        }
        // The steps at the end are many, and of one kind.
        polls += 1 + polls / 16;
    }
    assert!(seen.0 > 0 && seen.1 > 0, "{seen:?}");
}

#[tokio::test]
async fn what_could_not_be_written_down_is_done_again() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(Options { segment_bytes: 1 << 20, ..options() });
    log.fill(1_000, 3).await;
    let mut backup = place.backup(data.path()).await;
    backup.round(&mut |_| ()).await.unwrap();
    let name = place.folder.path().join("log/backup.json");
    for round in 2..20 {
        log.fill(round * 1_000, 3).await;
        let kept = fs::read(&name).unwrap();
        fs::remove_file(&name).unwrap();
        fs::create_dir_all(name.join("x")).unwrap();
        backup.round(&mut |_| ()).await.unwrap_err();
        fs::remove_dir_all(&name).unwrap();
        fs::write(&name, kept).unwrap();
        if round % 3 == 0 {
            backup.round(&mut |_| ()).await.unwrap();
        }
    }
    drop(backup);
    let mut backup = place.backup(data.path()).await;
    backup.round(&mut |_| ()).await.unwrap();
    assert_eq!(place.objects().len(), backup.manifest().files.len());
    place.restore(target.path()).await.unwrap();
    assert_eq!(target.open(options()).all(), log.all());
}

#[tokio::test]
async fn a_flipped_byte_is_found() {
    let (data, place) = (Data::new(), Place::new());
    let mut log = data.open(options());
    log.fill(1_000, 60).await;
    drop(log);
    data.maintain(4);
    place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    for object in place.objects() {
        let path = place.folder.path().join("log").join(&object);
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(whole.len() / 5) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).unwrap();
            let target = Data::new();
            let restored = place.restore(target.path()).await;
            let says = matches!(&restored, Err(Error::Damaged { object: found, .. })
                if found.ends_with(&object));
            assert!(says, "{object} at {at}: {restored:?}");
        }
        fs::remove_file(&path).unwrap();
        let target = Data::new();
        let restored = place.restore(target.path()).await;
        assert!(matches!(restored, Err(Error::Damaged { .. })), "{object}: {restored:?}");
        fs::write(&path, &whole).unwrap();
    }
    place.restore(Data::new().path()).await.unwrap();
}

#[tokio::test]
async fn a_restore_that_was_broken_off_begins_again() {
    let (data, place, target) = (Data::new(), Place::new(), Data::new());
    let mut log = data.open(options());
    log.fill(1_000, 60).await;
    place.backup(data.path()).await.round(&mut |_| ()).await.unwrap();
    for polls in 1..30 {
        if target.path().join("log").exists() {
            break;
        }
        drop(Cut(Box::pin(place.restore(target.path())), polls).await);
    }
    if !target.path().join("log").exists() {
        place.restore(target.path()).await.unwrap();
    }
    assert_eq!(target.open(options()).all(), log.all());
}
