//! A part of a crowd: members who are written to one after the other.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::task;
use yawc::Frame;

use super::Member;
use crate::{
    app::App,
    delivery::{Bookmark, Out},
    websocket::{Ticket, Wire, packet},
};

/// The most members of a part: a core writes to them in one or two milliseconds.
pub(super) const MAX_MEMBERS: usize = 256;
/// How many are written to before other tasks get their turn.
const TURN: usize = 64;

/// What a crowd is sent at once.
pub(super) struct Packet {
    plain: Bytes,
    /// With large frames compressed; the same if nobody wants that.
    compressed: Bytes,
    /// Where everybody is after it.
    bookmark: Arc<Bookmark>,
}

impl Packet {
    pub(super) fn new(app: &App, outs: &[Out], bookmark: Arc<Bookmark>, deflates: bool) -> Self {
        let plain = packet::encode(outs, None);
        let is_large = outs.iter().any(|out| packet::is_large(&out.text));
        let compressed = if deflates && is_large {
            packet::encode(outs, Some(&app.deflater))
        } else {
            plain.clone()
        };
        Self { plain, compressed, bookmark }
    }

    fn small(bytes: Bytes, bookmark: Arc<Bookmark>) -> Self {
        Self { plain: bytes.clone(), compressed: bytes, bookmark }
    }
}

/// A part of a crowd. One task at a time writes to it.
pub(super) struct Part {
    members: Mutex<Vec<Member>>,
    times: Mutex<Times>,
}

struct Times {
    heartbeat: Instant,
    ping: Instant,
}

impl Part {
    pub(super) fn new() -> Arc<Self> {
        let now = Instant::now();
        let times = Mutex::new(Times { heartbeat: now, ping: now });
        Arc::new(Self { members: Mutex::default(), times })
    }

    pub(super) fn len(&self) -> usize {
        self.members.lock().len()
    }

    pub(super) fn add(&self, member: Member) {
        self.members.lock().push(member);
    }

    /// Sends everybody a packet.
    pub(super) async fn send(&self, packet: &Packet) {
        let Packet { plain, compressed, bookmark } = packet;
        let choose = |wire: &Wire| if wire.deflates() { compressed } else { plain };
        let at = Arc::new(bookmark.clone());
        self.each(|wire, ticket| wire.deliver(ticket, choose(wire), &at)).await;
    }

    /// Sends everybody what is due: a heartbeat, and a ping. Who was silent for too long goes back to its
    /// task, and ends there.
    pub(super) async fn beat(&self, app: &App, bookmark: &Arc<Bookmark>) {
        let is_due = |last: &mut Instant, every: Duration| {
            // It is looked at about as often.
            let is_due = last.elapsed() >= every * 7 / 8;
            if is_due {
                *last = Instant::now();
            }
            is_due
        };
        let (beats, pings) = {
            let mut times = self.times.lock();
            let beats = is_due(&mut times.heartbeat, app.limits.heartbeat);
            (beats, is_due(&mut times.ping, app.limits.ping))
        };
        let mut bytes = Bytes::new();
        if beats {
            self.each(|wire, ticket| {
                let is_gone = app.limits.is_gone(wire.silence());
                if is_gone {
                    wire.release(ticket);
                }
                !is_gone
            })
            .await;
            bytes = bookmark.heartbeat(app);
            app.meter.sent("heartbeat", self.len() as u64);
        }
        if pings {
            bytes = [&*bytes, &*packet::control(&Frame::ping(""))].concat().into();
        }
        if !bytes.is_empty() {
            self.send(&Packet::small(bytes, bookmark.clone())).await;
        }
    }

    /// Gives everybody back.
    pub(super) fn release(&self) {
        for Member { wire, ticket } in self.members.lock().drain(..) {
            if let Some(wire) = wire.upgrade() {
                wire.release(ticket);
            }
        }
    }

    /// Does something for each member, and keeps those for whom it says so.
    async fn each(&self, mut keep: impl FnMut(&Wire, Ticket) -> bool) {
        let (mut at, mut kept) = (0, 0);
        while !self.turn(&mut at, &mut kept, &mut keep) {
            task::yield_now().await;
        }
    }

    /// Does it for the next ones, `at` and behind; true if those were the last.
    fn turn(
        &self,
        at: &mut usize,
        kept: &mut usize,
        keep: &mut impl FnMut(&Wire, Ticket) -> bool,
    ) -> bool {
        let mut members = self.members.lock();
        let end = members.len().min(*at + TURN);
        while *at < end {
            let is_kept = members.get(*at).is_some_and(|Member { wire, ticket }| {
                wire.upgrade().is_some_and(|wire| keep(&wire, *ticket))
            });
            if is_kept {
                members.swap(*kept, *at);
                *kept += 1;
            }
            *at += 1;
        }
        let is_done = *at == members.len();
        if is_done {
            members.truncate(*kept);
        }
        is_done
    }
}
