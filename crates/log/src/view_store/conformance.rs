//! What every store of views must pass.
//!
//! A store's crate names a function that makes an empty place and gives what opens it, and
//! [`view_store_conformance_tests!`](crate::view_store_conformance_tests) makes a test of each function here:
//!
//! ```
//! fn fresh() -> matchwire_log::view_store::conformance::Open {
//!     let views = matchwire_log::view_store::MemoryViews::new();
//!     Box::new(move || Box::new(views.clone()))
//! }
//! matchwire_log::view_store_conformance_tests!(fresh);
//! ```

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the suite is a test, though it is compiled as a part of the library"
)]

mod rows;
mod versions;
mod writers;

use std::sync::Arc;

pub use self::{rows::*, versions::*, writers::*};
use super::{Error, Keys, Order, Row, Schema, Start, StoredView, Table, ViewStore};

/// Opens one place, again each time that it is called; also several times at once.
pub type Open = Box<dyn Fn() -> Box<dyn ViewStore>>;

/// Makes a test of every function of [`conformance`](crate::view_store::conformance).
#[macro_export]
macro_rules! view_store_conformance_tests {
    ($fresh:path) => {
        $crate::view_store_conformance_tests! { $fresh:
            reads_what_was_put reads_as_a_model_does keeps_any_bytes refuses_what_is_too_large
            tells_its_size purges_and_keeps_the_rest
            a_commit_is_all_or_nothing a_position_moves_from_what_is_expected
            racing_writers_apply_everything_once a_snapshot_stays_as_it_is
            snapshots_for_several_are_after_the_same_commit
            nobody_waits_for_a_reader_or_a_reader_for_a_writer readers_see_whole_commits
            starts_empty a_build_serves_when_it_is_finished a_build_is_resumed_or_begun_anew
            one_builds_at_a_time versions_stand_beside_each_other a_rebuild_takes_the_place
            what_is_removed_is_gone
        }
    };
    ($fresh:path: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::view_store::conformance::$name(&$fresh());
            }
        )*
    };
}

const A: Table = Table::new("a");
const B: Table = Table::new("b");
/// What most of the suite uses.
const SCHEMA: Schema = Schema::new("tallies", 1, &[A, B]);

/// A view that serves, without rows, at the position `0`.
fn served(store: &dyn ViewStore) -> Arc<dyn StoredView> {
    let build = store.build(&SCHEMA, Start::Resumed).unwrap();
    build.begin(None).unwrap().commit("0").unwrap();
    build.finish().unwrap()
}

/// Commits rows of the table `A`.
fn put(view: &dyn StoredView, from: Option<&str>, to: &str, rows: &[(&str, &str)]) {
    let mut transaction = view.begin(from).unwrap();
    for (key, value) in rows {
        transaction.put(A, key.as_bytes(), value.as_bytes()).unwrap();
    }
    transaction.commit(to).unwrap();
}

/// The position and the rows of the table `A`.
fn content(view: &dyn StoredView) -> (Option<String>, Vec<(String, String)>) {
    let snapshot = view.snapshot().unwrap();
    let rows = snapshot.range(A, &Keys::all(), Order::Ascending, usize::MAX).unwrap();
    (snapshot.position().unwrap(), texts(rows))
}

fn texts(rows: Vec<Row>) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    rows.into_iter().map(|row| (text(row.key), text(row.value))).collect()
}

fn owned(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

fn is_overtaken<T>(result: Result<T, Error>, is: Option<&str>) -> bool {
    matches!(result, Err(Error::Overtaken { found, .. }) if found.as_deref() == is)
}
