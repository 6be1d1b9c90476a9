//! Some of the members of a crowd, who are written to one after the other.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    task,
    time::{self, Duration, Interval, MissedTickBehavior},
};
use yawc::Frame;

use super::Member;
use crate::{
    app::App,
    delivery::{Bookmark, Out},
    websocket::{Wire, packet},
};

/// How many are written to before others get their turn: about a third of a millisecond.
const TURN: usize = 64;
/// How many packets may wait for a part of a crowd; the crowd reads no further then.
const QUEUE: usize = 16;

/// What a crowd is sent at once.
pub(super) struct Packet {
    pub(super) plain: Bytes,
    /// With large frames compressed; the same if nobody wants that.
    pub(super) deflated: Bytes,
    /// Where everybody is after it.
    pub(super) bookmark: Arc<Bookmark>,
    pub(super) outs: Vec<Out>,
}

impl Packet {
    pub(super) fn new(app: &App, outs: Vec<Out>, bookmark: Arc<Bookmark>, deflates: bool) -> Self {
        let plain = packet::encode(&outs, None);
        let is_large = outs.iter().any(|out| packet::is_large(&out.text));
        let deflated = if deflates && is_large {
            packet::encode(&outs, Some(&app.deflater))
        } else {
            plain.clone()
        };
        Self { plain, deflated, bookmark, outs }
    }
}

/// What is done from time to time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beat {
    Heartbeat,
    Ping,
}

/// Members who are written to by one task.
pub(super) struct Members {
    app: Arc<App>,
    list: Vec<Member>,
    heartbeat: Interval,
    ping: Interval,
}

impl Members {
    pub(super) fn new(app: Arc<App>) -> Self {
        let every = |period: Duration| {
            let mut interval = time::interval_at(time::Instant::now() + period, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        };
        let (heartbeat, ping) = (every(app.limits.heartbeat), every(app.limits.ping));
        Self { app, list: Vec::new(), heartbeat, ping }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn add(&mut self, member: Member) {
        self.list.push(member);
    }

    /// Waits for the next beat.
    pub(super) async fn next_beat(&mut self) -> Beat {
        tokio::select! {
            _ = self.heartbeat.tick() => Beat::Heartbeat,
            _ = self.ping.tick() => Beat::Ping,
        }
    }

    /// Sends everybody a packet.
    pub(super) async fn send(&mut self, packet: &Packet) {
        let Packet { plain, deflated, bookmark, outs } = packet;
        let count = self.list.len() as u64;
        let choose = |wire: &Wire| if wire.deflates() { deflated } else { plain };
        self.each(|wire| wire.deliver(choose(wire), bookmark)).await;
        for Out { kind, event, .. } in outs {
            self.app.meter.sent_to(count, kind.as_str(), event.as_deref());
        }
    }

    /// Sends everybody what is due. At a ping, who was silent for too long goes back to its task, and ends
    /// there.
    pub(super) async fn beat(&mut self, beat: Beat, bookmark: &Arc<Bookmark>) {
        match beat {
            Beat::Heartbeat => {
                let bytes = bookmark.heartbeat(&self.app);
                let count = self.list.len() as u64;
                self.each(|wire| wire.deliver(&bytes, bookmark)).await;
                self.app.meter.sent_to(count, "heartbeat", None);
            }
            Beat::Ping => {
                let bytes = packet::control(&Frame::ping(""));
                let silence = self.app.limits.silence;
                self.each(|wire| {
                    let is_there = wire.silence() < silence;
                    if !is_there {
                        wire.release();
                    }
                    is_there && wire.deliver(&bytes, bookmark)
                })
                .await;
            }
        }
    }

    /// Gives everybody back.
    pub(super) fn release(&mut self) {
        for wire in self.list.drain(..).filter_map(|member| member.upgrade()) {
            wire.release();
        }
    }

    /// Does something for each member, and keeps those for whom it says so.
    async fn each(&mut self, mut keep: impl FnMut(&Wire) -> bool) {
        let mut kept = 0;
        for at in 0..self.list.len() {
            if at % TURN == TURN - 1 {
                task::yield_now().await;
            }
            let is_kept = self
                .list
                .get(at)
                .and_then(|member| member.upgrade())
                .is_some_and(|wire| keep(&wire));
            if is_kept {
                self.list.swap(kept, at);
                kept += 1;
            }
        }
        self.list.truncate(kept);
    }
}

/// What a part of a crowd is to do.
enum Order {
    Send(Arc<Packet>),
    Add(Member),
}

/// A part of a crowd with a task of its own.
pub(super) struct Part {
    orders: mpsc::Sender<Order>,
    size: Arc<AtomicUsize>,
}

impl Part {
    /// One without members, at a bookmark. It ends when it is dropped, and gives its members back.
    pub(super) fn spawn(app: Arc<App>, bookmark: Arc<Bookmark>) -> Self {
        let (orders, mut ordered) = mpsc::channel(QUEUE);
        let size = Arc::new(AtomicUsize::new(0));
        let told = size.clone();
        tokio::spawn(async move {
            let mut members = Members::new(app);
            let mut bookmark = bookmark;
            loop {
                tokio::select! {
                    biased;
                    order = ordered.recv() => match order {
                        Some(Order::Send(packet)) => {
                            members.send(&packet).await;
                            bookmark = packet.bookmark.clone();
                        }
                        Some(Order::Add(member)) => members.add(member),
                        None => break,
                    },
                    beat = members.next_beat() => members.beat(beat, &bookmark).await,
                }
                told.store(members.len(), Ordering::Relaxed);
            }
            members.release();
        });
        Self { orders, size }
    }

    pub(super) fn len(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// Sends everybody a packet, once there is room for it.
    pub(super) async fn send(&self, packet: &Arc<Packet>) {
        // Its task ends only when this is dropped.
        let _ = self.orders.send(Order::Send(packet.clone())).await;
    }

    pub(super) async fn add(&self, member: Member) {
        self.size.fetch_add(1, Ordering::Relaxed);
        let _ = self.orders.send(Order::Add(member)).await;
    }
}
