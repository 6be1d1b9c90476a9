//! What a sender is told of a limit: `RateLimit-Policy` and `RateLimit`, as
//! draft-ietf-httpapi-ratelimit-headers-10 has them, and `Retry-After`.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// How a sender stands to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// Which limit: `source` or `overload`.
    pub policy: &'static str,
    /// How many events it lets through in a second.
    pub quota: u64,
    /// How many of those can be sent now.
    pub remaining: u64,
    /// In how many seconds there are more.
    pub reset_s: u64,
}

impl Advice {
    /// Writes it into a response's head; `Retry-After` only where something was refused.
    pub(crate) fn write(&self, headers: &mut HeaderMap, is_refused: bool) {
        let Self { policy, quota, remaining, reset_s } = self;
        let mut put = |name, text: String| {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        };
        put(POLICY, format!("\"{policy}\";q={quota};w=1"));
        put(LIMIT, format!("\"{policy}\";r={remaining};t={reset_s}"));
        if is_refused {
            put(header::RETRY_AFTER, reset_s.to_string());
        }
    }
}
