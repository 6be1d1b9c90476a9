//! An upstream that is asked again and again: by its cursor for what is new, and by its ETag for what
//! has changed.

use reqwest::{
    Client, StatusCode,
    header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use tokio::time;

use crate::{
    CLOUDEVENTS, Feed, items,
    message::{self, Body, Message},
    position::Position,
    wire::{self, Trouble},
};

pub(crate) struct Poll {
    client: Client,
    /// Whether there may be more at once, so that the next question does not wait.
    has_more: bool,
    is_first: bool,
}

impl Poll {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, has_more: false, is_first: true }
    }

    /// Waits until it is time, and asks for what comes after a position.
    pub(crate) async fn next(
        &mut self,
        feed: &Feed,
        position: &Position,
    ) -> Result<Message, Trouble> {
        if !self.is_first && !self.has_more {
            time::sleep(feed.every).await;
        }
        // After trouble it has waited enough.
        self.is_first = true;
        let answer = time::timeout(feed.timeout, self.ask(feed, position)).await;
        let message = answer.unwrap_or_else(|_| Err(Trouble::Silent(feed.timeout)))?;
        self.is_first = false;
        let has_told = match &message.body {
            Body::Events(items) | Body::Posts(items) => !items.is_empty(),
            _ => false,
        };
        self.has_more = has_told && message.position.cursor != position.cursor;
        Ok(message)
    }

    async fn ask(&self, feed: &Feed, position: &Position) -> Result<Message, Trouble> {
        let mut request = self.client.get(wire::url(feed, position.cursor.as_deref()));
        if let Some(etag) = &position.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let response = request.send().await?;
        if matches!(response.status(), StatusCode::NOT_MODIFIED | StatusCode::NO_CONTENT) {
            return Ok(Message::of(Body::Nothing, position));
        }
        if !response.status().is_success() {
            return Err(wire::refused(response).await);
        }
        let header = |name| response.headers().get(name).and_then(|it| it.to_str().ok());
        let etag = header(ETAG).map(ToOwned::to_owned);
        let has_lines =
            header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/x-ndjson"));
        let bytes = wire::body(response).await?;
        let (body, cursor) = if has_lines && feed.format == CLOUDEVENTS {
            (Body::events(items::lines(&bytes)), None)
        } else {
            message::read(feed, bytes)
        };
        if let Body::Broken { what, body } = body {
            return Err(Trouble::Content { what, body });
        }
        // A tag is of one address, and the next cursor makes another one.
        let position = match cursor.filter(|cursor| position.cursor.as_ref() != Some(cursor)) {
            Some(cursor) => Position { cursor: Some(cursor), etag: None },
            None => Position { cursor: position.cursor.clone(), etag },
        };
        Ok(Message { body, position })
    }
}
