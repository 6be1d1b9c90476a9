//! What an upstream told at once, and where it is read from next.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::{
    CLOUDEVENTS, Feed,
    items::{self, Said},
    position::Position,
};

/// How many items of StatsBomb's a post has at the most, and how many bytes.
const POST_ITEMS: usize = 500;
const POST_BYTES: usize = 1 << 20;

/// A message of an upstream.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) body: Body,
    /// Where the upstream is read from, once the message has been taken.
    pub(crate) position: Position,
}

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// It is there, and has told nothing yet.
    Connected,
    /// There is nothing new.
    Nothing,
    /// Events in their own envelope, each as JSON.
    Events(Vec<Bytes>),
    /// Bodies in a source's format.
    Posts(Vec<Bytes>),
    /// Something that cannot be read.
    Broken { what: String, body: Bytes },
}

impl Body {
    /// Events in their own envelope.
    pub(crate) fn events(events: Vec<Bytes>) -> Self {
        Self::Events(events.into_iter().map(items::known).collect())
    }
}

impl Message {
    pub(crate) fn of(body: Body, position: &Position) -> Self {
        Self { body, position: position.clone() }
    }
}

/// What has arrived and was not handed over yet: a body, and the cursor behind it.
pub(crate) type Arrived = VecDeque<(Body, Option<String>)>;

/// How many events of a stream are handed over at once, since they share the time of the disk.
pub(crate) const BATCH: usize = 500;

/// What has arrived as one message: as much of it as goes together. `None` if nothing has.
pub(crate) fn batch(arrived: &mut Arrived, position: &Position) -> Option<Message> {
    let (mut body, mut cursor) = arrived.pop_front()?;
    while let Some((next, after)) = arrived.front_mut() {
        let ((Body::Events(all), Body::Events(more)) | (Body::Posts(all), Body::Posts(more))) =
            (&mut body, next)
        else {
            break;
        };
        if all.len() + more.len() > BATCH {
            break;
        }
        all.append(more);
        cursor = after.take().or(cursor);
        arrived.pop_front();
    }
    let cursor = cursor.or_else(|| position.cursor.clone());
    Some(Message { body, position: Position { cursor, etag: None } })
}

/// Reads a body, and the cursor in it.
///
/// In a source's format an array, or what is found where the settings say, is as many posts as it
/// has items; of StatsBomb's, whose posts have a line for each item, fewer.
pub(crate) fn read(feed: &Feed, body: Bytes) -> (Body, Option<String>) {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let is_own = feed.format == CLOUDEVENTS;
    let has_items = is_own || first == Some(&b'[') || feed.events.is_some();
    if !has_items && first != Some(&b'{') {
        return (Body::Posts(vec![body]), None);
    }
    match items::read(&body, feed.events.as_deref(), &feed.cursor) {
        Ok(Said { events, cursor }) if is_own => (Body::events(events), cursor),
        Ok(Said { events, cursor }) if has_items && feed.format == "statsbomb" => {
            (Body::Posts(lines(&events)), cursor)
        }
        Ok(Said { events, cursor }) if has_items => (Body::Posts(events), cursor),
        Ok(Said { cursor, .. }) => (Body::Posts(vec![body]), cursor),
        Err(error) if has_items => {
            (Body::Broken { what: format!("it is no JSON: {error}"), body }, None)
        }
        // The format's own reader knows what to make of it.
        Err(_) => (Body::Posts(vec![body]), None),
    }
}

/// Posts with a line for each item.
fn lines(items: &[Bytes]) -> Vec<Bytes> {
    let mut posts: Vec<(usize, BytesMut)> = Vec::new();
    for item in items {
        let fits = |post: &&mut (usize, BytesMut)| {
            post.0 < POST_ITEMS && post.1.len() + item.len() < POST_BYTES
        };
        // Between tokens a line break is a space.
        let line = item.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte });
        let line: BytesMut = line.chain([b'\n']).collect();
        match posts.last_mut().filter(fits) {
            Some((count, post)) => {
                *count += 1;
                post.extend_from_slice(&line);
            }
            None => posts.push((1, line)),
        }
    }
    posts.into_iter().map(|(_, post)| post.freeze()).collect()
}
