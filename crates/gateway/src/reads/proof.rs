//! `GET /api/v1/proof`: the stored bytes of an event and its place in the chain of its stream, so that
//! whoever received it can compute both hashes again.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::Response,
};
use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject};
use matchwire_log::{Error, View};
use serde_json::{Value, json as value};

use super::{blocking, events, json, not_found};
use crate::{
    app::App,
    problem::{Code, Problem},
    query::{Params, wrong},
};

pub(crate) async fn proof(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["subject", "seq"])?;
    let subject = events::subject(&params)?;
    let seq = params.number("seq")?.filter(|seq| *seq > 0);
    let seq = seq.ok_or_else(|| wrong("seq must be the number of an event, from 1 on"))?;
    let log = app.live.log().clone();
    let proof = blocking(move || of(&log, &subject, seq));
    Ok(json(proof.await?.to_string()))
}

fn of(log: &View, subject: &Subject, seq: u64) -> Result<Value, Problem> {
    // With the one before it, if there is one; what was lost for good is left out.
    let mut before = match seq {
        1 => Some((0, Digest::genesis(log.id(), subject))),
        _ => None,
    };
    let mut entries = match log.read(subject, seq.saturating_sub(2), 2) {
        Err(Error::Trimmed { floor, .. }) if floor.seq + 1 == seq => {
            before = Some((floor.seq, floor.chain));
            log.read(subject, floor.seq, 1)?
        }
        entries => entries?,
    };
    if entries.last().is_some_and(|last| last.recorded.seq < seq) {
        // It ends where the stream does, or where damage begins: that is an error then.
        entries.extend(log.read(subject, seq - 1, 1)?);
    }
    let at = entries.iter().position(|entry| entry.recorded.seq == seq);
    let Some(at) = at else {
        return Err(not_found(format!("event {seq} in {subject}")));
    };
    let Recorded { recorded, leaf, chain, stored, .. } = entries.swap_remove(at).recorded;
    if let Some(last) = entries.first().filter(|entry| entry.recorded.seq + 1 == seq) {
        before = Some((seq - 1, last.recorded.chain));
    }
    let stored = std::str::from_utf8(&stored).map_err(|_| {
        Problem::new(Code::Internal, format!("the stored bytes of event {seq} are not UTF-8"))
    })?;
    let mut proof = value!({
        "subject": subject.as_str(),
        "seq": seq,
        "log_id": log.id(),
        "lineage": log.lineage().current(),
        "recordedtime": recorded.to_string(),
        "recordedtime_ms": recorded.ms(),
        "stored": stored,
        "leaf": leaf.to_string(),
        "chain": chain.to_string(),
    });
    if let (Some((seq, chain)), Value::Object(proof)) = (before, &mut proof) {
        let before = value!({"seq": seq, "chain": chain.to_string()});
        proof.insert("before".into(), before);
    }
    Ok(proof)
}
