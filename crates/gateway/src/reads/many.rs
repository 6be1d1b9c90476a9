//! `GET /api/v1/events?topic=…`: the events of many matches, from a cursor on.

use std::time::Duration;

use axum::{body::Body, http::Response};
use matchwire_log::{
    Error,
    sweep::{Mark, Sweep},
};
use serde_json::{Map, Value};
use tokio::time;

use super::{blocking, json};
use crate::{
    app::{App, going_away},
    cursor::{After, Told, WideCursor},
    delivery,
    problem::{Code, Problem},
    query::wrong,
    topic::Topic,
};

/// A page ends when its events have so many bytes.
const PAGE_BYTES: usize = 4 << 20;
/// How many gaps are told of in one answer.
const MAX_ERRORS: usize = 100;

/// What is behind a cursor, at most `limit` events; if that is nothing, what comes within the wait. The
/// answer always has a `next`, from which on there may be more, now or later.
pub(super) async fn list(
    app: &App,
    topic: &Topic,
    after: After,
    limit: usize,
    wait: Duration,
) -> Result<Response<Body>, Problem> {
    let scope = topic.scope(&app.tournaments).ok_or_else(|| {
        wrong("topic must be of many matches, as match/**; for one stream there is subject")
    })?;
    let mark = match delivery::start(app, after).map_err(crate::sse::problem)? {
        Ok(start) => start.map_or_else(|| Mark::at(0), |(mark, _)| mark),
        Err(reason) => {
            let detail = format!("{reason}: the log is not what it was when after was given");
            return Err(Problem::new(Code::Conflict, detail));
        }
    };
    let mut sweep = Sweep::new(app.live.log().clone(), scope, mark);
    let mut closing = app.closing.subscribe();
    let mut growth = sweep.growth();
    let over = time::sleep(wait);
    tokio::pin!(over);
    let mut open = None;
    loop {
        let page = Page::default();
        let (read_on, page) = blocking(move || {
            let page = page.fill(&mut sweep, limit)?;
            Ok((sweep, page))
        })
        .await?;
        sweep = read_on;
        if page.count > 0 || !page.errors.is_empty() || wait.is_zero() {
            return Ok(page.answer(app, sweep.mark()));
        }
        open.get_or_insert_with(|| app.meter.open("poll"));
        tokio::select! {
            biased;
            () = going_away(&mut closing) => return Ok(page.answer(app, sweep.mark())),
            () = &mut over => return Ok(page.answer(app, sweep.mark())),
            has_more = growth.more() => if !has_more {
                return Ok(page.answer(app, sweep.mark()));
            },
        }
    }
}

/// Events as they stand in the answer.
#[derive(Default)]
struct Page {
    text: String,
    count: usize,
    /// What is missing among them, as frames of errors have it.
    errors: Vec<Map<String, Value>>,
}

impl Page {
    fn fill(mut self, sweep: &mut Sweep, limit: usize) -> Result<Self, Problem> {
        while self.count < limit && self.text.len() < PAGE_BYTES && self.errors.len() < MAX_ERRORS {
            let swept = match sweep.next(limit - self.count) {
                Err(error @ Error::Corrupt { .. }) => {
                    let Some(subject) = sweep.pass() else { return Err(error.into()) };
                    self.errors.push(delivery::about(Problem::from(error).members(), &subject));
                    continue;
                }
                swept => swept?,
            };
            let Some(swept) = swept else { break };
            if !swept.missing.is_empty() {
                self.errors.push(delivery::lost(&swept));
            }
            for entry in &swept.entries {
                if self.count > 0 {
                    self.text.push(',');
                }
                entry.recorded.write(&mut self.text);
                self.count += 1;
            }
        }
        Ok(self)
    }

    fn answer(&self, app: &App, mark: &Mark) -> Response<Body> {
        let next = WideCursor::now(app.live.log(), mark.clone(), Told::All);
        let mut text = format!("{{\"events\":[{}],\"next\":\"{next}\"", self.text);
        if !self.errors.is_empty() {
            text.push_str(",\"errors\":");
            text.push_str(&serde_json::to_string(&self.errors).unwrap_or_default());
        }
        text.push('}');
        json(text)
    }
}
