//! An upstream that answers as a test says, and a server that fetches from it.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use matchwire_client::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::process::Server;

/// A request as it came: its first line, and its headers in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: String,
}

impl Request {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.headers.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        Some(line.split_once(':')?.1.trim())
    }

    /// The path, with its query.
    pub(crate) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }
}

/// What is answered to a request: pieces, with the end of the connection behind them; the last of
/// which may be to wait until it is gone.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Send(String),
    /// Stay connected and say nothing.
    Hang,
}

type Script = dyn Fn(&Request) -> Vec<Reply> + Send + Sync;

/// An upstream on a port of its own.
pub(crate) struct Upstream {
    pub(crate) authority: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Upstream {
    pub(crate) async fn start(
        script: impl Fn(&Request) -> Vec<Reply> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, script): (_, Arc<Script>) = (requests.clone(), Arc::new(script));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, seen.clone(), script.clone()));
            }
        });
        Self { authority, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(mut stream: TcpStream, seen: Arc<Mutex<Vec<Request>>>, script: Arc<Script>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let (line, headers) = head.split_once("\r\n").unwrap();
    let request = Request { line: line.into(), headers: headers.to_ascii_lowercase() };
    seen.lock().unwrap().push(request.clone());
    for reply in script(&request) {
        match reply {
            Reply::Send(text) => {
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
            // Until the other side hangs up.
            Reply::Hang => while stream.read_u8().await.is_ok() {},
        }
    }
}

/// An answer with a body.
pub(crate) fn reply(status: &str, headers: &str, body: &str) -> Vec<Reply> {
    let length = body.len();
    vec![Reply::Send(format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    ))]
}

/// An event of a user's own.
pub(crate) fn event(n: u64) -> Value {
    json!({
        "specversion": "1.0", "id": n.to_string(), "source": "elsewhere", "subject": "match/m/1",
        "type": "x.test", "data": {"n": n}, "seq": 1000 + n, "custom": "attribute",
    })
}

/// A server with settings in a file, in a folder of its own.
pub(crate) struct Fetching {
    folder: TempDir,
    server: Option<Server>,
}

impl Fetching {
    /// Starts it with an upstream called `u`, which is tried again soon.
    pub(crate) fn start(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("[upstream.u]\nretry = \"5ms\"\ncooldown = \"100ms\"\n{settings}");
        std::fs::write(folder.path().join("matchwire.toml"), text).unwrap();
        let mut fetching = Self { folder, server: None };
        fetching.begin();
        fetching
    }

    pub(crate) fn begin(&mut self) {
        let (data, file) = (self.data(), self.folder.path().join("matchwire.toml"));
        let flags = ["--config", file.to_str().unwrap()];
        self.server = Some(Server::start_with(&data, "127.0.0.1:0", &flags));
    }

    pub(crate) fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    pub(crate) fn terminate(&mut self) {
        assert!(self.server.take().unwrap().terminate().success());
    }

    fn data(&self) -> std::path::PathBuf {
        Path::new(self.folder.path()).join("data")
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        self.server().client()
    }

    /// How the upstream is.
    pub(crate) async fn upstream(&self) -> Value {
        self.client().get("/upstreams").await.unwrap()["upstreams"][0].clone()
    }

    /// Waits until something about the upstream is true.
    pub(crate) async fn until(&self, what: &str, is_true: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let upstream = self.upstream().await;
            if is_true(&upstream) {
                return upstream;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{what}: {upstream}");
            tokio::task::yield_now().await;
        }
    }

    /// The numbers of the events that are there, in order, once there are so many.
    pub(crate) async fn numbers(&self, count: u64) -> Vec<u64> {
        let begun = Instant::now();
        loop {
            let path = "/events?subject=match/m/1&limit=1000";
            let events = self.client().get(path).await.unwrap();
            let events = events["events"].as_array().unwrap().clone();
            if events.len() as u64 >= count {
                return events.iter().map(|event| event["data"]["n"].as_u64().unwrap()).collect();
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{} of {count}", events.len());
            tokio::task::yield_now().await;
        }
    }

    /// The dead letters, once there are so many.
    pub(crate) async fn letters(&self, count: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let letters = self.client().get("/dead-letters").await.unwrap();
            let letters = letters["dead_letters"].as_array().unwrap().clone();
            if letters.len() >= count {
                return letters;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{} of {count}", letters.len());
            tokio::task::yield_now().await;
        }
    }
}
