//! The socket of one connection, on which its own task and a crowd take turns.
//!
//! Whoever writes, writes whole frames; what the socket does not take at once waits here, and goes
//! out before anything else. A crowd writes only to a connection that it holds, and gives it back as
//! soon as something has to wait. So one who reads slowly costs a crowd one attempt.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use rustix::net::SendFlags;
use tokio::{net::TcpStream, sync::Notify};

use crate::delivery::{Bookmark, Subscription};

/// The socket, shared by the connection's task and the crowd that holds it.
pub(crate) struct Wire {
    stream: TcpStream,
    deflates: bool,
    state: Mutex<State>,
    /// Rings when the task has the connection back.
    returned: Notify,
    opened: Instant,
    /// When the client was last heard, in milliseconds since it came.
    heard_ms: AtomicU64,
}

struct State {
    /// What is to be written before anything else.
    waiting: Bytes,
    holder: Holder,
    /// How often a crowd has taken it.
    taken: u32,
}

/// Who sends what comes next.
enum Holder {
    /// The connection's own task.
    Task,
    /// A crowd is asked to.
    Applicant,
    /// A crowd was asked to, and the task wants it back.
    Wanted,
    /// A crowd; the client was sent everything up to the bookmark.
    Crowd(At),
    /// The task, once it looks.
    Returned(Returned),
}

/// By what a crowd holds a connection. Once it has left, it may come again with another one, while
/// the crowd still has the old one in its lists.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket(u32);

/// A bookmark for some members of a crowd: the count of those who hold it is changed with every packet,
/// which is slow where cores share it.
pub(crate) type At = Arc<Arc<Bookmark>>;

/// How a crowd gives a connection back.
pub(crate) enum Returned {
    /// It never held it, and this is its subscription as it was.
    Untaken(Box<Subscription>),
    /// It was sent everything up to the bookmark.
    At(Arc<Bookmark>),
}

impl Wire {
    pub(super) fn new(stream: TcpStream, deflates: bool) -> Arc<Self> {
        let state = State { waiting: Bytes::new(), holder: Holder::Task, taken: 0 };
        Arc::new(Self {
            stream,
            deflates,
            state: Mutex::new(state),
            returned: Notify::new(),
            opened: Instant::now(),
            heard_ms: AtomicU64::new(0),
        })
    }

    /// Whether large frames may be compressed.
    pub(crate) fn deflates(&self) -> bool {
        self.deflates
    }

    /// Notes that the client was heard.
    pub(super) fn hear(&self) {
        self.heard_ms.store(self.age_ms(), Ordering::Relaxed);
    }

    /// For how long the client was not heard.
    pub(crate) fn silence(&self) -> Duration {
        let heard_ms = self.heard_ms.load(Ordering::Relaxed);
        Duration::from_millis(self.age_ms().saturating_sub(heard_ms))
    }

