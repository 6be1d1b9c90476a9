//! A person is forgotten: what of them is kept, is destroyed, and a receipt says so.
//!
//! ```text
//! ledger ─► exchange, keys ─► player.erased in the log ─► rows of views, purged ─► folds, letters
//! ```
//!
//! From the first step on it is irrevocable. Whatever breaks off afterwards is gone on with at the next start, and by
//! asking again: the ledger says who was erased, and the log whether it got to the end.

use std::{
    sync::{Arc, atomic::Ordering},
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
use matchwire_log::{Append, Error, Log};
use serde_json::{Value, json};
use tokio::time;

use crate::{
    app::{App, Erased, Exchange},
    people::Viewer,
    problem::{Code, Problem},
    query::Params,
    reads::blocking,
};

/// The source of what the server itself says of players.
const SOURCE: &str = "matchwire";
/// How long a back-up of the vault can be read at most, in days: so long a day's key lives.
const KEY_DAYS: i64 = 30;
/// What is destroyed in the files of views.
const ROWS: &str = "rows";
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
    let mut told = app.erasing.lock().await;
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
    *told = app.log.last_group();
    destroy(app).await.inspect_err(|_| purge_later(app))?;
    // One may have been begun before there was nothing any more to be copied.
    let (of, id) = (app.clone(), player.to_owned());
    blocking(move || forget_export(&of, &id)).await.inspect_err(|_| purge_later(app))?;
    drop(told);
    // Nobody else waits for the view meanwhile.
    let is_purged = purge_soon(app).await;
    app.meter.people.erased();
    Ok(Json(receipt(player, &erased, is_purged)))
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

/// Destroys what follows at once from what the vault has forgotten: what is held in memory, and letters.
async fn destroy(app: &App) -> Result<(), Problem> {
    for app in app.all() {
        app.live.renew().await?;
    }
    app.letters.drop_all().await
}

/// Makes what was deleted from the view of players unreadable in its files. No other view has rows of people. It is refused while
/// the view has not seen all erasures, and while a build has not.
async fn purge(app: &App) -> Result<(), Problem> {
    let told = app.erasing.lock().await;
    let (view, exchange, told_until) = (app.views.players.clone(), app.exchange.clone(), *told);
    let log = app.log.clone();
    let purge = move || {
        if !view.has_seen(told_until) {
            return Err(Problem::new(Code::Busy, "the view of players is behind the log"));
        }
        if !untold(&log, &*exchange)?.is_empty() {
            return Err(Problem::new(Code::Busy, "an erasure is not in the log yet"));
        }
        view.purge()?;
        if view.is_building()? {
            return Err(Problem::new(Code::Busy, "the view of players is being built"));
        }
        exchange.purged().map_err(|error| {
            tracing::error!(%error, "the vault cannot be written");
            Problem::new(Code::Busy, "the vault cannot be written now")
        })
    };
    blocking(purge).await
}

/// Purges now, if the view gets on, and tells whether that is done. Else it is done later.
async fn purge_soon(app: &Arc<App>) -> bool {
    let is_seen = time::timeout(app.limits.purge, app.views.players.catch_up()).await.is_ok();
    let is_purged = is_seen && purge(app).await.is_ok();
    if !is_purged {
        // It is behind, or somebody reads it for long, as a reconciliation does. Nobody can ask for the rows any more, but until it
        // is done they may be in its files.
        purge_later(app);
    }
    is_purged
}

/// Purges as soon as that can be done, however long that takes. After a restart the vault knows that it is due.
fn purge_later(app: &Arc<App>) {
    if app.is_purging.swap(true, Ordering::SeqCst) {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        loop {
            app.views.players.catch_up().await;
            let view = app.views.players.clone();
            let is_building = blocking(move || Ok(view.is_building()?)).await;
            // To write the file anew before that would be in vain.
            if matches!(is_building, Ok(false)) {
                // Whoever is erased from here on sees to it again.
                app.is_purging.store(false, Ordering::SeqCst);
                if purge(&app).await.is_ok() {
                    tracing::info!("rows of those who were erased are in no file of a view");
                    return;
                }
                if app.is_purging.swap(true, Ordering::SeqCst) {
                    return;
                }
            }
            time::sleep(PURGE_AGAIN).await;
        }
    });
}

/// Goes on with what was erased and not ended: by a crash, or since the log is one of before. Once this returns, the log
/// says who is forgotten; what follows from that goes on by itself.
pub(crate) async fn go_on(app: &Arc<App>) {
    let (log, exchange) = (app.log.clone(), app.exchange.clone());
    let untold = blocking(move || untold(&log, &*exchange)).await.unwrap_or_else(|problem| {
        tracing::error!(detail = problem.detail, "which erasures are in the log cannot be told");
        Vec::new()
    });
    for (player, subject, erased) in untold {
        // It notes as well that views are to be purged.
        let (exchange, id) = (app.exchange.clone(), player.clone());
        let noted = blocking(move || Ok(exchange.erase(&id).map_err(Error::from)?)).await;
        let told = match noted {
            Ok(_) => tell(app, &subject, &erased).await,
            Err(problem) => Err(problem),
        };
        if let Err(Problem { detail, .. }) = told {
            tracing::error!(player, detail, "an erasure is not in the log; ask for it again");
        }
    }
    if app.exchange.is_purge_due() {
        *app.erasing.lock().await = app.log.last_group();
        let app = app.clone();
        tokio::spawn(async move {
            let turn = app.erasing.lock().await;
            if let Err(Problem { detail, .. }) = destroy(&app).await {
                tracing::error!(detail, "letters may have what was erased; ask for it again");
            }
            drop(turn);
            purge_soon(&app).await;
        });
    }
}

/// The erasures that the log does not have: by a crash, or since it is one of before.
fn untold(log: &Log, exchange: &dyn Exchange) -> Result<Vec<(String, Subject, Erased)>, Problem> {
    let mut untold = Vec::new();
    for (player, erased) in exchange.erasures() {
        let Ok(subject) = Subject::parse(&format!("player/{player}")) else { continue };
        if log.find(&subject, SOURCE, &id(&erased))?.is_none() {
            untold.push((player, subject, erased));
        }
    }
    Ok(untold)
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

/// What is told of an erasure. What is still to be destroyed is done without anybody asking.
fn receipt(player: &str, erased: &Erased, is_purged: bool) -> Value {
    let dark = Timestamp::from_ms(erased.time.ms().saturating_add(KEY_DAYS * DAY_MS));
    let all = ["account", "public_id", "keys", ROWS, "dead_letters", "memory_of_sources"];
    let (destroyed, pending): (Vec<&str>, Vec<&str>) =
        all.iter().partition(|what| is_purged || **what != ROWS);
    let mut receipt = json!({
        "receipt": erased.receipt,
        "player": player,
        "time": erased.time.to_string(),
        "destroyed": destroyed,
        "backups_dark_by": dark.to_string(),
    });
    if let Some(receipt) = receipt.as_object_mut().filter(|_| !is_purged) {
        receipt.insert("pending".into(), json!(pending));
    }
    receipt
}
