//! Matchwire itself: events are posted, and are durable before they are told.

use std::{net::SocketAddr, ops::Range, process::Command};

use bytes::Bytes;

use super::{
    Layout,
    clients::{Protocol, now_ns},
};
use crate::{
    batch::Batch,
    connection::Connection,
    server::{Load, Server},
};

/// How many topics are posted to in one request.
const TOPICS: usize = 100;
/// The most events of a request.
const EVENTS: usize = 1_000;

pub(crate) struct Matchwire {
    pub(crate) server: Server,
    publishers: Vec<Publisher>,
}

impl Matchwire {
    pub(super) async fn start(load: &Load, layout: Layout) -> anyhow::Result<Self> {
        Self::start_as(load, Command::new(&load.binary), layout.topics).await
    }

    /// One with a command that comes to the server's binary, for so many topics.
    pub(crate) async fn start_as(
        load: &Load,
        command: Command,
        topics: usize,
    ) -> anyhow::Result<Self> {
        let server = Server::start_as(
            load,
            command,
            &["--connections", "20000", "--admission-target-ms", "60000"],
        )
        .await?;
        let mut publishers = Vec::new();
        for first in (0..topics).step_by(TOPICS) {
            let topics = first..topics.min(first + TOPICS);
            publishers.push(Publisher::open(server.address, topics).await?);
        }
        // A connection that has asked for nothing yet is soon closed.
        let mut started = Self { server, publishers };
        started.publish(1).await?;
        Ok(started)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub(crate) fn protocol() -> Protocol {
        Protocol::Web {
            path: |_| "/api/v1/ws".into(),
            header: "sec-websocket-protocol: matchwire.v1.json\r\n",
            hello: Some(subscribe),
            greetings: 2,
            is_engine_io: false,
        }
    }

    pub(crate) async fn publish(&mut self, burst: usize) -> anyhow::Result<()> {
        if burst == 1 {
            let posts = self.publishers.iter_mut().map(|publisher| publisher.publish(burst));
            futures_util::future::try_join_all(posts).await?;
            return Ok(());
        }
        // One after the other, so that it is not more at once than a server takes without shedding.
        for publisher in &mut self.publishers {
            publisher.publish(burst).await?;
        }
        Ok(())
    }
}

/// Posts events to some topics, over a connection of its own.
pub(crate) struct Publisher {
    connection: Connection,
    batches: Vec<Batch>,
}

impl Publisher {
    pub(crate) async fn open(address: SocketAddr, topics: Range<usize>) -> anyhow::Result<Self> {
        let connection = Connection::open(address).await?;
        let batches = topics.map(|topic| Batch::new("x.bench", &match_id(topic), 1)).collect();
        Ok(Self { connection, batches })
    }

    pub(crate) async fn publish(&mut self, burst: usize) -> anyhow::Result<()> {
        let Self { connection, batches } = self;
        let stamped = (0..burst as u64).flat_map(|nth| {
            let now = now_ns();
            batches.iter_mut().map(move |batch| batch.body(|_| now + nth)).collect::<Vec<_>>()
        });
        let stamped: Vec<Bytes> = stamped.collect();
        for events in stamped.chunks(EVENTS) {
            connection.post(events.concat().into(), events.len()).await?;
        }
        Ok(())
    }
}

fn match_id(topic: usize) -> String {
    format!("b{topic:03}")
}

/// Subscribes to the events after one.
fn subscribe(topic: usize, after: u64) -> String {
    let topic = format!("match/{}/1", match_id(topic));
    format!(r#"{{"type":"subscribe","topic":"{topic}","after":{after},"views":["events"]}}"#)
}
