//! How a subscription begins: where each of its streams starts, and what the reader is told first.

use matchwire_log::live::Bell;
use serde_json::json;

use super::{
    Kind, Refusal, Views, compose,
    subscription::{Part, Subscription},
};
use crate::{
    app::App,
    cursor::{After, Cursor},
    topic::Topic,
};

impl Subscription {
    pub(super) async fn open(
        app: &App,
        bell: &Bell,
        topic: Topic,
        after: After,
        views: Views,
        room: usize,
    ) -> Result<Self, Refusal> {
        if topic.is_match() && matches!(after, After::Seq(1..)) {
            return Err(Refusal::Cursor);
        }
        let mut new = Self {
            topic,
            views,
            parts: Vec::new(),
            first: Vec::new(),
            has_state: false,
            changes: 0,
            replay: None,
        };
        new.look_for_maps(app, bell, room).await?;
        let head = new.position(app, Part::head);
        let subscribed = json!({"type": "subscribed", "topic": new.topic.as_str(), "head": head});
        new.first.push((Kind::Subscribed, subscribed.to_string().into()));
        let reset = new.start(app, &after)?;
        if let Some(reason) = reset {
            let reset = json!({"type": "reset", "topic": new.topic.as_str(), "reason": reason});
            new.first.push((Kind::Reset, reset.to_string().into()));
        }
        if reset.is_some() || after == After::Snapshot {
            new.push_snapshot(app).await?;
        }
        Ok(new)
    }

    /// Sets where each stream starts; the answer is the reason of a reset, if there is one.
    fn start(&mut self, app: &App, after: &After) -> Result<Option<&'static str>, Refusal> {
        Ok(match after {
            After::Snapshot => None,
            After::Seq(seq) => {
                let is_past = self.parts.iter().any(|part| *seq > part.head());
                self.parts.iter_mut().for_each(|part| part.seq = *seq);
                is_past.then_some("after_head")
            }
            After::Wide(_) => return Err(Refusal::Cursor),
            After::Cursor(cursor) if !self.follows(app, cursor)? => Some("lineage"),
            After::Cursor(cursor) => {
                let knows = |number: u16| self.parts.iter().any(|part| part.number == number);
                let is_match = self.topic.is_match();
                let mut is_past =
                    is_match && cursor.seqs.iter().any(|(number, seq)| *seq > 0 && !knows(*number));
                for part in &mut self.parts {
                    part.seq = cursor.seqs.get(&part.number).copied().unwrap_or(0);
                    is_past |= part.seq > part.head();
                }
                is_past.then_some("after_head")
            }
        })
    }

    /// Whether what a reader has seen up to a cursor is what the log has: that is not so if it was
    /// given under another lineage, and lies past the fork from it.
    fn follows(&self, app: &App, cursor: &Cursor) -> Result<bool, Refusal> {
        let log = app.live.log();
        let lineage = &cursor.lineage;
        if lineage == log.lineage().current() {
            return Ok(true);
        }
        for part in &self.parts {
            let seq = cursor.seqs.get(&part.number).copied().unwrap_or(0);
            if !log.is_part(lineage, part.follow.subject(), seq)? {
                return Ok(false);
            }
        }
        Ok(log.lineage().shared_until(lineage).is_some())
    }

    /// The snapshot with which the reader starts, or starts again.
    async fn push_snapshot(&mut self, app: &App) -> Result<(), Refusal> {
        let mut states = Vec::new();
        for part in &mut self.parts {
            let snapshot = part.follow.snapshot().await?;
            part.seq = snapshot.seq;
            part.predicted = snapshot.predicted;
            states.push(snapshot);
        }
        let cursor = self.cursor(app, |part| part.seq);
        let topic = self.topic.as_str();
        let text = if self.topic.is_match() {
            let head = format!(
                "{{\"type\":\"snapshot\",\"topic\":\"{topic}\",\"cursor\":\"{cursor}\",\"state\":"
            );
            compose::frame(&[head.as_bytes(), &self.match_state(&states), b"}"])
        } else {
            let Some(state) = states.first() else { return Ok(()) };
            let seq = state.seq;
            let head = format!(
                "{{\"type\":\"snapshot\",\"topic\":\"{topic}\",\"seq\":{seq},\
                 \"cursor\":\"{cursor}\",\"state\":"
            );
            compose::frame(&[head.as_bytes(), state.text().as_bytes(), b"}"])
        };
        self.first.push((Kind::Snapshot, text));
        self.note(&states);
        Ok(())
    }
}
