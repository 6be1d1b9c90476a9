//! `POST /api/v1/events`: one event, a batch, or lines of them.

use std::{collections::HashMap, sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Response, header},
};
use matchwire_domain::{
    envelope::{Event, Recorded, same_but_sampling},
    subject::Subject,
};
use matchwire_log::{Append, Log, Outcome};
use serde_json::value::RawValue;

use super::{
    admit::{Rejected, admit, refused, sync},
    answer, durability,
};
use crate::{
    admission::{Gate, Verdict},
    app::App,
    body,
    letters::{self, Letter},
    metrics::Count,
    problem::{Code, Problem},
    query::Params,
};

/// What events over HTTP are counted under, and by what their dead letters came in.
pub(crate) const VIA: &str = "http";
/// What events are counted under that are tried again.
const AGAIN: &str = "redrive";

/// What became of one event of a request.
pub(crate) enum Fate {
    /// It went to the log.
    Taken {
        event: Event,
        outcome: Outcome,
    },
    /// It waits for the log; nobody will be told what became of it.
    Accepted(Event),
    /// It was left out: of so many like it one is kept.
    Sampled(u32),
    Rejected(Rejected),
}

/// Why an event of a request does not go to the log.
pub(crate) enum Left {
    Sampled(u32),
    Rejected(Rejected),
}

impl From<Left> for Fate {
    fn from(left: Left) -> Self {
        match left {
            Left::Sampled(rate) => Self::Sampled(rate),
            Left::Rejected(rejected) => Self::Rejected(rejected),
        }
    }
}

pub(crate) type Admitted = Result<Event, Left>;

impl Fate {
    /// Why it was rejected, if it was: the code, and in words.
    pub(crate) fn refusal(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Rejected(rejected) => Some((rejected.code, &rejected.detail)),
            Self::Taken { .. } | Self::Accepted(_) | Self::Sampled(_) => None,
        }
    }
}

pub(crate) async fn post(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["durability"])?;
    let durability = durability::of(&app, params.get("durability"))?;
    let (head, body) = request.into_parts();
    let form = Form::of(&head.headers)?;
    let body = body::read(&app, &head.headers, body).await?;
    let received = Instant::now();
    let log = &app.log;
    let mut gate = app.admission.gate(log.backlog());
    let mut refused = Vec::new();
    let admitted = {
        let items = form.split(&body.bytes, app.limits.events)?;
        through(&app, &mut gate, &items, &mut refused).await?
    };
    drop(body);
    app.meter.ingest(received.elapsed());
    let is_shed = admitted.iter().any(|it| matches!(it, Err(Left::Rejected(it)) if it.is_limit()));
    let advice = gate.advice(is_shed && gate.is_busy());
    drop(gate);
    let fates = if durability == log.durability() {
        append(&app, VIA, admitted, received, &mut refused).await?
    } else {
        submit(&app, admitted, received)?
    };
    // Not before the request as a whole is answered for: one that fails comes again.
    for letter in refused {
        app.letters.keep(letter);
    }
    answer::count(&app.meter, VIA, &fates);
    Ok(answer::response(durability, &fates, advice))
}

/// Lets events through the gate, and checks those that it lets through. A request of which nothing
/// is let through is a problem as a whole.
async fn through(
    app: &App,
    gate: &mut Gate<'_>,
    items: &[&[u8]],
    letters: &mut Vec<Letter>,
) -> Result<Vec<Admitted>, Problem> {
    let is_open = gate.is_open();
    let verdicts: Vec<Verdict> = if is_open {
        vec![Verdict::Take(1); items.len()]
    } else {
        items.iter().map(|item| gate.judge(item)).collect()
    };
    app.meter.admission.shed(gate.shed());
    if let Some(problem) = gate.problem(&verdicts) {
        app.meter.count(VIA, Count { received: items.len() as u64, ..Count::default() });
        return Err(problem);
    }
    let is_hurried = !gate.is_busy() || gate.has_critical();
    let _turn = if is_hurried { None } else { app.admission.turn().await };
    let admit = |(item, verdict): (&&[u8], Verdict)| match verdict {
        Verdict::Take(rate) => match admit(app, item, rate) {
            Ok((event, priority)) => {
                if is_open {
                    gate.note(priority);
                }
                Ok(event)
            }
            Err(why) => {
                letters.extend(letter(VIA, item, &why));
                Err(Left::Rejected(why))
            }
        },
        Verdict::Sampled(rate) => Err(Left::Sampled(rate)),
        Verdict::Refused(code) => Err(Left::Rejected(refused(code))),
    };
    let admitted = items.iter().zip(verdicts).map(admit).collect();
    sync(app)?;
    Ok(admitted)
}

