//! `POST /api/v1/sources/cs-log/{match}/{map}`: a body in another system's own format.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    extract::{Path, Request, State},
};
use matchwire_domain::subject;
use serde_json::{Value, json};

use crate::{
    app::{Answer, App, Post},
    body,
    metrics::Count,
    problem::Problem,
    query::Params,
};

/// The source that is counted.
const SOURCE: &str = "cs-log";

pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path((match_id, map)): Path<(String, String)>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    subject::check_segment(&match_id)?;
    if map != "auto" {
        subject::parse_map(&map)?;
    }
    app.admission.check_post(SOURCE)?;
    let (head, body) = request.into_parts();
    let body = body::read(&app, &head.headers, body).await?;
    let received = Instant::now();
    let post = Post {
        match_id: &match_id,
        map: &map,
        headers: &head.headers,
        body: body.bytes.clone(),
        received,
    };
    let answer = app.cs_log.post(post).await?;
    app.meter.ingest(answer.admitted.saturating_duration_since(received));
    app.meter.append(answer.admitted.elapsed());
    let Answer { appended, duplicate, unknown, refused, .. } = answer;
    app.admission.charge_post(SOURCE, appended);
    let received = appended + duplicate + unknown + refused;
    app.meter
        .count(SOURCE, Count { received, accepted: 0, appended, duplicate, rejected: refused });
    let mut body = json!({"appended": appended, "duplicate": duplicate, "unknown": unknown});
    if let (Value::Object(body), 1..) = (&mut body, refused) {
        body.insert("refused".into(), refused.into());
    }
    Ok(Json(body))
}
