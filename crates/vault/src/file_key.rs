//! A key in a file of the vault, with which the server seals what is of many people.
//!
//! It is read whenever it is needed and kept nowhere else: who removes the file has destroyed the key
//! at that moment, and with it everything that was sealed with it, in every copy of the log. What is sealed
//! next makes a new one.
//!
//! ChaCha20-Poly1305 with random nonces of 96 bits: after 2^32 sealings with one key two nonces are the
//! same with a probability of 2^-33, and nobody has so many. Both keys that are used are derived from
//! the one in the file by HMAC-SHA256.

use std::{
    io,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use matchwire_domain::dead_letter::Sealed;
use parking_lot::Mutex;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

use crate::{files, hex};

/// The key of the dead letters, in the vault's folder.
pub const LETTER_KEY: &str = "dead-letters.key";
/// The key of what readers of sources remember, in the vault's folder.
pub const READER_KEY: &str = "readers.key";
/// The size of the key, in bytes.
const KEY_BYTES: usize = 32;
/// How many bytes of a hash a name has.
const NAME_BYTES: usize = 16;
/// More than a file with a key has, in bytes.
const MAX_FILE_BYTES: u64 = 1_024;

/// The place of a key.
pub struct FileKey {
    folder: PathBuf,
    file: &'static str,
    label: &'static str,
    random: SystemRandom,
    making: Mutex<()>,
}

/// A key, as it is used.
struct Key {
    id: String,
    seal: LessSafeKey,
    name: hmac::Key,
}

impl FileKey {
    /// The key in a file of a folder. A file that is there and holds no key is an error. What is derived from it depends on
    /// the label.
    pub fn open(folder: &Path, file: &'static str, label: &'static str) -> io::Result<Self> {
        let (folder, random) = (folder.to_owned(), SystemRandom::new());
        let key = Self { folder, file, label, random, making: Mutex::default() };
        key.read()?;
        Ok(key)
    }

    /// Seals bytes, bound to a name.
    pub fn seal(&self, name: &str, plain: &[u8]) -> io::Result<Sealed> {
        let key = self.read_or_make()?;
        let mut nonce = [0; NONCE_LEN];
        self.fill(&mut nonce)?;
        let mut sealed = plain.to_vec();
        key.seal
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(name.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| io::Error::other("it cannot be sealed"))?;
        let text = BASE64.encode([nonce.as_slice(), &sealed].concat());
        Ok(Sealed { key: key.id, text })
    }

    /// Opens what was sealed with the name; nothing if the key it was sealed with is destroyed.
    pub fn unseal(&self, name: &str, sealed: &Sealed) -> io::Result<Option<Vec<u8>>> {
        let Some(key) = self.read()?.filter(|key| key.id == sealed.key) else { return Ok(None) };
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "what was sealed was changed");
        let mut bytes = BASE64.decode(&sealed.text).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let plain = key.seal.open_in_place(nonce, Aad::from(name.as_bytes()), sealed);
        Ok(Some(plain.map_err(|_| damaged())?.to_vec()))
    }

    /// A name for some content: the same for the same content and key, and nothing to whoever lacks the key.
    pub fn name(&self, content: &[&[u8]]) -> io::Result<String> {
        let mut hash = hmac::Context::with_key(&self.read_or_make()?.name);
        for part in content {
            hash.update(part);
        }
        Ok(hex::encode(hash.sign().as_ref().get(..NAME_BYTES).unwrap_or_default()))
    }

    /// Destroys the key.
    pub fn destroy(&self) -> io::Result<()> {
        let _making = self.making.lock();
        files::destroy(&self.folder, self.file)
    }

    fn read(&self) -> io::Result<Option<Key>> {
        let path = self.folder.join(self.file);
        let Some(bytes) = files::read(&path, MAX_FILE_BYTES)? else { return Ok(None) };
        let text = String::from_utf8_lossy(&bytes);
        let bytes: [u8; KEY_BYTES] = hex::decode(text.trim_end()).ok_or_else(|| {
            let what = format!(
                "{} must be {} hexadecimal digits; bring it back from a back-up, or remove it, and \
                 nothing that was sealed with it can be read any more",
                path.display(),
                2 * KEY_BYTES
            );
            io::Error::new(io::ErrorKind::InvalidData, what)
        })?;
        Key::new(&bytes, self.label).map(Some)
    }

    /// The key that is there, or a new one, on disk.
    fn read_or_make(&self) -> io::Result<Key> {
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        let _making = self.making.lock();
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        let mut bytes = [0; KEY_BYTES];
        self.fill(&mut bytes)?;
        files::replace(&self.folder, self.file, format!("{}\n", hex::encode(&bytes)).as_bytes())?;
        Key::new(&bytes, self.label)
    }

    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.random.fill(bytes).map_err(|_| io::Error::other("no random bytes"))
    }
}

