//! One crowd: its reader, those who join, and the parts that are written to at the same time.

use std::sync::Arc;

use bytes::Bytes;
use matchwire_log::live::Bell;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{self, Duration},
};

use super::{
    Key, Member,
    members::{Members, Packet, Part},
};
use crate::{
    app::{App, going_away},
    delivery::{Batch, Bookmark, Refusal, Subscription},
    websocket::packet,
};

/// The most members that one task writes to; half a core does so in some milliseconds.
const MAX_MEMBERS: usize = 1_024;
/// How many may join between two packets.
const JOINING: usize = 64;
/// How often new maps of a match are looked for.
const LOOK: Duration = Duration::from_millis(250);

/// A connection that wants to join.
pub(crate) struct Applicant {
    pub(super) wire: Member,
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
    /// The members whom this task writes to.
    members: Members,
    /// The others.
    parts: Vec<Part>,
}

/// Serves a crowd for as long as there is one.
pub(super) async fn run(app: Arc<App>, key: Key, mut asked: UnboundedReceiver<Applicant>) {
    let mut closing = app.closing.subscribe();
    let Some(first) = asked.recv().await else { return };
    let bell = Bell::default();
    let begun = Subscription::resume(&app, &bell, &first.subscription.bookmark()).await;
    let mut applicants = vec![first];
    if let Ok(reader) = begun {
        let bookmark = Arc::new(reader.bookmark());
        let members = Members::new(app.clone());
        let (parts, deflates) = (Vec::new(), false);
        let mut crowd =
            Crowd { app: app.clone(), bell, reader, bookmark, deflates, members, parts };
        loop {
            // What cannot be read each member is told by its own task.
            if crowd.advance(&mut applicants).await.is_err() {
                break;
            }
            let follows_match = crowd.reader.topic().is_match();
            tokio::select! {
                biased;
                () = going_away(&mut closing) => break,
                () = crowd.bell.notified() => {}
                _ = asked.recv_many(&mut applicants, JOINING) => {}
                beat = crowd.members.next_beat() => {
                    crowd.members.beat(beat, &crowd.bookmark).await;
                    if crowd.is_empty() && app.hub.remove(&key, &asked) {
                        return;
                    }
                }
                () = time::sleep(LOOK), if follows_match => {
                    if crowd.look_for_maps().await.is_err() {
                        break;
                    }
                }
            }
        }
        crowd.members.release();
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
    for out in &batch.outs {
        app.meter.sent(out.kind.as_str(), out.event.as_deref());
    }
    if obstacle.is_some() || !subscription.is_at(bookmark) {
        wire.refuse(bytes, subscription);
        return None;
    }
    wire.take(bytes, bookmark).then_some(member)
}

impl Crowd {
    /// Sends everybody what there is, and takes in who wants to join.
    async fn advance(&mut self, applicants: &mut Vec<Applicant>) -> Result<(), Refusal> {
        loop {
            let mut batch = Batch::default();
            self.reader.pull(&self.app, &mut batch).await?;
            let is_done = batch.outs.is_empty();
            if !is_done {
                self.bookmark = Arc::new(self.reader.bookmark());
            }
            // At once, before there is more to read.
            let admit = |applicant| admit(&self.app, &self.bookmark, applicant);
            let new: Vec<Member> = applicants.drain(..).filter_map(admit).collect();
            if !is_done {
                self.send(batch).await;
            }
            for member in new {
                self.add(member).await;
            }
            if is_done {
                return Ok(());
            }
        }
    }

    async fn send(&mut self, batch: Batch) {
        let bookmark = self.bookmark.clone();
        let packet = Arc::new(Packet::new(&self.app, batch.outs, bookmark, self.deflates));
        for part in &self.parts {
            part.send(&packet).await;
        }
        self.members.send(&packet).await;
    }

    async fn add(&mut self, member: Member) {
        self.deflates |= member.upgrade().is_some_and(|wire| wire.deflates());
        if self.members.len() < MAX_MEMBERS {
            self.members.add(member);
            return;
        }
        if let Some(part) = self.parts.iter().find(|part| part.len() < MAX_MEMBERS) {
            part.add(member).await;
            return;
        }
        let part = Part::spawn(self.app.clone(), self.bookmark.clone());
        part.add(member).await;
        self.parts.push(part);
    }

    async fn look_for_maps(&mut self) -> Result<(), Refusal> {
        self.reader.look_for_maps(&self.app, &self.bell, usize::MAX).await.map(drop)
    }

    fn is_empty(&self) -> bool {
        self.members.len() == 0 && self.parts.iter().all(|part| part.len() == 0)
    }
}
