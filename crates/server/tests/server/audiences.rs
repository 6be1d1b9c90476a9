//! An audience of the file of settings sees events later, by the machine's own clock.

use std::time::Duration;

use matchwire_domain::timestamp::Timestamp;
use matchwire_log::{Clock as _, SystemClock};
use serde_json::Value;

use crate::process::{Server, matchwire};

const SETTINGS: &str = r#"
trusted_proxy = ["127.0.0.1"]
insecure_read = ["203.0.113.0/24"]

[audience.fans]
networks = ["203.0.113.0/24"]
delay = [{ topic = "match/**", seconds = 3600 }, { topic = "match/soon/*", seconds = 1 }]
"#;
const AS_FAN: &str = "x-forwarded-for: 203.0.113.5\r\n";

#[tokio::test]
async fn an_audience_sees_events_later() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("matchwire.toml");
    std::fs::write(&settings, SETTINGS).unwrap();
    let data = folder.path().join("data");
    let flags = ["--config", settings.to_str().unwrap()];
    let server = Server::start_with(&data, "127.0.0.1:0", &flags);
    server.feed("match/late/1", 1, 2).await;
    server.feed("match/soon/1", 1, 2).await;
    let path = "/api/v1/events?subject=match/soon/1";
    let due = async {
        loop {
            let page: Value = serde_json::from_str(&server.text_with(path, AS_FAN).await).unwrap();
            let events = page["events"].as_array().unwrap().clone();
            let now = SystemClock.now();
            for event in &events {
                let recorded = Timestamp::parse(event["recordedtime"].as_str().unwrap()).unwrap();
                assert!(recorded.ms() + 1_000 <= now.ms(), "{event} is not due at {now}");
            }
            if events.len() == 2 {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), due).await.unwrap();
    let list: Value =
        serde_json::from_str(&server.text_with("/api/v1/matches", AS_FAN).await).unwrap();
    assert_eq!(
        (list["matches"].as_array().unwrap().len(), &list["matches"][0]["match"]),
        (1, &"soon".into())
    );
    let all: Value = serde_json::from_str(&server.text("/api/v1/matches").await).unwrap();
    assert_eq!(all["matches"].as_array().unwrap().len(), 2);
    assert!(server.text_with("/metrics", AS_FAN).await.contains("delayed_audience"));
    let name = "matchwire_audience_requests_total{audience=\"fans\"}";
    assert!(server.text("/metrics").await.contains(name));
    assert!(server.terminate().success());
    // What retention removes must have been seen by all.
    let status = matchwire()
        .args(["serve", "--data", "x", "--retain", "match/**=30m"])
        .args(flags)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&status.stderr).into_owned();
    assert!(!status.status.success() && said.contains("longest delay of an audience"), "{said}");
}