impl Key {
    fn new(bytes: &[u8], label: &str) -> io::Result<Self> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let derived = |what: &str| hmac::sign(&root, format!("{label}: {what}").as_bytes());
        let seal = UnboundKey::new(&CHACHA20_POLY1305, derived("seal").as_ref());
        let seal = seal.map_err(|_| io::Error::other("the key has a wrong length"))?;
        let id = derived("id");
        Ok(Self {
            id: hex::encode(id.as_ref().get(..8).unwrap_or_default()),
            seal: LessSafeKey::new(seal),
            name: hmac::Key::new(hmac::HMAC_SHA256, derived("name").as_ref()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{LETTER_KEY as FILE, *};

    #[test]
    fn what_is_sealed_opens_after_a_restart_and_not_without_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let key = FileKey::open(folder.path(), FILE, "dead letters").unwrap();
        assert!(!path.exists(), "a key is made when it is needed");
        let sealed = key.seal("n", b"why\nbody").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(key.seal("n", b"why\nbody").unwrap(), sealed, "a nonce of its own each");
        let key = FileKey::open(folder.path(), FILE, "dead letters").unwrap();
        assert_eq!(key.unseal("n", &sealed).unwrap().unwrap(), b"why\nbody");
        // It takes effect at once.
        fs::remove_file(&path).unwrap();
        assert_eq!(key.unseal("n", &sealed).unwrap(), None);
        let other = key.seal("n", b"").unwrap();
        assert_ne!(other.key, sealed.key);
        assert_eq!(key.unseal("n", &sealed).unwrap(), None);
        assert_eq!(key.unseal("n", &other).unwrap().unwrap(), b"");
    }

    #[test]
    fn what_was_changed_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let key = FileKey::open(folder.path(), FILE, "dead letters").unwrap();
        let sealed = key.seal("n", b"body").unwrap();
        assert!(key.unseal("other", &sealed).is_err(), "it is another letter's");
        for text in ["", "AAAA", "no base64", &sealed.text.replace(&sealed.text[20..22], "//")] {
            let changed = Sealed { text: text.into(), ..sealed.clone() };
            assert!(key.unseal("n", &changed).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_the_same_for_the_same_content_and_key() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = FileKey::open(one.path(), FILE, "dead letters").unwrap();
        let name = key.name(&[b"a", b"b"]).unwrap();
        assert_eq!((name.len(), key.name(&[b"ab"]).unwrap() == name), (32, true));
        assert_ne!(key.name(&[b"a"]).unwrap(), name);
        assert_ne!(
            FileKey::open(two.path(), FILE, "dead letters").unwrap().name(&[b"ab"]).unwrap(),
            name
        );
    }

    #[test]
    fn a_file_that_is_no_key_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "00", &"é".repeat(32), &"0".repeat(65)] {
            fs::write(folder.path().join(FILE), text).unwrap();
            let error =
                FileKey::open(folder.path(), FILE, "dead letters").err().unwrap().to_string();
            assert!(error.contains("dead-letters.key must be 64"), "{error}");
        }
    }
}
