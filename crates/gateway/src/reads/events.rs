//! `GET /api/v1/events`: a stream in order.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::Response,
};
use matchwire_domain::subject::Subject;
use matchwire_log::View;

use super::{blocking, json};
use crate::{
    app::App,
    cursor::After,
    problem::{Code, Problem},
    query::{Params, wrong},
    topic,
};

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["subject", "after", "limit"])?;
    let subject = subject(&params)?;
    let after = params.get("after").map_or(Some(After::Seq(0)), After::parse);
    let after = after.ok_or_else(|| wrong("after must be a seq or a cursor"))?;
    let limit = params.limit()?;
    let log = app.live.log().clone();
    let text = blocking(move || {
        let after = seq(&log, &subject, &after)?;
        let entries = log.read(&subject, after, limit)?;
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
        let head = log.head(&subject)?;
        if let Some(last) = last.filter(|last| *last < head) {
            text.push_str(&format!(",\"next\":{last}"));
        }
        text.push('}');
        Ok(text)
    });
    Ok(json(text.await?))
}

/// The stream that is asked for, if it is for others than the server.
pub(super) fn subject(params: &Params) -> Result<Subject, Problem> {
    let subject = params.get("subject").ok_or_else(|| wrong("subject is missing"))?;
    let subject = Subject::parse(subject).map_err(|error| wrong(error.to_string()))?;
    if subject.is_internal() {
        // It may hold parts of a source's raw text.
        return Err(Problem::new(Code::Forbidden, format!("{subject} is the server's own")));
    }
    Ok(subject)
}

/// The `seq` after which a reader goes on, if what it has seen is still part of the log.
fn seq(log: &View, subject: &Subject, after: &After) -> Result<u64, Problem> {
    let cursor = match after {
        After::Seq(seq) => return Ok(*seq),
        After::Snapshot => return Ok(0),
        After::Cursor(cursor) => cursor,
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
