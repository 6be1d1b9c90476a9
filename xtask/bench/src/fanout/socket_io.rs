//! socket.io 4, as its documentation has it: a room for each topic, WebSocket alone.

use std::{
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use anyhow::Context;

use super::{Layout, clients::Protocol};
use crate::{batch::Batch, server::kill};

/// The server: a client names its room, and a line on the input how many events each room gets.
const SCRIPT: &str = r#"
const { createServer } = require("node:http");
const { Server } = require("socket.io");
const [topics, event] = [Number(process.argv[1]), process.argv[2]];
const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.on("connection", (socket) => socket.join(socket.handshake.query.room));
const stamp = () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
const publish = (line) => {
  for (let n = 0; n < Number(line); n += 1) {
    for (let topic = 0; topic < topics; topic += 1) {
      const id = stamp().toString(16).padStart(16, "0");
      io.to(`t${topic}`).emit("event", event.replace("0000000000000000", id));
    }
  }
};
require("node:readline").createInterface({ input: process.stdin }).on("line", publish);
http.listen(0, "127.0.0.1", () => {
  const { address, port } = http.address();
  console.log(`${address}:${port}`);
});
"#;

pub(super) struct SocketIo {
    child: Child,
    address: SocketAddr,
    orders: ChildStdin,
}

impl SocketIo {
    /// Starts it from a folder in which npm has installed it; nothing if there is none.
    pub(super) fn start(layout: Layout, npm: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let Some(npm) = npm.filter(|npm| npm.join("node_modules/socket.io").is_dir()) else {
            return Ok(None);
        };
        let event = Batch::new("x.bench", "b000", 1).body(|_| 0);
        let event = std::str::from_utf8(&event)?.trim();
        let mut child = Command::new("node")
            .args(["-e", SCRIPT, &layout.topics.to_string(), event])
            .current_dir(npm)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start node")?;
        let orders = child.stdin.take().context("it has an input")?;
        let mut first = String::new();
        BufReader::new(child.stdout.take().context("it has an output")?).read_line(&mut first)?;
        Ok(Some(Self { child, address: first.trim().parse()?, orders }))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn protocol() -> Protocol {
        Protocol::Web {
            path: |topic| format!("/socket.io/?EIO=4&transport=websocket&room=t{topic}"),
            header: "",
            hello: None,
            greetings: 2,
            is_engine_io: true,
        }
    }

    pub(super) fn publish(&mut self, burst: usize) -> anyhow::Result<()> {
        Ok(writeln!(self.orders, "{burst}")?)
    }
}

impl Drop for SocketIo {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}
