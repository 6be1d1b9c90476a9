//! By what people are known: the settings of their tokens, and what is read of them at the start.

use std::{
    convert::Infallible,
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Args;
use matchwire_gateway::{Keys, People};

/// How much clocks may differ at most.
const MAX_LEEWAY: Duration = Duration::from_mins(1);
/// The largest file with keys, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What is set; in the file of settings as the table `[people]`.
#[derive(Debug, Default, Args)]
pub(crate) struct Tokens {
    /// The secret with which the platform signs the tokens of people (HS256), at least 32 bytes; rather in the variable
    /// or in a file than on the command line, where everybody on the machine sees it
    #[arg(
        long = "people-secret",
        env = "MATCHWIRE_PEOPLE_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    secret: Option<Hidden>,
    /// A file with that secret; a line break at its end is not part of it
    #[arg(long = "people-secret-file", env = "MATCHWIRE_PEOPLE_SECRET_FILE", value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// A PEM file with the public key of Ed25519 of the platform that signs the tokens of people (EdDSA)
    #[arg(long = "people-key", env = "MATCHWIRE_PEOPLE_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// A JWKS file with several such keys and secrets, each with a kid
    #[arg(long = "people-jwks", env = "MATCHWIRE_PEOPLE_JWKS", value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// What the tokens of people must have as iss
    #[arg(long = "people-issuer", env = "MATCHWIRE_PEOPLE_ISSUER", value_name = "TEXT")]
    issuer: Option<String>,
    /// What the tokens of people must have in aud; without it they may have no aud
    #[arg(long = "people-audience", env = "MATCHWIRE_PEOPLE_AUDIENCE", value_name = "TEXT")]
    audience: Option<String>,
    /// For how long a token of a person is good beyond its times, at most 60s, since clocks differ
    #[arg(
        long = "people-leeway",
        env = "MATCHWIRE_PEOPLE_LEEWAY",
        value_name = "TIME",
        default_value = "10s",
        value_parser = leeway
    )]
    leeway: Duration,
}

/// A text that is never printed.
#[derive(Clone)]
pub(crate) struct Hidden(String);

