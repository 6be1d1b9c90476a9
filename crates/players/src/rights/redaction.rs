//! An activity as it is shown to others than its owner. What is shown is listed, so that what is added to activities later is not
//! shown before somebody has decided that it may be.

use matchwire_domain::{
    activity::{Activity, Deed},
    timestamp::Timestamp,
};

/// What stands in the place of the name of a private tournament, and of its matches. No id can be so.
pub const PRIVATE_TOURNAMENT: &str = "[private tournament]";
/// A day, in milliseconds.
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What others see of it.
pub(super) fn for_others(activity: &Activity, public_id: impl Fn(&str) -> String) -> Activity {
    let Activity { player, source_model, source_id, kind, revision, deed } = activity;
    let (source_id, deed) = if deed.is_private {
        (PRIVATE_TOURNAMENT, of_private_tournament(deed))
    } else {
        (source_id.as_str(), of_public_match(deed, public_id))
    };
    Activity {
        player: player.clone(),
        source_model: *source_model,
        source_id: source_id.into(),
        kind: kind.clone(),
        revision: *revision,
        deed,
    }
}

fn of_public_match(deed: &Deed, public_id: impl Fn(&str) -> String) -> Deed {
    Deed {
        time: deed.time,
        game: deed.game.clone(),
        tournament: deed.tournament.clone(),
        season: deed.season.clone(),
        is_private: false,
        is_team: deed.is_team,
        team: deed.team.clone(),
        against: deed.against.iter().map(|player| public_id(player)).collect(),
        against_team: deed.against_team.clone(),
        by_forfeit: deed.by_forfeit,
        count: deed.count,
        place: deed.place,
    }
}

/// What was done, in which game and on which day (UTC). A match is found by the moment at which it ended, by its teams, by
/// its season and by who came in which place, so none of these is told.
fn of_private_tournament(deed: &Deed) -> Deed {
    let day = deed.time.ms().div_euclid(DAY_MS).saturating_mul(DAY_MS);
    Deed {
        time: Timestamp::from_ms(day),
        game: deed.game.clone(),
        tournament: Some(PRIVATE_TOURNAMENT.into()),
        season: None,
        is_private: true,
        is_team: deed.is_team,
        team: None,
        against: Vec::new(),
        against_team: None,
        by_forfeit: deed.by_forfeit,
        count: deed.count,
        place: None,
    }
}
