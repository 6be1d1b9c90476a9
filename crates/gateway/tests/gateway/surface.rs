//! The surface as a whole: routes and their description, ids, problems, health, the console.

use std::collections::BTreeSet;

use hyper::body::Bytes;
use matchwire_gateway::{ROUTES, openapi};
use serde_json::Value;

use crate::harness::{Server, numbered};

/// A path of the document with something in the place of its parameters.
fn filled(path: &str) -> String {
    path.replace("{source}", "cs-log")
        .replace("{token}", "~t")
        .replace("{match}", "m1")
        .replace("{map}", "1")
        // No server is named without its @.
        .replace("{server}", "s1")
        .replace("{type}", "round.ended")
        .replace("{file}", "console.js")
        // None that is there, and none that could be.
        .replace("{seq}", "0")
}

#[tokio::test]
async fn every_route_of_the_document_exists_with_its_methods_alone() {
    let server = Server::start().await;
    server.post(&numbered("match/m1/1", 1, 1)).await;
    let document = server.get("/api/v1/openapi.json").await.json();
    assert_eq!(document, openapi());
    for (path, methods) in document["paths"].as_object().unwrap() {
        let methods = methods.as_object().unwrap();
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            let response = server.open(method, &filled(path), &[], Bytes::new()).await;
            let is_there = methods.contains_key(&method.to_lowercase());
            let status = response.status();
            assert_eq!(status != 405 && status != 404, is_there, "{method} {path}: {status}");
            if !is_there {
                let allow = response.headers()["allow"].to_str().unwrap().to_lowercase();
                assert!(methods.keys().all(|method| allow.contains(method)), "{path}: {allow}");
            }
        }
    }
}

#[test]
fn every_route_of_the_router_is_in_the_document() {
    let source = include_str!("../../src/routes.rs");
    let served: BTreeSet<String> = source
        .split(".route(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|path| path.replace("/schemas/{file}", "/schemas/{type}.json"))
        .collect();
    let described: BTreeSet<String> = ROUTES
        .iter()
        .map(|route| route.path.strip_prefix("/api/v1").unwrap_or(route.path).to_owned())
        .collect();
    assert_eq!(served, described);
}

#[tokio::test]
async fn schemas() {
    let server = Server::start().await;
    let list = server.get("/api/v1/schemas").await.json();
    let schemas = list["schemas"].as_array().unwrap();
    assert!(schemas.len() > 20);
    for schema in schemas {
        let reply = server.get(schema["schema"].as_str().unwrap()).await;
        assert_eq!(reply.header("content-type"), "application/schema+json");
        assert_eq!(reply.json()["type"], "object", "{schema}");
    }
}

#[tokio::test]
async fn ids_of_requests() {
    let server = Server::start().await;
    let ask = async |headers: &[(&str, &str)]| {
        server.send("GET", "/nothing", headers, Bytes::new()).await
    };
    let reply = ask(&[]).await;
    assert_eq!(reply.json()["trace_id"], reply.header("x-request-id"));
    assert_eq!(reply.header("x-request-id").len(), 32);
    assert_eq!(ask(&[("x-request-id", "mine-1")]).await.header("x-request-id"), "mine-1");
    assert_ne!(ask(&[("x-request-id", "not {sane}")]).await.header("x-request-id"), "not {sane}");
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    assert_eq!(ask(&[("traceparent", &parent)]).await.json()["trace_id"], trace);
    assert!(!server.get("/healthz").await.header("x-request-id").is_empty());
}

#[tokio::test]
async fn health_metrics_and_status() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe("match/m1/1", 0.into()).await;
    // The first pass of a feed is not measured: what is there before may be old.
    server.post(&numbered("match/m1/1", 1, 1)).await;
    socket.next_of("event").await;
    server.post(&numbered("match/m1/1", 2, 20)).await;
    while socket.next_of("event").await["seq"] != 21 {}
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/readyz").await.status, 200);
    let text = String::from_utf8(server.get("/metrics").await.bytes.to_vec()).unwrap();
    for name in [
        "matchwire_events_received_total{source=\"http\"} 21",
        "matchwire_append_batch_events_count",
        "matchwire_append_fsync_seconds_count",
        "matchwire_stage_latency_seconds_count{stage=\"ingest\"}",
        "matchwire_e2e_latency_seconds_count{type=\"x\"}",
        "matchwire_view_lag_events{view=\"live\"}",
        "matchwire_connections{kind=\"websocket\"} 1",
        "matchwire_frames_sent_total{type=\"event\"} 21",
        "matchwire_frames_conflated_total",
        "matchwire_slo_violations_total",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }
    let status = server.get("/api/v1/status").await.json();
    for stage in ["ingest", "append", "fold", "send"] {
        assert!(status["stages"][stage]["count"].as_u64().unwrap() > 0, "{stage} in {status}");
        assert!(status["stages"][stage]["p99_ms"].is_number());
    }
    assert!(status["e2e"]["count"].as_u64().unwrap() > 0);
    assert!(status["uptime_s"].is_u64());
    assert_eq!(status["events"]["appended"], 21);
}

