//! One crowd: its reader, those who join, and the parts that are written to at the same time.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use matchwire_log::live::Bell;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{self, Duration, Instant},
};

use super::{
    Key, Member,
    part::{MAX_MEMBERS, Packet, Part},
    writers::Writers,
};
use crate::{
    app::{App, going_away},
    delivery::{Batch, Bookmark, Refusal, Subscription},
    limits::Limits,
    websocket::{Wire, packet},
};

/// How many may join between two packets.
const JOINING: usize = 64;
/// How often new maps of a match are looked for.
const LOOK: Duration = Duration::from_millis(250);

/// A connection that wants to join.
pub(crate) struct Applicant {
    pub(super) wire: Weak<Wire>,
    pub(super) subscription: Subscription,
}

/// A crowd, as its task has it.
struct Crowd {
    app: Arc<App>,
    bell: Bell,
    reader: Subscription,
    /// Where the reader and everybody is.
    bookmark: Arc<Bookmark>,
    /// Whether any member takes compressed frames.
    deflates: bool,
    /// The members, in the order in which they came.
    parts: Arc<[Arc<Part>]>,
    writers: Writers,
    /// Which part has its heartbeat next, and when.
    next_beat: (usize, Instant),
    /// When new maps of a match were last looked for.
    looked: Instant,
}

/// Serves a crowd for as long as there is one.
pub(super) async fn run(app: Arc<App>, key: Key, mut asked: UnboundedReceiver<Applicant>) {
    let mut closing = app.closing.subscribe();
    let Some(first) = asked.recv().await else { return };
    let bell = Bell::default();
    let begun = Subscription::resume(&app, &bell, &first.subscription.bookmark()).await;
    let mut applicants = vec![first];
    if let Ok(reader) = begun {
        let mut crowd = Crowd::new(app.clone(), bell, reader);
        // What cannot be read each member is told by its own task.
        while let Ok(has_more) = crowd.advance(&mut applicants).await {
            let follows_match = crowd.reader.topic().is_match();
            let ready = async {
                if !has_more {
                    crowd.bell.notified().await;
                }
            };
            tokio::select! {
                biased;
                () = going_away(&mut closing) => break,
                _ = asked.recv_many(&mut applicants, JOINING) => {}
                () = time::sleep_until(crowd.next_beat.1) => {
                    crowd.beat().await;
                    if crowd.is_empty() && app.hub.remove(&key, &asked) {
                        return;
                    }
                }
                () = ready => {}
                () = time::sleep_until(crowd.looked + LOOK), if follows_match => {}
            }
        }
        crowd.parts.iter().for_each(|part| part.release());
    }
    while !app.hub.remove(&key, &asked) {
        asked.recv_many(&mut applicants, JOINING).await;
    }
    for Applicant { wire, subscription } in applicants {
        if let Some(wire) = wire.upgrade() {
            wire.refuse(Bytes::new(), subscription);
        }
    }
}

/// Sends an applicant what is new, and has it if it is where everybody is then.
fn admit(app: &App, bookmark: &Arc<Bookmark>, applicant: Applicant) -> Option<Member> {
    let Applicant { wire: member, mut subscription } = applicant;
    let wire = member.upgrade()?;
    let mut batch = Batch::default();
    let obstacle = subscription.pull_at_hand(app, &mut batch);
    let bytes = packet::encode(&batch.outs, wire.deflates().then_some(&app.deflater));
    app.meter.delivered(&batch.outs, 1, true);
    if obstacle.is_some() || !subscription.is_at(bookmark) {
        wire.refuse(bytes, subscription);
        return None;
    }
    let ticket = wire.take(&bytes, bookmark)?;
    Some(Member { wire: member, ticket })
}

impl Crowd {
    fn new(app: Arc<App>, bell: Bell, reader: Subscription) -> Self {
        let bookmark = Arc::new(reader.bookmark());
        let parts = Arc::new([Part::new()]);
        let next_beat = (0, Instant::now() + app.limits.heartbeat.min(app.limits.ping));
        let (deflates, writers, looked) = (false, Writers::default(), Instant::now());
        Self { app, bell, reader, bookmark, deflates, parts, writers, next_beat, looked }
    }

    /// Sends everybody a batch of what there is, and takes in who wants to join. True if there may be
    /// more.
    async fn advance(&mut self, applicants: &mut Vec<Applicant>) -> Result<bool, Refusal> {
        if self.reader.topic().is_match() && self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            self.reader.look_for_maps(&self.app, &self.bell, usize::MAX).await?;
        }
        let mut batch = Batch::default();
        self.reader.pull(&self.app, &mut batch).await?;
        let has_more = !batch.outs.is_empty();
        if has_more {
            self.bookmark = Arc::new(self.reader.bookmark());
        }
        // At once, before there is more to read.
        let admit = |applicant| admit(&self.app, &self.bookmark, applicant);
        let new: Vec<Member> = applicants.drain(..).filter_map(admit).collect();
        if has_more {
            self.send(batch).await;
        }
        for member in new {
            self.add(member);
        }
        Ok(has_more)
    }

    async fn send(&mut self, batch: Batch) {
        let bookmark = self.bookmark.clone();
        let packet = Packet::new(&self.app, &batch.outs, bookmark, self.deflates);
        let count = self.count() as u64;
        self.writers.send(packet, &self.parts).await;
        self.app.meter.delivered(&batch.outs, count, true);
    }

    fn add(&mut self, member: Member) {
        self.deflates |= member.wire.upgrade().is_some_and(|wire| wire.deflates());
        let room = self.parts.iter().find(|part| part.len() < MAX_MEMBERS);
        if let Some(part) = room {
            part.add(member);
            return;
        }
        let part = Part::new();
        part.add(member);
        self.parts = self.parts.iter().cloned().chain([part]).collect();
    }

    /// Sends the next part what is due. The parts have their heartbeats one after the other, so that a
    /// large crowd's do not come between its events all at once.
    async fn beat(&mut self) {
        let (at, due) = self.next_beat;
        if let Some(part) = self.parts.get(at) {
            part.beat(&self.app, &self.bookmark).await;
        }
        let Limits { heartbeat, ping, .. } = self.app.limits;
        let parts = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
        self.next_beat =
            ((at + 1) % self.parts.len(), Instant::now().max(due + heartbeat.min(ping) / parts));
    }

    fn is_empty(&self) -> bool {
        self.count() == 0
    }

    fn count(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }
}
