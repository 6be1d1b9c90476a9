//! Sealed files as a whole, against a model in memory.

mod crash;
mod damage;
mod model;

use std::sync::{Arc, atomic::AtomicBool};

use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_log::Error;
use proptest::prelude::*;

use super::{
    Range, Sealed, Streams, Target,
    arrival::Arrival,
    seal,
    streams::{Id, Opening, Row},
};
use crate::disk::{Disk, Faulty};
use model::{Made, Model};

const LOG_ID: u64 = 0x0123_4567_89ab_cdef;
static NEVER: AtomicBool = AtomicBool::new(false);

fn target(disk: &dyn Disk, first: u64, last: u64) -> Target<'_> {
    Target {
        disk,
        log_id: LOG_ID,
        range: Range { first, last },
        recorded: Timestamp::from_ms(7),
        level: 1,
        cache: Arc::default(),
        is_lossy: false,
        object: None,
        suffix: ".tmp",
        stop: &NEVER,
    }
}

/// A source that does not know the chains of its rows.
struct Forgetful(Arrival);

impl Streams for Forgetful {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        self.0.next_stream()
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        Ok(self.0.next_row()?.map(|row| Row { chain: None, ..row }))
    }

    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        self.0.next_id()
    }
}

/// What a source says wrongly.
#[derive(Clone, Copy, PartialEq)]
enum Lie {
    Before,
    Stored,
    Chain,
    Id,
    FewerIds,
}

struct Liar(Arrival, Lie);

impl Streams for Liar {
    fn next_stream(&mut self) -> Result<Option<Opening>, Error> {
        let lie = |opening| Opening { before: Digest([9; 32]), ..opening };
        let opening = self.0.next_stream()?;
        Ok(if self.1 == Lie::Before { opening.map(lie) } else { opening })
    }

    fn next_row(&mut self) -> Result<Option<Row<'_>>, Error> {
        let lie = self.1;
        Ok(self.0.next_row()?.map(|row| match lie {
            Lie::Stored => Row { stored: b"other", ..row },
            Lie::Chain => Row { chain: Some(Digest([9; 32])), ..row },
            _ => row,
        }))
    }

    fn next_id(&mut self) -> Result<Option<Id>, Error> {
        let id = self.0.next_id()?;
        Ok(match self.1 {
            Lie::Id => id.map(|id| Id { seq: id.seq + 1, ..id }),
            Lie::FewerIds => None,
            _ => id,
        })
    }
}

fn boxed(arrivals: Vec<Arrival>) -> Vec<Box<dyn Streams>> {
    arrivals.into_iter().map(|arrival| Box::new(arrival) as Box<dyn Streams>).collect()
}

