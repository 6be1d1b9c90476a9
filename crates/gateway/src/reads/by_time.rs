//! `GET /api/v1/events/{match}`: a match's events by time, over its maps.
//!
//! The streams are merged by the time of their next event; within a stream the order is that of
//! the stream. `from` and `to` are held against the events' own times.

use std::{collections::BTreeMap, collections::VecDeque, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::Response,
};
use matchwire_domain::{
    envelope::{Attributes, Recorded},
    subject::{self, Subject},
    timestamp::Timestamp,
};
use matchwire_log::View;

use super::{blocking, json, not_found, turn};
use crate::{
    app::App,
    cursor::{After, Cursor},
    problem::Problem,
    query::{Params, wrong},
    topic::{self, Topic},
};

/// How many events are looked at for one page; a page may be short when few of them fit.
const MAX_LOOKS: usize = 20_000;
/// How many events are read at once, of all streams together.
const PAGE_EVENTS: usize = 200;
/// A page ends when it has so many bytes.
const PAGE_BYTES: usize = 4 << 20;

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(match_id): Path<String>,
    request: Request,
) -> Result<Response<Body>, Problem> {
    let params = Params::parse(request.uri(), &["from", "to", "after", "limit"])?;
    subject::check_segment(&match_id)?;
    let time = |name| {
        let time = params.get(name).map(Timestamp::parse).transpose();
        time.map_err(|error| wrong(format!("{name}: {error}")))
    };
    let (from, to, limit) = (time("from")?, time("to")?, params.limit()?);
    let topic = Topic::parse(&format!("match/{match_id}")).map_err(wrong)?;
    let log = app.live.log().clone();
    let streams = topic.streams(&log)?;
    let heads = streams.iter().map(|stream| log.head(stream));
    if heads.collect::<Result<Vec<_>, _>>()?.iter().all(|head| *head == 0) {
        return Err(not_found(format!("match {match_id}")));
    }
    let after = match params.get("after").map(After::parse) {
        None | Some(Some(After::Seq(0))) => BTreeMap::new(),
        Some(Some(After::Cursor(cursor))) if cursor.lineage == log.lineage().current() => {
            cursor.seqs
        }
        Some(_) => return Err(wrong("after must be the next of an earlier page of this list")),
    };
    let _turn = turn(&app).await?;
    let merge = move || {
        let fits = |time| from.is_none_or(|from| from <= time) && to.is_none_or(|to| time < to);
        Merge::new(&log, streams, &after, limit).page(limit, fits)
    };
    Ok(json(blocking(merge).await?))
}

struct Merge<'a> {
    log: &'a View,
    streams: Vec<Stream>,
    /// How many events are read from a stream at once, at most.
    share: usize,
}

struct Stream {
    subject: Subject,
    seq: u64,
    ahead: VecDeque<(Timestamp, Recorded)>,
    /// How many events are read next; more each time, for a page may want few of what there is.
    next: usize,
}

impl<'a> Merge<'a> {
    fn new(log: &'a View, streams: Vec<Subject>, after: &BTreeMap<u16, u64>, limit: usize) -> Self {
        // What is read ahead is bounded, however many maps a match has.
        let share = (PAGE_EVENTS / streams.len().max(1)).max(1);
        let stream = |subject: Subject| {
            let seq = after.get(&topic::number(&subject)).copied().unwrap_or(0);
            Stream { subject, seq, ahead: VecDeque::new(), next: limit.clamp(1, share) }
        };
        Self { log, streams: streams.into_iter().map(stream).collect(), share }
    }

    fn page(mut self, limit: usize, fits: impl Fn(Timestamp) -> bool) -> Result<String, Problem> {
        let mut text = String::from("{\"events\":[");
        let (mut count, mut looks) = (0, 0);
        let mut is_over = false;
        while count < limit && looks < MAX_LOOKS && text.len() < PAGE_BYTES {
            let Some((time, recorded)) = self.next()? else {
                is_over = true;
                break;
            };
            looks += 1;
            if fits(time) {
                if count > 0 {
                    text.push(',');
                }
                recorded.write(&mut text);
                count += 1;
            }
        }
        text.push(']');
        if !is_over && self.has_next()? {
            let seqs = self.streams.iter().map(|s| (topic::number(&s.subject), s.seq)).collect();
            let cursor = Cursor { lineage: self.log.lineage().current().to_owned(), seqs };
            text.push_str(&format!(",\"next\":\"{cursor}\""));
        }
        text.push('}');
        Ok(text)
    }

    fn next(&mut self) -> Result<Option<(Timestamp, Recorded)>, Problem> {
        self.fill()?;
        let first =
            |stream: &&mut Stream| stream.ahead.front().map_or(i64::MAX, |(time, _)| time.ms());
        let Some(stream) = self.streams.iter_mut().min_by_key(first) else { return Ok(None) };
        let next = stream.ahead.pop_front();
        if let Some((_, recorded)) = &next {
            stream.seq = recorded.seq;
        }
        Ok(next)
    }

    fn has_next(&mut self) -> Result<bool, Problem> {
        self.fill()?;
        Ok(self.streams.iter().any(|stream| !stream.ahead.is_empty()))
    }

    fn fill(&mut self) -> Result<(), Problem> {
        for stream in self.streams.iter_mut().filter(|stream| stream.ahead.is_empty()) {
            if stream.seq < self.log.head(&stream.subject)? {
                let entries = self.log.read(&stream.subject, stream.seq, stream.next)?;
                stream.next = (stream.next * 2).min(self.share);
                let timed =
                    entries.into_iter().map(|entry| (time_of(&entry.recorded), entry.recorded));
                stream.ahead = timed.collect();
            }
        }
        Ok(())
    }
}

/// When an event happened, or else was recorded.
fn time_of(recorded: &Recorded) -> Timestamp {
    let attributes = Attributes::read(&recorded.stored).ok();
    let time = attributes.and_then(|attributes| Timestamp::parse(attributes.time.as_deref()?).ok());
    time.unwrap_or(recorded.recorded)
}
