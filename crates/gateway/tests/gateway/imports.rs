//! Imports: begun, told in batches, gone on with, ended, and taken back as exactly what they were.

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::harness::{Reply, Server, event};

async fn ask(server: &Server, method: &str, path: &str, body: &Value) -> Reply {
    let path = format!("/api/v1/imports{path}");
    let headers = [("content-type", "application/json")];
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    server.send(method, &path, &headers, body).await
}

async fn begin(server: &Server, name: &str, events: u64) -> Reply {
    let what = json!({"content": "abc", "events": events, "by": "One", "files": [{"name": "a.csv", "bytes": 7}]});
    ask(server, "POST", &format!("/{name}"), &what).await
}

/// An event of an import, by its number.
fn of_import(import: &str, number: u64, subject: &str, tag: &str, data: Value) -> Value {
    let mut event = json!({
        "specversion": "1.0", "id": number.to_string(), "source": format!("import/{import}"),
        "subject": subject, "type": tag,
    });
    event["data"] = data;
    event
}

fn scheduled() -> Value {
    json!({"game": "cs2", "teams": [{"name": "Alpha"}, {"name": "Bravo"}]})
}

async fn batch(server: &Server, import: &str, first: u64, events: &[Value]) -> Reply {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let path = format!("/api/v1/imports/{import}/events?first={first}");
    let headers = [("content-type", "application/x-ndjson")];
    server.send("POST", &path, &headers, lines.join("\n").into()).await
}

