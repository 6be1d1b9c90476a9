//! What the log says now of a match or a tournament.

use std::collections::BTreeSet;

use matchwire_domain::{
    activity::{Deeds, Model},
    outcome::Outcome,
    subject::Subject,
};
use matchwire_log::view_store::{Error, Keys, Order, Transaction as _};

use super::{
    super::{
        FORGOTTEN, Players,
        rows::{Rows, Told},
        streams::{Streams, Tournament},
    },
    Source,
    scratch::{Content, Scratch, Stored, pages},
};

/// What is right of a match or a tournament.
pub(super) struct Right {
    pub(super) deeds: Deeds,
    /// What a tournament tells of its matches.
    pub(super) told: Option<Told>,
    /// The tournament that a match is of.
    pub(super) tournament: Option<String>,
    /// How a match ended.
    pub(super) outcome: Option<Outcome>,
    /// What is noted of it for ratings.
    pub(super) bout: Content,
    /// The streams that say so.
    pub(super) streams: Vec<Subject>,
    /// Whether nothing of them was removed or is damaged.
    pub(super) is_whole: bool,
}

impl Players {
    /// Folds the streams of a match or a tournament, without what is of those whom `view` has forgotten. `tournament` reads
    /// one.
    pub(super) fn right(
        &self,
        view: &(impl Stored + ?Sized),
        source: &Source,
        tournament: &mut dyn FnMut(&str) -> Result<Tournament, Error>,
    ) -> Result<Right, Error> {
        let id = &source.id;
        let stream = |id: &str| Subject::parse(&format!("tournament/{id}")).ok();
        if source.model == Model::Tournament {
            let Tournament { state, is_whole } = Streams::tournament(&self.log, id)?;
            let (mut deeds, told) = (state.deeds(id), Some(Told::by(&state)));
            self.leave_out_forgotten(view, &mut deeds)?;
            let streams = stream(id).into_iter().collect();
            let (outcome, bout) = (None, Content::new());
            return Ok(Right { deeds, told, tournament: None, outcome, bout, streams, is_whole });
        }
        let mut read = Streams::of_match(&self.log, &self.games, id)?;
        let (mut streams, mut is_whole) = (read.subjects().to_vec(), read.is_whole());
        let mut outcome = read.outcome_at(u64::MAX);
        if let Some(name) = outcome.as_ref().and_then(|outcome| outcome.tournament.clone()) {
            let of = tournament(&name)?;
            is_whole &= of.is_whole;
            streams.extend(stream(&name));
            outcome = outcome.map(|outcome| outcome.within(&of.state));
        }
        let mut deeds = outcome.as_ref().map_or_else(Deeds::new, Outcome::deeds);
        self.leave_out_forgotten(view, &mut deeds)?;
        let mut bout = Scratch::default();
        Rows::new(&mut bout).rate(id, outcome.as_ref())?;
        let (bout, tournament) = (bout.rows, read.tournament_named());
        Ok(Right { deeds, told: None, tournament, outcome, bout, streams, is_whole })
    }

    /// The rows that a match or a tournament has in a view that is built anew; what is counted of players is not right
    /// in them, as nothing else is.
    pub(super) fn rows_of(
        &self,
        view: &(impl Stored + ?Sized),
        source: &Source,
    ) -> Result<Content, Error> {
        let mut scratch = Scratch::default();
        pages(view, FORGOTTEN, Keys::all(), Order::Ascending, |page| {
            page.iter().try_for_each(|row| scratch.put(FORGOTTEN, &row.key, &row.value))
        })?;
        let mut rows = Rows::new(&mut scratch);
        match source.model {
            Model::Match => self.follow_match(&mut rows, &source.id, 0)?,
            Model::Tournament => self.follow_tournament(&mut rows, &source.id)?,
        }
        scratch.rows.retain(|(table, _), _| *table != FORGOTTEN.name());
        Ok(scratch.rows)
    }

    /// Takes out what is of players whom a view has forgotten, or should have.
    fn leave_out_forgotten(
        &self,
        view: &(impl Stored + ?Sized),
        deeds: &mut Deeds,
    ) -> Result<(), Error> {
        if !self.forgotten.has_any(view)? {
            return Ok(());
        }
        let players: BTreeSet<String> = deeds.keys().map(|(player, _)| player.clone()).collect();
        for player in players {
            if self.forgotten.has(view, &player)? {
                deeds.retain(|(of, _), _| *of != player);
            }
        }
        Ok(())
    }
}
