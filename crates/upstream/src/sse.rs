//! An upstream that sends server-sent events. Its cursor is the last id, which goes with a new
//! connection as `Last-Event-ID`.

mod parser;

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Client, Response,
    header::{ACCEPT, CONTENT_TYPE, HeaderName},
};
use tokio::time;

use self::parser::{Event, Parser, TooLarge};
use crate::{
    Feed,
    message::{self, Arrived, Body, Message},
    position::Position,
    wire::{self, Trouble},
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(crate) struct Sse {
    client: Client,
    connection: Option<Connection>,
}

struct Connection {
    response: Response,
    parser: Parser,
    arrived: Arrived,
}

impl Sse {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, connection: None }
    }

    /// Waits for the next event after a position.
    pub(crate) async fn next(
        &mut self,
        feed: &Feed,
        position: &Position,
    ) -> Result<Message, Trouble> {
        // After trouble there is no connection.
        let Some(mut connection) = self.connection.take() else {
            let connected = time::timeout(feed.timeout, self.connect(feed, position)).await;
            let connected = connected.unwrap_or_else(|_| Err(Trouble::Silent(feed.timeout)));
            // That it answers is worth telling before it has told an event.
            self.connection = Some(connected?);
            return Ok(Message::of(Body::Connected, position));
        };
        let message = connection.next(feed, position).await?;
        self.connection = Some(connection);
        Ok(message)
    }

    async fn connect(&self, feed: &Feed, position: &Position) -> Result<Connection, Trouble> {
        let url = wire::url(feed, position.cursor.as_deref());
        let mut request = self.client.get(url).header(ACCEPT, "text/event-stream");
        if let Some(cursor) = &position.cursor {
            request = request.header(LAST_EVENT_ID, cursor);
        }
        let response = request.send().await?;
        if !response.status().is_success() {
            return Err(wire::refused(response).await);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.unwrap_or_default().starts_with("text/event-stream") {
            let what = format!(
                "its answer is {} and must be text/event-stream",
                kind.unwrap_or("of no type")
            );
            return Err(Trouble::Connection(what));
        }
        Ok(Connection { response, parser: Parser::default(), arrived: Arrived::new() })
    }
}

impl Connection {
    async fn next(&mut self, feed: &Feed, position: &Position) -> Result<Message, Trouble> {
        loop {
            if let Some(message) = message::batch(&mut self.arrived, position) {
                return Ok(message);
            }
            let piece = time::timeout(feed.silence, self.response.chunk()).await;
            let piece = piece.map_err(|_| Trouble::Silent(feed.silence))??;
            let Some(piece) = piece else {
                return Err(Trouble::Closed { what: String::new(), after: self.retry() });
            };
            let events = self.parser.push(&piece).map_err(|TooLarge| Trouble::TooLarge)?;
            self.arrived.extend(events.into_iter().map(|Event { data, id }| {
                let (body, _) = message::read(feed, Bytes::from(data));
                (body, id.filter(|id| !id.is_empty()))
            }));
        }
    }

    fn retry(&self) -> Duration {
        Duration::from_millis(self.parser.retry_ms.unwrap_or(0))
    }
}
