//! Alerts: what an operator is told of over a URL and by e-mail, and the settings of it.
//!
//! The server tells of what it finds out by itself at night. What can be measured at any time is for Prometheus, whose rules
//! are in `ops/alerts.yaml`.

mod mail;
mod webhook;

use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use matchwire_domain::timestamp::Timestamp;
use serde_json::{Value, json};

use self::{mail::Mail, webhook::Webhook};
use crate::{people::Hidden, terminal::print};

/// How often one alert is tried to be sent, and how long is waited after each failure.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(2), Duration::from_secs(10)];

/// Where alerts go; in the file of settings as the table `[alerts]`.
#[derive(Debug, Default, Args)]
pub(crate) struct Settings {
    /// Where alerts are posted: a webhook of Slack or Discord, or a URL of your own. It may be a secret, so rather in the
    /// variable or in the file than on the command line
    #[arg(
        id = "alerts-url",
        long = "alerts-url",
        env = "MATCHWIRE_ALERTS_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    url: Option<Hidden>,
    /// What is posted there
    #[arg(
        id = "alerts-format",
        long = "alerts-format",
        env = "MATCHWIRE_ALERTS_FORMAT",
        value_name = "FORMAT",
        value_enum,
        default_value = "json"
    )]
    format: Format,
    /// Of how many players, or matches and tournaments, in a hundred something must be wrong for an alert; any more than that is one
    #[arg(
        id = "alerts-drift-percent",
        long = "alerts-drift-percent",
        env = "MATCHWIRE_ALERTS_DRIFT_PERCENT",
        value_name = "PERCENT",
        default_value = "1",
        value_parser = percent
    )]
    pub(crate) drift_percent: f64,
    #[command(flatten)]
    smtp: mail::Smtp,
}

/// What is posted to a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// All of it, for a program.
    #[default]
    Json,
    /// A message of Slack.
    Slack,
    /// A message of Discord.
    Discord,
}

/// Something that somebody has to know.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    /// What it is about: `reconcile`.
    pub(crate) about: &'static str,
    /// Whether it is well again.
    pub(crate) is_well: bool,
    /// A line.
    pub(crate) title: String,
    /// Some sentences.
    pub(crate) text: String,
    /// For a program.
    pub(crate) details: Value,
    /// When it was found.
    pub(crate) time: Timestamp,
}

/// Sends alerts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alerts {
    webhook: Option<Webhook>,
    mail: Option<Mail>,
}

impl Settings {
    /// What sends them; an error names the setting. Reads the file with the password.
    pub(crate) fn open(&self) -> anyhow::Result<Alerts> {
        let webhook = self.url.as_ref().map(|url| Webhook::new(url.exposed(), self.format));
        let webhook = webhook.transpose().context("alerts.url")?;
        Ok(Alerts { webhook, mail: self.smtp.open()? })
    }
}

impl Alert {
    fn word(&self) -> &'static str {
        if self.is_well { "resolved" } else { "firing" }
    }

    fn json(&self) -> Value {
        json!({
            "alert": self.about,
            "status": self.word(),
            "title": self.title,
            "text": self.text,
            "time": self.time.to_string(),
            "details": self.details,
        })
    }
}

impl Alerts {
    /// Whether there is nowhere to send them to.
    pub(crate) fn is_empty(&self) -> bool {
        self.webhook.is_none() && self.mail.is_none()
    }

    /// Where they go, for a person.
    pub(crate) fn places(&self) -> Vec<String> {
        let webhook = self.webhook.as_ref().map(Webhook::shown);
        webhook.into_iter().chain(self.mail.as_ref().map(Mail::shown)).collect()
    }

    /// Sends one to every place, each a few times if need be. An error names every place that did not take it.
    pub(crate) async fn send(&self, alert: &Alert) -> anyhow::Result<()> {
        self.send_within(alert, &PAUSES).await
    }

    async fn send_within(&self, alert: &Alert, pauses: &[Duration]) -> anyhow::Result<()> {
        let mut failures = Vec::new();
        if let Some(webhook) = &self.webhook {
            let mut last = None;
            for pause in pauses {
                tokio::time::sleep(*pause).await;
                last = webhook.post(alert).await.err();
                if last.is_none() {
                    break;
                }
            }
            failures.extend(last.map(|error| format!("{}: {error:#}", webhook.shown())));
        }
        if let Some(mail) = &self.mail {
            let mut last = None;
            for pause in pauses {
                tokio::time::sleep(*pause).await;
                last = mail.send(alert).await.err();
                if last.is_none() {
                    break;
                }
            }
            failures.extend(last.map(|error| format!("{}: {error:#}", mail.shown())));
        }
        if failures.is_empty() { Ok(()) } else { bail!("{}", failures.join("; ")) }
    }
}

/// `matchwire alerts test`: sends one of each kind, so that an operator sees what comes.
pub(crate) async fn run_test(settings: &Settings, is_json: bool) -> anyhow::Result<()> {
    let alerts = settings.open()?;
    if alerts.is_empty() {
        bail!("no alerts are set: say where to with alerts.url or alerts.smtp, in --config FILE");
    }
    for is_well in [false, true] {
        let title = if is_well { "A trial, well again" } else { "A trial of Matchwire's alerts" };
        let alert = Alert {
            about: "trial",
            is_well,
            title: title.into(),
            text: "Somebody has asked for it with matchwire alerts test. Nothing is wrong.".into(),
            details: json!({}),
            time: matchwire_log::Clock::now(&matchwire_log::SystemClock),
        };
        alerts.send_within(&alert, &[Duration::ZERO]).await?;
    }
    let places = alerts.places();
    if is_json {
        return Ok(print(&format!("{}\n", json!({"sent": places})))?);
    }
    Ok(print(&format!("An alert and its end were sent to {}\n", places.join(", ")))?)
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|it| (0.0..=100.0).contains(it));
    percent.ok_or_else(|| "must be a number from 0 to 100".into())
}

#[cfg(test)]
mod tests;