/// Tries one event again that was refused before.
pub(crate) async fn again(app: &App, json: &[u8], received: Instant) -> Result<Fate, Problem> {
    // Somebody wants it now: it passes no gate.
    let admitted = admit(app, json, 1).map(|(event, _)| event).map_err(Left::Rejected);
    sync(app)?;
    // It is a letter already.
    let fates = append(app, VIA, vec![admitted], received, &mut Vec::new()).await?;
    let lost = || Problem::new(Code::Internal, "the log answered for no event");
    fates.into_iter().next().ok_or_else(lost)
}

/// The answer to an event that was tried again.
pub(crate) fn answer_again(app: &App, fate: Fate) -> Response<Body> {
    let fates = [fate];
    answer::count(&app.meter, AGAIN, &fates);
    answer::response(app.log.durability(), &fates, None)
}

/// The dead letter of an event that has an envelope.
pub(super) fn letter(
    via: &'static str,
    json: &[u8],
    Rejected { code, detail }: &Rejected,
) -> Option<Letter> {
    Some(Letter::new(via, code, detail, letters::origin(json)?, json))
}

/// Queues what is admitted, and waits for nothing.
fn submit(app: &App, admitted: Vec<Admitted>, received: Instant) -> Result<Vec<Fate>, Problem> {
    let (appends, _) = by_stream(&admitted, received);
    if !appends.is_empty() {
        app.log.submit(appends)?;
        for event in admitted.iter().flatten() {
            app.followup.appended(event);
        }
    }
    let fate = |item: Admitted| item.map_or_else(Fate::from, Fate::Accepted);
    Ok(admitted.into_iter().map(fate).collect())
}

/// Gives what is admitted to the log, one append for each stream, and puts the outcomes back into
/// the order of the request.
pub(super) async fn append(
    app: &App,
    via: &'static str,
    admitted: Vec<Admitted>,
    received: Instant,
    refused: &mut Vec<Letter>,
) -> Result<Vec<Fate>, Problem> {
    let (appends, places) = by_stream(&admitted, received);
    let mut outcomes = Vec::new();
    if !appends.is_empty() {
        let begun = Instant::now();
        let results = match app.log.append(appends).await {
            // Nothing of it is stored, for the sake of one stream: the others are not held up.
            Err(error) if error.is_partial() && places.len() > 1 => {
                one_by_one(&app.log, by_stream(&admitted, received).0).await?
            }
            results => results?.into_iter().map(|it| it.map_err(Rejected::from)).collect(),
        };
        outcomes.extend(results.into_iter().map(|result| result.map(Vec::into_iter)));
        app.meter.append(begun.elapsed());
    }
    let fate = |item: Admitted| match item {
        Err(left) => Ok(left.into()),
        Ok(event) => {
            let lost = || Problem::new(Code::Internal, "the log answered for too few events");
            let place = places.get(&event.subject).and_then(|place| outcomes.get_mut(*place));
            match place.ok_or_else(lost)? {
                Ok(outcomes) => {
                    let outcome = outcomes.next().ok_or_else(lost)?;
                    if matches!(outcome, Outcome::Appended { .. }) {
                        app.followup.appended(&event);
                    }
                    Ok(Fate::Taken { event, outcome })
                }
                Err(rejected) => {
                    refused.extend(letter(via, &event.stored, rejected));
                    Ok(Fate::Rejected(rejected.clone()))
                }
            }
        }
    };
    let mut fates = admitted.into_iter().map(fate).collect::<Result<Vec<Fate>, Problem>>()?;
    forgive_sampling(&app.log, &mut fates).await?;
    Ok(fates)
}

