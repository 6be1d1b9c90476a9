//! A stream whose peer must take what it is sent, and send the head of a request that it has
//! begun: what waits too long is an error.
//!
//! Without it, whoever asks for much and reads nothing would hold a connection for ever. The HTTP
//! library has a limit for heads, too, but one that begins when the last request ends.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Duration, Instant, Sleep, sleep},
};

use super::phase::{Kind, Phase};
use crate::limits::Limits;

pub(crate) struct Stall {
    stream: TcpStream,
    limit: Duration,
    /// Runs while a write waits.
    timer: Option<Pin<Box<Sleep>>>,
    phase: Phase,
    head: Duration,
    idle: Duration,
    /// Runs while the peer may not be silent for ever, with the phase that it is for.
    reading: Option<(u64, Pin<Box<Sleep>>)>,
}

impl Stall {
    pub(super) fn new(stream: TcpStream, limits: &Limits, phase: Phase) -> Self {
        let Limits { stall: limit, head, idle, .. } = *limits;
        Self { stream, limit, timer: None, phase, head, idle, reading: None }
    }

    /// The stream, without any more of its limits.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Whether the peer has been silent, or about a head, for too long.
    fn check_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (number, kind) = self.phase.now();
        let limit = match kind {
            Kind::Head => self.head,
            Kind::Idle => self.idle,
            Kind::Busy => {
                self.reading = None;
                return Poll::Pending;
            }
        };
        if self.reading.as_ref().is_none_or(|(own, _)| *own != number) {
            self.reading = None;
        }
        let (_, timer) = self.reading.get_or_insert_with(|| (number, Box::pin(sleep(limit))));
        timer.as_mut().poll(cx)
    }

    fn check<T>(&mut self, poll: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.timer = None;
            return poll;
        }
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        timer.as_mut().reset(Instant::now() + limit);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Stall {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if poll.is_ready() && self.phase.now().1 == Kind::Idle {
            self.phase.enter(Kind::Head);
        }
        if self.check_silence(cx).is_ready() && poll.is_pending() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        poll
    }
}

impl AsyncWrite for Stall {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.check(poll, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.check(poll, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.stream).poll_flush(cx);
        self.check(poll, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
