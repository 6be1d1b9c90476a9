//! The ids by which a request is found again: the caller's where they make sense, else fresh ones.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header of a request's id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The ids of a request.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// The trace that it belongs to, 32 hexadecimal digits.
    pub(crate) trace_id: String,
    /// The request's own id.
    pub(crate) request_id: HeaderValue,
}

impl Trace {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let trace_id = headers
            .get("traceparent")
            .and_then(|value| value.to_str().ok())
            .and_then(trace_id)
            .map_or_else(fresh, str::to_owned);
        let sane = |value: &&HeaderValue| {
            let good = |b: &u8| b.is_ascii_alphanumeric() || b"._~:+/=-".contains(b);
            (1..=128).contains(&value.len()) && value.as_bytes().iter().all(good)
        };
        let request_id = headers.get(REQUEST_ID).filter(sane).cloned();
        let request_id = request_id
            .or_else(|| HeaderValue::from_str(&trace_id).ok())
            .unwrap_or(HeaderValue::from_static("-"));
        Self { trace_id, request_id }
    }
}

/// The trace id of a W3C `traceparent`.
fn trace_id(traceparent: &str) -> Option<&str> {
    let hex = |text: &&str, length: usize| {
        let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        text.len() == length && text.bytes().all(lower)
    };
    let mut fields = traceparent.split('-');
    fields.next().filter(|version| hex(version, 2) && *version != "ff")?;
    let trace = fields.next().filter(|id| hex(id, 32) && id.bytes().any(|b| b != b'0'))?;
    fields.next().filter(|id| hex(id, 16) && id.bytes().any(|b| b != b'0'))?;
    fields.next().filter(|flags| hex(flags, 2))?;
    Some(trace)
}

/// 32 hexadecimal digits that are not told twice.
pub(crate) fn fresh() -> String {
    static SEEDS: LazyLock<[RandomState; 2]> =
        LazyLock::new(|| [RandomState::new(), RandomState::new()]);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let [high, low] = &*SEEDS;
    format!("{:016x}{:016x}", high.hash_one(count), low.hash_one(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traceparents() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let check = |text: &str, want: Option<&str>| assert_eq!(trace_id(text), want, "{text}");
        check(&format!("00-{id}-00f067aa0ba902b7-01"), Some(id));
        check(&format!("00-{id}-00f067aa0ba902b7"), None);
        check(&format!("ff-{id}-00f067aa0ba902b7-01"), None);
        check(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), None);
        check(&format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()), None);
        check("rubbish", None);
    }

    #[test]
    fn a_request_id_is_echoed_if_it_is_sane() {
        let id = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(value).unwrap());
            Trace::of(&headers).request_id
        };
        assert_eq!(id("abc-1"), "abc-1");
        assert_ne!(id("a b"), "a b");
        assert_ne!(id(&"x".repeat(200)), "x".repeat(200));
    }
}
