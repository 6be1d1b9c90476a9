//! Every route, as a table that the OpenAPI document is made of, and as the router that serves it.

use std::sync::Arc;

use axum::{
    Router,
    response::Redirect,
    routing::{get, post},
};

use crate::{
    app::{App, Strange},
    console, erase, export,
    front::{self, Front},
    imports, ingest, letters, openapi, people,
    problem::{Code, Problem},
    reads, replay, sse, status, upstreams, websocket,
};

/// One route, as it is documented.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// `get`, `post` or `delete`.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Its query parameters.
    pub query: &'static [&'static str],
    /// The content types of its body.
    pub takes: &'static [&'static str],
    /// The content type of its answer; empty if there is none.
    pub gives: &'static str,
    /// The schema of its answer, where there is one.
    pub schema: Option<&'static str>,
    /// Whether it is for a person, with their token, alone.
    pub is_personal: bool,
}

const JSON: &str = "application/json";
const HTML: &str = "text/html";
const EVENTS: &[&str] =
    &["application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson"];
const SOURCES: &[&str] = &["text/plain", "application/json"];
const PAGE: &[&str] = &["after", "limit"];

const fn read(
    path: &'static str,
    summary: &'static str,
    query: &'static [&'static str],
    gives: &'static str,
    schema: Option<&'static str>,
) -> Route {
    Route { method: "get", path, summary, query, takes: &[], gives, schema, is_personal: false }
}

const fn send(
    path: &'static str,
    summary: &'static str,
    takes: &'static [&'static str],
    schema: &'static str,
) -> Route {
    let (query, schema): (&[_], _) = (&[], Some(schema));
    Route { method: "post", path, summary, query, takes, gives: JSON, schema, is_personal: false }
}

