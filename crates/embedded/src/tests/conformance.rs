//! The suite of the log, on different disks and sizes.

use std::sync::Arc;

use matchwire_log::conformance::Open;

use crate::{Options, Segments, disk::Faulty};

fn directory(options: Options) -> Open {
    let directory = tempfile::tempdir().unwrap();
    Box::new(move || Box::new(Segments::open(directory.path(), options).unwrap()))
}

mod as_shipped {
    fn fresh() -> super::Open {
        super::directory(super::Options::default())
    }
    matchwire_log::conformance_tests!(fresh);
}

mod small_segments {
    fn fresh() -> super::Open {
        super::directory(crate::tests::SMALL)
    }
    matchwire_log::conformance_tests!(fresh);
}

/// Every group has a segment of its own.
mod a_segment_a_group {
    use super::*;

    fn fresh() -> Open {
        let disk = Faulty::new(0);
        let options = Options { segment_bytes: 1, ahead_bytes: 0, ..crate::tests::SMALL };
        Box::new(move || Box::new(Segments::open_on(Arc::new(disk.clone()), options).unwrap()))
    }
    matchwire_log::conformance_tests!(fresh);
}

/// The machine crashes before each opening.
mod after_crashes {
    use super::*;

    fn fresh() -> Open {
        let disk = Faulty::new(0);
        Box::new(move || {
            disk.restart();
            Box::new(Segments::open_on(Arc::new(disk.clone()), crate::tests::SMALL).unwrap())
        })
    }
    matchwire_log::conformance_tests!(fresh);
}
