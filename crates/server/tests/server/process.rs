//! A server process of a test's own.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Instant,
};

use matchwire_client::{Client, Error};

/// A running server; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens, `127.0.0.1:8080`.
    pub(crate) authority: String,
}

/// The binary under test.
pub(crate) fn matchwire() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_matchwire"));
    command.env_remove("RUST_LOG");
    command
}

impl Server {
    /// Starts a server over a folder and waits until it says where it listens.
    pub(crate) fn start(data: &Path, listen: &str) -> Self {
        Self::start_with(data, listen, &[])
    }

    /// Like [`start`](Self::start), with more flags.
    pub(crate) fn start_with(data: &Path, listen: &str, flags: &[&str]) -> Self {
        let mut child = matchwire()
            .args(["serve", "--listen", listen, "--data"])
            .arg(data)
            // A machine that is busy with other tests is none that has too many events.
            .args(["--admission-target-ms", "60000"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let authority = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (_, rest) = line.split_once("http://")?;
                Some(rest.trim().to_owned())
            })
            .expect("the server says where it listens");
        // What it prints later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, authority }
    }

    /// Sends events of a user's own, numbered on from `first`, each in a request of its own.
    pub(crate) async fn feed(&self, subject: &str, first: u64, count: u64) {
        for n in first..first + count {
            let event = serde_json::json!({
                "specversion": "1.0", "id": n.to_string(), "source": "test", "subject": subject,
                "type": "x.test", "data": {"n": n},
            });
            let headers = [("content-type", "application/cloudevents+json".to_owned())];
            self.client().post("/events", &headers, event.to_string().into()).await.unwrap();
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url()).unwrap()
    }

    /// What is read of a stored view, once that has seen everything.
    pub(crate) async fn viewed(&self, path: &str) -> serde_json::Value {
        let begun = Instant::now();
        loop {
            match self.client().get(path).await {
                // The server has waited already.
                Err(Error::Refused { status: 503, .. }) if begun.elapsed().as_secs() < 300 => {}
                answer => return answer.unwrap(),
            }
        }
    }

    /// What a path answers, whatever its status.
    pub(crate) async fn text(&self, path: &str) -> String {
        self.text_with(path, "").await
    }

    /// Like [`text`](Self::text), with more lines of the head.
    pub(crate) async fn text_with(&self, path: &str, head: &str) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(&self.authority).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\n{head}connection: close\r\n\r\n",
            self.authority
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    /// Ends the process at once, as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
