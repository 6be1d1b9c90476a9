//! Who may do what, as long as there are no keys.
//!
//! Peers on loopback may do everything; others may send events only from the networks that
//! `--insecure-ingest` names, and read only from those of `--insecure-read`. An [audience](crate::audience)
//! that sees events later may only read, and not what counts them as they come. Whoever may do both is the operator, who sees
//! also what is private.
//!
//! Since loopback is open, a page of some other site that runs in a browser on this machine must
//! not get in through it. Two checks keep it out. A request that names a foreign `Origin` may not
//! send anything and may not open a WebSocket (a browser lets any page do both, and tells the
//! origin); reading is harmless, since without CORS headers the page does not see the answer. And
//! the `Host` must be an address, `localhost`, or a name that is configured: a site that points
//! its own name at 127.0.0.1 (DNS rebinding) still names itself there.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Method, header, uri::Authority};
use ipnet::IpNet;

use crate::{
    audience::{self, Audience},
    problem::{Code, Problem},
};

/// What a request wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    /// Send events.
    Ingest,
    /// See anything.
    Read,
    /// See figures of all that comes, as it comes.
    Observe,
    /// See and change what is the operator's: for those who may do both of the others.
    Operate,
    /// Ask whether the server is well.
    Health,
}

/// As whom somebody reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader {
    /// The place of the audience to which they belong.
    pub(crate) audience: Option<usize>,
    /// Whether nothing is private for them.
    pub(crate) is_operator: bool,
}

/// Who may do what.
#[derive(Debug, Clone)]
pub struct Access {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Networks whose peers may send events.
    pub ingest: Vec<IpNet>,
    /// Networks whose peers may read.
    pub read: Vec<IpNet>,
    /// Names by which the server may be called, beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Who sees events when.
    pub audiences: Vec<Audience>,
    /// Networks of proxies that are believed for whom they ask.
    pub proxies: Vec<IpNet>,
}

impl Access {
    /// Loopback alone.
    pub fn loopback(listen: SocketAddr) -> Self {
        Self {
            listen,
            ingest: Vec::new(),
            read: Vec::new(),
            hosts: Vec::new(),
            audiences: Vec::new(),
            proxies: Vec::new(),
        }
    }

    /// Checks a request; the answer is as whom its client reads.
    pub(crate) fn check(
        &self,
        right: Right,
        peer: IpAddr,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Reader, Problem> {
        let client = audience::client(peer, &self.proxies, headers)?;
        let audience = audience::of(&self.audiences, client);
        let check = |right| {
            self.check_client(right, client)?;
            let audience = audience.and_then(|place| self.audiences.get(place));
            audience.map_or(Ok(()), |audience| audience.check(right))
        };
        check(right)?;
        let is_operator = check(Right::Operate).is_ok();
        let host = self.check_host(headers)?;
        let acts = method != Method::GET && method != Method::HEAD && method != Method::OPTIONS;
        if acts || headers.contains_key(header::UPGRADE) {
            check_origin(headers, host)?;
        }
        Ok(Reader { audience, is_operator })
    }

    fn check_client(&self, right: Right, client: IpAddr) -> Result<(), Problem> {
        let (networks, what, flag) = match right {
            Right::Ingest => (&self.ingest, "send events", "--insecure-ingest"),
            Right::Read | Right::Observe => (&self.read, "read", "--insecure-read"),
            Right::Operate => {
                self.check_client(Right::Ingest, client)?;
                return self.check_client(Right::Read, client);
            }
            Right::Health => return Ok(()),
        };
        if client.is_loopback() || networks.iter().any(|network| network.contains(&client)) {
            return Ok(());
        }
        let detail = format!("{client} may not {what} here; {flag} names the networks that may");
        Err(Problem::new(Code::Forbidden, detail))
    }

    fn check_host<'a>(&self, headers: &'a HeaderMap) -> Result<Option<&'a str>, Problem> {
        // HTTP/1.0 has no such header, and no browser speaks it.
        let Some(value) = headers.get(header::HOST) else { return Ok(None) };
        let host = value.to_str().ok();
        let name = host.and_then(name_of);
        let is_ours = |name: &str| {
            let name = name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
            let name = name.to_ascii_lowercase();
            name.parse::<IpAddr>().is_ok()
                || name == "localhost"
                || name.ends_with(".localhost")
                || self.hosts.iter().any(|host| host.eq_ignore_ascii_case(&name))
        };
        if name.as_deref().is_some_and(is_ours) {
            return Ok(host);
        }
        let detail = "the Host header must be an address, localhost or a name that --host gives";
        Err(Problem::new(Code::ForeignHost, detail))
    }
}