    fn age_ms(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Puts frames behind those that wait.
    pub(super) fn add(&self, bytes: Bytes) {
        self.state.lock().add(bytes);
    }

    /// Writes what the socket takes; true if nothing waits any more.
    pub(super) fn flush(&self) -> io::Result<bool> {
        self.state.lock().write(&self.stream)
    }

    /// Writes for the task, and waits until the socket has taken everything.
    pub(super) async fn write(&self, bytes: Bytes) -> io::Result<()> {
        self.add(bytes);
        while !self.flush()? {
            self.stream.writable().await?;
        }
        Ok(())
    }

    /// Lets a crowd have the connection, which will [`take`](Self::take) it or
    /// [`refuse`](Self::refuse) to. False if something is still to be written.
    pub(super) fn apply(&self) -> bool {
        let mut state = self.state.lock();
        let is_clear = state.waiting.is_empty();
        if is_clear {
            state.holder = Holder::Applicant;
        }
        is_clear
    }

    /// For a crowd: takes an applicant, who is sent `bytes` first and is at the bookmark then. The
    /// answer is what [`deliver`](Self::deliver) takes; nothing if the connection is back with its task.
    pub(crate) fn take(&self, bytes: &Bytes, bookmark: &Arc<Bookmark>) -> Option<Ticket> {
        let mut state = self.state.lock();
        let is_wanted = matches!(state.holder, Holder::Wanted);
        let at = Arc::new(bookmark.clone());
        state.holder = Holder::Crowd(at.clone());
        state.taken = state.taken.wrapping_add(1);
        let ticket = Ticket(state.taken);
        if !self.put(&mut state, ticket, bytes, &at) {
            return None;
        }
        if is_wanted {
            self.give_back(&mut state, Returned::At(bookmark.clone()));
            return None;
        }
        Some(ticket)
    }

    /// For a crowd: gives an applicant back, whose subscription was sent everything but `bytes`.
    pub(crate) fn refuse(&self, bytes: Bytes, subscription: Subscription) {
        let mut state = self.state.lock();
        state.add(bytes);
        let returned = Returned::Untaken(Box::new(subscription));
        self.give_back(&mut state, returned);
    }

    /// For a crowd: sends what leads to the bookmark, at once. False if the connection is no longer
    /// the crowd's.
    pub(crate) fn deliver(&self, ticket: Ticket, bytes: &Bytes, at: &At) -> bool {
        self.put(&mut self.state.lock(), ticket, bytes, at)
    }

    /// For a crowd: gives back what it holds.
    pub(crate) fn release(&self, ticket: Ticket) {
        let mut state = self.state.lock();
        if let Holder::Crowd(at) = &state.holder
            && state.taken == ticket.0
        {
            let returned = Returned::At((**at).clone());
            self.give_back(&mut state, returned);
        }
    }

    fn put(&self, state: &mut State, ticket: Ticket, bytes: &Bytes, at: &At) -> bool {
        let is_ours = state.taken == ticket.0;
        let Holder::Crowd(held) = &mut state.holder else { return false };
        if !is_ours {
            return false;
        }
        held.clone_from(at);
        // The system is asked at once, without what the runtime remembers of the socket; the task asks both.
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let is_clear = state.waiting.is_empty();
        let sent =
            if is_clear { rustix::net::send(&self.stream, bytes, flags).unwrap_or(0) } else { 0 };
        if sent == bytes.len() {
            return true;
        }
        // What cannot be written any more the task finds out by trying.
        state.add(bytes.slice(sent..));
        self.give_back(state, Returned::At((**at).clone()));
        false
    }

    fn give_back(&self, state: &mut State, returned: Returned) {
        state.holder = Holder::Returned(returned);
        self.returned.notify_one();
    }

    /// For the task: waits until a crowd gives the connection back.
    pub(super) async fn returned(&self) {
        self.returned.notified().await;
    }

    /// For the task: has the connection back if a crowd holds it or has given it back. Nothing if a
    /// crowd is still asked to take it, which then [`returns`](Self::returned) it soon.
    pub(super) fn take_back(&self) -> Option<Returned> {
        let mut state = self.state.lock();
        match std::mem::replace(&mut state.holder, Holder::Task) {
            Holder::Crowd(at) => Some(Returned::At((*at).clone())),
            Holder::Returned(returned) => Some(returned),
            Holder::Applicant | Holder::Wanted => {
                state.holder = Holder::Wanted;
                None
            }
            Holder::Task => None,
        }
    }
}

impl State {
    /// Puts frames behind those that wait.
    fn add(&mut self, bytes: Bytes) {
        if self.waiting.is_empty() {
            self.waiting = bytes;
        } else if !bytes.is_empty() {
            self.waiting = [&*self.waiting, &*bytes].concat().into();
        }
    }

    /// Writes what waits, as far as the socket takes it. True if nothing waits any more.
    fn write(&mut self, stream: &TcpStream) -> io::Result<bool> {
        while !self.waiting.is_empty() {
            match stream.try_write(&self.waiting) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) if taken == self.waiting.len() => self.waiting = Bytes::new(),
                Ok(taken) => self.waiting.advance(taken),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
