//! `GET /api/v1/replay/{match}`, and `replay` in a subscription: a match again, as it was delivered.
//!
//! A replay is a view of the log in which the events come when their turn comes, with live folds of its own;
//! so its frames are made by the code that made those of the match, and are the same. It has what
//! whoever asks may see when they ask, and ends behind the last event of that.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{Response, StatusCode},
};
use matchwire_domain::subject::{self, Subject};
use matchwire_log::{By, MAX_REPLAYED, Pace, Timetable};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    app::App,
    cursor::After,
    delivery::Delivery,
    problem::{Code, Problem},
    query::{Params, wrong},
    reads, sse,
    topic::{self, Topic},
};

/// The slowest and the fastest that can be asked for, beside 0 for at once.
const SPEEDS: [f64; 2] = [0.01, 1_000.0];
/// The longest pause that can be asked for, in seconds: longer ones are as they were.
const MAX_GAP_S: f64 = 86_400.0;
/// How many folds are kept when nobody follows them.
const FOLDS: usize = 8;

/// A replay that runs; its place among those that may is free again when it is dropped.
pub(crate) struct Replay {
    /// What its reader sees.
    pub(crate) app: Arc<App>,
    /// Its streams, each with its last event.
    pub(crate) ends: Vec<(Subject, u64)>,
    _permit: OwnedSemaphorePermit,
}

/// Reads how fast a replay is to go.
pub(crate) fn pace(
    speed: Option<f64>,
    max_gap_s: Option<f64>,
    by: Option<&str>,
) -> Result<Pace, String> {
    let by = match by {
        None | Some("recorded") => By::Recorded,
        Some("time") => By::Time,
        Some(_) => return Err("by must be recorded or time".into()),
    };
    let speed = speed.unwrap_or(1.0);
    let [slowest, fastest] = SPEEDS;
    if speed != 0.0 && !(slowest..=fastest).contains(&speed) {
        return Err(format!("speed must be 0, for at once, or from {slowest} to {fastest}"));
    }
    if max_gap_s.is_some_and(|gap| !(0.0..=MAX_GAP_S).contains(&gap)) {
        return Err(format!("max_gap must be from 0 to {MAX_GAP_S} seconds"));
    }
    Ok(Pace { by, speed, max_gap: max_gap_s.map(Duration::from_secs_f64) })
}

impl Replay {
    /// Begins a replay of a topic, where a reader goes on that was at `after`.
    pub(crate) async fn begin(
        app: &Arc<App>,
        topic: &Topic,
        pace: Pace,
        after: &After,
    ) -> Result<Self, Problem> {
        if topic.is_wide() {
            return Err(wrong("a replay is of one match or map"));
        }
        let permit = app.replays.clone().try_acquire_owned();
        let permit = permit.map_err(|_| {
            Problem::new(Code::Busy, "there are as many replays as there may be; try again later")
        })?;
        let (log, wanted) = (app.live.log().clone(), topic.clone());
        let timetable = {
            let _turn = reads::turn(app).await?;
            let read = move || {
                let streams = wanted.streams(&log)?;
                Ok(Timetable::read(&log, &streams, pace)?)
            };
            reads::blocking(read).await?
        };
        let timetable = timetable.ok_or_else(|| {
            let detail =
                format!("there are more than the {MAX_REPLAYED} events that can be replayed");
            Problem::new(Code::TooLarge, detail)
        })?;
        let ends: Vec<(Subject, u64)> =
            timetable.ends().map(|(subject, last)| (subject.clone(), last)).collect();
        if ends.is_empty() {
            let detail = format!("there is nothing to replay of {}", topic.as_str());
            return Err(Problem::new(Code::NotFound, detail));
        }
        let skipped = skipped(&timetable, after, app.live.log().lineage().current());
        let view = app.live.log().replay(timetable, skipped);
        let live = app.live.over(view, app.live.people().clone(), FOLDS);
        Ok(Self { app: app.seeing(live), ends, _permit: permit })
    }

    /// Whether a reader who is at `after` has had all of it.
    fn is_over(&self, after: &After) -> bool {
        let After::Cursor(cursor) = after else { return false };
        let lineage = self.app.live.log().lineage().current();
        cursor.lineage == lineage
            && self.ends.iter().all(|(subject, last)| {
                cursor.seqs.get(&topic::number(subject)).is_some_and(|seq| seq >= last)
            })
    }
}

/// How far a replay is when a reader goes on with it.
fn skipped(timetable: &Timetable, after: &After, lineage: &str) -> Duration {
    let had = |subject: &Subject| match after {
        After::Seq(seq) => *seq,
        After::Cursor(cursor) if cursor.lineage == lineage => {
            cursor.seqs.get(&topic::number(subject)).copied().unwrap_or(0)
        }
        After::Snapshot | After::Cursor(_) | After::Wide(_) => 0,
    };
    let offsets = timetable.ends().map(|(subject, _)| timetable.offset(subject, had(subject)));
    offsets.max().unwrap_or_default()
}

pub(crate) async fn stream(
    State(app): State<Arc<App>>,
    Path(match_id): Path<String>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["speed", "max_gap", "by", "after", "views"])?;
    subject::check_segment(&match_id)?;
    let topic = Topic::parse(&format!("match/{match_id}")).map_err(wrong)?;
    let (speed, max_gap) = (params.decimal("speed")?, params.decimal("max_gap")?);
    let pace = pace(speed, max_gap, params.get("by")).map_err(wrong)?;
    let after = sse::after(&request, &params)?.unwrap_or(After::Seq(0));
    let views = sse::views(&params)?;
    let replay = Replay::begin(&app, &topic, pace, &after).await?;
    let comes_back = request.headers().contains_key(sse::LAST_EVENT_ID);
    if comes_back && replay.is_over(&after) {
        // By this status a browser knows that it need not come again.
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        return Ok(response);
    }
    let mut delivery = Delivery::new(app.clone());
    delivery.replay(replay, topic, after, views).await.map_err(sse::problem)?;
    Ok(sse::respond(app, delivery, "replay", &request))
}
