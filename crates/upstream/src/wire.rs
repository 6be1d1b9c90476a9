//! Requests to an upstream: one client for all three kinds, with the same trust, headers and
//! times-out.

use std::{error::Error as _, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response, Url, header, redirect::Policy};

use crate::Feed;

/// The largest body or message that is read, in bytes, after decompression.
pub(crate) const MAX_BYTES: usize = 16 << 20;
/// How many redirects are followed.
const MAX_REDIRECTS: usize = 3;
/// The longest wait that an upstream may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(10);

/// Why nothing could be had of an upstream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It cannot be reached, or the connection broke.
    #[error("{0}")]
    Connection(String),
    /// It was silent for too long.
    #[error("it said nothing for {0:?}")]
    Silent(Duration),
    /// It answered with a status that is no success.
    #[error("it answered {status}{}", about(.detail))]
    Status {
        /// The status.
        status: u16,
        /// How long it wants to be left alone.
        after: Option<Duration>,
        /// The beginning of what it said.
        detail: String,
    },
    /// It closed the connection, as it may.
    #[error("it closed the connection{}", about(.what))]
    Closed {
        /// What it said.
        what: String,
        /// How long it wants to be left alone.
        after: Duration,
    },
    /// It sent more than is read.
    #[error("it sent more than {MAX_BYTES} bytes at once")]
    TooLarge,
    /// What it sent is not what was asked for.
    #[error("{what}")]
    Content {
        /// What is wrong with it.
        what: String,
        /// What it sent.
        body: Bytes,
    },
}

fn about(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

impl Trouble {
    /// Whether it takes a person to put it right, so that there is no use in trying soon.
    pub(crate) fn is_hopeless(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                (400..500).contains(status) && !matches!(status, 408 | 425 | 429)
            }
            _ => false,
        }
    }

    /// How long it wants to be left alone at least.
    pub(crate) fn after(&self) -> Duration {
        match self {
            Self::Status { after, .. } => after.unwrap_or_default().min(MAX_RETRY_AFTER),
            Self::Closed { after, .. } => (*after).min(MAX_RETRY_AFTER),
            _ => Duration::ZERO,
        }
    }
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        // What it says first is that it could not; the causes say why. The URL may hold a secret.
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self::Connection(text)
    }
}

/// A client for an upstream.
pub(crate) fn client(feed: &Feed) -> Result<Client, Trouble> {
    // The client takes its TLS from here; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .user_agent(concat!("matchwire/", env!("CARGO_PKG_VERSION")))
        .default_headers(feed.headers.clone())
        .redirect(Policy::limited(MAX_REDIRECTS))
        .connect_timeout(feed.timeout)
        .http1_only();
    Ok(client.build()?)
}

/// The address from a cursor on.
pub(crate) fn url(feed: &Feed, cursor: Option<&str>) -> Url {
    let mut url = feed.url.clone();
    if let (Some(cursor), false) = (cursor, feed.cursor_param.is_empty()) {
        let others: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| *name != feed.cursor_param)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(others).append_pair(&feed.cursor_param, cursor);
    }
    url
}

/// The trouble that a status is, with the beginning of the body.
pub(crate) async fn refused(mut response: Response) -> Trouble {
    const QUOTED: usize = 300;
    let status = response.status();
    let after = response.headers().get(header::RETRY_AFTER);
    let after = after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let mut said = Vec::new();
    while said.len() < QUOTED
        && let Ok(Some(piece)) = response.chunk().await
    {
        said.extend_from_slice(piece.get(..QUOTED).unwrap_or(&piece));
    }
    let said = String::from_utf8_lossy(said.get(..QUOTED).unwrap_or(&said)).into_owned();
    let detail = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let after = after.map(Duration::from_secs);
    Trouble::Status { status: status.as_u16(), after, detail }
}

/// A body as a whole.
pub(crate) async fn body(mut response: Response) -> Result<Bytes, Trouble> {
    let declared = response.content_length().and_then(|length| usize::try_from(length).ok());
    if declared.is_some_and(|length| length > MAX_BYTES) {
        return Err(Trouble::TooLarge);
    }
    let mut all = BytesMut::new();
    while let Some(piece) = response.chunk().await? {
        if all.len() + piece.len() > MAX_BYTES {
            return Err(Trouble::TooLarge);
        }
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}
