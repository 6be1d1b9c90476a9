//! What of a player whoever asks may see, by what both have decided.

use matchwire_domain::{player, subject::Subject, timeline::Chronicle};
use matchwire_log::Log;
use matchwire_players::rights::Rights;

use crate::{
    app::App,
    people::Viewer,
    problem::{Code, Problem},
    reads::{all_of, blocking},
};

/// What stands for somebody who has been forgotten, or whose public id cannot be found out now.
pub(crate) const SOMEBODY: &str = "[player]";

/// A player as a path names one: by player id or by public id. Whoever asks by the one is not told the other.
pub(super) struct Asked {
    pub(super) id: String,
    /// As it was asked.
    pub(super) name: String,
}

impl Asked {
    pub(super) fn of(app: &App, name: String) -> Self {
        let id = app.exchange.player_of_public(&name).unwrap_or_else(|| name.clone());
        Self { id, name }
    }
}

/// How somebody is shown to others than the player. It may write to the disk.
pub(super) fn public(app: &App, player: &str) -> String {
    app.exchange.public_id(player).unwrap_or_else(|| SOMEBODY.to_owned())
}

/// What a viewer may see of a player.
pub(super) async fn rights_at(app: &App, viewer: &Viewer, owner: &str) -> Result<Rights, Problem> {
    let viewer = viewer.player().map(ToOwned::to_owned);
    let (log, owner) = (app.log.clone(), owner.to_owned());
    blocking(move || {
        let own = state(&log, &owner)?;
        let is_friend = match &viewer {
            Some(viewer) if *viewer != owner => {
                own.is_friend(&owner, viewer, &state(&log, viewer)?)
            }
            _ => false,
        };
        Ok(Rights::of(viewer.as_deref(), &owner, &own, is_friend))
    })
    .await
}

/// What a player has decided.
pub(super) fn state(log: &Log, id: &str) -> Result<player::State, Problem> {
    let records = all_of(log, &Subject::parse(&format!("player/{id}"))?)?;
    Ok(Chronicle::of(&records).state)
}

/// The same whether there is such a player or not.
pub(super) fn hidden(player: &str, what: &str) -> Problem {
    let detail = format!("the {what} of {player} is not for you to see, if there is such a player");
    Problem::new(Code::Forbidden, detail)
}
