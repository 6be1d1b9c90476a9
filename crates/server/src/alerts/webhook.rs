//! Posts alerts to a URL.

use std::{error::Error as _, fmt, time::Duration};

use anyhow::{anyhow, bail};
use reqwest::{Client, Url, redirect::Policy};
use serde_json::{Value, json};

use super::{Alert, Format};

/// How long a post may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest message that Discord takes, in characters.
const MAX_DISCORD: usize = 2_000;
/// How much of a refusal is told, in bytes.
const MAX_TOLD: usize = 200;

/// A URL to which alerts are posted.
#[derive(Clone)]
pub(super) struct Webhook {
    url: Url,
    format: Format,
    client: Client,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Webhook {
    pub(super) fn new(url: &str, format: Format) -> anyhow::Result<Self> {
        // What is wrong is told without the URL.
        let url = Url::parse(url).map_err(|error| anyhow!("it is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            bail!("its scheme is {:?}, and must be http or https, with a host", url.scheme());
        }
        // The client takes its TLS from here; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("matchwire/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .http1_only()
            .build()?;
        Ok(Self { url, format, client })
    }

    /// Where it is, without what may be a secret.
    pub(super) fn shown(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{host}{port}/…", self.url.scheme())
    }

    pub(super) async fn post(&self, alert: &Alert) -> anyhow::Result<()> {
        let body = body(alert, self.format).to_string();
        let request = self.client.post(self.url.clone()).body(body);
        let request = request.header("content-type", "application/json");
        let answer = request.send().await.map_err(|error| anyhow!(causes(error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let mut text = answer.text().await.unwrap_or_default();
        text.truncate(
            (0..=MAX_TOLD.min(text.len())).rfind(|at| text.is_char_boundary(*at)).unwrap_or(0),
        );
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        bail!("it answers {status}: {text}")
    }
}

fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn body(alert: &Alert, format: Format) -> Value {
    let mark = if alert.is_well { "Well again" } else { "Alert" };
    match format {
        Format::Json => alert.json(),
        Format::Slack => {
            let escaped =
                |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let (title, text) = (escaped(&alert.title), escaped(&alert.text));
            json!({"text": format!("*{mark}: {title}*\n{text}")})
        }
        Format::Discord => {
            let text = format!("**{mark}: {}**\n{}", alert.title, alert.text);
            let text: String = text.chars().take(MAX_DISCORD).collect();
            // Nobody is called by what stands in it.
            json!({"content": text, "allowed_mentions": {"parse": []}})
        }
    }
}
