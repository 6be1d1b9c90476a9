//! A vault in memory with a key that can be destroyed. What it seals is not readable as it is, which is
//! enough here; the real one is the server's.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    sync::{Arc, Mutex},
};

use matchwire_domain::dead_letter::Sealed;
use matchwire_gateway::Seal;

/// Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Vault(Arc<Mutex<Keys>>);

#[derive(Default)]
struct Keys {
    current: Option<u8>,
    made: u8,
    is_broken: bool,
}

impl Vault {
    pub(crate) fn destroy(&self) {
        self.0.lock().unwrap().current = None;
    }

    pub(crate) fn fail(&self, is_broken: bool) {
        self.0.lock().unwrap().is_broken = is_broken;
    }

    fn key(&self) -> io::Result<u8> {
        let mut keys = self.0.lock().unwrap();
        if keys.is_broken {
            return Err(io::Error::other("the vault is closed"));
        }
        if keys.current.is_none() {
            keys.made += 1;
            keys.current = Some(keys.made);
        }
        Ok(keys.made)
    }
}

impl Seal for Vault {
    fn seal(&self, name: &str, plain: &[u8]) -> io::Result<Sealed> {
        let key = self.key()?;
        let text = plain.iter().map(|byte| format!("{:02x}", byte ^ key)).collect::<String>();
        Ok(Sealed { key: key.to_string(), text: format!("{name}:{text}") })
    }

    fn open(&self, name: &str, sealed: &Sealed) -> io::Result<Option<Vec<u8>>> {
        let current = self.0.lock().unwrap().current;
        let Some(key) = current.filter(|key| key.to_string() == sealed.key) else {
            return Ok(None);
        };
        let (sealed_for, text) = sealed.text.split_once(':').unwrap();
        assert_eq!(sealed_for, name);
        let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap() ^ key;
        Ok(Some((0..text.len()).step_by(2).map(byte).collect()))
    }

    fn name(&self, content: &[&[u8]]) -> io::Result<String> {
        let mut hash = DefaultHasher::new();
        (self.key()?, content.concat()).hash(&mut hash);
        Ok(format!("{:032x}", hash.finish()))
    }
}