/// A duplicate that differs in its `sampledrate` alone does not differ: the sender sent the same,
/// and how busy the server was is none of its doing.
async fn forgive_sampling(log: &Log, fates: &mut [Fate]) -> Result<(), Problem> {
    let differing = fates.iter_mut().filter_map(|fate| match fate {
        Fate::Taken { event, outcome: Outcome::Duplicate { differs, .. } } if *differs => {
            Some((event.clone(), differs))
        }
        _ => None,
    });
    let (events, flags): (Vec<Event>, Vec<&mut bool>) = differing.unzip();
    if events.is_empty() {
        return Ok(());
    }
    let log = log.clone();
    let compare = move || {
        let differs = |event: &Event| {
            let first = log.find(&event.subject, &event.source, &event.id)?;
            let same = |first: Recorded| same_but_sampling(&first.stored, &event.stored);
            Ok(!first.is_some_and(same))
        };
        events.iter().map(differs).collect::<Result<Vec<bool>, matchwire_log::Error>>()
    };
    let lost = |_| Problem::new(Code::Internal, "duplicates could not be compared");
    let compared = tokio::task::spawn_blocking(compare).await.map_err(lost)?;
    // Where the first one cannot be read, that they differ is what is known.
    for (flag, differs) in flags.into_iter().zip(compared.unwrap_or_default()) {
        *flag = differs;
    }
    Ok(())
}

/// Gives each append to the log by itself, so that damage rejects only the events of its stream.
async fn one_by_one(
    log: &Log,
    appends: Vec<Append>,
) -> Result<Vec<Result<Vec<Outcome>, Rejected>>, Problem> {
    let mut results = Vec::with_capacity(appends.len());
    let mut taken = 0;
    for append in appends {
        let result = match log.append(vec![append]).await {
            Err(error) if error.is_partial() => Err(Problem::from(error).into()),
            result => result?.pop().unwrap_or_else(|| Ok(Vec::new())).map_err(Rejected::from),
        };
        taken += u64::from(result.is_ok());
        results.push(result);
    }
    match results.first() {
        // Nothing can be taken now, which is not the sender's fault.
        Some(Err(Rejected { detail, .. })) if taken == 0 => {
            Err(Problem::new(Code::Corrupt, detail.clone()))
        }
        _ => Ok(results),
    }
}

/// One append for each stream, and which one that is.
fn by_stream(admitted: &[Admitted], received: Instant) -> (Vec<Append>, HashMap<Subject, usize>) {
    let mut appends: Vec<Append> = Vec::new();
    let mut places: HashMap<Subject, usize> = HashMap::new();
    for event in admitted.iter().flatten() {
        let place = *places.entry(event.subject.clone()).or_insert_with(|| {
            let subject = event.subject.clone();
            appends.push(Append { subject, events: Vec::new(), expected_seq: None, received });
            appends.len() - 1
        });
        if let Some(append) = appends.get_mut(place) {
            append.events.push(event.clone());
        }
    }
    (appends, places)
}

/// How the events stand in the body.
pub(crate) enum Form {
    One,
    Batch,
    Lines,
}

impl Form {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut parts = value.unwrap_or("").split(';').map(str::trim);
        let form = match parts.next().unwrap_or("").to_ascii_lowercase().as_str() {
            "application/cloudevents+json" => Some(Self::One),
            "application/cloudevents-batch+json" => Some(Self::Batch),
            "application/x-ndjson" => Some(Self::Lines),
            _ => None,
        };
        let is_utf8 = |parameter: &str| {
            parameter.split_once('=').is_none_or(|(name, value)| {
                !name.eq_ignore_ascii_case("charset")
                    || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            })
        };
        form.filter(|_| parts.all(is_utf8)).ok_or_else(|| {
            Problem::new(
                Code::MediaType,
                "content-type must be application/cloudevents+json, \
                 application/cloudevents-batch+json or application/x-ndjson, in UTF-8",
            )
        })
    }

    /// The events of a body, each as it stands there.
    pub(crate) fn split<'a>(&self, body: &'a [u8], limit: usize) -> Result<Vec<&'a [u8]>, Problem> {
        let items: Vec<&[u8]> = match self {
            Self::One => vec![body],
            Self::Lines => {
                let lines = body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
                lines.filter(|line| !line.is_empty()).take(limit + 1).collect()
            }
            Self::Batch => {
                let items: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| {
                    Problem::new(Code::BadBody, format!("not an array of events in JSON: {error}"))
                })?;
                items.into_iter().map(|item| item.get().as_bytes()).collect()
            }
        };
        if items.len() > limit {
            let detail = format!("more than {limit} events in one request; send them in parts");
            return Err(Problem::new(Code::TooLarge, detail));
        }
        Ok(items)
    }
}
