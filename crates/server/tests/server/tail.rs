//! `matchwire tail` computes the hashes of what it is told again.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Stdio},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::process::{Server, matchwire};

/// `matchwire tail`; killed when it is dropped.
struct Tail {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Tail {
    fn start(server: &str, arguments: &[&str]) -> Self {
        let mut child = matchwire()
            .args(["tail", "--server", server])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn lines(&mut self, count: usize) -> Vec<String> {
        let mut lines = self.out.by_ref().lines();
        (0..count).map(|_| lines.next().expect("a line").unwrap()).collect()
    }

    /// What it said when it ended, with its exit code.
    fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        let mut err = self.child.stderr.take().unwrap();
        std::io::Read::read_to_string(&mut err, &mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

use std::io::Read as _;

/// Somebody between server and reader who changes what the server says. Gives its address.
async fn meddler(server: &Server, from: &'static str, to: &'static str) -> String {
    assert_eq!(from.len(), to.len(), "the length of a frame stays");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let authority = server.authority.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&authority).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 << 10];
                while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
                    let mut said = buffer[..count].to_vec();
                    let at = said.windows(from.len()).position(|window| window == from.as_bytes());
                    if let Some(at) = at {
                        said[at..at + to.len()].copy_from_slice(to.as_bytes());
                    }
                    if to_client.write_all(&said).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_right_goes_through_from_wherever_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    server.feed("match/m1/1", 1, 4).await;
    server.feed("match/m1/2", 1, 2).await;
    for (arguments, count) in [
        (["match/m1/1", "--after", "0"], 4),
        (["match/m1/1", "--after", "2"], 2),
        (["match/m1", "--after", "0"], 6),
    ] {
        let mut tail = Tail::start(&server.url(), &arguments);
        assert_eq!(tail.lines(count).len(), count);
    }
    let mut tail = Tail::start(&server.url(), &["match/m1/1", "--json"]);
    let lines = tail.lines(4);
    let list = server.client().get("/events?subject=match/m1/1").await.unwrap();
    let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(first, list["events"][0]);
    // It goes on over a restart of the server.
    let authority = server.authority.clone();
    assert!(server.terminate().success());
    let server = Server::start(folder.path(), &authority);
    server.feed("match/m1/1", 5, 1).await;
    assert!(tail.lines(1)[0].contains("\"seq\":5,"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_told_as_the_match_was_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    server.feed("match/m1/1", 1, 4).await;
    server.feed("match/m1/2", 1, 2).await;
    let url = server.url();
    let replay = |arguments: &[&str]| {
        let arguments = [&["replay", "--server", &url], arguments].concat();
        let output = matchwire().args(arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), said.lines().map(ToOwned::to_owned).collect::<Vec<_>>())
    };
    let (code, lines) = replay(&["m1", "--speed", "0"]);
    assert_eq!((code, lines.len()), (Some(0), 6), "{lines:?}");
    let (code, lines) = replay(&["match/m1/1", "--max-gap", "1ms", "--after", "1", "--json"]);
    assert_eq!((code, lines.len()), (Some(0), 3), "{lines:?}");
    let list = server.client().get("/events?subject=match/m1/1").await.unwrap();
    let first: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(first, list["events"][1]);
    // Of none of them it is known when it was.
    assert_eq!(replay(&["m1", "--by-time"]).1.len(), 6);
    assert_eq!(replay(&["m2"]).0, Some(1));
    assert_eq!(replay(&["m1", "--speed", "5000"]).0, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "127.0.0.1:0");
    server.feed("match/m1/1", 1, 4).await;
    let changed = meddler(&server, "{\"n\":3}", "{\"n\":7}").await;
    let mut tail = Tail::start(&changed, &["match/m1/1"]);
    assert_eq!(tail.lines(2).len(), 2);
    let (code, said) = tail.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("event 3 of match/m1/1 was changed"), "{said}");
    let mut tail = Tail::start(&changed, &["match/m1/1", "--no-verify"]);
    assert!(tail.lines(4)[2].contains("{\"n\":7}"));
    // An event of which all is consistent but its place.
    let time = server.client().get("/events?subject=match/m1/1").await.unwrap();
    let chain = time["events"][1]["chain"].as_str().unwrap().to_owned();
    let other = if chain.starts_with('0') { "1" } else { "0" };
    let forged: &'static str = format!("{other}{}", &chain[1..]).leak();
    let moved = meddler(&server, chain.leak(), forged).await;
    let mut tail = Tail::start(&moved, &["match/m1/1", "--after", "0"]);
    assert_eq!(tail.lines(1).len(), 1);
    let (code, said) = tail.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("does not follow"), "{said}");
}
