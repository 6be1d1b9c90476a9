//! The key of the dead letters, a file in the vault.
//!
//! It is read whenever it is needed and kept nowhere else: who removes the file has destroyed the key
//! at that moment, and with it every letter that was sealed with it, in every copy of the log. The next
//! letter makes a new one.
//!
//! ChaCha20-Poly1305 with random nonces of 96 bits: after 2^32 letters with one key two nonces are the
//! same with a probability of 2^-33, and nobody has so many. Both keys that are used are derived from
//! the one in the file by HMAC-SHA256.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use matchwire_domain::dead_letter::Sealed;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

/// The file, in the vault.
const FILE: &str = "dead-letters.key";
/// The size of the key, in bytes.
const KEY_BYTES: usize = 32;
/// How many bytes of a hash a name has.
const NAME_BYTES: usize = 16;

/// The place of the key.
pub(crate) struct LetterKey {
    folder: PathBuf,
    random: SystemRandom,
    making: Mutex<()>,
}

/// A key, as it is used.
struct Key {
    id: String,
    seal: LessSafeKey,
    name: hmac::Key,
}

impl LetterKey {
    /// Opens the vault in a folder. A file that is there and holds no key is an error.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let key = Self {
            folder: folder.to_owned(),
            random: SystemRandom::new(),
            making: Mutex::default(),
        };
        key.read()?;
        Ok(key)
    }

    fn read(&self) -> io::Result<Option<Key>> {
        let path = self.folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let bytes = from_hex(text.trim_end()).ok_or_else(|| {
                    let what = format!(
                        "{} must be {} hexadecimal digits; bring it back from a back-up, or remove \
                         it, and no dead letter that is kept can be read any more",
                        path.display(),
                        2 * KEY_BYTES
                    );
                    io::Error::new(io::ErrorKind::InvalidData, what)
                })?;
                Key::new(&bytes).map(Some)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The key that is there, or a new one, on disk.
    fn read_or_make(&self) -> io::Result<Key> {
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        let mut bytes = [0; KEY_BYTES];
        self.random.fill(&mut bytes).map_err(|_| io::Error::other("no random bytes"))?;
        let new = self.folder.join(format!("{FILE}.new"));
        // One that is left of a crash may be open to others.
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(format!("{}\n", to_hex(&bytes)).as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, self.folder.join(FILE))?;
        File::open(&self.folder)?.sync_all()?;
        Key::new(&bytes)
    }
}

impl matchwire_gateway::Seal for LetterKey {
    fn seal(&self, name: &str, plain: &[u8]) -> io::Result<Sealed> {
        let key = self.read_or_make()?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| io::Error::other("no random bytes"))?;
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

    fn open(&self, name: &str, sealed: &Sealed) -> io::Result<Option<Vec<u8>>> {
        let Some(key) = self.read()?.filter(|key| key.id == sealed.key) else { return Ok(None) };
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "what was sealed was changed");
        let mut bytes = BASE64.decode(&sealed.text).map_err(|_| damaged())?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let plain = key.seal.open_in_place(nonce, Aad::from(name.as_bytes()), sealed);
        Ok(Some(plain.map_err(|_| damaged())?.to_vec()))
    }

    fn name(&self, content: &[&[u8]]) -> io::Result<String> {
        let mut hash = hmac::Context::with_key(&self.read_or_make()?.name);
        for part in content {
            hash.update(part);
        }
        Ok(to_hex(hash.sign().as_ref().get(..NAME_BYTES).unwrap_or_default()))
    }
}

impl Key {
    fn new(bytes: &[u8]) -> io::Result<Self> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let derived = |label: &str| hmac::sign(&root, label.as_bytes());
        let seal = UnboundKey::new(&CHACHA20_POLY1305, derived("dead letters: seal").as_ref());
        let seal = seal.map_err(|_| io::Error::other("the key has a wrong length"))?;
        let id = derived("dead letters: id");
        Ok(Self {
            id: to_hex(id.as_ref().get(..8).unwrap_or_default()),
            seal: LessSafeKey::new(seal),
            name: hmac::Key::new(hmac::HMAC_SHA256, derived("dead letters: name").as_ref()),
        })
    }
}

fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let is_key = text.len() == 2 * KEY_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
    let digits = text.get(..).filter(|_| is_key)?;
    (0..KEY_BYTES).map(|at| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use matchwire_gateway::Seal as _;

    use super::*;

    #[test]
    fn what_is_sealed_opens_after_a_restart_and_not_without_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let key = LetterKey::open(folder.path()).unwrap();
        assert!(!path.exists(), "a key is made when it is needed");
        let sealed = key.seal("n", b"why\nbody").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(key.seal("n", b"why\nbody").unwrap(), sealed, "a nonce of its own each");
        let key = LetterKey::open(folder.path()).unwrap();
        assert_eq!(key.open("n", &sealed).unwrap().unwrap(), b"why\nbody");
        // It takes effect at once.
        fs::remove_file(&path).unwrap();
        assert_eq!(key.open("n", &sealed).unwrap(), None);
        let other = key.seal("n", b"").unwrap();
        assert_ne!(other.key, sealed.key);
        assert_eq!(key.open("n", &sealed).unwrap(), None);
        assert_eq!(key.open("n", &other).unwrap().unwrap(), b"");
    }

    #[test]
    fn what_was_changed_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let key = LetterKey::open(folder.path()).unwrap();
        let sealed = key.seal("n", b"body").unwrap();
        assert!(key.open("other", &sealed).is_err(), "it is another letter's");
        for text in ["", "AAAA", "no base64", &sealed.text.replace(&sealed.text[20..22], "//")] {
            let changed = Sealed { text: text.into(), ..sealed.clone() };
            assert!(key.open("n", &changed).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_the_same_for_the_same_content_and_key() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key = LetterKey::open(one.path()).unwrap();
        let name = key.name(&[b"a", b"b"]).unwrap();
        assert_eq!((name.len(), key.name(&[b"ab"]).unwrap() == name), (32, true));
        assert_ne!(key.name(&[b"a"]).unwrap(), name);
        assert_ne!(LetterKey::open(two.path()).unwrap().name(&[b"ab"]).unwrap(), name);
    }

    #[test]
    fn a_file_that_is_no_key_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "00", &"é".repeat(32), &"0".repeat(65)] {
            fs::write(folder.path().join(FILE), text).unwrap();
            let error = LetterKey::open(folder.path()).err().unwrap().to_string();
            assert!(error.contains("dead-letters.key must be 64"), "{error}");
        }
    }
}
