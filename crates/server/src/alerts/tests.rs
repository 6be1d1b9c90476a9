//! Alerts over real connections: to a listener that takes a post, and to one that speaks SMTP.

use std::sync::mpsc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    alerts: Settings,
}

fn settings(flags: &[&str]) -> Settings {
    let line = [&["test"], flags].concat();
    let matches = Line::command().try_get_matches_from(line).unwrap();
    Line::from_arg_matches(&matches).unwrap().alerts
}

fn alert(is_well: bool) -> Alert {
    Alert {
        about: "reconcile",
        is_well,
        title: "2 of 100 players <drift>".into(),
        text: "See docs & repair".into(),
        details: json!({"drifted_players": 2}),
        time: Timestamp::from_ms(0),
    }
}

/// Answers posts with these statuses, one after the other, and tells what was posted.
async fn listener(statuses: &'static [u16]) -> (String, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook/secret", listener.local_addr().unwrap());
    let (told, posted) = mpsc::channel();
    tokio::spawn(async move {
        for status in statuses {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let (mut length, mut line) = (0, String::new());
            while stream.read_line(&mut line).await.unwrap() > 2 {
                let lower = line.to_ascii_lowercase();
                if let Some(bytes) = lower.strip_prefix("content-length:") {
                    length = bytes.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            told.send(serde_json::from_slice(&body).unwrap()).unwrap();
            let answer =
                format!("HTTP/1.1 {status} x\r\ncontent-length: 3\r\nconnection: close\r\n\r\nno!");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, posted)
}

#[tokio::test]
async fn what_is_posted_is_what_the_other_end_understands() {
    for (format, is_well, expected) in [
        (
            "slack",
            false,
            json!({"text": "*Alert: 2 of 100 players &lt;drift&gt;*\nSee docs &amp; repair"}),
        ),
        (
            "discord",
            true,
            json!({"content": "**Well again: 2 of 100 players <drift>**\nSee docs & repair",
                "allowed_mentions": {"parse": []}}),
        ),
        (
            "json",
            false,
            json!({"alert": "reconcile", "status": "firing", "title": "2 of 100 players <drift>",
                "text": "See docs & repair", "time": "1970-01-01T00:00:00.000Z",
                "details": {"drifted_players": 2}}),
        ),
    ] {
        let (url, posted) = listener(&[204]).await;
        let alerts = settings(&["--alerts-url", &url, "--alerts-format", format]).open().unwrap();
        alerts.send(&alert(is_well)).await.unwrap();
        assert_eq!(posted.recv().unwrap(), expected, "{format}");
    }
}

#[tokio::test]
async fn a_post_is_tried_again_and_a_failure_does_not_tell_the_secret() {
    let (url, posted) = listener(&[500, 200, 500, 403]).await;
    let alerts = settings(&["--alerts-url", &url]).open().unwrap();
    let at_once = [Duration::ZERO; 2];
    alerts.send_within(&alert(false), &at_once).await.unwrap();
    assert_eq!(posted.iter().take(2).count(), 2);
    let error = alerts.send_within(&alert(false), &at_once).await.unwrap_err().to_string();
    assert!(error.contains("403") && error.contains("no!"), "{error}");
    // By now nobody listens there.
    let refused = alerts.send_within(&alert(false), &at_once).await.unwrap_err().to_string();
    for text in [error, refused, format!("{alerts:?}"), alerts.places().join(" ")] {
        assert!(!text.contains("secret") && text.contains("http://127.0.0.1"), "{text}");
    }
}

/// Takes one e-mail as a server does that wants a name and a password, and gives all that was said to it.
async fn converse(stream: TcpStream) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let mut said = Vec::new();
    stream.write_all(b"220 sink\r\n").await.unwrap();
    let mut is_data = false;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap() == 0 {
            return said;
        }
        let line = line.trim_end().to_owned();
        said.push(line.clone());
        let answer = match line.as_str() {
            "." if is_data => {
                is_data = false;
                "250 taken\r\n"
            }
            _ if is_data => continue,
            "DATA" => {
                is_data = true;
                "354 go on\r\n"
            }
            "QUIT" => "221 bye\r\n",
            line if line.starts_with("EHLO") => "250-sink\r\n250 AUTH PLAIN\r\n",
            line if line.starts_with("AUTH PLAIN") => "235 good\r\n",
            _ => "250 good\r\n",
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
        if line == "QUIT" {
            return said;
        }
    }
}

#[tokio::test]
async fn an_e_mail_is_taken_by_a_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "of the sink\n").unwrap();
    let flags = [
        "--alerts-smtp-host",
        "127.0.0.1",
        "--alerts-smtp-tls",
        "none",
        "--alerts-smtp-port",
        &port,
        "--alerts-smtp-from",
        "Matchwire <from@example.org>",
        "--alerts-smtp-to",
        "one@example.org,two@example.org",
        "--alerts-smtp-user",
        "sender",
        "--alerts-smtp-password-file",
        password.to_str().unwrap(),
    ];
    let alerts = settings(&flags).open().unwrap();
    assert!(!format!("{alerts:?}").contains("of the sink"));
    let taken = tokio::spawn(async move { converse(listener.accept().await.unwrap().0).await });
    alerts.send_within(&alert(false), &[Duration::ZERO]).await.unwrap();
    drop(alerts);
    let said = taken.await.unwrap();
    let has = |text: &str| said.iter().any(|line| line.contains(text));
    for text in [
        // NUL, sender, NUL, the password, in Base64.
        "AUTH PLAIN AHNlbmRlcgBvZiB0aGUgc2luaw==",
        "MAIL FROM:<from@example.org>",
        "RCPT TO:<one@example.org>",
        "RCPT TO:<two@example.org>",
        "[Matchwire] Alert: 2 of 100 players <drift>",
        "See docs & repair",
        "\"drifted_players\": 2",
    ] {
        assert!(has(text), "{text} in {said:#?}");
    }
}

#[test]
fn what_cannot_be_meant_is_told_by_its_setting() {
    let wrong = |flags: &[&str]| format!("{:#}", settings(flags).open().unwrap_err());
    assert!(settings(&[]).open().unwrap().is_empty());
    assert!(wrong(&["--alerts-url", "ftp://x/secret"]).contains("must be http or https"));
    assert!(!wrong(&["--alerts-url", "secret"]).contains("secret"));
    let mail = ["--alerts-smtp-host", "mail.example.org", "--alerts-smtp-from", "a@example.org"];
    assert!(wrong(&mail).contains("alerts.smtp.to has 0 addresses"));
    let to = [&mail[..], &["--alerts-smtp-to", "b@example.org"]].concat();
    assert!(!settings(&to).open().unwrap().is_empty());
    let with = |more: &[&str]| wrong(&[&to[..], more].concat());
    assert!(with(&["--alerts-smtp-tls", "none"]).contains("is not this machine"));
    assert!(with(&["--alerts-smtp-user", "x"]).contains("set both, or neither"));
    assert!(with(&["--alerts-smtp-to", "nobody"]).contains("must be an e-mail address"));
    assert!(wrong(&["--alerts-smtp-to", "b@example.org"]).contains("alerts.smtp.host is missing"));
    for (text, is_good) in [("0", true), ("0.5", true), ("100", true), ("101", false), ("x", false)]
    {
        assert_eq!(percent(text).is_ok(), is_good, "{text}");
    }
}
