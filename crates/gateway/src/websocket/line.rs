//! The socket as the WebSocket library sees it, which reads, and answers pings and closes.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::wire::Wire;

/// One end of a [`Wire`].
pub(super) struct Line {
    wire: Arc<Wire>,
    /// What the client sent before the connection became a WebSocket.
    early: Bytes,
}

impl Line {
    pub(super) fn new(wire: Arc<Wire>, early: Bytes) -> Self {
        // An empty rest would hold all of the buffer that it is of.
        let early = if early.is_empty() { Bytes::new() } else { early };
        Self { wire, early }
    }

    fn poll_flushed(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.wire.flush()? {
                return Poll::Ready(Ok(()));
            }
            ready!(self.wire.stream().poll_write_ready(cx))?;
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.early.is_empty() {
            let length = self.early.len().min(buffer.remaining());
            buffer.put_slice(&self.early.split_to(length));
            if self.early.is_empty() {
                self.early = Bytes::new();
            }
            return Poll::Ready(Ok(()));
        }
        loop {
            ready!(self.wire.stream().poll_read_ready(cx))?;
            match self.wire.stream().try_read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Line {
    /// Takes all of it, which is whole frames: what the socket does not take waits.
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // So that what waits stays small.
        ready!(self.poll_flushed(cx))?;
        self.wire.add(Bytes::copy_from_slice(bytes));
        self.wire.flush()?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flushed(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flushed(cx))?;
        rustix::net::shutdown(self.wire.stream(), rustix::net::Shutdown::Write)?;
        Poll::Ready(Ok(()))
    }
}
