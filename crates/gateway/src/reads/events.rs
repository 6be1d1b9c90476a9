//! `GET /api/v1/events`: a stream in order.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::Response,
};
use matchwire_domain::subject::Subject;

use super::{blocking, json};
use crate::{
    app::App,
    problem::{Code, Problem},
    query::{Params, wrong},
};

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["subject", "after", "limit"])?;
    let subject = params.get("subject").ok_or_else(|| wrong("subject is missing"))?;
    let subject = Subject::parse(subject).map_err(|error| wrong(error.to_string()))?;
    if subject.is_internal() {
        // It may hold parts of a source's raw text.
        return Err(Problem::new(Code::Forbidden, format!("{subject} is the server's own")));
    }
    let after = params.number("after")?.unwrap_or(0);
    let limit = params.limit()?;
    let log = app.live.log().clone();
    let text = blocking(move || {
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
