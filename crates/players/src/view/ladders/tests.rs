//! However bouts are told and folded, rows come to those of the last word.

use std::collections::BTreeMap;

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::view_store::{MemoryViews, Start, StoredView, Transaction, ViewStore as _};
use proptest::{collection::vec, prelude::*};

use super::*;
use crate::view::SCHEMA;

/// A view without rows, and what was committed to it.
struct View(std::sync::Arc<dyn StoredView>, u32);

impl View {
    fn new() -> Self {
        Self(MemoryViews::new().build(&SCHEMA, Start::Anew).unwrap().finish().unwrap(), 0)
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut dyn Transaction) -> T) -> T {
        let before = (self.1 > 0).then(|| self.1.to_string());
        let mut rows = self.0.begin(before.as_deref()).unwrap();
        let done = change(&mut *rows);
        self.1 += 1;
        rows.commit(&self.1.to_string()).unwrap();
        done
    }

    /// Folds with parts of some size, and checks after each that everybody stands on the ladders as the last row of their
    /// course says.
    fn fold(&mut self, slice: usize, parts: usize) {
        for _ in 0..parts {
            let is_done = self.change(|rows| {
                let Some(row) = first(rows, UNFOLDED, &Keys::all()).unwrap() else { return true };
                let from: Place = serde_json::from_slice(&row.value).unwrap();
                fold_game(rows, &read_text(&row.key).unwrap().0, &from, slice).unwrap();
                false
            });
            self.check_ladders();
            if is_done {
                return;
            }
        }
    }

    fn rows(&self, table: Table) -> Vec<(Vec<u8>, Vec<u8>)> {
        let snapshot = self.0.snapshot().unwrap();
        let rows = snapshot.range(table, &Keys::all(), Order::Ascending, 100_000).unwrap();
        rows.into_iter().map(|row| (row.key, row.value)).collect()
    }

    fn check_ladders(&self) {
        let mut last: BTreeMap<(String, String), Ratings> = BTreeMap::new();
        for (key, value) in self.rows(COURSES) {
            let (game, rest) = read_text(&key).unwrap();
            let (player, _) = read_text(rest).unwrap();
            last.insert((game, player), serde_json::from_slice(&value).unwrap());
        }
        let mut ladders: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for ((game, player), ratings) in &last {
            for (system, steps) in System::SERVED.into_iter().zip(ratings) {
                ladders.push((ladder_key(game, system, *steps, player), json(steps)));
            }
        }
        ladders.sort();
        assert_eq!(self.rows(LADDERS), ladders);
    }
}

prop_compose! {
    /// What is told of one of some matches, in one of two games; and how much is folded after it.
    fn told()(
        match_no in 0_u8..7, second in 0_i64..9, game in prop::sample::select(vec!["x", "y"]),
        order in Just(["a", "b", "c", "d"]).prop_shuffle(), size in 1_usize..3,
        winner in prop::option::of(0_usize..2), is_none in prop::bool::weighted(0.2), parts in 0_usize..4,
    ) -> (String, &'static str, Option<Bout>, usize) {
        let id = format!("m{match_no}");
        let side = |from: usize| order[from..from + size].iter().map(|it| (*it).to_owned()).collect();
        let key = Place { ended: Timestamp::from_ms(second * 1_000), match_id: id.clone() };
        let bout = Bout { key, sides: [side(0), side(2)], winner };
        (id, game, (!is_none).then_some(bout), parts)
    }
}

proptest! {
    #[test]
    fn rows_are_those_of_the_last_word(story in vec(told(), 1..40), slice in 1_usize..5) {
        let mut view = View::new();
        let mut last: BTreeMap<String, (&str, Option<Bout>)> = BTreeMap::new();
        for (id, game, bout, parts) in &story {
            view.change(|rows| set(rows, id, game, bout.clone())).unwrap();
            view.check_ladders();
            view.fold(slice, *parts);
            last.insert(id.clone(), (game, bout.clone()));
        }
        view.fold(slice, usize::MAX);
        let mut truth = View::new();
        for (id, (game, bout)) in last {
            truth.change(|rows| set(rows, &id, game, bout)).unwrap();
        }
        while !truth.change(fold).unwrap() {}
        for table in [BOUTS, PLACES, COURSES, LADDERS, UNFOLDED] {
            prop_assert_eq!(view.rows(table), truth.rows(table), "{:?}", table);
        }
        prop_assert!(view.rows(UNFOLDED).is_empty());
    }
}
