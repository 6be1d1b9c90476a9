//! Very many clients in one thread, which count the frames that reach them.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
        mpsc::{self, Receiver},
    },
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, ensure};
use mio::{Events, Interest, Poll, Registry, Token, net::TcpStream};
use parking_lot::Mutex;
use tokio::net::TcpSocket;

use super::Layout;
use crate::by_hand;

/// Text frames of at least so many bytes are events, and shorter ones talk about the connection.
const EVENT_BYTES: usize = 280;
/// Clients of one source address.
const PER_SOURCE: usize = 10_000;
/// How long all may take to connect.
const PATIENCE: Duration = Duration::from_mins(2);

/// How a client speaks.
#[derive(Debug, Clone)]
pub(crate) enum Protocol {
    /// Frames of one size, and nothing else.
    Bare { size: usize },
    /// WebSocket.
    Web {
        /// The path that a client of a topic asks for.
        path: fn(usize) -> String,
        /// A header line that goes with it.
        header: &'static str,
        /// What a client of a topic says first, that has seen the events up to a seq.
        hello: Option<fn(usize, u64) -> String>,
        /// How many short texts it is told before it is subscribed.
        greetings: usize,
        /// Whether it speaks Engine.IO over it, which has pings of its own.
        is_engine_io: bool,
    },
}

/// Which clients there are.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) layout: Layout,
    pub(crate) protocol: Protocol,
    /// The topic of the first one.
    pub(crate) first_topic: usize,
    /// One client in so many reads the time at which its events were sent.
    pub(crate) sample: usize,
    /// How many connect at once.
    pub(crate) connecting: usize,
    /// What each has seen already; nothing if it is empty.
    pub(crate) seen: Vec<u64>,
    /// The seq with which a client has caught up.
    pub(crate) target: u64,
}

impl Wanted {
    /// New ones, of which few read times.
    pub(crate) fn new(layout: Layout, protocol: Protocol) -> Self {
        let (first_topic, sample, connecting, seen, target) = (0, 25, 64, Vec::new(), 0);
        Self { layout, protocol, first_topic, sample, connecting, seen, target }
    }
}

/// What all clients count together.
#[derive(Default)]
struct Counters {
    ready: AtomicUsize,
    lost: AtomicUsize,
    delivered: AtomicU64,
    caught_up: AtomicUsize,
    /// Events that came twice, out of order, or behind one that did not come.
    wrong: AtomicU64,
    latencies_us: Mutex<Vec<u32>>,
    is_over: AtomicBool,
}

/// Connected clients; they end with this.
pub(crate) struct Clients {
    counters: Arc<Counters>,
    thread: Option<JoinHandle<Vec<Client>>>,
}

impl Clients {
    /// Connects all of a layout, and waits until each is subscribed.
    pub(crate) async fn connect(address: SocketAddr, wanted: Wanted) -> anyhow::Result<Self> {
        let connected = Self::begin(address, wanted.clone()).await?;
        let (started, all) = (Instant::now(), wanted.layout.all());
        while connected.ready() < all {
            let ready = connected.ready();
            ensure!(started.elapsed() < PATIENCE, "only {ready} clients are subscribed");
            ensure!(connected.lost() == 0, "{} clients were refused", connected.lost());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(connected)
    }

    /// Connects all of them, and does not wait until they are subscribed.
    pub(crate) async fn begin(address: SocketAddr, wanted: Wanted) -> anyhow::Result<Self> {
        let Wanted { layout, .. } = wanted;
        let counters = Arc::new(Counters::default());
        let poll = Poll::new()?;
        let registry = poll.registry().try_clone()?;
        let (shared, (arriving, arrived)) = (counters.clone(), mpsc::channel());
        let thread = std::thread::spawn(move || listen(poll, &arrived, &shared));
        let connected = Self { counters, thread: Some(thread) };
        let places: Vec<usize> = (0..layout.all()).collect();
        for places in places.chunks(wanted.connecting) {
            let streams = places.iter().map(|place| open(address, *place));
            for (place, stream) in places.iter().zip(futures_util::future::join_all(streams).await)
            {
                let mut client = Client::new(stream?, *place, &wanted);
                client.begin(&registry, &connected.counters).context("a client")?;
                let _ = arriving.send(client);
            }
        }
        Ok(connected)
    }

    /// How many are subscribed.
    pub(crate) fn ready(&self) -> usize {
        self.counters.ready.load(Ordering::Relaxed)
    }

    /// How many have reached the seq that was wanted.
    pub(crate) fn caught_up(&self) -> usize {
        self.counters.caught_up.load(Ordering::Relaxed)
    }

    /// Events that came twice, out of order, or behind one that did not come.
    pub(crate) fn wrong(&self) -> u64 {
        self.counters.wrong.load(Ordering::Relaxed)
    }

    /// Cuts all connections, and gives the last seq that each client has seen.
    pub(crate) fn cut(mut self) -> Vec<u64> {
        self.counters.is_over.store(true, Ordering::Relaxed);
        let clients = self.thread.take().and_then(|thread| thread.join().ok());
        let mut clients = clients.unwrap_or_default();
        clients.sort_unstable_by_key(|client| client.place);
        clients.iter().map(|client| client.seq).collect()
    }

    /// Events that have arrived, over all clients.
    pub(crate) fn delivered(&self) -> u64 {
        self.counters.delivered.load(Ordering::Acquire)
    }

    /// Clients whose connection has ended.
    pub(crate) fn lost(&self) -> usize {
        self.counters.lost.load(Ordering::Relaxed)
    }

    /// The latencies of some clients since the last call, in microseconds.
    pub(crate) fn take_latencies(&self) -> Vec<u32> {
        std::mem::take(&mut self.counters.latencies_us.lock())
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        self.counters.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It counts and panics nowhere.
            let _ = thread.join();
        }
    }
}

