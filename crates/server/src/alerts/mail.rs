//! Sends alerts by e-mail, over SMTP.

use std::{fmt, fs, net::IpAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use lettre::{
    Message, SmtpTransport, Transport as _,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};

use super::Alert;

/// How long each step of a conversation may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// The largest file with a password, in bytes.
const MAX_PASSWORD_BYTES: u64 = 4_096;
/// How many there are at most to whom alerts are sent.
const MAX_RECEIVERS: usize = 20;

/// How e-mail is sent; in the file of settings as the table `[alerts.smtp]`.
#[derive(Debug, Default, Args)]
pub(super) struct Smtp {
    /// The server that takes alerts as e-mail
    #[arg(
        id = "alerts-smtp-host",
        long = "alerts-smtp-host",
        env = "MATCHWIRE_ALERTS_SMTP_HOST",
        value_name = "HOST"
    )]
    host: Option<String>,
    /// Its port; by default 587 with starttls, 465 with implicit, 25 without TLS
    #[arg(
        id = "alerts-smtp-port",
        long = "alerts-smtp-port",
        env = "MATCHWIRE_ALERTS_SMTP_PORT",
        value_name = "PORT"
    )]
    port: Option<u16>,
    /// How the way there is sealed; none only on this machine
    #[arg(
        id = "alerts-smtp-tls",
        long = "alerts-smtp-tls",
        env = "MATCHWIRE_ALERTS_SMTP_TLS",
        value_name = "TLS",
        value_enum,
        default_value = "starttls"
    )]
    tls: Sealing,
    /// From whom it is: an address, or Name <address>
    #[arg(
        id = "alerts-smtp-from",
        long = "alerts-smtp-from",
        env = "MATCHWIRE_ALERTS_SMTP_FROM",
        value_name = "ADDRESS"
    )]
    from: Option<String>,
    /// To whom it goes; may be given several times
    #[arg(
        id = "alerts-smtp-to",
        long = "alerts-smtp-to",
        env = "MATCHWIRE_ALERTS_SMTP_TO",
        value_name = "ADDRESS",
        value_delimiter = ','
    )]
    to: Vec<String>,
    /// As whom Matchwire signs in there
    #[arg(
        id = "alerts-smtp-user",
        long = "alerts-smtp-user",
        env = "MATCHWIRE_ALERTS_SMTP_USER",
        value_name = "NAME"
    )]
    user: Option<String>,
    /// A file with the password; a line break at its end is not part of it
    #[arg(
        id = "alerts-smtp-password-file",
        long = "alerts-smtp-password-file",
        env = "MATCHWIRE_ALERTS_SMTP_PASSWORD_FILE",
        value_name = "FILE"
    )]
    password_file: Option<PathBuf>,
}

/// How the way to the server is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Sealing {
    /// It begins in the clear, and nothing is said before it is sealed.
    #[default]
    Starttls,
    /// It is sealed from the beginning.
    Implicit,
    /// It is not.
    None,
}

/// A server that takes e-mail, and to whom that goes.
#[derive(Clone)]
pub(super) struct Mail {
    server: SmtpTransport,
    host: String,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Smtp {
    /// What sends e-mail, if a server is set.
    pub(super) fn open(&self) -> anyhow::Result<Option<Mail>> {
        let Some(host) = &self.host else {
            if self.from.is_some() || !self.to.is_empty() || self.user.is_some() {
                bail!("alerts.smtp.host is missing: say which server takes the e-mail");
            }
            return Ok(None);
        };
        let from = self.from.as_ref().context("alerts.smtp.from is missing: an address")?;
        let from = mailbox(from).context("alerts.smtp.from")?;
        let to: anyhow::Result<Vec<Mailbox>> = self.to.iter().map(|it| mailbox(it)).collect();
        let to = to.context("alerts.smtp.to")?;
        if to.is_empty() || to.len() > MAX_RECEIVERS {
            bail!("alerts.smtp.to has {} addresses, and must have 1 to {MAX_RECEIVERS}", to.len());
        }
        if self.tls == Sealing::None && !is_here(host) {
            bail!(
                "alerts.smtp.tls is none, and {host} is not this machine: use starttls or implicit"
            );
        }
        let mut server = SmtpTransport::builder_dangerous(host).timeout(Some(PATIENCE));
        let sealed = || TlsParameters::new(host.clone()).context("alerts.smtp.host");
        server = match self.tls {
            Sealing::Starttls => server.port(587).tls(Tls::Required(sealed()?)),
            Sealing::Implicit => server.port(465).tls(Tls::Wrapper(sealed()?)),
            Sealing::None => server.port(25).tls(Tls::None),
        };
        if let Some(port) = self.port {
            server = server.port(port);
        }
        if let Some(credentials) = self.credentials()? {
            server = server.credentials(credentials);
        }
        Ok(Some(Mail { server: server.build(), host: host.clone(), from, to }))
    }

    fn credentials(&self) -> anyhow::Result<Option<Credentials>> {
        let (user, path) = match (&self.user, &self.password_file) {
            (None, None) => return Ok(None),
            (Some(user), Some(path)) => (user, path),
            _ => bail!("alerts.smtp.user and alerts.smtp.password_file: set both, or neither"),
        };
        let place = || format!("alerts.smtp.password_file {}", path.display());
        let size = fs::metadata(path).with_context(place)?.len();
        if size > MAX_PASSWORD_BYTES {
            bail!("{} has {size} bytes, and at most {MAX_PASSWORD_BYTES} are read", place());
        }
        let text = fs::read_to_string(path).with_context(place)?;
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        Ok(Some(Credentials::new(user.clone(), password.to_owned())))
    }
}

impl Mail {
    /// Where it goes.
    pub(super) fn shown(&self) -> String {
        let to: Vec<String> = self.to.iter().map(|it| it.email.to_string()).collect();
        format!("{} by {}", to.join(", "), self.host)
    }

    pub(super) async fn send(&self, alert: &Alert) -> anyhow::Result<()> {
        let mark = if alert.is_well { "Well again" } else { "Alert" };
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(format!("[Matchwire] {mark}: {}", alert.title))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let details = serde_json::to_string_pretty(&alert.details)?;
        let text = format!("{}\n\n{}\n\n{details}\n", alert.text, alert.time);
        let message = message.body(text)?;
        let server = self.server.clone();
        tokio::task::spawn_blocking(move || server.send(&message)).await??;
        Ok(())
    }
}

fn mailbox(text: &str) -> anyhow::Result<Mailbox> {
    let wrong = || format!("{text:?} must be an e-mail address, or Name <address>");
    text.trim().parse().with_context(wrong)
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