fn name_of(host: &str) -> Option<String> {
    host.parse::<Authority>().ok().map(|authority| authority.host().to_owned())
}

fn check_origin(headers: &HeaderMap, host: Option<&str>) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let is_own = |(_, authority): &(&str, &str)| {
        host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
    };
    if authority.as_ref().is_some_and(is_own) {
        return Ok(());
    }
    let detail = "the Origin header names another site; only the server's own pages may do this";
    Err(Problem::new(Code::ForeignOrigin, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access {
            ingest: vec!["10.0.0.0/8".parse().unwrap()],
            read: vec!["0.0.0.0/0".parse().unwrap(), "fd00::/8".parse().unwrap()],
            hosts: vec!["live.example.org".into()],
            ..Access::loopback("0.0.0.0:8080".parse().unwrap())
        }
    }

    fn check(right: Right, peer: &str, headers: &[(&'static str, &str)]) -> Option<Code> {
        let method = if right == Right::Ingest { Method::POST } else { Method::GET };
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let checked = access().check(right, peer.parse().unwrap(), &method, &headers.collect());
        checked.err().map(|problem| problem.code)
    }

    #[test]
    fn peers() {
        assert_eq!(check(Right::Ingest, "127.0.0.1", &[]), None);
        assert_eq!(check(Right::Ingest, "::1", &[]), None);
        assert_eq!(check(Right::Ingest, "::ffff:127.0.0.1", &[]), None);
        assert_eq!(check(Right::Ingest, "10.1.2.3", &[]), None);
        assert_eq!(check(Right::Ingest, "::ffff:10.1.2.3", &[]), None);
        assert_eq!(check(Right::Ingest, "192.168.1.1", &[]), Some(Code::Forbidden));
        assert_eq!(check(Right::Read, "192.168.1.1", &[]), None);
        assert_eq!(check(Right::Read, "2001:db8::1", &[]), Some(Code::Forbidden));
        assert_eq!(check(Right::Health, "2001:db8::1", &[]), None);
        // Who may only send, or only read, is not the operator.
        assert_eq!(check(Right::Operate, "127.0.0.1", &[]), None);
        assert_eq!(check(Right::Operate, "10.1.2.3", &[]), None);
        assert_eq!(check(Right::Operate, "192.168.1.1", &[]), Some(Code::Forbidden));
        assert_eq!(check(Right::Operate, "fd00::1", &[]), Some(Code::Forbidden));
    }

    #[test]
    fn hosts() {
        let host = |host: &str| check(Right::Read, "127.0.0.1", &[("host", host)]);
        for good in ["127.0.0.1:8080", "[::1]:8080", "localhost", "a.localhost:1", "10.0.0.1"] {
            assert_eq!(host(good), None, "{good}");
        }
        assert_eq!(host("LIVE.example.org:443"), None);
        for bad in ["evil.example", "127.0.0.1.evil.example", "", "a b", "user@"] {
            assert_eq!(host(bad), Some(Code::ForeignHost), "{bad}");
        }
    }

    #[test]
    fn origins() {
        let post = |host: &str, origin: &str| {
            check(Right::Ingest, "127.0.0.1", &[("host", host), ("origin", origin)])
        };
        assert_eq!(post("localhost:8080", "http://localhost:8080"), None);
        assert_eq!(post("live.example.org", "https://live.example.org"), None);
        for bad in ["http://evil.example", "null", "http://localhost:9", "localhost:8080"] {
            assert_eq!(post("localhost:8080", bad), Some(Code::ForeignOrigin), "{bad}");
        }
        let read = [("host", "localhost"), ("origin", "http://evil.example")];
        assert_eq!(check(Right::Read, "127.0.0.1", &read), None);
        let upgrade = [read[0], read[1], ("upgrade", "websocket")];
        assert_eq!(check(Right::Read, "127.0.0.1", &upgrade), Some(Code::ForeignOrigin));
    }
}