/// Nanoseconds since 1970, as events are stamped.
pub(crate) fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

async fn open(address: SocketAddr, place: usize) -> anyhow::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let source = u8::try_from(place / PER_SOURCE + 2)?;
    socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, source)), 0))?;
    let stream = socket.connect(address).await.with_context(|| format!("client {place}"))?;
    Ok(TcpStream::from_std(stream.into_std()?))
}

struct Client {
    stream: TcpStream,
    place: usize,
    topic: usize,
    protocol: Protocol,
    /// Whether the answer to the upgrade is still to come.
    is_upgrading: bool,
    /// Short texts so far.
    greetings: usize,
    /// The start of a frame whose rest is still to come.
    rest: Vec<u8>,
    is_sampled: bool,
    /// The last seq that it has, where frames have one.
    seq: u64,
    target: u64,
}

fn listen(mut poll: Poll, arrived: &Receiver<Client>, counters: &Counters) -> Vec<Client> {
    let mut clients: Vec<Client> = Vec::new();
    let mut events = Events::with_capacity(1_024);
    let mut buffer = vec![0; 256 << 10];
    while !counters.is_over.load(Ordering::Relaxed) {
        if poll.poll(&mut events, Some(Duration::from_millis(20))).is_err() {
            continue;
        }
        // They were registered in order of their places, before they were sent here.
        clients.extend(arrived.try_iter());
        let mut told = Told::default();
        for event in &events {
            while clients.len() <= event.token().0 {
                let Ok(client) = arrived.recv() else { break };
                clients.push(client);
            }
            let Some(client) = clients.get_mut(event.token().0) else { continue };
            if client.read(&mut buffer, &mut told, counters).is_err() {
                let _ = poll.registry().deregister(&mut client.stream);
                counters.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        // What is counted has its latency there.
        if !told.latencies_us.is_empty() {
            counters.latencies_us.lock().append(&mut told.latencies_us);
        }
        counters.delivered.fetch_add(told.delivered, Ordering::Release);
    }
    clients
}

/// What one look at the sockets brought.
#[derive(Default)]
struct Told {
    delivered: u64,
    latencies_us: Vec<u32>,
}

impl Client {
    fn new(stream: TcpStream, place: usize, wanted: &Wanted) -> Self {
        Self {
            stream,
            place,
            topic: wanted.first_topic + place / wanted.layout.clients,
            protocol: wanted.protocol.clone(),
            is_upgrading: matches!(wanted.protocol, Protocol::Web { .. }),
            greetings: 0,
            rest: Vec::new(),
            is_sampled: place.is_multiple_of(wanted.sample),
            seq: wanted.seen.get(place).copied().unwrap_or(0),
            target: wanted.target,
        }
    }

    fn begin(&mut self, registry: &Registry, counters: &Counters) -> io::Result<()> {
        registry.register(&mut self.stream, Token(self.place), Interest::READABLE)?;
        match &self.protocol {
            Protocol::Bare { .. } => {
                counters.ready.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Protocol::Web { path, header, .. } => {
                let head = by_hand::request(&path(self.topic), header);
                self.stream.write_all(head.as_bytes())
            }
        }
    }

    /// Takes what there is; an error if the connection has ended.
    fn read(&mut self, buffer: &mut [u8], told: &mut Told, counters: &Counters) -> io::Result<()> {
        loop {
            let read = match self.stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let new = buffer.get(..read).unwrap_or_default();
            if self.rest.is_empty() {
                let used = self.take(new, told, counters)?;
                self.rest.extend_from_slice(new.get(used..).unwrap_or_default());
            } else {
                let mut rest = std::mem::take(&mut self.rest);
                rest.extend_from_slice(new);
                let used = self.take(&rest, told, counters)?;
                rest.drain(..used);
                self.rest = rest;
            }
            // Whatever comes later is told again.
            if read < buffer.len() {
                return Ok(());
            }
        }
    }

    /// Takes whole frames, and tells how many bytes those are.
    fn take(&mut self, bytes: &[u8], told: &mut Told, counters: &Counters) -> io::Result<usize> {
        let mut used = 0;
        if let Protocol::Bare { size } = self.protocol {
            while let Some(frame) = bytes.get(used..used + size) {
                self.count(frame, told);
                used += size;
            }
            return Ok(used);
        }
        if self.is_upgrading {
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
                return Ok(0);
            };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            used = end + 4;
            self.is_upgrading = false;
            self.upgraded(counters)?;
        }
        while let Some((opcode, payload, length)) = frame(bytes.get(used..).unwrap_or_default()) {
            match opcode {
                1 if payload.len() >= EVENT_BYTES => {
                    self.follow(payload, counters);
                    self.count(payload, told);
                }
                1 => self.greeted(payload, counters)?,
                8 => return Err(io::ErrorKind::ConnectionAborted.into()),
                9 => self.say(10, b"")?,
                _ => {}
            }
            used += length;
        }
        Ok(used)
    }

    /// Checks that an event is the next one, where it says which it is.
    fn follow(&mut self, frame: &[u8], counters: &Counters) {
        let Some(seq) = seq(frame) else { return };
        if seq != self.seq + 1 {
            counters.wrong.fetch_add(1, Ordering::Relaxed);
        }
        if self.seq < self.target && seq >= self.target {
            counters.caught_up.fetch_add(1, Ordering::Relaxed);
        }
        self.seq = seq;
    }

    fn count(&self, frame: &[u8], told: &mut Told) {
        told.delivered += 1;
        if self.is_sampled
            && let Some(sent_ns) = stamp(frame)
        {
            let latency_us = now_ns().saturating_sub(sent_ns) / 1_000;
            told.latencies_us.push(u32::try_from(latency_us).unwrap_or(u32::MAX));
        }
    }

    fn upgraded(&mut self, counters: &Counters) -> io::Result<()> {
        let Protocol::Web { hello, greetings, .. } = self.protocol else { return Ok(()) };
        if let Some(hello) = hello {
            self.say(1, hello(self.topic, self.seq).as_bytes())?;
        }
        if greetings == 0 {
            counters.ready.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn greeted(&mut self, text: &[u8], counters: &Counters) -> io::Result<()> {
        let Protocol::Web { greetings, is_engine_io, .. } = self.protocol else { return Ok(()) };
        if is_engine_io {
            match text {
                b"2" => return self.say(1, b"3"),
                [b'0', ..] => self.say(1, b"40")?,
                _ => {}
            }
        }
        self.greetings += 1;
        if self.greetings == greetings {
            counters.ready.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Sends a short frame.
    fn say(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let frame = by_hand::frame(opcode, payload).map_err(io::Error::other)?;
        self.stream.write_all(&frame)
    }
}

/// The first frame of a server, if it is whole: its opcode, its payload, and its length with the head.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let [first, second, ..] = *bytes else { return None };
    let (head, length) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => {
            let length = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            (10, usize::try_from(length).ok()?)
        }
        short => (2, usize::from(short)),
    };
    let payload = bytes.get(head..head + length)?;
    Some((first & 0x0f, payload, head + length))
}

/// The `seq` in the head of a frame of Matchwire.
fn seq(frame: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"\"seq\":";
    if !frame.starts_with(b"{\"type\":\"event\"") {
        return None;
    }
    let at = frame.windows(NAME.len()).position(|bytes| bytes == NAME)? + NAME.len();
    let digits = frame.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |seq, digit| seq * 10 + u64::from(digit - b'0')))
}

/// When an event was sent: its id is the time, in hexadecimal. socket.io quotes it once more.
fn stamp(frame: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(frame).ok()?;
    let (_, rest) = text.split_once("specversion")?;
    let (_, rest) = rest.split_once("id")?;
    let digits = rest.trim_start_matches(['"', '\\', ':']);
    u64::from_str_radix(digits.get(..16)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_a_server() {
        let long = [&[0x81, 126, 1, 0][..], &[b'x'; 256]].concat();
        let two = [&[0x81, 2, b'o', b'k'][..], &long].concat();
        assert_eq!(frame(&two), Some((1, &b"ok"[..], 4)));
        assert_eq!(frame(&two[4..]).unwrap().2, 260);
        assert_eq!(frame(&two[4..200]), None);
        assert_eq!(frame(&[0x81]), None);
    }

    #[test]
    fn stamps() {
        let event = r#"{"specversion":"1.0","id":"00000000000000ff","source":"s"}"#;
        assert_eq!(stamp(event.as_bytes()), Some(255));
        let quoted = event.replace('"', "\\\"");
        assert_eq!(stamp(format!("42[\"e\",\"{quoted}\"]").as_bytes()), Some(255));
        assert_eq!(stamp(b"{}"), None);
    }
}
