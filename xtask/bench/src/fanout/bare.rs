//! The reference: a loop that writes the same bytes to every socket, one write for each frame.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, ChildStdin, Command, Stdio},
};

use anyhow::Context;

use super::{
    Layout,
    clients::{Protocol, now_ns},
};
use crate::{batch::Batch, server::kill};

/// The size of a frame of Matchwire for an event of 300 bytes.
const FRAME_BYTES: usize = 640;

/// A process that writes.
pub(super) struct Bare {
    child: Child,
    address: SocketAddr,
    orders: ChildStdin,
}

impl Bare {
    pub(super) fn start(layout: Layout) -> anyhow::Result<Self> {
        let clients = (layout.topics * layout.clients).to_string();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--bare", &clients])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start this program again")?;
        let orders = child.stdin.take().context("it has an input")?;
        let mut first = String::new();
        BufReader::new(child.stdout.take().context("it has an output")?).read_line(&mut first)?;
        Ok(Self { child, address: first.trim().parse()?, orders })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn protocol() -> Protocol {
        Protocol::Bare { size: FRAME_BYTES }
    }

    pub(super) fn publish(&mut self, burst: usize) -> anyhow::Result<()> {
        Ok(writeln!(self.orders, "{burst}")?)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// The process: accepts so many clients, then writes so many frames to each as a line says.
pub(crate) fn serve(clients: usize) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?);
    io::stdout().flush()?;
    let mut sockets = Vec::with_capacity(clients);
    for _ in 0..clients {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        sockets.push(socket);
    }
    let mut batch = Batch::new("x.bench", "b000", 1);
    for line in io::stdin().lock().lines() {
        for _ in 0..line?.trim().parse::<usize>()? {
            let mut frame = batch.body(|_| now_ns()).to_vec();
            frame.resize(FRAME_BYTES, b' ');
            for socket in &mut sockets {
                TcpStream::write_all(socket, &frame)?;
            }
        }
    }
    Ok(())
}
