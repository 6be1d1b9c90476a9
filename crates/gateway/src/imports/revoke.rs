//! `POST /api/v1/imports/{import}/revoke`: an import is taken back, a batch with each request.
//!
//! Of each stream that a batch went to, the events are voided that have the import's source and a number as id,
//! and came after what the stream had before the batch was announced: so what the same source had told there
//! before stays. The event that voids another one is named by its `seq`, so that a step that is done again voids
//! nothing twice.

use std::{sync::Arc, time::Instant};

use axum::{
    Json,
    extract::{Path, Request, State},
};
use matchwire_domain::{
    envelope::{self, Attributes},
    import::{self, Batched, Event, Revoking, Status, Unwound},
    live_match::{EventVoided, Label},
    subject::Subject,
};
use matchwire_log::Error;
use serde_json::Value;

use super::{Imports, PAGE, api, blocking, parse};
use crate::{
    app::App,
    ingest,
    problem::{Code, Problem},
    query::Params,
};

/// How many events are voided in one append.
const VOIDED_AT_ONCE: usize = 1_000;
/// How many events of a stream are read at a time.
const STREAM_PAGE: usize = 1_000;

/// Takes the next batch back, and says how far it is. Whoever wants all of it asks until it is revoked.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    Params::parse(request.uri(), &[])?;
    let revoking: Revoking = api::json_of(&app, request).await?;
    let _writing = app.imports.writing.lock().await;
    let mut state = api::state(&app, &name).await?;
    if let Some(event) = state.revoke(revoking)? {
        app.imports.tell(&name, &state, &event).await?;
        state = api::state(&app, &name).await?;
    }
    if state.status == Status::Revoking {
        let (own, after) = (name.clone(), state.unwound);
        let next = blocking(&app.imports, move |imports| imports.next_batch(&own, after)).await?;
        let event = match next {
            Some((batch, batched)) => {
                let unwound = unwind(&app, &name, state.counted, batch, batched).await?;
                app.meter.imports.voided(unwound.voided);
                Event::Unwound(unwound)
            }
            None => Event::Revoked,
        };
        app.imports.tell(&name, &state, &event).await?;
    }
    api::now(&app, &name).await
}

impl Imports {
    /// The first batch that was announced after a `seq` of the import's own stream, with its `seq`. May block.
    fn next_batch(&self, name: &str, after: u64) -> Result<Option<(u64, Batched)>, Problem> {
        let subject = import::subject(name)?;
        let mut after = after;
        loop {
            let page = match self.log.read(&subject, after, PAGE) {
                Err(Error::Trimmed { floor, .. }) if floor.seq > after => {
                    after = floor.seq;
                    continue;
                }
                page => page?,
            };
            for entry in &page {
                after = entry.recorded.seq;
                if let Ok(Event::Batched(batched)) = parse(entry) {
                    return Ok(Some((after, batched)));
                }
            }
            if page.is_empty() {
                return Ok(None);
            }
        }
    }

    /// The events of a source in a stream after a `seq`, by their `seq` and their numbers within the import. May
    /// block.
    fn told_by(
        &self,
        source: &str,
        subject: &Subject,
        after: u64,
    ) -> Result<Vec<(u64, u64)>, Problem> {
        let (mut found, mut after) = (Vec::new(), after);
        loop {
            let page = match self.log.read(subject, after, STREAM_PAGE) {
                // What was removed for its age is told to nobody any more.
                Err(Error::Trimmed { floor, .. }) if floor.seq > after => {
                    after = floor.seq;
                    continue;
                }
                page => page?,
            };
            let Some(last) = page.last() else { return Ok(found) };
            after = last.recorded.seq;
            for entry in &page {
                let Ok(attributes) = Attributes::read(&entry.recorded.stored) else { continue };
                // What voids has no number as id.
                let number = attributes.id.parse().ok().filter(|_| attributes.source == source);
                found.extend(number.map(|number: u64| (entry.recorded.seq, number)));
            }
        }
    }
}

/// Voids the events of a batch. Those below `counted` were counted with another batch.
async fn unwind(
    app: &App,
    name: &str,
    counted: u64,
    batch: u64,
    batched: Batched,
) -> Result<Unwound, Problem> {
    let until = batched.first.saturating_add(batched.count);
    let source = import::source(name);
    let (own, streams) = (source.clone(), batched.streams);
    let told = blocking(&app.imports, move |imports| {
        let told = streams.into_iter().map(|(subject, head)| {
            let told = imports.told_by(&own, &subject, head)?;
            Ok((subject, told))
        });
        told.collect::<Result<Vec<_>, Problem>>()
    });
    let mut unwound = Unwound { batch, until, voided: 0, kept: 0 };
    let reason = format!("the import {name} is taken back");
    let mut voids = Vec::new();
    for (subject, told) in told.await? {
        for (seq, number) in told {
            voids.push((void(&source, &subject, seq, &reason)?, number));
        }
    }
    for voids in voids.chunks(VOIDED_AT_ONCE) {
        let events = voids.iter().map(|(event, _)| Ok(event.clone())).collect();
        let fates = ingest::append_owned(app, events, Instant::now()).await?;
        for (fate, (_, number)) in fates.iter().zip(voids) {
            let is_counted = (counted..until).contains(number);
            match fate.refusal() {
                None => unwound.voided += u64::from(is_counted),
                Some(("sealed", _)) => unwound.kept += u64::from(is_counted),
                Some((code, detail)) => {
                    let detail = format!("an event cannot be voided, {code}: {detail}");
                    return Err(Problem::new(Code::Internal, detail));
                }
            }
        }
    }
    Ok(unwound)
}

/// The event that voids another one of an import.
fn void(
    source: &str,
    subject: &Subject,
    seq: u64,
    reason: &str,
) -> Result<envelope::Event, Problem> {
    let voided = EventVoided { seq, reason: Some(Label::cut(reason)) };
    let failed = |error: &dyn std::error::Error| Problem::new(Code::Internal, error.to_string());
    let data = serde_json::to_string(&voided).map_err(|error| failed(&error))?;
    let id = format!("void-{seq}");
    let attributes = Attributes::of(id, source, subject.as_str(), "event.voided");
    envelope::Event::new(&attributes, &data).map_err(|error| failed(&error))
}