/// One of each: streams, sizes, fingerprints, and whether a group, or a source, ends.
fn rows() -> impl Strategy<Value = Vec<Made>> {
    let size = prop_oneof![10 => 0..400_usize, 2 => 1_000..9_000_usize, 1 => 60_000..200_000_usize];
    let fingerprint = prop_oneof![4 => any::<u64>(), 1 => 0..20_u64];
    (1..200_u16, 1..600_usize).prop_flat_map(move |(streams, rows)| {
        let row = (0..streams, size.clone(), fingerprint.clone(), 0..8_u8);
        let row = row.prop_map(|(stream, size, fingerprint, end)| Made {
            stream,
            size,
            fingerprint,
            ends_group: end < 3,
        });
        prop::collection::vec(row, 1..=rows)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever comes from however many sources, in one step or in two, is all there.
    #[test]
    fn any_rows_in_any_split(
        made in rows(),
        starts in prop::collection::vec(1..4_u64, 200),
        closed in 0..5_u16,
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        forgetful in any::<bool>(),
    ) {
        cuts.sort_by_key(|cut| cut.index(made.len()));
        let cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(made.len())).collect();
        let model = Model::new(&made, &starts, closed);
        let disk = Faulty::new(0);

        let sources = model.arrivals(&cuts);
        let sources = if forgetful {
            sources.into_iter().map(|source| Box::new(Forgetful(source)) as _).collect()
        } else {
            boxed(sources)
        };
        let last = model.last_position();
        let at_once = seal(&target(&disk, 1, last), sources).unwrap();
        model.check(&at_once);
        drop(at_once);

        let parts = model.arrivals(&cuts).into_iter().zip(last + 1..);
        let parts: Vec<Sealed> = parts
            .map(|(part, first)| seal(&target(&disk, first, first), boxed(vec![part])).unwrap())
            .collect();
        let walks = parts.iter().map(|part| Box::new(part.walk().unwrap()) as _).collect();
        let merged = seal(&target(&disk, 1, last), walks).unwrap();
        model.check(&merged);
        drop((parts, merged));

        let opened = Sealed::open(&disk, LOG_ID, Range { first: 1, last }, Arc::default());
        model.check(&opened.unwrap());
        let names = disk.list().unwrap();
        assert!(names.iter().all(|name| super::parse_name(name).is_some()), "{names:?}");
    }
}

/// Streams long enough for many blocks, and many streams for many pages.
#[test]
fn many_blocks_and_pages() {
    let row = |n: usize| Made {
        stream: u16::try_from(if n.is_multiple_of(3) { 0 } else { n % 997 }).unwrap(),
        size: 300,
        fingerprint: super::filter::mixed(n as u64),
        ends_group: n.is_multiple_of(10),
    };
    let made: Vec<Made> = (0..5_000).map(row).collect();
    let model = Model::new(&made, &[1; 1_000], 0);
    let disk = Faulty::new(0);
    let cuts = [1_000, 1_300, 4_000];
    let sealed = seal(&target(&disk, 1, 9), boxed(model.arrivals(&cuts))).unwrap();
    let index = &sealed.whole.index;
    assert!(index.blocks.len() > 5 && index.pages.len() > 5 && index.ids.len() > 5);
    model.check(&sealed);
    let again = seal(&target(&disk, 1, 9), vec![Box::new(sealed.walk().unwrap())]).unwrap();
    model.check(&again);
    assert_eq!(sealed.stats().file_bytes, again.stats().file_bytes);
}

/// A walk that skips rows still gives every stream.
#[test]
fn a_walk_may_skip_rows() {
    let row = |n: u16| Made { stream: n % 7, size: 3_000, fingerprint: 1, ends_group: true };
    let model = Model::new(&(0..700).map(row).collect::<Vec<_>>(), &[1; 7], 0);
    let sealed = seal(&target(&Faulty::new(0), 1, 9), boxed(model.arrivals(&[]))).unwrap();
    let mut walk = sealed.walk().unwrap();
    let mut subjects = Vec::new();
    while let Some(opening) = walk.next_stream().unwrap() {
        for _ in 0..subjects.len() * 10 {
            walk.next_row().unwrap().unwrap();
        }
        subjects.push(opening.subject);
    }
    assert_eq!(subjects, model.subjects());
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let row = |_| Made { stream: 0, size: 10, fingerprint: 1, ends_group: true };
    let model = Model::new(&(0..9).map(row).collect::<Vec<_>>(), &[1], 0);
    let parts = || model.arrivals(&[3, 6]);
    let refused = |sources: Vec<Box<dyn Streams>>| {
        let disk = Faulty::new(0);
        let sealed = seal(&target(&disk, 1, 9), sources);
        assert!(disk.list().unwrap().is_empty());
        assert!(matches!(sealed, Err(Error::Corrupt { .. })));
    };
    let mut gap = parts();
    gap.remove(1);
    refused(boxed(gap));
    let mut order = parts();
    order.swap(0, 1);
    refused(boxed(order));
    let mut twice = parts();
    twice.extend(parts());
    refused(boxed(twice));

    for lie in [Lie::Before, Lie::Stored, Lie::Chain, Lie::Id, Lie::FewerIds] {
        let mut parts = parts();
        let last = parts.pop().unwrap();
        let mut sources = boxed(parts);
        sources.push(Box::new(Liar(last, lie)));
        refused(sources);
    }
}
