//! What of a player whoever asks may see, by what both have decided.

use matchwire_domain::{player, subject::Subject, timeline::Chronicle};
use matchwire_log::Log;
use matchwire_players::rights::Rights;

use crate::{
    app::App,
    people::Viewer,
    problem::{Code, Problem},
    reads::blocking,
};

/// What stands for somebody whom the viewer may not know.
pub(super) const SOMEBODY: &str = "[player]";

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
    let subject = Subject::parse(&format!("player/{id}"))?;
    let mut records = Vec::new();
    let mut after = 0;
    loop {
        let page = log.read(&subject, after, 1_000)?;
        let Some(last) = page.last() else { break };
        after = last.recorded.seq;
        records.extend(page.into_iter().map(|entry| entry.recorded));
    }
    Ok(Chronicle::of(&records).state)
}

/// The same whether there is such a player or not.
pub(super) fn hidden(player: &str, what: &str) -> Problem {
    let detail = format!("the {what} of {player} is not for you to see, if there is such a player");
    Problem::new(Code::Forbidden, detail)
}