impl FromStr for Hidden {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl Hidden {
    /// The text itself.
    pub(crate) fn exposed(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Tokens {
    /// What tokens are checked against, if any key is set. Reads the files; an error names the setting.
    pub(crate) fn open(&self) -> anyhow::Result<Option<People>> {
        let Self { secret, secret_file, key, jwks, issuer, audience, leeway } = self;
        let keys = match (secret, secret_file, key, jwks) {
            (None, None, None, None) => {
                if issuer.is_some() || audience.is_some() {
                    bail!(
                        "people.issuer and people.audience are for tokens: set a key, too, with people.secret_file, \
                         people.key or people.jwks"
                    );
                }
                return Ok(None);
            }
            (Some(Hidden(secret)), None, None, None) => {
                Keys::secret(secret.as_bytes()).context("people.secret")?
            }
            (None, Some(path), None, None) => {
                let text = read(path).context("people.secret_file")?;
                let secret = text.strip_suffix('\n').unwrap_or(&text);
                let secret = secret.strip_suffix('\r').unwrap_or(secret);
                Keys::secret(secret.as_bytes()).with_context(|| named("secret_file", path))?
            }
            (None, None, Some(path), None) => {
                let text = read(path).context("people.key")?;
                Keys::pem(&text).with_context(|| named("key", path))?
            }
            (None, None, None, Some(path)) => {
                let text = read(path).context("people.jwks")?;
                Keys::jwks(&text).with_context(|| named("jwks", path))?
            }
            _ => bail!(
                "people.secret, people.secret_file, people.key and people.jwks: set one of them; several keys go \
                 into a JWKS"
            ),
        };
        if [issuer, audience].into_iter().flatten().any(String::is_empty) {
            bail!(
                "people.issuer and people.audience must not be empty; leave out what is not to be looked at"
            );
        }
        let leeway_s = leeway.as_secs().try_into().unwrap_or(u32::MAX);
        Ok(Some(People::new(keys, issuer.clone(), audience.clone(), leeway_s)))
    }

    /// How tokens are signed, for a person.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        let kinds = [
            ("HS256", self.secret.is_some() || self.secret_file.is_some()),
            ("EdDSA", self.key.is_some()),
            ("EdDSA or HS256, by kid", self.jwks.is_some()),
        ];
        kinds.into_iter().find_map(|(kind, is_set)| is_set.then_some(kind))
    }
}

fn named(setting: &str, path: &Path) -> String {
    format!("people.{setting} {}", path.display())
}

fn read(path: &Path) -> anyhow::Result<String> {
    let place = || path.display().to_string();
    let size = fs::metadata(path).with_context(place)?.len();
    if size > MAX_FILE_BYTES {
        bail!("{} has {size} bytes, and at most {MAX_FILE_BYTES} are read", path.display());
    }
    fs::read_to_string(path).with_context(place)
}

fn leeway(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).ok();
    let time = time.filter(|time| *time <= MAX_LEEWAY && time.subsec_nanos() == 0);
    time.ok_or_else(|| "must be from 0s to 60s, in whole seconds".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret that is of this test al";

    /// What is wrong with settings of which one names a file with this text.
    fn wrong(text: &str, set: impl Fn(PathBuf) -> Tokens) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, text).unwrap();
        let opened = set(path).open();
        opened.err().map_or_else(String::new, |error| format!("{error:#}"))
    }

    #[test]
    fn keys_are_read_and_what_is_wrong_is_told() {
        let secret = |path| Tokens { secret_file: Some(path), ..Tokens::default() };
        let key = |path| Tokens { key: Some(path), ..Tokens::default() };
        let jwks = |path| Tokens { jwks: Some(path), ..Tokens::default() };
        assert!(Tokens::default().open().unwrap().is_none());
        for good in [SECRET.to_owned(), format!("{SECRET}\n"), format!("{SECRET}\r\n")] {
            assert_eq!(wrong(&good, secret), "");
        }
        let short = format!("{}\n", SECRET.get(1..).unwrap());
        let error = wrong(&short, secret);
        assert!(error.starts_with("people.secret_file /"), "{error}");
        assert!(error.contains("at least 32 bytes") && !error.contains("this test"), "{error}");
        let error = wrong("-----BEGIN RSA PUBLIC KEY-----", key);
        assert!(error.contains("a public key of Ed25519 in PEM"), "{error}");
        assert!(wrong("{}", jwks).contains("people.jwks /"), "{}", wrong("{}", jwks));
        let error = wrong(&" ".repeat(2 << 20), jwks);
        assert!(error.contains("at most 1048576 are read"), "{error}");
        let error = secret("/no/such/file".into()).open().err().unwrap();
        assert!(format!("{error:#}").contains("people.secret_file: /no/such/file: "), "{error:#}");
        let both = |path| Tokens { key: Some("x".into()), ..secret(path) };
        assert!(wrong(SECRET, both).contains("set one of them"));
        let issuer = Some("me".into());
        assert!(Tokens { issuer, ..Tokens::default() }.open().is_err());
        let empty = |path| Tokens { audience: Some(String::new()), ..secret(path) };
        assert!(wrong(SECRET, empty).contains("must not be empty"));
    }

    #[test]
    fn a_leeway_is_short_and_a_secret_is_not_printed() {
        for (text, is_good) in
            [("0s", true), ("1m", true), ("61s", false), ("1500ms", false), ("x", false)]
        {
            assert_eq!(leeway(text).is_ok(), is_good, "{text}");
        }
        let secret = Some(SECRET.parse().unwrap());
        let printed = format!("{:?}", Tokens { secret, ..Tokens::default() });
        assert!(printed.contains("***") && !printed.contains(SECRET), "{printed}");
    }
}
