//! The keys of the days, and what is done with one.
//!
//! ChaCha20-Poly1305, bound to the file and the day. The nonce is made from what is sealed, so that the same content has the
//! same bytes for a day, and is not stored again by each process that opens the back-up. (A synthetic nonce, as of SIV, RFC
//! 5297, cut to the 96 bits that the cipher takes.)

use std::{fs, io, os::unix::fs::DirBuilderExt as _};

use matchwire_vault::{files, hex};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

use super::Safe;
use crate::{Day, Error, error::blocking};

const FOLDER: &str = "keys";
/// The size of a key, in bytes.
const KEY_BYTES: usize = 32;
/// So many days after the day on which it was made a key is destroyed, with that day's first round: none gets older.
const MAX_DAYS: i64 = 30;

/// The key of a day, as it is used.
pub(crate) struct Key {
    day: Day,
    root: hmac::Key,
}

impl Key {
    fn parse(day: Day, text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let bytes: [u8; KEY_BYTES] = hex::decode(text.strip_suffix('\n')?)?;
        Some(Self { day, root: hmac::Key::new(hmac::HMAC_SHA256, &bytes) })
    }

    /// Seals a file.
    pub(crate) fn seal(&self, file: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        let bound = self.bound(file);
        let derived = hmac::sign(&self.root, b"nonce");
        let mut hash =
            hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()));
        hash.update(&(bound.len() as u64).to_le_bytes());
        hash.update(bound.as_bytes());
        hash.update(plain);
        let mut nonce = [0; NONCE_LEN];
        nonce.iter_mut().zip(hash.sign().as_ref()).for_each(|(to, from)| *to = *from);
        let mut sealed = plain.to_vec();
        let with = Nonce::assume_unique_for_key(nonce);
        let done = self.cipher().and_then(|cipher| {
            cipher.seal_in_place_append_tag(with, Aad::from(bound.as_bytes()), &mut sealed).ok()
        });
        done.ok_or_else(|| {
            let what = format!("cannot seal {file}, which has {} bytes", plain.len());
            Error::File { what, source: io::Error::other("the cipher failed") }
        })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed as the file on the key's day; nothing if it is anything else.
    pub(crate) fn open(&self, file: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let bound = self.bound(file);
        let plain = self.cipher()?.open_in_place(nonce, Aad::from(bound.as_bytes()), &mut text);
        plain.ok().map(|plain| plain.to_vec())
    }

    fn bound(&self, file: &str) -> String {
        format!("{} {file}", self.day)
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        let derived = hmac::sign(&self.root, b"seal");
        Some(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, derived.as_ref()).ok()?))
    }
}

impl Safe {
    /// The key of a day, unless it is destroyed. One that ought to be is taken for it.
    pub(crate) async fn key(&self, day: Day) -> Result<Option<Key>, Error> {
        if self.today().days_since(day) >= MAX_DAYS {
            return Ok(None);
        }
        let name = name(day);
        let Some((bytes, _)) = self.store()?.read(&format!("{FOLDER}/{name}")).await? else {
            return Ok(None);
        };
        let damaged = || {
            let what = format!("{FOLDER}/{name} must be {} hexadecimal digits", 2 * KEY_BYTES);
            self.wrong(format!(
                "{what} and a line break; remove it, and the next round makes a new one"
            ))
        };
        Key::parse(day, &bytes).map(Some).ok_or_else(damaged)
    }

    /// The key of a day, made if need be. It is durable.
    pub(crate) async fn key_or_new(&self, day: Day) -> Result<Key, Error> {
        let _lock = self.lock().await?;
        if let Some(key) = self.key(day).await? {
            return Ok(key);
        }
        let mut bytes = [0; KEY_BYTES];
        let cannot = || format!("cannot make a key in the safe {}", self.name());
        let no_bytes = |_| io::Error::other("no random bytes");
        SystemRandom::new().fill(&mut bytes).map_err(no_bytes).map_err(Error::file(cannot()))?;
        let text = format!("{}\n", hex::encode(&bytes));
        if let Some(safe) = self.directory() {
            let make = move || {
                let folder = safe.join(FOLDER);
                fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
                files::sync_folder(&safe)?;
                files::replace(&folder, &name(day), text.as_bytes())
            };
            blocking(make).await?.map_err(Error::file(cannot()))?;
        } else {
            let name = format!("{FOLDER}/{}", name(day));
            match self.store()?.replace(&name, text.into(), None).await {
                // Somebody else made it at the same time: theirs counts.
                Err(Error::Busy(_)) => {}
                made => drop(made?),
            }
        }
        let made = self.key(day).await?;
        made.ok_or_else(|| self.wrong(format!("the key of {day} is gone as soon as it was made")))
    }

    /// Destroys the keys that are of an age.
    pub(crate) async fn destroy_expired(&self, today: Day) -> Result<(), Error> {
        let store = self.store()?;
        for object in store.list(FOLDER).await? {
            let file = object.rsplit('/').next().unwrap_or_default().to_owned();
            // What a crash has left of one that was to be made begins with the day as well.
            let Some(day) = file.get(..10).and_then(Day::parse) else { continue };
            if today.days_since(day) < MAX_DAYS {
                continue;
            }
            if let Some(folder) = self.directory().map(|safe| safe.join(FOLDER)) {
                let destroyed = blocking(move || files::destroy(&folder, &file)).await?;
                destroyed.map_err(Error::file(format!("cannot destroy the key of {day}")))?;
            } else {
                store.remove(&object).await?;
            }
            tracing::info!(%day, safe = self.name(), "the key of a day is destroyed");
        }
        Ok(())
    }
}

fn name(day: Day) -> String {
    format!("{day}.key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(day: &str, digit: &str) -> Key {
        Key::parse(Day::parse(day).unwrap(), format!("{}\n", digit.repeat(64)).as_bytes()).unwrap()
    }

    #[test]
    fn what_is_sealed_is_bound_to_the_file_the_day_and_the_key() {
        let one = key("2026-11-26", "1");
        for plain in [b"".as_slice(), b"steam:1", &[7; 10_000]] {
            let sealed = one.seal("people", plain).unwrap();
            assert_eq!(one.seal("people", plain).unwrap(), sealed, "the same bytes for a day");
            assert_eq!(one.open("people", &sealed).unwrap(), plain);
            assert_eq!(one.open("readers", &sealed), None);
            assert_eq!(key("2026-11-27", "1").open("people", &sealed), None);
            assert_eq!(key("2026-11-26", "2").open("people", &sealed), None);
            let mut changed = sealed.clone();
            changed[5] ^= 1;
            assert_eq!(one.open("people", &changed), None);
            assert_eq!(one.open("people", &sealed[..11]), None);
        }
        assert_ne!(one.seal("a", b"x").unwrap()[..12], one.seal("a", b"y").unwrap()[..12]);
    }

    #[test]
    fn what_is_no_key() {
        let day = Day::parse("2026-11-26").unwrap();
        for text in ["", "00\n", &"0".repeat(64), &format!("{}\n", "g".repeat(64))] {
            assert!(Key::parse(day, text.as_bytes()).is_none(), "{text:?}");
        }
    }
}
