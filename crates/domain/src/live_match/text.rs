//! Texts that stand in events, each with a bound that its schema tells too.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::declare::bounded;

bounded! {
    /// A name or other short text, at most 128 characters.
    Label(String), 128, "maxLength", |text| text.chars().count();
    /// A person: a player id, or an account (`steam:…`), which is exchanged at admission.
    Player(String), 128, "maxLength", |text| text.chars().count();
}

/// What a sealed name begins with; what follows is base64url without padding. The version is reached by disks.
const SEALED: &str = "~1.";
/// A name that was sealed for nobody: the person has been erased.
const UNREADABLE: &str = "~0";
/// How long a name may be that a sender tells, in characters.
const MAX_PLAIN: usize = 128;
/// How long a sealed name may be, in bytes.
const MAX_SEALED: usize = 1_024;

/// A person's name. A sender tells it as it is, in at most 128 characters; admission seals it with a key of that person's,
/// so that the log has it in a form that nobody reads once the key is destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonName(String);

impl PersonName {
    /// A name of the first 128 characters of a text, as a sender tells it.
    pub fn cut(text: &str) -> Self {
        Self(text.chars().take(MAX_PLAIN).collect())
    }

    /// A name in its sealed form, base64url without padding.
    pub fn sealed(text: &str) -> Self {
        Self(format!("{SEALED}{text}"))
    }

    /// The name of somebody who has been erased.
    pub fn unreadable() -> Self {
        Self(UNREADABLE.into())
    }

    /// The name as it stands in the event.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is sealed, if it is in the sealed form.
    pub fn as_sealed(&self) -> Option<&str> {
        let text = self.0.strip_prefix(SEALED)?;
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        Some(text).filter(|text| !text.is_empty() && text.bytes().all(is_base64))
    }

    /// The name, if it is not in the sealed form.
    pub fn plain(&self) -> Option<&str> {
        Some(self.as_str()).filter(|text| *text != UNREADABLE && self.as_sealed().is_none())
    }
}

impl<'de> Deserialize<'de> for PersonName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Self(String::deserialize(deserializer)?);
        let fits = match name.as_sealed() {
            Some(_) => name.0.len() <= MAX_SEALED,
            None => name.0.chars().count() <= MAX_PLAIN,
        };
        let too_long = || serde::de::Error::custom("a name is over its maxLength of 128");
        fits.then_some(name).ok_or_else(too_long)
    }
}

impl JsonSchema for PersonName {
    fn schema_name() -> Cow<'static, str> {
        "PersonName".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> Schema {
        let mut schema = String::json_schema(generator);
        schema.insert("maxLength".into(), MAX_PLAIN.into());
        schema.insert("x-sealed".into(), true.into());
        schema
    }
}

/// Who people are, for those who may see it.
pub trait Identities: Send + Sync {
    /// The outside account of a player id.
    fn account_of(&self, player: &str) -> Option<String>;

    /// A player's name, from its sealed form; nothing where the key has been destroyed.
    fn name_of(&self, player: &str, sealed: &PersonName) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String> + Send + Sync> Identities for F {
    fn account_of(&self, player: &str) -> Option<String> {
        self(player)
    }

    fn name_of(&self, _player: &str, _sealed: &PersonName) -> Option<String> {
        None
    }
}

/// A name as a state shows it: not before it was revealed, unless it came in clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ShownName {
    shown: Option<String>,
    #[serde(skip)]
    sealed: Option<PersonName>,
}

impl ShownName {
    /// Of a name in an event.
    pub fn of(name: &PersonName) -> Self {
        match name.plain() {
            Some(plain) => Self { shown: Some(plain.into()), sealed: None },
            None => Self { shown: None, sealed: Some(name.clone()) },
        }
    }

    /// The name, if it can be seen.
    pub fn as_deref(&self) -> Option<&str> {
        self.shown.as_deref()
    }

    /// A copy of the name, if it can be seen.
    pub fn shown(&self) -> Option<String> {
        self.shown.clone()
    }

    /// Whether there is nothing to show.
    pub fn is_hidden(&self) -> bool {
        self.shown.is_none()
    }

    /// Shows it, as far as `people` can open it.
    pub fn reveal(&mut self, player: &str, people: &dyn Identities) {
        if let (None, Some(sealed)) = (&self.shown, &self.sealed) {
            self.shown = people.name_of(player, sealed);
        }
    }
}

impl Label {
    /// A label of the first 128 characters of a text.
    pub fn cut(text: &str) -> Self {
        Self(text.chars().take(128).collect())
    }
}

impl Player {
    /// A player id or account; longer than 128 characters it is cut.
    pub fn new(text: &str) -> Self {
        Self(text.chars().take(128).collect())
    }
}
