//! `GET /api/v1/events`: a stream in order, or many; with `wait` not before there is something to tell.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::Response,
};
use matchwire_domain::subject::Subject;
use matchwire_log::View;
use tokio::time;

use super::{blocking, json, many};
use crate::{
    app::{App, going_away},
    cursor::After,
    problem::{Code, Problem},
    query::{Params, wrong},
    topic::{self, Topic},
};

/// The longest that can be waited, in seconds: proxies mostly give up an answer after a minute.
const MAX_WAIT_S: u64 = 30;

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["subject", "topic", "after", "limit", "wait"])?;
    let after = params.get("after").map_or(Some(After::Seq(0)), After::parse);
    let after = after.ok_or_else(|| wrong("after must be a seq or a cursor"))?;
    let wait = params.number("wait")?.unwrap_or(0);
    if wait > MAX_WAIT_S {
        return Err(wrong(format!("wait must be from 0 to {MAX_WAIT_S} seconds")));
    }
    let wait = Duration::from_secs(wait).min(app.limits.poll);
    if let Some(topic) = params.get("topic") {
        if params.get("subject").is_some() {
            return Err(wrong("there may be a subject or a topic, and not both"));
        }
        let topic = Topic::parse(topic).map_err(wrong)?;
        return many::list(&app, &topic, after, params.limit()?, wait).await;
    }
    let subject = subject(&params)?;
    let asked = Asked { log: app.live.log().clone(), subject, after, limit: params.limit()? };
    let page = asked.page().await?;
    if page.is_empty && !wait.is_zero() {
        return Ok(json(asked.wait(&app, wait).await?.text));
    }
    Ok(json(page.text))
}

/// What is asked for.
#[derive(Clone)]
struct Asked {
    log: View,
    subject: Subject,
    after: After,
    limit: usize,
}

/// A page of a stream.
struct Page {
    text: String,
    is_empty: bool,
}

impl Asked {
    async fn page(&self) -> Result<Page, Problem> {
        let asked = self.clone();
        blocking(move || asked.read()).await
    }

    /// The page once there is something on it, or as it is after so long, or when the server is going away.
    async fn wait(&self, app: &App, wait: Duration) -> Result<Page, Problem> {
        let _open = app.meter.open("poll");
        let mut closing = app.closing.subscribe();
        let over = time::sleep(wait);
        tokio::pin!(over);
        let asked = self.clone();
        let mut head = blocking(move || Ok(asked.log.watch(&asked.subject))).await?;
        loop {
            head.mark_unchanged();
            let page = self.page().await?;
            if !page.is_empty {
                return Ok(page);
            }
            tokio::select! {
                biased;
                changed = head.changed() => if changed.is_err() { return Ok(page) },
                () = going_away(&mut closing) => return Ok(page),
                () = &mut over => return Ok(page),
            }
        }
    }

    fn read(&self) -> Result<Page, Problem> {
        let Self { log, subject, after, limit } = self;
        let after = seq(log, subject, after)?;
        let entries = log.read(subject, after, *limit)?;
        let mut text = String::from("{\"events\":[");
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            entry.recorded.write(&mut text);
        }
        text.push(']');
        // A page may end before its limit, at some MiB.
        let last = entries.last().map(|entry| entry.recorded.seq);
        let head = log.head(subject)?;
        if let Some(last) = last.filter(|last| *last < head) {
            text.push_str(&format!(",\"next\":{last}"));
        }
        text.push('}');
        Ok(Page { text, is_empty: entries.is_empty() })
    }
}

/// The stream that is asked for, if it is for others than the server.
pub(super) fn subject(params: &Params) -> Result<Subject, Problem> {
    let subject = params.get("subject").ok_or_else(|| wrong("subject is missing"))?;
    let subject = Subject::parse(subject).map_err(|error| wrong(error.to_string()))?;
    if subject.is_internal() {
        // It may hold parts of a source's raw text.
        return Err(Problem::new(Code::Forbidden, format!("{subject} is the server's own")));
    }
    if subject.as_str().starts_with("player/") {
        // Who is whose friend, and what somebody has consented to.
        let detail = format!("what {subject} tells is for the player alone, and is not read here");
        return Err(Problem::new(Code::Forbidden, detail));
    }
    Ok(subject)
}

/// The `seq` after which a reader goes on, if what it has seen is still part of the log.
fn seq(log: &View, subject: &Subject, after: &After) -> Result<u64, Problem> {
    let cursor = match after {
        After::Seq(seq) => return Ok(*seq),
        After::Snapshot => return Ok(0),
        After::Cursor(cursor) => cursor,
        After::Wide(_) => return Err(wrong("after is no cursor of this stream")),
    };
    let seq = cursor.seqs.get(&topic::number(subject)).copied().unwrap_or(0);
    if log.is_part(&cursor.lineage, subject, seq)? {
        return Ok(seq);
    }
    let detail = format!(
        "the log is not any more what it was when after was given: {subject} has another seq {seq} \
         now, or none; read it again from the beginning"
    );
    Err(Problem::new(Code::Conflict, detail))
}