#[tokio::test]
async fn metrics_are_in_the_text_format_of_prometheus() {
    let server = Server::start().await;
    server.post(&numbered("match/m1/1", 1, 1)).await;
    let reply = server.get("/metrics").await;
    assert_eq!(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = String::from_utf8(reply.bytes.to_vec()).unwrap();
    for line in [
        "matchwire_connections{kind=\"websocket\"} 0",
        "matchwire_connections{kind=\"sse\"} 0",
        "matchwire_frames_dropped_total 0",
        "# TYPE matchwire_events_received_total counter",
        "# TYPE matchwire_append_fsync_seconds histogram",
    ] {
        assert!(text.lines().any(|own| own == line), "{line} in {text}");
    }
    let (mut helps, mut types) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match (words[0], words[1]) {
            ("#", "HELP") => assert!(helps.insert(words[2]) && !words[3].is_empty(), "{line}"),
            ("#", "TYPE") => assert!(types.insert(words[2]), "{line}"),
            ("#", _) => panic!("{line}"),
            (sample, _) => {
                let name = sample.split('{').next().unwrap();
                let parts = ["_bucket", "_sum", "_count"].iter();
                let mut names = parts.filter_map(|part| name.strip_suffix(part)).chain([name]);
                assert!(names.any(|name| types.contains(name)), "{line}");
            }
        }
    }
    assert_eq!(helps, types);
}

#[tokio::test]
async fn the_console() {
    let server = Server::start().await;
    let root = server.get("/").await;
    assert_eq!((root.status.as_u16(), root.header("location")), (307, "/console"));
    for page in ["/console", "/console/embed/m1/1"] {
        let reply = server.get(page).await;
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        let text = String::from_utf8(reply.bytes.to_vec()).unwrap();
        // Whatever the page names is served, and by nobody else.
        let named = text.split(['"', '\'']).filter(|word| word.starts_with("/console/assets/"));
        for file in named {
            assert_eq!(server.get(file).await.status, 200, "{file}");
        }
        assert!(!text.contains("https://"), "{page} asks somebody else");
    }
    let client = server.get("/console/assets/matchwire.js").await;
    assert_eq!(client.header("content-type"), "text/javascript; charset=utf-8");
    assert!(String::from_utf8(client.bytes.to_vec()).unwrap().contains("export const connect"));
    assert_eq!(server.get("/console/embed/m1/x").await.problem(), "path");
    let head = server.send("HEAD", "/console", &[], Bytes::new()).await;
    assert_eq!((head.status.as_u16(), head.bytes.len()), (200, 0));
}

#[tokio::test]
async fn problems_have_the_form_of_the_rfc() {
    let server = Server::start().await;
    let reply = server.send("DELETE", "/api/v1/matches", &[], Bytes::new()).await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (405, "method_not_allowed"));
    assert!(reply.header("allow").contains("GET"));
    let reply = server.send("GET", "/api/v1/ws", &[], Bytes::new()).await;
    assert_eq!(reply.problem(), "bad_request");
    let reply = server.get("/api/v1/matches/%ff").await;
    assert!(reply.status.is_client_error());
    let _: Value = reply.json();
    reply.problem();
}
