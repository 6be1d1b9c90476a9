//! Corrections, as a client sees them: an event of their own, and a state that is right afterwards.

use serde_json::{Value, json};

use crate::harness::{Server, event};

const MAP: &str = "match/m1/1";
const STATE: &str = "/api/v1/matches/m1/maps/1";

fn kill(id: u32, killer: &str) -> Value {
    let data = json!({"killer": killer, "victim": "steam:9", "weapon": "ak47"});
    event(MAP, id, "player.killed", &data)
}

#[tokio::test]
async fn a_client_sees_the_correction_and_the_right_state() {
    let server = Server::start().await;
    let mut socket = server.socket().await;
    socket.subscribe(MAP, json!(0)).await;
    let started = event(MAP, 1, "round.started", &json!({}));
    server.post(&[started, kill(2, "steam:1"), kill(3, "steam:2")]).await;
    let id = |account: &str| {
        use matchwire_gateway::Exchange as _;
        server.ids.id_for(account)
    };
    let (one, two) = (id("steam:1"), id("steam:2"));
    let state = server.get(STATE).await.json();
    assert_eq!(state["players"][&one]["kills"], 1);
    let wrong = server.get("/api/v1/matches/m1/maps/1/predictions").await.json();
    // The second kill was told twice, the first one was another's: an account is exchanged there, too.
    let right = json!({"killer": "steam:3", "victim": "steam:9", "weapon": "awp"});
    let amended = json!({"seq": 2, "type": "player.killed", "data": right});
    let corrections = [
        event(MAP, 4, "event.voided", &json!({"seq": 3, "reason": "told twice"})),
        event(MAP, 5, "event.amended", &amended),
    ];
    assert_eq!(server.post(&corrections).await.status, 200);
    let three = id("steam:3");
    let state = server.get(STATE).await.json();
    assert_eq!(state["seq"], 5);
    assert!(state["players"].get(&one).is_none() && state["players"].get(&two).is_none());
    assert_eq!(state["players"][&three]["kills"], 1);
    assert_eq!(state["kills"]["1"]["weapon"], "awp");
    // What was known before is still there to be asked for, and so is every event.
    let before = server.get(&format!("{STATE}?at_seq=3")).await.json();
    assert_eq!(before["players"][&two]["kills"], 1);
    let events = server.get(&format!("/api/v1/events?subject={MAP}")).await.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 5);
    assert_eq!(events["events"][4]["data"]["data"]["killer"], three.as_str());
    let right = server.get("/api/v1/matches/m1/maps/1/predictions").await.json();
    let count = |reply: &Value| reply["predictions"].as_array().unwrap().len();
    assert_eq!((count(&wrong), count(&right)), (3, 2));
    // Who follows is told both, and comes to the same state.
    let mut followed = json!({});
    let mut heard = Vec::new();
    while followed["seq"] != 5 {
        let frame = socket.next().await;
        match frame["type"].as_str().unwrap() {
            "event" => heard.push(frame["event"]["type"].as_str().unwrap().to_owned()),
            "snapshot" => followed = frame["state"].clone(),
            "state" if frame.get("state").is_some() => followed = frame["state"].clone(),
            "state" => matchwire_domain::merge_patch::merge(&mut followed, frame["patch"].clone()),
            _ => {}
        }
    }
    assert_eq!(followed, state);
    assert_eq!(heard[3..], ["event.voided", "event.amended"]);
    server.end().await;
}

#[tokio::test]
async fn a_correction_is_refused_for_its_shape_alone() {
    let server = Server::start().await;
    for (kind, data) in [
        ("event.voided", json!({})),
        ("event.voided", json!({"seq": "2"})),
        ("event.amended", json!({"seq": 2, "type": "bomb.picked_up", "data": {}})),
        ("event.amended", json!({"seq": 2, "type": "event.voided", "data": {"seq": 1}})),
        ("result.amended", json!({"seq": 2, "winner": 2})),
        ("match.forfeited", json!({"team": -1})),
    ] {
        let reply = server.post(&[event(MAP, 1, kind, &data)]).await;
        assert_eq!(reply.json()["results"][0]["error"]["code"], "schema", "{kind} {data}");
    }
    let nowhere = event(MAP, 1, "event.voided", &json!({"seq": 7}));
    assert_eq!(server.post(&[nowhere]).await.status, 200);
    let state = server.get(STATE).await.json();
    assert_eq!(state["anomalies"][0]["kind"], "not_correctable");
    server.end().await;
}
