//! What comes in by an import: its events, and what voids them again. Nothing of it is a dead letter, since whoever
//! imports is told of what is refused and has it all in a file.

use std::time::Instant;

use axum::{
    body::Body,
    http::{Response, StatusCode},
};

use super::{
    admit::admit_history,
    answer,
    events::{self, Admitted, Fate, Left},
};
use crate::{app::App, problem::Problem};

/// What the events of imports are counted under.
const IMPORT: &str = "import";

/// Checks one event. The ids in it are durable only once the exchange is synced.
pub(crate) fn admit(app: &App, json: &[u8]) -> Admitted {
    admit_history(app, json).map_err(Left::Rejected)
}

/// Appends what was admitted.
pub(crate) async fn append(
    app: &App,
    admitted: Vec<Admitted>,
    received: Instant,
) -> Result<Vec<Fate>, Problem> {
    let fates = events::append(app, IMPORT, admitted, received, &mut Vec::new()).await?;
    answer::count(&app.meter, IMPORT, &fates);
    Ok(fates)
}

/// The answer to a batch, which tells of each event and is 200, whatever became of them: the batch is over.
pub(crate) fn answer(app: &App, fates: &[Fate]) -> Response<Body> {
    let mut response = answer::response(app.log.durability(), fates, None);
    *response.status_mut() = StatusCode::OK;
    response
}
