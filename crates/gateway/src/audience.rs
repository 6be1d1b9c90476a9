//! Audiences that see events later than others, so that nobody there can tell a player, or bet on, what has
//! just happened.
//!
//! An audience is who comes from its networks. Of several the most specific network that contains the
//! peer decides; a peer of no audience sees everything at once. What a delayed audience sees comes from a
//! delayed [`View`](matchwire_log::View) of the log, with folds of its own, through the same code as
//! for all others. It may read, and nothing else; and not what counts events as they come, since that
//! would tell of what it does not see yet.

use std::{net::IpAddr, time::Duration};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use matchwire_log::Delays;

use crate::{
    access::Right,
    problem::{Code, Problem},
};

/// How a proxy tells for whom it asks.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who sees what when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Its name in the settings.
    pub name: String,
    /// Where its peers are. Those on loopback are meant only by a network within loopback.
    pub networks: Vec<IpNet>,
    /// How long it waits for the events of which streams.
    pub delays: Delays,
}

impl Audience {
    /// Whether it sees anything later than others.
    pub(crate) fn is_delayed(&self) -> bool {
        self.delays.longest() > Duration::ZERO
    }

    /// Whether its peers may do something.
    pub(crate) fn check(&self, right: Right) -> Result<(), Problem> {
        if !self.is_delayed() || matches!(right, Right::Read | Right::Health) {
            return Ok(());
        }
        let detail = format!(
            "the audience {} sees events later than others, so it may not send any, nor see what tells \
             of them before",
            self.name
        );
        Err(Problem::new(Code::DelayedAudience, detail))
    }
}

/// The place of the audience to which a peer belongs.
pub(crate) fn of(audiences: &[Audience], peer: IpAddr) -> Option<usize> {
    let fits = |network: &&IpNet| {
        network.contains(&peer) && (!peer.is_loopback() || network.network().is_loopback())
    };
    let mut best: Option<(u8, usize)> = None;
    for (place, audience) in audiences.iter().enumerate() {
        let closest = audience.networks.iter().filter(fits).map(IpNet::prefix_len).max();
        if let Some(length) = closest.filter(|length| best.is_none_or(|(best, _)| *length > best)) {
            best = Some((length, place));
        }
    }
    best.map(|(_, place)| place)
}

/// For whom a request is: the peer, or whom a proxy that is trusted names. Each proxy adds at the end who
/// came to it, so that is where the list is believed, up to the first address that is no such proxy.
pub(crate) fn client(
    peer: IpAddr,
    proxies: &[IpNet],
    headers: &HeaderMap,
) -> Result<IpAddr, Problem> {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let peer = peer.to_canonical();
    if !is_trusted(&peer) {
        return Ok(peer);
    }
    let mut client = peer;
    for value in headers.get_all(FORWARDED_FOR).iter().rev() {
        for named in value.to_str().unwrap_or("-").rsplit(',') {
            client = address(named.trim()).ok_or_else(|| {
                let detail = "X-Forwarded-For must be a list of addresses, as it comes from a \
                              proxy that is trusted";
                Problem::new(Code::BadRequest, detail)
            })?;
            // The loopback of another machine is not ours.
            if client.is_loopback() && !peer.is_loopback() {
                return Ok(peer);
            }
            if !is_trusted(&client) {
                return Ok(client);
            }
        }
    }
    Ok(client)
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|it: std::net::SocketAddr| it.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn the_most_specific_network_decides() {
        let audience = |name: &str, texts: &[&str]| Audience {
            name: name.into(),
            networks: networks(texts),
            delays: Delays::default(),
        };
        let audiences = [
            audience("fans", &["0.0.0.0/0", "::/0"]),
            audience("staff", &["10.0.0.0/8", "127.0.0.8/32"]),
            audience("hall", &["10.2.0.0/16"]),
        ];
        let of = |peer: &str| of(&audiences, peer.parse().unwrap());
        assert_eq!((of("203.0.113.5"), of("2001:db8::1")), (Some(0), Some(0)));
        assert_eq!((of("10.1.0.1"), of("10.2.0.1")), (Some(1), Some(2)));
        assert_eq!((of("127.0.0.1"), of("127.0.0.8"), of("::1")), (None, Some(1), None));
    }

    #[test]
    fn whom_a_proxy_names_is_believed_if_the_proxy_is_trusted() {
        let proxies = networks(&["127.0.0.1/32", "10.0.0.0/8"]);
        let client = |peer: &str, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED_FOR, line.parse().unwrap());
            }
            client(peer.parse().unwrap(), &proxies, &headers).ok().map(|it| it.to_string())
        };
        let is = |address: &str| Some(address.to_owned());
        assert_eq!(client("203.0.113.5", &["198.51.100.1"]), is("203.0.113.5"));
        assert_eq!(client("127.0.0.1", &[]), is("127.0.0.1"));
        assert_eq!(client("127.0.0.1", &["198.51.100.1"]), is("198.51.100.1"));
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), is("198.51.100.1"));
        // What a client wrote itself stands before what the proxies added.
        assert_eq!(client("127.0.0.1", &["127.0.0.1, 198.51.100.1"]), is("198.51.100.1"));
        assert_eq!(client("127.0.0.1", &["rubbish, 198.51.100.1, 10.0.0.2"]), is("198.51.100.1"));
        assert_eq!(client("127.0.0.1", &["198.51.100.1", "10.0.0.2"]), is("198.51.100.1"));
        assert_eq!(client("127.0.0.1", &["198.51.100.1:4711"]), is("198.51.100.1"));
        assert_eq!(client("127.0.0.1", &["[2001:db8::1]:4711"]), is("2001:db8::1"));
        assert_eq!(client("10.0.0.1", &["127.0.0.1"]), is("10.0.0.1"));
        for bad in ["", "unknown", "198.51.100.1,", "_hidden"] {
            assert_eq!(client("127.0.0.1", &[bad]), None, "{bad}");
        }
    }
}
