//! `POST /api/v1/imports/{import}/events`: a batch of an import, announced and then taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::Response,
};
use matchwire_domain::{envelope::Glance, import, subject::Subject};
use matchwire_log::Log;

use super::{api, blocking};
use crate::{
    app::App,
    body,
    ingest::{self, Fate},
    problem::{Code, Problem},
    query::{Params, wrong},
};

/// Takes events, one on each line, with the import's source, and as ids their numbers from `first` on.
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["first"])?;
    let missing = || wrong("first must be the number of the first event within the import, from 0");
    let first = params.number("first")?.ok_or_else(missing)?;
    let (head, body) = request.into_parts();
    // History can wait: whatever is given up under overload, it is first.
    app.admission.check_history(app.log.backlog())?;
    let form = ingest::Form::of(&head.headers)?;
    let body = body::read(&app, &head.headers, body).await?;
    let received = Instant::now();
    let items = form.split(&body.bytes, app.limits.events)?;
    let count = items.len() as u64;
    let _writing = app.imports.writing.lock().await;
    let state = api::state(&app, &name).await?;
    state.check_batch(first, count)?;
    let source = import::source(&name);
    let checked = (first..).zip(&items).map(|(number, item)| {
        check(item, &source, number)?;
        Ok(ingest::admit_owned(&app, item))
    });
    let admitted = checked.collect::<Result<Vec<_>, Problem>>()?;
    ingest::sync(&app)?;
    app.meter.ingest(received.elapsed());
    let events = admitted.iter().flatten();
    let streams = heads(&app, events.map(|event| event.subject.clone())).await?;
    let announced = state.batch(first, count, streams)?;
    app.imports.tell(&name, &state, &announced).await?;
    let fates = ingest::append_owned(&app, admitted, received).await?;
    app.meter.imports.batch(&fates, state.events(), state.told.max(first + count));
    Ok(ingest::answer_owned(&app, &fates))
}

/// Whether an event is the one that belongs there.
fn check(item: &[u8], source: &str, number: u64) -> Result<(), Problem> {
    let bad = |what: String| Problem::new(Code::BadBody, what);
    let glance = Glance::at(item).ok_or_else(|| {
        bad(format!(
            "event {number} of the import is no CloudEvent with id, source, subject and type"
        ))
    })?;
    if glance.source != source || glance.id != number.to_string() {
        let told: String =
            format!("{} and {}", glance.source, glance.id).chars().take(80).collect();
        return Err(bad(format!(
            "event {number} of the import must have the source {source} and the id {number}, and has {told}"
        )));
    }
    Ok(())
}

/// The last `seq` of each stream.
async fn heads(
    app: &App,
    subjects: impl Iterator<Item = Subject>,
) -> Result<BTreeMap<Subject, u64>, Problem> {
    let subjects: BTreeSet<Subject> = subjects.collect();
    blocking(&app.imports, move |imports| {
        let read = |subject: Subject| Ok((subject.clone(), head(&imports.log, &subject)?));
        subjects.into_iter().map(read).collect()
    })
    .await
}

/// The last `seq` of a stream. What is at damage takes nothing, so it has nothing to take back.
fn head(log: &Log, subject: &Subject) -> Result<u64, Problem> {
    match log.head(subject) {
        Err(error) if error.is_partial() => Ok(u64::MAX),
        head => Ok(head?),
    }
}

/// What a batch came to: how many events are new, were there, and were refused.
pub(crate) fn counts(fates: &[Fate]) -> [u64; 3] {
    use matchwire_log::Outcome;
    let mut counts = [0; 3];
    for fate in fates {
        let count = match fate {
            Fate::Taken { outcome: Outcome::Appended { .. }, .. } => 0,
            Fate::Taken { .. } | Fate::Accepted(_) => 1,
            Fate::Rejected(_) | Fate::Sampled(_) => 2,
        };
        if let Some(count) = counts.get_mut(count) {
            *count += 1;
        }
    }
    counts
}
