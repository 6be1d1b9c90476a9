//! A person is forgotten: what of them is kept, is destroyed, and a receipt says so.
//!
//! ```text
//! ledger ─► exchange, keys ─► player.erased in the log ─► rows of views, purged ─► folds, letters
//! ```
//!
//! From the first step on it is irrevocable. Whatever breaks off afterwards is gone on with at the next start, and by
//! asking again: the ledger says who was erased, and the log whether it got to the end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json,
    extract::{Path, State},
    http::Uri,
};
use matchwire_domain::{
    envelope::{self, Attributes},
    player::{self, PlayerErased},
    subject::Subject,
    timestamp::Timestamp,
};
use matchwire_log::{Append, projection};
use serde_json::{Value, json};
use tokio::time;

use crate::{
    app::{App, Erased},
    people::Viewer,
    problem::{Code, Problem},
    query::Params,
    reads::blocking,
};

/// The source of what the server itself says of players.
const SOURCE: &str = "matchwire";
/// How long a back-up of the vault can be read at most, in days: so long a day's key lives.
const KEY_DAYS: i64 = 30;
/// How soon a purge is tried again.
const PURGE_AGAIN: Duration = Duration::from_secs(5);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The person who asks is forgotten.
pub(crate) async fn own(
    State(app): State<Arc<App>>,
    viewer: Viewer,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    Params::parse(&uri, &[])?;
    let player = viewer.oneself()?;
    begin(app, player).await
}

/// A player is forgotten, by the operator; by player id, public id or account.
pub(crate) async fn of_player(
    State(app): State<Arc<App>>,
    Path(player): Path<String>,
    uri: Uri,
) -> Result<Json<Value>, Problem> {
    Params::parse(&uri, &[])?;
    let player = app.player_named(player).await?;
    begin(app, player).await
}

async fn begin(app: Arc<App>, player: String) -> Result<Json<Value>, Problem> {
    // A task of its own: what was begun is ended, also when whoever asked for it hangs up.
    let erased = tokio::spawn(async move { erase(&app, &player).await });
    erased.await.unwrap_or_else(|error| Err(Problem::new(Code::Internal, error.to_string())))
}

/// Forgets a player. Again it goes on where it was broken off, and gives the same receipt.
async fn erase(app: &Arc<App>, player: &str) -> Result<Json<Value>, Problem> {
    let subject = Subject::parse(&format!("player/{player}"))?;
    let _turn = app.erasing.lock().await;
    // What was refused is on disk before its key goes, and not under the next one.
    app.letters.flush().await;
    let (of, id) = (app.clone(), player.to_owned());
    let erased = blocking(move || {
        forget_export(&of, &id)?;
        of.exchange.erase(&id).map_err(|error| {
            tracing::error!(%error, "a person could not be erased");
            Problem::new(Code::Busy, "the vault cannot be written now; try again later")
        })
    });
    let erased = erased.await?;
    tell(app, &subject, &erased).await?;
    destroy(app).await?;
    // One may have been begun before there was nothing any more to be copied.
    let (of, id) = (app.clone(), player.to_owned());
    blocking(move || forget_export(&of, &id)).await?;
    app.meter.people.erased();
    Ok(Json(receipt(player, &erased)))
}

fn forget_export(app: &App, player: &str) -> Result<(), Problem> {
    app.exports
        .forget(player)
        .map_err(|error| Problem::new(Code::Busy, format!("an export cannot be removed: {error}")))
}

/// Writes it to the log, from which views learn it.
async fn tell(app: &App, subject: &Subject, erased: &Erased) -> Result<(), Problem> {
    let append = Append {
        subject: subject.clone(),
        events: vec![event(subject, erased)?],
        expected_seq: None,
        received: Instant::now(),
    };
    for result in app.log.append(vec![append]).await? {
        result.map_err(|refused| Problem::new(Code::Conflict, refused.to_string()))?;
    }
    Ok(())
}

/// Destroys what follows from what the vault has forgotten: what is held in memory, letters, rows of views.
async fn destroy(app: &Arc<App>) -> Result<(), Problem> {
    for app in app.all() {
        app.live.renew().await?;
    }
    app.letters.drop_all().await?;
    app.views.players.catch_up().await;
    if purge(app).await.is_err() {
        // Somebody reads the view for long, as a reconciliation does. Nobody can ask for the rows any more, but until it is
        // done they may be in free pages of the file.
        let app = app.clone();
        tokio::spawn(async move {
            loop {
                time::sleep(PURGE_AGAIN).await;
                let _turn = app.erasing.lock().await;
                if purge(&app).await.is_ok() {
                    return;
                }
            }
        });
    }
    Ok(())
}

/// Makes what was deleted from views unreadable in their files.
async fn purge(app: &App) -> Result<(), Problem> {
    let (views, exchange) = (app.views.readers(), app.exchange.clone());
    let purge = move || {
        views.iter().try_for_each(projection::Reader::purge)?;
        exchange.purged().map_err(|error| {
            tracing::error!(%error, "the vault cannot be written");
            Problem::new(Code::Busy, "the vault cannot be written now")
        })
    };
    blocking(purge).await
}

/// Goes on with what was erased and not ended: by a crash, or since the log is one of before. Once this returns, the log
/// says who is forgotten; what follows from that goes on by itself.
pub(crate) async fn go_on(app: &Arc<App>) {
    let mut is_any = app.exchange.is_purge_due();
    for (player, erased) in app.exchange.erasures() {
        let Ok(subject) = Subject::parse(&format!("player/{player}")) else { continue };
        let (log, of, id) = (app.log.clone(), subject.clone(), id(&erased));
        let told = match blocking(move || Ok(log.find(&of, SOURCE, &id)?)).await {
            Ok(Some(_)) => continue,
            Ok(None) => tell(app, &subject, &erased).await,
            Err(problem) => Err(problem),
        };
        is_any = true;
        if let Err(Problem { detail, .. }) = told {
            tracing::error!(player, detail, "an erasure is not in the log; ask for it again");
        }
    }
    if is_any {
        let app = app.clone();
        tokio::spawn(async move {
            let _turn = app.erasing.lock().await;
            match destroy(&app).await {
                Ok(()) => tracing::info!("what was begun to be erased is erased"),
                Err(Problem { detail, .. }) => {
                    tracing::error!(
                        detail,
                        "what was erased may be in a view still; ask for it again"
                    );
                }
            }
        });
    }
}

fn id(erased: &Erased) -> String {
    format!("erased/{}", erased.receipt)
}

fn event(subject: &Subject, erased: &Erased) -> Result<envelope::Event, Problem> {
    let told = player::Event::PlayerErased(PlayerErased {});
    let attributes = Attributes {
        time: Some(erased.time.to_string().into()),
        ..Attributes::of(id(erased), SOURCE, subject.as_str(), told.tag())
    };
    envelope::Event::new(&attributes, &told.to_json())
        .map_err(|error| Problem::new(Code::Internal, error.to_string()))
}

fn receipt(player: &str, erased: &Erased) -> Value {
    let dark = Timestamp::from_ms(erased.time.ms().saturating_add(KEY_DAYS * DAY_MS));
    json!({
        "receipt": erased.receipt,
        "player": player,
        "time": erased.time.to_string(),
        "destroyed": ["account", "public_id", "keys", "rows", "dead_letters", "memory_of_sources"],
        "backups_dark_by": dark.to_string(),
    })
}
