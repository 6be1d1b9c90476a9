//! Game State Integration of CS2 and CS:GO: what a client of the game posts about what it sees.
//!
//! ```text
//! post ──► Snapshot ──► what is new since the client's last one ──► facts ──► drafts
//!             ▲                       ▲   │
//!   previously, added                 └───┴── Carry
//! ```
//!
//! A post is a snapshot, and says itself what was otherwise before. Facts come from what differs
//! from the last snapshot of that client, so a post that is lost costs no more than what only it had
//! said, and one that comes again costs nothing. Who plays sees themselves and whom they watch; a
//! spectator's client sees everyone. Several clients may post about one map: what one has told
//! already, the others do not tell again.
//!
//! A post must say who sends it and when (`provider`), or it is unknown.

mod snapshot;

mod carry;

mod people;
mod reader;
mod rounds;

#[cfg(test)]
mod tests;

pub use carry::Carry;

use matchwire_domain::secret::Secret;
use serde_json::Value;

use crate::{Answer, Post, Refused, Source, source::hash};

/// Game State Integration, as a source.
#[derive(Debug, Clone, Default)]
pub struct Gsi {
    /// What `auth.token` must be; anything, if none is asked for.
    token: Option<Secret>,
}

impl Gsi {
    /// Posts must have this token in their body.
    #[must_use]
    pub fn with_token(self, token: Secret) -> Self {
        Self { token: Some(token) }
    }
}

/// The body, without the token, which goes nowhere.
fn parse(body: &[u8]) -> Option<(Value, Option<String>)> {
    let mut value: Value = serde_json::from_slice(body).ok()?;
    let auth = value.as_object_mut()?.remove("auth");
    let token = auth.as_ref().and_then(|auth| auth.get("token")).and_then(Value::as_str);
    Some((value, token.map(str::to_owned)))
}

impl Source for Gsi {
    type Carry = Carry;

    const NAME: &'static str = "gsi";

    fn admits(&self, post: &Post<'_>) -> Result<(), Refused> {
        let Some(secret) = &self.token else { return Ok(()) };
        let shown = parse(post.body).and_then(|(_, token)| token);
        if shown.is_some_and(|shown| secret.is(&shown)) {
            Ok(())
        } else {
            Err(Refused::Token("auth.token"))
        }
    }

    fn without_secret(&self, body: &[u8]) -> Option<Vec<u8>> {
        parse(body).map(|(value, _)| value.to_string().into_bytes())
    }

    fn is_foreign(&self, post: &Post<'_>) -> bool {
        parse(post.body).is_none()
    }

    fn identity(&self, _: &Carry, post: &Post<'_>) -> String {
        match parse(post.body) {
            Some((value, _)) => {
                let time = value.pointer("/provider/timestamp").and_then(Value::as_u64);
                format!("{}.{}", time.unwrap_or(0), hash(value.to_string()))
            }
            None => hash(post.body),
        }
    }

    fn read(
        &self,
        map: Option<u16>,
        carry: Carry,
        post: &Post<'_>,
        exchange: &mut dyn FnMut(&str) -> String,
    ) -> Answer<Carry> {
        let identity = self.identity(&carry, post);
        let value = parse(post.body).map(|(value, _)| value);
        reader::read(map, carry, value.as_ref(), &identity, exchange)
    }
}
