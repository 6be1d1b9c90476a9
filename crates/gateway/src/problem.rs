//! Errors of the HTTP surface, RFC 9457, and the one place where they get their statuses.

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header},
    response::IntoResponse,
};
use matchwire_domain::subject;
use matchwire_log::medium::Floor;
use serde_json::{Map, Value, json};

use crate::{admission::Advice, storage};

/// The stable code of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The body is not what its type says.
    BadBody,
    /// The request is not one that is understood.
    BadRequest,
    /// The token that is asked for is missing or wrong.
    Unauthorized,
    /// The peer may not do this from where it is.
    Forbidden,
    /// The peer's audience sees events later, and may not do this.
    DelayedAudience,
    /// A page of another site tries to use this server.
    ForeignOrigin,
    /// The request names a host that this server is not.
    ForeignHost,
    /// There is no such thing.
    NotFound,
    /// The thing has no such method.
    MethodNotAllowed,
    /// The body came too slowly.
    Timeout,
    /// The stream is not where the request requires it to be.
    Conflict,
    /// The body is too large, or has too many events.
    TooLarge,
    /// The body is of no type that is taken here.
    MediaType,
    /// A parameter is unknown or out of range.
    Query,
    /// A name in the path is outside its grammar.
    Path,
    /// The source is over its rate.
    RateLimited,
    /// More is sent than can be taken, and what matters less is refused.
    Overloaded,
    /// Too much is going on; later it may work.
    Busy,
    /// The log takes no more for now.
    LogFull,
    /// The server does not acknowledge from memory.
    MemoryAcks,
    /// The key with which it was sealed was destroyed.
    KeyDestroyed,
    /// What is asked for was removed, as its retention says.
    Trimmed,
    /// What is asked for is in an archive that cannot be read now.
    ArchiveAway,
    /// What is asked for lies at or behind damage of the log.
    Corrupt,
    /// The server fails.
    Internal,
}

impl Code {
    fn parts(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BadBody => ("bad_body", 400, "The body cannot be read"),
            Self::BadRequest => ("bad_request", 400, "The request cannot be read"),
            Self::Unauthorized => ("unauthorized", 401, "A token is needed"),
            Self::Forbidden => ("forbidden", 403, "Not permitted"),
            Self::DelayedAudience => {
                ("delayed_audience", 403, "Not permitted to an audience that sees events later")
            }
            Self::ForeignOrigin => ("foreign_origin", 403, "Not permitted from another site"),
            Self::ForeignHost => ("foreign_host", 421, "This server is not that host"),
            Self::NotFound => ("not_found", 404, "Not found"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "Method not allowed"),
            Self::Timeout => ("timeout", 408, "The request came too slowly"),
            Self::Conflict => ("conflict", 409, "Conflict"),
            Self::TooLarge => ("too_large", 413, "Too large"),
            Self::MediaType => ("media_type", 415, "Unsupported media type"),
            Self::Query => ("query", 422, "A parameter is wrong"),
            Self::Path => ("path", 422, "A name in the path is wrong"),
            Self::RateLimited => ("rate_limited", 429, "The source is over its rate"),
            Self::Overloaded => ("overloaded", 429, "More is sent than can be taken"),
            Self::Busy => ("busy", 503, "Too busy"),
            Self::LogFull => ("log_full", 503, "The log cannot take more now"),
            Self::MemoryAcks => ("memory_acks_off", 403, "Acknowledgements from memory are off"),
            Self::KeyDestroyed => ("key_destroyed", 410, "Nobody can read it any more"),
            Self::Trimmed => ("trimmed", 410, "Removed by retention"),
            Self::ArchiveAway => ("archive_away", 503, "The archive cannot be read now"),
            Self::Corrupt => ("corrupt", 500, "The log is damaged here"),
            Self::Internal => ("internal", 500, "Internal error"),
        }
    }

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        self.parts().0
    }

    /// The status that goes with it.
    pub fn status(self) -> StatusCode {
        StatusCode::from_u16(self.parts().1).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::Timeout,
            413 => Self::TooLarge,
            415 => Self::MediaType,
            500.. => Self::Internal,
            _ => Self::BadRequest,
        }
    }
}

/// What is asked for with a 401 (RFC 6750, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A token: there was none.
    NoToken,
    /// Another token: this one is not good.
    InvalidToken,
}

impl Challenge {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::NoToken => "Bearer",
            Self::InvalidToken => "Bearer error=\"invalid_token\"",
        })
    }
}

/// An answer that says what was wrong and what would be right.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What exactly, for a person.
    pub detail: String,
    /// Of what was trimmed, the last event that is gone.
    pub floor: Option<Floor>,
    /// Of a limit, how the sender stands to it.
    pub advice: Option<Advice>,
    /// Of a person's token, which one is asked for.
    pub(crate) challenge: Option<Challenge>,
}

impl Problem {
    /// A problem.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), floor: None, advice: None, challenge: None }
    }

    /// A problem with the token of a person.
    pub(crate) fn challenging(challenge: Challenge, detail: &str) -> Self {
        Self { challenge: Some(challenge), ..Self::new(Code::Unauthorized, detail) }
    }

    /// The members that are told on every wire: the code, what exactly, and of what was trimmed from
    /// where the stream goes on.
    pub(crate) fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("code".into(), self.code.as_str().into());
        members.insert("detail".into(), self.detail.as_str().into());
        if let Some(Floor { seq, chain }) = self.floor {
            members.insert("floor".into(), json!({"seq": seq, "chain": chain.to_string()}));
        }
        members
    }

    /// The problem of a response that failed without saying why.
    pub(crate) fn of(status: StatusCode) -> Self {
        let code = Code::of(status);
        Self::new(code, code.parts().2)
    }

    /// The response, with the id by which the request can be found again.
    pub(crate) fn render(&self, trace_id: &str) -> Response<Body> {
        let (code, status, title) = self.code.parts();
        let mut body = self.members();
        body.insert("type".into(), format!("urn:matchwire:problem:{code}").into());
        body.insert("title".into(), title.into());
        body.insert("status".into(), status.into());
        body.insert("trace_id".into(), trace_id.into());
        let mut response = Response::new(Body::from(Value::Object(body).to_string()));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(advice) = self.advice {
            advice.write(headers, true);
        }
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge.header());
        }
        if status == 503 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == 408 {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// The front knows the trace id and renders the body; handlers only say what is wrong.
impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<matchwire_log::Error> for Problem {
    fn from(error: matchwire_log::Error) -> Self {
        use matchwire_log::Error;
        let code = match &error {
            Error::Full => Code::LogFull,
            Error::TooLarge { .. } => Code::TooLarge,
            Error::Stopped => Code::Busy,
            Error::Away { .. } => Code::ArchiveAway,
            Error::Trimmed { floor, .. } => {
                let floor = Some(*floor);
                return Self { floor, ..Self::new(Code::Trimmed, error.to_string()) };
            }
            Error::Corrupt { .. } => {
                storage::tell(&error);
                Code::Corrupt
            }
            Error::Unusable { .. } | Error::Io(_) => {
                tracing::error!(%error, "the log failed");
                return Self::new(Code::Internal, "the log failed; see the server's own log");
            }
        };
        Self::new(code, error.to_string())
    }
}

impl From<subject::Error> for Problem {
    fn from(error: subject::Error) -> Self {
        Self::new(Code::Path, error.to_string())
    }
}
