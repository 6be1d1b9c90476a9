//! People: those who are known by a token that the platform around Matchwire has signed.
//!
//! ```text
//! Authorization: Bearer … ─► People::account ─► exchange ─► Viewer
//! ```
//!
//! A token is a JWT whose `sub` is the account. Here it is only found out who somebody is; what they may see of a player is
//! decided by `rights` in the crate of the players. Nothing of a token or an account is logged or measured, and
//! the account goes no further than to the exchange, which makes no player id for it.
//!
//! A handler that takes a [`Viewer`] looks at the header; for all others it is not there. Browsers let a page send no header with a
//! WebSocket or an `EventSource`, and a token in an address would end in the logs of every proxy on the way. So over those two
//! everybody is a stranger, until a token can be the first message of a WebSocket.

mod keys;
mod provider;
mod token;

use std::sync::Arc;

use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderMap, Uri, header, request::Parts},
};
use serde_json::{Value, json};

use crate::{
    app::App,
    problem::{Challenge, Problem},
    query::Params,
};

pub use self::{
    keys::{Keys, Wrong},
    token::People,
};

/// Who asks.
pub(crate) enum Viewer {
    /// Somebody without a token.
    Stranger,
    /// Somebody with a token.
    Person {
        /// The player id; none if no event has named the account so far.
        player: Option<String>,
    },
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let viewer = Self::of(&parts.headers, app);
        app.meter.people.asked(match &viewer {
            Ok(Self::Stranger) => "stranger",
            Ok(Self::Person { player: Some(_) }) => "player",
            Ok(Self::Person { player: None }) => "unknown",
            Err(_) => "refused",
        });
        viewer
    }
}

impl Viewer {
    /// The player id, if the viewer is a person who has one.
    pub(crate) fn player(&self) -> Option<&str> {
        match self {
            Self::Person { player } => player.as_deref(),
            Self::Stranger => None,
        }
    }

    /// Who has sent these headers. A token that is not good makes nobody a stranger: it is a problem.
    fn of(headers: &HeaderMap, app: &App) -> Result<Self, Problem> {
        let Some(token) = token_of(headers)? else { return Ok(Self::Stranger) };
        let Some(people) = &app.people else {
            return Err(refused("no key for tokens of people is set on this server"));
        };
        let account = people.account(token, app.log.clock().now()).map_err(refused)?;
        Ok(Self::Person { player: app.exchange.player_of(&account) })
    }
}

/// The token of a request, if it has one.
fn token_of(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (first, more) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    let words = value.to_str().ok().and_then(|text| text.split_once(' '));
    match words {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && more.is_none() => {
            Ok(Some(token.trim()))
        }
        _ => Err(refused("there must be one Authorization header, Bearer and the token")),
    }
}

fn refused(reason: &'static str) -> Problem {
    Problem::challenging(Challenge::InvalidToken, reason)
}

/// Who the person is that asks.
pub(crate) async fn me(viewer: Viewer, uri: Uri) -> Result<Json<Value>, Problem> {
    Params::parse(&uri, &[])?;
    match viewer {
        Viewer::Person { player: Some(player) } => Ok(Json(json!({"player": player}))),
        Viewer::Person { player: None } => Ok(Json(json!({}))),
        Viewer::Stranger => {
            let detail = "this is for a person: send their token as Authorization: Bearer TOKEN";
            Err(Problem::challenging(Challenge::NoToken, detail))
        }
    }
}
