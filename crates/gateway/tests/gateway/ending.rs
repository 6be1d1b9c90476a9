//! How a server ends, and how many it serves.

use std::time::Instant;

use matchwire_gateway::Limits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Events, Server, numbered, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_is_told_and_what_is_in_flight_is_answered() {
    let mut server = Server::start().await;
    server.post(&numbered("match/m1/1", 1, 1)).await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/1", 0.into()).await;
    let mut events = Events::open(&server, "topic=match/m1/1", None).await;
    events.next().await.unwrap();
    // A request whose body is still on its way.
    let body = numbered("match/m1/1", 2, 1)[0].to_string();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n\
         content-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    soon(stream.read_exact(&mut go_on)).await.unwrap();
    let begun = Instant::now();
    server.begin_end();
    // When to come back, so that not all do at once.
    assert!(socket.next_of("drain").await["retry_ms"].as_u64().unwrap() <= 16_000);
    assert_eq!(socket.closed().await, Some(1001));
    let mut retry = String::new();
    while let Some(sent) = events.next().await {
        retry = sent.retry;
    }
    assert!(retry.parse::<u32>().unwrap() <= 16_000);
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let address = server.address;
    server.end().await;
    assert!(begun.elapsed().as_secs() < 10);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn more_connections_than_there_is_room_for() {
    let server = Server::with(Limits { connections: 2, ..Limits::default() }).await;
    let first = server.socket().await;
    let _second = server.socket().await;
    let mut third = TcpStream::connect(server.address).await.unwrap();
    let mut answer = String::new();
    soon(third.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    drop(first);
    // The place is free once the server has noticed.
    soon(async {
        loop {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
            let mut answer = String::new();
            if stream.write_all(request).await.is_ok() {
                let _ = stream.read_to_string(&mut answer).await;
            }
            if answer.starts_with("HTTP/1.1 200") {
                return;
            }
        }
    })
    .await;
}
