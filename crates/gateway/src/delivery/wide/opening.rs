//! How a wide topic begins: from where it is swept, and what is being played now.

use std::{collections::BTreeMap, time::Instant};

use matchwire_domain::subject::{Kind as Stream, Subject};
use matchwire_log::{
    Error,
    live::Bell,
    sweep::{Mark, Moved, Scope, Sweep},
};
use serde_json::json;

use super::{Wide, ring, shown::Shown};
use crate::{
    app::App,
    cursor::{After, Told, WideCursor},
    delivery::{Kind, Place, Refusal, Views, compose},
    reads,
    topic::Topic,
};

/// How many streams a snapshot has at most.
const MAX_SNAPSHOTS: usize = 1_000;
/// How many subjects are looked at, at once, for those that are being played.
const LOOK_AHEAD: usize = 100;

impl Wide {
    pub(in crate::delivery) async fn open(
        app: &App,
        bell: &Bell,
        topic: Topic,
        after: After,
        views: Views,
    ) -> Result<Self, Refusal> {
        let scope = topic.scope(&app.tournaments).ok_or(Refusal::Cursor)?;
        let log = app.live.log();
        let head = Mark::at(log.settled());
        let (start, reset) = match start(app, after)? {
            Ok(start) => (start, None),
            Err(reason) => (None, Some(reason)),
        };
        let (mark, told) = start.unwrap_or_else(|| (head.clone(), Told::Played(None)));
        let sweep = Sweep::new(log.clone(), scope.clone(), mark.clone());
        let ringer = ring(&sweep, bell);
        let mut new = Self {
            topic,
            views,
            sweep: Some(sweep),
            first: Vec::new(),
            owed: None,
            shown: BTreeMap::new(),
            ahead: (BTreeMap::new(), 0),
            clock: 0,
            is_live: false,
            is_current: false,
            ringer,
        };
        let cursor = WideCursor::now(log, head, Told::All).to_string();
        let name = new.topic.as_str();
        let subscribed = json!({"type": "subscribed", "topic": name, "head": cursor});
        new.first.push((Kind::Subscribed, subscribed.to_string().into(), Place::Same));
        if let Some(reason) = reset {
            let reset = json!({"type": "reset", "topic": new.topic.as_str(), "reason": reason});
            new.first.push((Kind::Reset, reset.to_string().into(), Place::Same));
        }
        match told {
            Told::Played(after) => new.push_snapshots(app, bell, &scope, &mark, after).await?,
            Told::Until(told) if new.shows_states() => {
                new.owed = Some(Moved::between(log.clone(), scope, told, mark));
            }
            Told::Until(_) | Told::All => {}
        }
        Ok(new)
    }

    /// The states of what is being played, as far as it is found in time, of the streams after one. What comes of
    /// their events is not told again. Who is cut off among them comes again for the others.
    async fn push_snapshots(
        &mut self,
        app: &App,
        bell: &Bell,
        scope: &Scope,
        mark: &Mark,
        after: Option<Subject>,
    ) -> Result<(), Refusal> {
        let log = app.live.log();
        let mut played = played(app, scope, after).await?.into_iter().peekable();
        while let Some(subject) = played.next() {
            let is_last = played.peek().is_none();
            let told = if is_last { Told::All } else { Told::Played(Some(subject.clone())) };
            let cursor = WideCursor::now(log, mark.clone(), told).to_string();
            let follow = app.live.follow(&subject, bell).await?;
            let snapshot = follow.snapshot().await?;
            let topic = self.topic.as_str();
            let head = format!(
                "{{\"type\":\"snapshot\",\"topic\":\"{topic}\",\"subject\":\"{subject}\",\
                 \"seq\":{},\"cursor\":\"{cursor}\",\"state\":",
                snapshot.seq
            );
            let text = compose::frame(&[head.as_bytes(), snapshot.text().as_bytes(), b"}"]);
            self.first.push((Kind::Snapshot, text, Place::Cursor(cursor)));
            self.ahead.0.insert(subject.clone(), snapshot.seq);
            self.shown.insert(subject, Shown::new(follow).with(&snapshot));
        }
        self.ahead.1 = log.settled();
        Ok(())
    }
}

/// From where to read on and which states the reader has, unless it is from now; or why what the reader holds is
/// void.
type Start = Result<Option<(Mark, Told)>, &'static str>;

/// Where a reader starts.
pub(crate) fn start(app: &App, after: After) -> Result<Start, Refusal> {
    let log = app.live.log();
    let WideCursor { lineage, mark, told } = match after {
        After::Snapshot => return Ok(Ok(None)),
        After::Seq(0) => return Ok(Ok(Some((Mark::at(0), Told::All)))),
        After::Seq(_) | After::Cursor(_) => return Err(Refusal::Cursor),
        After::Wide(cursor) => cursor,
    };
    Ok(match log.lineage().shared_until(&lineage) {
        Some(fork) if mark.reaches() >= fork => Err("lineage"),
        None => Err("lineage"),
        // Whether there is more than is due, a delayed audience is not told: it waits.
        Some(_) if !log.is_delayed() && mark.reaches() > log.settled() => Err("after_head"),
        Some(_) => Ok(Some((mark, told))),
    })
}

/// The streams of matches that are being played, of those in the scope after one, as many as may be.
async fn played(
    app: &App,
    scope: &Scope,
    mut after: Option<Subject>,
) -> Result<Vec<Subject>, Refusal> {
    let _turn = reads::turn(app).await.map_err(|_| Error::Stopped)?;
    let (log, begun) = (app.live.log(), Instant::now());
    let mut played = Vec::new();
    while played.len() < MAX_SNAPSHOTS && begun.elapsed() < app.limits.list {
        let from = after.as_ref().map(Subject::as_str);
        let page = log.subjects(scope.prefix(), from, LOOK_AHEAD)?;
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        for subject in page {
            let is_map = matches!(subject.kind(), Stream::MatchMap(..)) && scope.covers(&subject);
            if is_map && is_played(app, &subject).await && played.len() < MAX_SNAPSHOTS {
                played.push(subject);
            }
        }
    }
    Ok(played)
}

async fn is_played(app: &App, subject: &Subject) -> bool {
    let kept = app.summaries.of(&app.live, subject).await;
    kept.is_ok_and(|kept| matches!(kept.status(), Some("live" | "paused")))
}