fn statuses(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{reply:?}");
    let reply = reply.json();
    let results = reply["results"].as_array().unwrap();
    results.iter().map(|result| result["status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn names_and_ids_that_mean_nothing_here_are_refused() {
    let server = Server::start().await;
    assert_eq!(begin(&server, "i1", 3).await.status, 200);
    let team = |who: Value| json!({"name": "Alpha", "players": [who]});
    let whom = [
        json!({"player": "MW-26-000001"}),
        json!({"player": "own", "name": "~1.7vRfBA4r0Nky"}),
        json!({"player": "own", "name": "One"}),
    ];
    let events = (0..).zip(whom).map(|(number, who)| {
        let teams = [team(who), team(json!({"player": "steam:2"}))];
        let told = json!({"game": "cs2", "teams": teams});
        of_import("i1", number, "match/m1", "match.scheduled", told)
    });
    let reply = batch(&server, "i1", 0, &events.collect::<Vec<_>>()).await;
    assert_eq!(statuses(&reply), ["rejected", "rejected", "appended"]);
    let reply = reply.json();
    for (n, why) in [(0, "is a public id"), (1, "is sealed with a key of the log")] {
        let detail = reply["results"][n]["error"]["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{reply}");
    }
    server.end().await;
}

async fn winner(server: &Server) -> Value {
    server.get("/api/v1/matches/m1").await.json()["standing"]["winner"].clone()
}

async fn length(server: &Server, subject: &str) -> usize {
    let list = server.get(&format!("/api/v1/events?subject={subject}")).await.json();
    list["events"].as_array().unwrap().len()
}

/// Takes an import back to the end, and tells how it stands.
async fn revoke(server: &Server, import: &str) -> Value {
    loop {
        let why = json!({"reason": "wrong file", "by": "Two"});
        let reply = ask(server, "POST", &format!("/{import}/revoke"), &why).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        if reply.json()["status"] == "revoked" {
            return reply.json();
        }
    }
}

#[tokio::test]
async fn an_import_is_told_ended_and_taken_back_and_leaves_what_others_said() {
    let server = Server::start().await;
    let feeds = [
        event("match/m1", 1, "match.scheduled", &scheduled()),
        event("match/m1", 2, "series.ended", &json!({"winner": 0})),
    ];
    assert_eq!(server.post(&feeds).await.status, 200);
    let begun = begin(&server, "i1", 3).await.json();
    assert_eq!(
        (&begun["status"], &begun["sure"], &begun["by"]),
        (&json!("open"), &json!(0), &json!("One"))
    );
    let events = [
        of_import("i1", 0, "match/m1", "match.scheduled", scheduled()),
        of_import("i1", 1, "match/m1", "series.ended", json!({"winner": 1})),
        of_import("i1", 2, "match/m2", "match.scheduled", scheduled()),
    ];
    assert_eq!(statuses(&batch(&server, "i1", 0, &events[..2]).await), ["appended", "appended"]);
    assert_eq!(winner(&server).await, 1);
    let early = ask(&server, "POST", "/i1/finish", &json!({})).await;
    assert_eq!((early.status.as_u16(), early.problem().as_str()), (409, "conflict"));
    // Of the last batch nobody knows whether it came through: it comes again.
    assert_eq!(begin(&server, "i1", 3).await.json()["sure"], 0);
    assert_eq!(
        statuses(&batch(&server, "i1", 0, &events).await),
        ["duplicate", "duplicate", "appended"]
    );
    assert_eq!(ask(&server, "POST", "/i1/finish", &json!({})).await.json()["status"], "finished");
    server.metric_reaches("matchwire_import_events_total{result=\"appended\"}", 3.0).await;
    assert!(server.metric("matchwire_import_events_expected").await < 1.0);
    let revoked = revoke(&server, "i1").await;
    let told = ["voided", "kept", "batches", "reason"].map(|key| revoked["revoked"][key].clone());
    assert_eq!(json!(told), json!([3, 0, 2, "wrong file"]));
    // What the feed said holds again, and each event is void once.
    assert_eq!(winner(&server).await, 0);
    assert_eq!((length(&server, "match/m1").await, length(&server, "match/m2").await), (6, 2));
    assert_eq!(revoke(&server, "i1").await["revoked"]["voided"], 3);
    assert_eq!((length(&server, "match/m1").await, length(&server, "match/m2").await), (6, 2));
    for reply in [begin(&server, "i1", 3).await, batch(&server, "i1", 0, &events).await] {
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (409, "conflict"));
        assert!(reply.json()["detail"].as_str().unwrap().contains("its name is not used again"));
    }
    // The same again, under another name.
    begin(&server, "i2", 1).await;
    let again = of_import("i2", 0, "match/m1", "series.ended", json!({"winner": 1}));
    assert_eq!(statuses(&batch(&server, "i2", 0, &[again]).await), ["appended"]);
    assert_eq!(winner(&server).await, 1);
    let list = ask(&server, "GET", "", &Value::Null).await.json();
    let names: Vec<_> =
        list["imports"].as_array().unwrap().iter().map(|it| &it["import"]).collect();
    assert_eq!(names, ["i1", "i2"]);
    let page = ask(&server, "GET", "?limit=1", &Value::Null).await.json();
    assert_eq!((page["imports"].as_array().unwrap().len(), &page["next"]), (1, &json!("i1")));
    server.end().await;
}

#[tokio::test]
async fn nobody_else_tells_under_the_source_of_an_import() {
    let server = Server::start().await;
    // As long as there is no such import, it is a source like others: it may come from another server's log.
    let event = |id: u64| of_import("i1", id, "match/m1", "match.scheduled", scheduled());
    assert_eq!(server.post(&[event(0)]).await.status, 200);
    begin(&server, "i1", 2).await;
    let refused = server.post(&[event(1)]).await;
    assert_eq!(refused.json()["results"][0]["error"]["code"], "source", "{refused:?}");
    // Nor by trying it again.
    server.letters.flush().await;
    let again = server.send("POST", "/api/v1/dead-letters/1/redrive", &[], Bytes::new()).await;
    assert_eq!(again.status, 400, "{again:?}");
    // What was there before the import is not taken back with it.
    let other = of_import("i1", 1, "match/m1", "series.ended", json!({"winner": 1}));
    assert_eq!(
        statuses(&batch(&server, "i1", 0, &[event(0), other]).await),
        ["duplicate", "appended"]
    );
    assert_eq!(revoke(&server, "i1").await["revoked"]["voided"], 1);
    let state = server.get("/api/v1/matches/m1").await.json();
    assert_eq!(state["series"]["teams"][0]["name"], "Alpha");
    assert_eq!(state["standing"].get("winner"), None);
    server.end().await;
}

#[tokio::test]
async fn what_does_not_follow_is_refused_and_what_is_refused_of_a_batch_is_told() {
    let server = Server::start().await;
    let event = |number: u64, tag: &str| of_import("i1", number, "match/m1", tag, json!({}));
    let good = event(0, "series.started");
    for (path, method) in [("/i1", "GET"), ("/i1/finish", "POST"), ("/i1/revoke", "POST")] {
        assert_eq!(ask(&server, method, path, &Value::Null).await.problem(), "not_found", "{path}");
    }
    assert_eq!(batch(&server, "i1", 0, std::slice::from_ref(&good)).await.problem(), "not_found");
    assert_eq!(begin(&server, "a~%2f", 1).await.problem(), "path");
    assert_eq!(begin(&server, "i1", 0).await.problem(), "bad_body");
    let bad = ask(&server, "POST", "/i1", &json!({"content": "c"})).await;
    assert!(bad.json()["detail"].as_str().unwrap().contains("missing field `events`"), "{bad:?}");
    begin(&server, "i1", 2).await;
    assert_eq!(begin(&server, "i1", 3).await.problem(), "conflict");
    assert_eq!(batch(&server, "i1", 1, &[event(1, "series.started")]).await.problem(), "conflict");
    assert_eq!(batch(&server, "i1", 0, &[]).await.problem(), "conflict");
    let foreign = of_import("i2", 0, "match/m1", "series.started", json!({}));
    for wrong in [foreign, event(1, "series.started"), json!({"id": "0"})] {
        let reply = batch(&server, "i1", 0, &[wrong]).await;
        assert_eq!(reply.problem(), "bad_body", "{reply:?}");
    }
    let reply = batch(&server, "i1", 0, &[good, event(1, "series.licked")]).await;
    assert_eq!(statuses(&reply), ["appended", "rejected"]);
    assert_eq!(reply.json()["results"][1]["error"]["code"], "unknown_type");
    assert_eq!(length(&server, "match/m1").await, 1);
    // Whoever imports has it in a file: it is no dead letter.
    assert_eq!(server.get("/api/v1/dead-letters").await.json(), json!({"dead_letters": []}));
    let done = ask(&server, "POST", "/i1/finish", &json!({"refused": 1})).await.json();
    assert_eq!((&done["status"], &done["refused"]), (&json!("finished"), &json!(1)));
    let stream = server.get("/api/v1/events?subject=import/i1").await;
    assert!(stream.status.is_client_error(), "{stream:?}");
    server.end().await;
}

#[tokio::test]
async fn of_a_sealed_stream_an_import_is_not_taken_back() {
    let server = Server::start().await;
    begin(&server, "i1", 2).await;
    let events = [
        of_import("i1", 0, "match/m1", "series.started", json!({})),
        of_import("i1", 1, "match/m2", "series.started", json!({})),
    ];
    assert_eq!(statuses(&batch(&server, "i1", 0, &events).await), ["appended", "appended"]);
    assert_eq!(server.post(&[event("match/m1", 1, "stream.sealed", &json!({}))]).await.status, 200);
    let revoked = revoke(&server, "i1").await;
    assert_eq!(
        (&revoked["revoked"]["voided"], &revoked["revoked"]["kept"]),
        (&json!(1), &json!(1))
    );
    assert_eq!((length(&server, "match/m1").await, length(&server, "match/m2").await), (2, 2));
    server.end().await;
}
