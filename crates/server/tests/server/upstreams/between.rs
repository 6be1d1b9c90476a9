//! One server fetches from another over a WebSocket, while either of them is killed.

use super::harness::Fetching;
use crate::process::Server;

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn every_event_once_and_in_order_whoever_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let mut upstream = Server::start(folder.path(), &listen);
    let settings = format!(
        "url = \"ws://{listen}/api/v1/ws\"\n\
         headers = {{ sec-websocket-protocol = \"matchwire.v1.json\" }}\n\
         start = \"0\"\n\
         hello = ['{{\"type\":\"subscribe\",\"topic\":\"match/m\",\"views\":[\"events\"],\"after\":${{cursor}}}}']"
    );
    upstream.feed("match/m/1", 1, 20).await;
    let mut fetching = Fetching::start(&settings);
    assert_eq!(fetching.numbers(20).await, (1..=20).collect::<Vec<_>>());
    for round in 1..=3 {
        upstream.feed("match/m/1", round * 20 + 1, 10).await;
        fetching.kill();
        upstream.feed("match/m/1", round * 20 + 11, 5).await;
        fetching.begin();
        upstream.kill();
        upstream = Server::start(folder.path(), &listen);
        upstream.feed("match/m/1", round * 20 + 16, 5).await;
        let all = round * 20 + 20;
        assert_eq!(fetching.numbers(all).await, (1..=all).collect::<Vec<_>>());
    }
    let told = fetching.until("it answers", |it| it["state"] == "connected").await;
    assert_eq!((&told["kind"], &told["events"]["rejected"]), (&"websocket".into(), &0.into()));
}