/// Every route there is.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    Route { query: &["durability"], ..send("/api/v1/events", "Takes events", EVENTS, "Results") },
    read("/api/v1/events", "A stream in order, or many, at once or once there is something new", &["subject", "topic", "after", "limit", "wait"], JSON, Some("Events")),
    read("/api/v1/events/{match}", "A match's events by time, over its maps", &["from", "to", "after", "limit"], JSON, Some("Events")),
    read("/api/v1/proof", "The stored bytes of an event and its place in the chain", &["subject", "seq"], JSON, Some("Proof")),
    send("/api/v1/sources/{source}/{match}/{map}", "Takes a body in another system's own format: cs-log, gsi, matchzy, statsbomb; the map may be auto", SOURCES, "SourceAnswer"),
    send("/api/v1/sources/{source}/{server}", "The same for the match that a server plays by its schedule, @ and the server's name; a token may stand before it", SOURCES, "SourceAnswer"),
    send("/api/v1/sources/{source}/{token}/{match}/{map}", "The same with an ingest token, ~ and the token, for senders without headers", SOURCES, "SourceAnswer"),
    read("/api/v1/dead-letters", "What was refused and waits for the operator, without the bodies", &["after", "limit", "reason", "source"], JSON, Some("DeadLetters")),
    read("/api/v1/dead-letters/{seq}", "A dead letter with its body", &[], JSON, Some("DeadLetter")),
    Route { method: "delete", gives: "", ..read("/api/v1/dead-letters/{seq}", "Drops a dead letter", &[], JSON, None) },
    send("/api/v1/dead-letters/{seq}/redrive", "Tries a refused event again, as if it came now; the letter is closed if it is taken", &[], "Results"),
    read("/api/v1/imports", "Histories that were brought in as a whole, by name", PAGE, JSON, Some("Imports")),
    read("/api/v1/imports/{import}", "How an import stands", &[], JSON, Some("Import")),
    send("/api/v1/imports/{import}", "Begins an import, or goes on with it", &[JSON], "Import"),
    Route { query: &["first"], ..send("/api/v1/imports/{import}/events", "Takes a batch of an import's events", EVENTS, "Results") },
    send("/api/v1/imports/{import}/finish", "Ends an import of which all was told", &[JSON], "Import"),
    send("/api/v1/imports/{import}/revoke", "Takes an import back, a batch with each request, by events that void its own", &[JSON], "Import"),
    read("/api/v1/upstreams", "How the upstreams are from which events are fetched", &[], JSON, Some("Upstreams")),
    read("/api/v1/matches", "Live and finished matches", PAGE, JSON, Some("Matches")),
    read("/api/v1/matches/{match}", "A match with the states of its maps", &[], JSON, Some("Match")),
    read("/api/v1/matches/{match}/maps/{map}", "The state of a map, now or as of an event", &["at_seq"], JSON, Some("MapState")),
    read("/api/v1/matches/{match}/maps/{map}/predictions", "The win probability of a map, in the order of play", PAGE, JSON, Some("Predictions")),
    read("/api/v1/matches/{match}/maps/{map}/stats", "What each player did on a map, with rates", &[], JSON, Some("Stats")),
    read("/api/v1/matches/{match}/stats", "What each player did over the maps of a match, with rates", &[], JSON, Some("Stats")),
    read("/api/v1/players/{player}/activity", "What a player has done, the newest first, as far as whoever asks may see it", &["type", "game", "from", "to", "after", "limit"], JSON, Some("Activities")),
    read("/api/v1/players/{player}/statistics", "What is counted of a player, as far as whoever asks may see it", &["game", "season", "tournament", "format"], JSON, Some("Statistics")),
    read("/api/v1/players/{player}/versus", "Whom a player has met the most often, and how that went, as far as whoever asks may see it", &["game", "limit"], JSON, Some("Opponents")),
    read("/api/v1/players/{player}/versus/{other}", "How a player has fared against another one; others than the player see it if they may see the statistics of both", &["game"], JSON, Some("Versus")),
    read("/api/v1/players/{player}/ratings", "What a player is rated in a game, and with a system what that was before, the newest first", &["game", "system", "after", "limit"], JSON, Some("Ratings")),
    read("/api/v1/leaderboards/{game}", "Players by how many matches they have won, or by their ratings, among all or friends; who is not to be seen has a place and no name", &["by", "among", "season", "tournament", "format", "after", "around", "limit"], JSON, Some("Leaderboard")),
    read("/api/v1/tournaments/{tournament}/matches", "The matches of a tournament, by name", PAGE, JSON, Some("Matches")),
    Route { is_personal: true, ..read("/api/v1/me", "Who the person is that asks: their player id, if any event has named them so far", &[], JSON, Some("Me")) },
    Route { is_personal: true, ..send("/api/v1/me/erase", "Forgets the person who asks, for ever", &[], "Erasure") },
    Route { is_personal: true, ..send("/api/v1/me/export", "Makes a copy of all that is kept of the person who asks", &[], "Export") },
    Route { is_personal: true, ..read("/api/v1/me/export", "How far the copy is, and the link to it once it is made", &[], JSON, Some("Export")) },
    send("/api/v1/players/{player}/export", "The same for a player, for the operator; by player id, public id or account", &[], "Export"),
    read("/api/v1/players/{player}/export", "How far that copy is", &[], JSON, Some("Export")),
    read("/api/v1/exports/{export}", "A copy, for whoever has its link, for an hour: a zip with summary.html, person.json, and activities, statistics, ratings, versus and decisions as NDJSON", &["expires", "signature"], "application/zip", None),
    send("/api/v1/players/{player}/erase", "Forgets a player, for ever; by player id, public id or account", &[], "Erasure"),
    read("/api/v1/predictions", "The latest win probability of every map that is being played", PAGE, JSON, Some("Predictions")),
    read("/api/v1/calibration", "How good predictions have been: scores and reliability by model and by what was predicted", &["game", "model"], JSON, Some("Calibration")),
    read("/api/v1/stream", "A topic as server-sent events", &["topic", "after", "views"], "text/event-stream", None),
    read("/api/v1/replay/{match}", "A match again as server-sent events, with its maps, as it was delivered; its end is the event end", &["speed", "max_gap", "by", "after", "views"], "text/event-stream", None),
    read("/api/v1/ws", "A WebSocket with the subprotocol matchwire.v1.json", &[], JSON, None),
    read("/api/v1/status", "The latency of each stage over the last minute, counts and uptime", &[], JSON, Some("Status")),
    read("/api/v1/schemas", "The types of events", &[], JSON, Some("Schemas")),
    read("/api/v1/schemas/{type}.json", "The JSON Schema of a type's data", &[], "application/schema+json", None),
    read("/api/v1/openapi.json", "This document", &[], JSON, None),
    read("/healthz", "Whether the server lives", &[], JSON, None),
    read("/readyz", "Whether the server takes traffic", &[], JSON, None),
    read("/metrics", "Metrics for Prometheus", &[], "text/plain", None),
    read("/", "Leads to the console", &[], HTML, None),
    read("/console", "The console", &[], HTML, None),
    read("/console/embed/{match}/{map}", "A scoreboard to embed or to lay over a broadcast", &[], HTML, None),
    read("/console/assets/{file}", "A file of the console", &[], "text/javascript", None),
];

