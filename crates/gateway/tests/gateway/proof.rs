//! `GET /api/v1/proof`: enough to compute both hashes again.

use matchwire_domain::{chain::Digest, subject::Subject, timestamp::Timestamp};
use serde_json::{Value, json};

use crate::{
    harness::{Server, numbered, own},
    rigged::Rigged,
    setup::Setup,
};

/// Computes leaf and chain from what a proof says, and nothing else.
fn check(proof: &Value) {
    let digest = |value: &Value| {
        let hex = value.as_str().unwrap();
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        Digest(std::array::from_fn(byte))
    };
    let leaf = Digest::leaf(proof["stored"].as_str().unwrap().as_bytes());
    assert_eq!(leaf.to_string(), proof["leaf"]);
    let recorded = Timestamp::from_ms(proof["recordedtime_ms"].as_i64().unwrap());
    assert_eq!(recorded.to_string(), proof["recordedtime"]);
    let chain =
        digest(&proof["before"]["chain"]).next(proof["seq"].as_u64().unwrap(), recorded, leaf);
    assert_eq!(chain.to_string(), proof["chain"]);
}

#[tokio::test]
async fn a_partner_can_compute_what_it_received() {
    let server = Server::start().await;
    let events = [own("match/m1/1", "a\"\u{e9}", &json!({"t": "line\nbreak \u{1f600}"}))];
    server.post(&events).await;
    server.post(&numbered("match/m1/1", 2, 3)).await;
    let list = server.get("/api/v1/events?subject=match/m1/1").await.json();
    let mut before = Value::Null;
    for event in list["events"].as_array().unwrap() {
        let seq = &event["seq"];
        let proof = server.get(&format!("/api/v1/proof?subject=match/m1/1&seq={seq}")).await.json();
        check(&proof);
        for field in ["seq", "leaf", "chain", "recordedtime"] {
            assert_eq!(proof[field], event[field]);
        }
        let stored: Value = serde_json::from_str(proof["stored"].as_str().unwrap()).unwrap();
        assert_eq!((&stored["id"], &stored["data"]), (&event["id"], &event["data"]));
        assert_eq!(
            (&proof["log_id"], &proof["lineage"]),
            (&json!(server.log.id()), &json!(server.log.id()))
        );
        if before.is_null() {
            let subject = Subject::parse("match/m1/1").unwrap();
            let genesis = Digest::genesis(server.log.id(), &subject).to_string();
            assert_eq!(proof["before"], json!({"seq": 0, "chain": genesis}));
        } else {
            assert_eq!(proof["before"], before);
        }
        before = json!({"seq": proof["seq"], "chain": proof["chain"]});
    }
    let status = server.get("/api/v1/status").await.json();
    assert_eq!(
        (&status["log_id"], &status["lineage"]),
        (&json!(server.log.id()), &json!(server.log.id()))
    );
}

#[tokio::test]
async fn what_cannot_be_proved() {
    let server = Server::start().await;
    server.post(&numbered("match/m1/1", 1, 2)).await;
    let ask = async |query: &str| server.get(&format!("/api/v1/proof?{query}")).await;
    assert_eq!(ask("subject=match/m1/1&seq=3").await.problem(), "not_found");
    assert_eq!(ask("subject=match/m2/1&seq=1").await.problem(), "not_found");
    assert_eq!(ask("subject=source/cs-log/m/1&seq=1").await.problem(), "forbidden");
    for wrong in
        ["subject=match/m1/1", "seq=1", "subject=match/m1/1&seq=0", "subject=x&seq=1", "seq=x"]
    {
        assert_eq!(ask(wrong).await.problem(), "query", "{wrong}");
    }
}

#[tokio::test]
async fn behind_a_loss_nothing_is_said_of_the_one_before() {
    let medium = Rigged::new();
    let options = matchwire_log::Options { recent_bytes: 0, ..Default::default() };
    let setup = Setup { medium: Box::new(medium.clone()), options, ..Setup::default() };
    let server = Server::of(setup).await;
    server.post(&numbered("match/m1/1", 1, 9)).await;
    medium.lose(4..=6);
    let ask =
        async |seq: u64| server.get(&format!("/api/v1/proof?subject=match/m1/1&seq={seq}")).await;
    assert!(ask(7).await.json().get("before").is_none());
    assert_eq!(ask(5).await.problem(), "not_found");
    for seq in [1, 2, 3, 8, 9] {
        check(&ask(seq).await.json());
    }
}
