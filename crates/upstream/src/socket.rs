//! An upstream that sends messages over a WebSocket. What it is sent at first says from where on.

use bytes::Bytes;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use reqwest::Client;
use tokio::time;
use yawc::{Frame, HttpStream, OpCode, Options, WebSocket};

use crate::{
    Feed,
    message::{self, Arrived, BATCH, Body, Message},
    position::Position,
    wire::{self, MAX_BYTES, Trouble},
};

pub(crate) struct Socket {
    client: Client,
    connection: Option<WebSocket<HttpStream>>,
    arrived: Arrived,
}

impl Socket {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, connection: None, arrived: Arrived::new() }
    }

    /// Waits for the next message after a position.
    pub(crate) async fn next(
        &mut self,
        feed: &Feed,
        position: &Position,
    ) -> Result<Message, Trouble> {
        // After trouble there is no connection.
        let Some(mut socket) = self.connection.take() else {
            let connected = connect(&self.client, feed, position);
            let connected = time::timeout(feed.timeout, connected).await;
            let connected = connected.unwrap_or_else(|_| Err(Trouble::Silent(feed.timeout)));
            self.connection = Some(connected?);
            return Ok(Message::of(Body::Connected, position));
        };
        let message = self.read(&mut socket, feed, position).await?;
        self.connection = Some(socket);
        Ok(message)
    }

    /// Waits for a message, and takes what has arrived behind it.
    async fn read(
        &mut self,
        socket: &mut WebSocket<HttpStream>,
        feed: &Feed,
        position: &Position,
    ) -> Result<Message, Trouble> {
        while self.arrived.is_empty() {
            let frame = time::timeout(feed.silence, socket.next()).await;
            let frame = frame.map_err(|_| Trouble::Silent(feed.silence))?;
            self.arrived.extend(told(feed, frame)?);
        }
        while self.arrived.len() < BATCH
            && let Some(frame) = socket.next().now_or_never()
        {
            match told(feed, frame) {
                Ok(told) => self.arrived.extend(told),
                // It is met again by whoever asks for the next message.
                Err(_) => break,
            }
        }
        let message = message::batch(&mut self.arrived, position);
        Ok(message.unwrap_or_else(|| Message::of(Body::Nothing, position)))
    }
}

/// What a frame tells: nothing if it is one that keeps the connection.
fn told(feed: &Feed, frame: Option<Frame>) -> Result<Option<(Body, Option<String>)>, Trouble> {
    let Some(frame) = frame else { return Err(closed(String::new())) };
    match frame.opcode() {
        OpCode::Text | OpCode::Binary => {
            Ok(Some(message::read(feed, Bytes::copy_from_slice(frame.payload()))))
        }
        OpCode::Close => {
            let code = frame.close_code().map_or(1006, u16::from);
            let reason = frame.close_reason().ok().flatten().unwrap_or_default();
            Err(closed(format!("{code} {reason}").trim_end().to_owned()))
        }
        // A ping is answered where it is read.
        _ => Ok(None),
    }
}

async fn connect(
    client: &Client,
    feed: &Feed,
    position: &Position,
) -> Result<WebSocket<HttpStream>, Trouble> {
    let url = wire::url(feed, position.cursor.as_deref());
    let options = Options::default()
        .without_compression()
        .with_utf8()
        .with_limits(MAX_BYTES, MAX_BYTES + (64 << 10));
    let socket = WebSocket::reqwest(url, client.clone(), options).await;
    let mut socket = socket.map_err(trouble)?;
    let cursor = position.cursor.as_deref().unwrap_or_default();
    let cursor = serde_json::Value::from(cursor).to_string();
    for hello in &feed.hello {
        let hello = hello.replace("${cursor}", &cursor);
        socket.send(Frame::text(hello)).await.map_err(trouble)?;
    }
    Ok(socket)
}

fn closed(what: String) -> Trouble {
    Trouble::Closed { what, after: std::time::Duration::ZERO }
}

fn trouble(error: yawc::WebSocketError) -> Trouble {
    match error {
        yawc::WebSocketError::InvalidStatusCode(status) => {
            Trouble::Status { status, after: None, detail: String::new() }
        }
        yawc::WebSocketError::Reqwest(error) => error.into(),
        other => Trouble::Connection(other.to_string()),
    }
}