/// The router over an app: whoever asks passes the front first, which knows to what audience they belong.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let of = |app: &Arc<App>| handlers().with_state(app.clone());
    let Strange { audiences, public } = &app.strange;
    let audiences = audiences.iter().map(|app| app.as_ref().map(of)).collect();
    let public = of(public.as_ref().unwrap_or(app));
    let front = Front { app: app.clone(), router: of(app), public, audiences };
    Router::new().fallback(front::pass).with_state(front)
}

/// What answers, whatever is seen by those who ask.
fn handlers() -> Router<Arc<App>> {
    let api = Router::new()
        .route("/events", get(reads::list_events).post(ingest::post_events))
        .route("/events/{match}", get(reads::list_events_of_match))
        .route("/proof", get(reads::proof))
        .route("/sources/{source}/{server}", post(ingest::post_source_of_server))
        .route("/sources/{source}/{match}/{map}", post(ingest::post_source))
        .route("/sources/{source}/{token}/{match}/{map}", post(ingest::post_source_with_token))
        .route("/dead-letters", get(letters::list))
        .route("/dead-letters/{seq}", get(letters::show).delete(letters::drop))
        .route("/dead-letters/{seq}/redrive", post(letters::redrive))
        .route("/imports", get(imports::list))
        .route("/imports/{import}", get(imports::show).post(imports::start))
        .route("/imports/{import}/events", post(imports::post_batch))
        .route("/imports/{import}/finish", post(imports::finish))
        .route("/imports/{import}/revoke", post(imports::revoke))
        .route("/upstreams", get(upstreams::list))
        .route("/matches", get(reads::list_matches))
        .route("/matches/{match}", get(reads::of_match))
        .route("/matches/{match}/maps/{map}", get(reads::map))
        .route("/matches/{match}/maps/{map}/predictions", get(reads::predictions_of_map))
        .route("/matches/{match}/maps/{map}/stats", get(reads::stats_of_map))
        .route("/matches/{match}/stats", get(reads::stats_of_match))
        .route("/players/{player}/activity", get(reads::activity_of_player))
        .route("/players/{player}/statistics", get(reads::statistics_of_player))
        .route("/players/{player}/versus", get(reads::opponents_of_player))
        .route("/players/{player}/versus/{other}", get(reads::versus_of_player))
        .route("/players/{player}/ratings", get(reads::ratings_of_player))
        .route("/leaderboards/{game}", get(reads::leaderboard))
        .route("/tournaments/{tournament}/matches", get(reads::list_matches_of_tournament))
        .route("/me", get(people::me))
        .route("/me/erase", post(erase::own))
        .route("/me/export", get(export::show_own).post(export::begin_own))
        .route("/exports/{export}", get(export::fetch))
        .route("/players/{player}/export", get(export::show_for).post(export::begin_for))
        .route("/players/{player}/erase", post(erase::of_player))
        .route("/predictions", get(reads::latest))
        .route("/calibration", get(reads::calibration))
        .route("/stream", get(sse::stream))
        .route("/replay/{match}", get(replay::stream))
        .route("/ws", get(websocket::upgrade))
        .route("/status", get(status::status))
        .route("/schemas", get(openapi::schemas))
        .route("/schemas/{file}", get(openapi::schema))
        .route("/openapi.json", get(openapi::document));
    Router::new()
        .nest("/api/v1", api)
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .route("/", get(|| async { Redirect::temporary("/console") }))
        .route("/console", get(console::index))
        .route("/console/embed/{match}/{map}", get(console::embed))
        .route("/console/assets/{file}", get(console::asset))
        .fallback(|| async { Problem::new(Code::NotFound, "there is nothing at this path") })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "the Allow header names the methods of this path")
        })
}
