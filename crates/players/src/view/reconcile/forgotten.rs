//! Whether the view has forgotten those whom the log says to be forgotten, and nobody else: before anything is compared, since
//! what is right of a match is without them.

use std::collections::BTreeSet;

use matchwire_domain::subject::{Kind, Subject};
use matchwire_log::{
    Log,
    projection::Position,
    view_store::{Error, Keys, Order, Snapshot, StoredView},
};

use super::{
    super::{
        FORGOTTEN, Players, forgets,
        keys::{Key, read_text},
        ladders,
        rows::Rows,
        streams::failed,
    },
    fix::begin,
    report::RowDrift,
    scratch::{Stored, pages},
};
use crate::stream::Stream;

/// How many streams are looked up at once.
const PAGE: usize = 500;

/// Whom the view has not forgotten and should have, and whom it should not have forgotten.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Forgotten {
    missing: BTreeSet<String>,
    stray: BTreeSet<String>,
    /// Keys of marks of which nobody can tell whose they are.
    pub(super) of_nobody: Vec<Vec<u8>>,
}

impl Forgotten {
    /// Looks at all players, or at one. What the view need not have seen yet is not missing.
    pub(super) fn look(
        view: &dyn Snapshot,
        log: &Log,
        seen: &Position,
        only: Option<&str>,
    ) -> Result<Self, Error> {
        let mut found = Self::default();
        let is_wanted = |player: &str| only.is_none_or(|only| only == player);
        let mut after: Option<Subject> = None;
        loop {
            let page = log.subjects("player/", after.as_ref().map(Subject::as_str), PAGE);
            let page = page.map_err(|error| failed(&error))?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            for stream in &page {
                let Kind::Player(player) = stream.kind() else { continue };
                if is_wanted(player)
                    && !has_mark(view, player)?
                    && is_erased(log, stream, Some(seen))?
                {
                    found.missing.insert(player.to_owned());
                }
            }
        }
        pages(view, FORGOTTEN, Keys::all(), Order::Ascending, |page| {
            for row in page {
                let player = read_text(&row.key).map(|(player, _)| player).unwrap_or_default();
                if Key::default().text(&player).0 != row.key {
                    if only.is_none() {
                        found.of_nobody.push(row.key);
                    }
                    continue;
                }
                let stream = Subject::parse(&format!("player/{player}")).ok();
                let is_right = stream.map_or(Ok(false), |it| is_erased(log, &it, None))?;
                if is_wanted(&player) && !is_right {
                    found.stray.insert(player);
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether anybody is to be left out. Mostly there is nobody.
    pub(super) fn has_any(&self, view: &(impl Stored + ?Sized)) -> Result<bool, Error> {
        let noted = || view.range(FORGOTTEN, &Keys::all(), Order::Ascending, 1);
        Ok(!self.missing.is_empty() || !noted()?.is_empty())
    }

    /// Whether a player is to be left out, by what a view has noted and what is wrong with that.
    pub(super) fn has(&self, view: &(impl Stored + ?Sized), player: &str) -> Result<bool, Error> {
        let is_noted = self.missing.contains(player) || has_mark(view, player)?;
        Ok(is_noted && !self.stray.contains(player))
    }

    /// Those of whom it is wrong, each with the row that is.
    pub(super) fn drift(&self) -> impl Iterator<Item = (&String, RowDrift)> {
        let missing = self.missing.iter().map(|player| (player, true));
        missing.chain(self.stray.iter().map(|player| (player, false))).map(
            |(player, is_missing)| {
                let (key, mark) = (Key::default().text(player).0, Vec::new());
                let (stored, right) =
                    if is_missing { (None, Some(&mark)) } else { (Some(&mark), None) };
                (player, RowDrift::new(FORGOTTEN, &key, stored, right))
            },
        )
    }

    /// Whether the view has rows of somebody who is forgotten.
    pub(super) fn is_any_missing(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Puts it right. What is counted of those who come back is not there yet.
    pub(super) fn fix(&self, view: &dyn StoredView) -> Result<(), Error> {
        for player in &self.missing {
            let (mut rows, position) = begin(view)?;
            Rows::new(&mut *rows).forget(player)?;
            rows.commit(&position)?;
        }
        for player in &self.stray {
            let (mut rows, position) = begin(view)?;
            rows.delete(FORGOTTEN, &Key::default().text(player).0)?;
            ladders::come_back(&mut *rows, player)?;
            rows.commit(&position)?;
        }
        Ok(())
    }
}

impl Players {
    /// The same, for a view of which that is wrong.
    pub(super) fn with(self, forgotten: &Forgotten) -> Self {
        Self { forgotten: forgotten.clone(), ..self }
    }
}

fn has_mark(view: &(impl Stored + ?Sized), player: &str) -> Result<bool, Error> {
    Ok(view.get(FORGOTTEN, &Key::default().text(player).0)?.is_some())
}

/// Whether a player's stream says that the player is forgotten; by what a view must have seen of it, or by all.
fn is_erased(log: &Log, stream: &Subject, seen: Option<&Position>) -> Result<bool, Error> {
    let until = seen.map_or(Ok(u64::MAX), |seen| log.seq_before(stream, seen.from + 1));
    let until = until.map_err(|error| failed(&error))?;
    let read = Stream::read(log, stream, 0).map_err(|error| failed(&error))?;
    Ok(read.events.iter().any(|event| event.seq <= until && forgets(event)))
}
