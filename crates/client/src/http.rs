//! Requests and their answers.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::{Error, Follow};

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// A connection pool to one server. Clones share it.
#[derive(Debug, Clone)]
pub struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    authority: String,
}

impl Client {
    /// A client of the server at an address, `http://127.0.0.1:8080`.
    pub fn new(server: &str) -> Result<Self, Error> {
        let bad = || Error::Address(server.into());
        let uri: Uri = server.parse().map_err(|_| bad())?;
        let plain = uri.scheme_str() == Some("http") && uri.path().len() <= 1;
        let authority = uri.authority().filter(|_| plain).ok_or_else(bad)?;
        let pool = Pool::builder(TokioExecutor::new()).build_http();
        Ok(Self { pool, authority: authority.to_string() })
    }

    /// The server's `host:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Reads a resource below `/api/v1`.
    pub async fn get(&self, path: &str) -> Result<Value, Error> {
        self.call(Method::GET, path, &[], Bytes::new()).await
    }

    /// Posts a body to a resource below `/api/v1`.
    pub async fn post(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Value, Error> {
        self.call(Method::POST, path, headers, body).await
    }

    /// The server's metrics, as text for Prometheus.
    pub async fn metrics(&self) -> Result<String, Error> {
        let (status, _, body) = self.send(Method::GET, "/metrics", &[], Bytes::new()).await?;
        let text = String::from_utf8(body.to_vec()).map_err(|e| Error::Answer(e.to_string()))?;
        if status >= 400 {
            let detail = text.chars().take(500).collect();
            let code = "metrics".into();
            return Err(Error::Refused { status, code, detail, retry_after_s: None });
        }
        Ok(text)
    }

    /// Deletes a resource below `/api/v1`.
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        self.call(Method::DELETE, path, &[], Bytes::new()).await.map(drop)
    }

    /// Follows a topic from after a cursor on.
    pub fn follow(&self, topic: &str, after: &str) -> Follow {
        Follow::new(self.authority.clone(), topic, after)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<(u16, Option<u64>, Bytes), Error> {
        let uri = format!("http://{}{path}", self.authority);
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(HeaderName::from_static(name), value);
        }
        let request = request.body(Full::new(body)).map_err(|e| Error::Answer(e.to_string()))?;
        let answer = tokio::time::timeout(TIMEOUT, async {
            let response = self.pool.request(request).await.map_err(|e| broken(&e))?;
            let status = response.status().as_u16();
            let retry_after = response.headers().get(header::RETRY_AFTER);
            let retry_after_s = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(|e| Error::Connection(e.to_string()))?.to_bytes();
            Ok::<_, Error>((status, retry_after_s, body))
        });
        answer.await.map_err(|_| Error::Timeout(TIMEOUT))?
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<Value, Error> {
        let path = format!("/api/v1{path}");
        let (status, retry_after_s, body) = self.send(method, &path, headers, body).await?;
        if status == 204 {
            return Ok(Value::Null);
        }
        let value = serde_json::from_slice(&body);
        // A refusal of every event of a batch lists its reasons like a partial one.
        if status < 400 {
            return value.map_err(|e| Error::Answer(e.to_string()));
        }
        let problem: Value = value.unwrap_or_default();
        // One event that was refused says why like a problem.
        let only = match problem.get("results").and_then(Value::as_array).map(Vec::as_slice) {
            Some([only]) => only.get("error"),
            _ => None,
        };
        let text = |key: &str| {
            let told = only.unwrap_or(&problem).get(key);
            told.and_then(Value::as_str).unwrap_or("?").to_owned()
        };
        let detail = match problem.get("results") {
            Some(results) if only.is_none() => results.to_string().chars().take(500).collect(),
            _ => text("detail"),
        };
        Err(Error::Refused { status, code: text("code"), detail, retry_after_s })
    }
}

/// An error with what caused it, since the first says little.
fn broken(error: &dyn std::error::Error) -> Error {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    Error::Connection(text)
}
