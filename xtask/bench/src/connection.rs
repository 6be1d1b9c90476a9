//! One kept-alive HTTP connection that posts events.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection to a server.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_string() })
    }

    /// Asks for something, and gives the status and the body.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<(u16, Bytes)> {
        self.send(Request::get(path).body(Full::default())?).await
    }

    /// Posts events as NDJSON, and returns once the server has taken all of them as new.
    pub(crate) async fn post(&mut self, body: Bytes, events: usize) -> anyhow::Result<()> {
        let (status, answer) = self.offer(body).await?;
        let answer = std::str::from_utf8(&answer)?;
        let appended = answer.matches("\"appended\"").count();
        let start: String = answer.chars().take(500).collect();
        ensure!(
            status == 200 && appended == events,
            "{status}, {appended} of {events} events appended: {start}"
        );
        Ok(())
    }

    /// Posts events as NDJSON, whatever becomes of them, and gives the status and the answer.
    pub(crate) async fn offer(&mut self, body: Bytes) -> anyhow::Result<(u16, Bytes)> {
        let request = Request::post("/api/v1/events")
            .header("content-type", "application/x-ndjson")
            .body(Full::new(body))?;
        self.send(request).await
    }

    /// Posts a body of text to a path, and gives the status.
    pub(crate) async fn publish(&mut self, path: &str, body: Bytes) -> anyhow::Result<u16> {
        let request = Request::post(path).header("content-type", "text/plain");
        Ok(self.send(request.body(Full::new(body))?).await?.0)
    }

    async fn send(&mut self, mut request: Request<Full<Bytes>>) -> anyhow::Result<(u16, Bytes)> {
        request.headers_mut().insert("host", self.host.parse()?);
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await.context("no answer")?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}
