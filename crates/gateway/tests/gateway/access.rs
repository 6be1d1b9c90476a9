//! Who is let in.

use hyper::body::Bytes;
use matchwire_gateway::{Access, Limits};

use crate::harness::Server;

#[tokio::test]
async fn pages_of_other_sites_are_kept_out() {
    let access = Access {
        hosts: vec!["live.example.org".into()],
        ..Access::loopback("127.0.0.1:0".parse().unwrap())
    };
    let server = Server::accessible(Limits::default(), access).await;
    let send = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        server.send(method, path, headers, Bytes::new()).await
    };
    let evil = ("origin", "http://evil.example");
    let kind = ("content-type", "application/x-ndjson");
    let reply = send("POST", "/api/v1/events", &[evil, kind]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (403, "foreign_origin"));
    let own = format!("http://{}", server.address);
    assert_eq!(send("POST", "/api/v1/events", &[("origin", &own), kind]).await.status, 200);
    let upgrade = [evil, ("upgrade", "websocket"), ("connection", "upgrade")];
    assert_eq!(send("GET", "/api/v1/ws", &upgrade).await.problem(), "foreign_origin");

    let reply = send("GET", "/api/v1/matches", &[("host", "evil.example:8080")]).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (421, "foreign_host"));
    assert_eq!(send("GET", "/api/v1/matches", &[("host", "live.example.org")]).await.status, 200);
    assert_eq!(send("GET", "/api/v1/matches", &[("host", "localhost:1")]).await.status, 200);
}
