//! How a person's name or text is sealed for an event.
//!
//! ChaCha20-Poly1305 with a key of the person's for the purpose, bound to the player, the purpose and the identity of the
//! event. The nonce is made from what is sealed, so that the same event that comes again has the same bytes and is known
//! as the same; what that tells is whether two sealings of one event are of one text. (A synthetic nonce, as of
//! SIV, RFC 5297, cut to the 96 bits that the cipher takes.)

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest, hmac,
};

/// The size of a key, in bytes.
pub(crate) const KEY_BYTES: usize = 32;
/// The size of an event's identity, in bytes.
const IDENTITY_BYTES: usize = 16;

/// What a key is for. Each can be destroyed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// Names, in line-ups.
    Names,
    /// Texts, in messages.
    Texts,
}

impl Purpose {
    /// As it stands in the file.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Names => "names",
            Self::Texts => "texts",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Names, Self::Texts].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// Which event something is sealed for: a hash of its subject, source and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity([u8; IDENTITY_BYTES]);

impl Identity {
    /// Of an event.
    pub fn of(subject: &str, source: &str, id: &str) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        for text in [subject, source, id] {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        let hash = hash.finish();
        let bytes = hash.as_ref().first_chunk().copied();
        Self(bytes.unwrap_or_default())
    }
}

/// A person's key for a purpose.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) bytes: [u8; KEY_BYTES],
}

impl Key {
    /// Seals a text for an event.
    pub(crate) fn seal(
        &self,
        player: &str,
        purpose: Purpose,
        event: Identity,
        plain: &str,
    ) -> Option<String> {
        let bound = bound(player, purpose, event);
        let mut hash = hmac::Context::with_key(&self.derived("nonce"));
        hash.update(&(bound.len() as u64).to_le_bytes());
        hash.update(&bound);
        hash.update(plain.as_bytes());
        let nonce: [u8; NONCE_LEN] = *hash.sign().as_ref().first_chunk()?;
        let mut sealed = plain.as_bytes().to_vec();
        let aad = Aad::from(bound);
        let key = self.cipher()?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).ok()?;
        Some(BASE64.encode([event.0.as_slice(), &nonce, &sealed].concat()))
    }

    /// Opens what was sealed for a player; nothing if it was changed or is another's.
    pub(crate) fn open(&self, player: &str, purpose: Purpose, sealed: &str) -> Option<String> {
        let mut bytes = BASE64.decode(sealed).ok()?;
        let (event, rest) = bytes.split_at_mut_checked(IDENTITY_BYTES)?;
        let event = Identity(*event.first_chunk()?);
        let (nonce, text) = rest.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let aad = Aad::from(bound(player, purpose, event));
        let plain = self.cipher()?.open_in_place(nonce, aad, text).ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }

    fn derived(&self, label: &str) -> hmac::Key {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &self.bytes);
        hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, label.as_bytes()).as_ref())
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, &self.bytes);
        let key = UnboundKey::new(&CHACHA20_POLY1305, hmac::sign(&root, b"seal").as_ref()).ok()?;
        Some(LessSafeKey::new(key))
    }
}

/// What a sealed text is bound to.
fn bound(player: &str, purpose: Purpose, event: Identity) -> Vec<u8> {
    [purpose.as_str().as_bytes(), &[0], player.as_bytes(), &[0], &event.0].concat()
}
