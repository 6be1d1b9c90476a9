//! The servers that are compared.

use std::{net::SocketAddr, path::Path};

use super::{
    Layout, bare::Bare, clients::Protocol, matchwire::Matchwire, nchan::Nchan, socket_io::SocketIo,
};
use crate::server::Load;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Bare,
    Matchwire,
    SocketIo,
    Nchan,
}

impl Name {
    /// The reference comes first.
    pub(super) const ALL: [Self; 4] = [Self::Bare, Self::Matchwire, Self::SocketIo, Self::Nchan];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Bare => "bare loop",
            Self::Matchwire => "Matchwire",
            Self::SocketIo => "socket.io",
            Self::Nchan => "Nchan",
        }
    }
}

/// A running server.
pub(super) enum Contestant {
    Bare(Bare),
    Matchwire(Box<Matchwire>),
    SocketIo(SocketIo),
    Nchan(Nchan),
}

impl Contestant {
    /// Starts one; nothing if it is not installed.
    pub(super) async fn start(
        name: Name,
        load: &Load,
        layout: Layout,
        npm: Option<&Path>,
    ) -> anyhow::Result<Option<Self>> {
        Ok(match name {
            Name::Bare => Some(Self::Bare(Bare::start(layout)?)),
            Name::Matchwire => {
                Some(Self::Matchwire(Box::new(Matchwire::start(load, layout).await?)))
            }
            Name::SocketIo => SocketIo::start(layout, npm)?.map(Self::SocketIo),
            Name::Nchan => Nchan::start(load, layout).await?.map(Self::Nchan),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        match self {
            Self::Bare(server) => server.address(),
            Self::Matchwire(server) => server.address(),
            Self::SocketIo(server) => server.address(),
            Self::Nchan(server) => server.address(),
        }
    }

    pub(super) fn protocol(&self) -> Protocol {
        match self {
            Self::Bare(_) => Bare::protocol(),
            Self::Matchwire(_) => Matchwire::protocol(),
            Self::SocketIo(_) => SocketIo::protocol(),
            Self::Nchan(_) => Nchan::protocol(),
        }
    }

    /// Publishes so many events to every topic.
    pub(super) async fn publish(&mut self, burst: usize) -> anyhow::Result<()> {
        match self {
            Self::Bare(server) => server.publish(burst),
            Self::Matchwire(server) => server.publish(burst).await,
            Self::SocketIo(server) => server.publish(burst),
            Self::Nchan(server) => server.publish(burst).await,
        }
    }
}
