//! Nchan, a publish and subscribe module of nginx: a channel for each topic, WebSocket subscribers.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bytes::Bytes;

use super::{
    Layout,
    clients::{Protocol, now_ns},
};
use crate::{
    batch::Batch,
    connection::Connection,
    server::{Load, kill},
};

/// Where Debian puts the module.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
/// Connections that publish.
const PUBLISHERS: usize = 8;
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Nchan {
    child: Child,
    address: SocketAddr,
    publishers: Vec<Connection>,
    topics: usize,
    batch: Batch,
    _folder: tempfile::TempDir,
}

impl Nchan {
    /// Starts it; nothing if it is not installed.
    pub(super) async fn start(load: &Load, layout: Layout) -> anyhow::Result<Option<Self>> {
        if !Path::new(MODULE).is_file() {
            return Ok(None);
        }
        let folder = tempfile::Builder::new().prefix("matchwire-nchan-").tempdir_in(&load.dir)?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let config = folder.path().join("nginx.conf");
        fs::write(&config, configuration(folder.path(), address))?;
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start nginx")?;
        let batch = Batch::new("x.bench", "b000", 1);
        let (publishers, topics) = (Vec::new(), layout.topics);
        let mut server = Self { child, address, publishers, topics, batch, _folder: folder };
        let started = Instant::now();
        while server.publishers.len() < PUBLISHERS {
            match Connection::open(address).await {
                Ok(connection) => server.publishers.push(connection),
                Err(error) => {
                    ensure!(started.elapsed() < PATIENCE, "nginx does not listen: {error}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        Ok(Some(server))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn protocol() -> Protocol {
        Protocol::Web {
            path: |topic| format!("/sub/t{topic}"),
            header: "",
            hello: None,
            greetings: 0,
            is_engine_io: false,
        }
    }

    pub(super) async fn publish(&mut self, burst: usize) -> anyhow::Result<()> {
        let Self { publishers, topics, batch, .. } = self;
        for _ in 0..burst {
            let events: Vec<(usize, Bytes)> =
                (0..*topics).map(|topic| (topic, batch.body(|_| now_ns()))).collect();
            let share = events.len().div_ceil(publishers.len());
            let posts = publishers.iter_mut().zip(events.chunks(share));
            let posts = posts.map(|(connection, events)| async move {
                for (topic, event) in events {
                    let status =
                        connection.publish(&format!("/pub/t{topic}"), event.clone()).await?;
                    ensure!((200..300).contains(&status), "Nchan answers {status}");
                }
                Ok(())
            });
            futures_util::future::try_join_all(posts).await?;
        }
        Ok(())
    }
}

impl Drop for Nchan {
    fn drop(&mut self) {
        // The master ends its workers only if it may end in order.
        let quit = Command::new("kill").arg(self.child.id().to_string()).status();
        if quit.is_ok() {
            let _ = self.child.wait();
        }
        kill(&mut self.child);
    }
}

fn configuration(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "load_module {MODULE};
daemon off;
user root;
worker_processes auto;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 19000; }}
http {{
  access_log off;
  nchan_shared_memory_size 256M;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000000;
  tcp_nodelay on;
  server {{
    listen {address} reuseport;
    location ~ /pub/(\\w+)$ {{
      nchan_publisher;
      nchan_channel_id $1;
      nchan_message_buffer_length 20;
    }}
    location ~ /sub/(\\w+)$ {{
      nchan_subscriber websocket;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"
    )
}
