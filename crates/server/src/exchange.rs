//! The exchange of outside accounts for player ids, kept in a file beside the log.
//!
//! A person stands in the log only by a player id: `p1`, `p2`, … in the order in which their
//! accounts were first seen, which says nothing of who they are. The file has a line for each, a
//! JSON array of the id and the account. A line is on disk before any event with its id can be.

use std::{
    collections::{HashMap, HashSet},
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The exchange, open.
pub(crate) struct Exchange {
    inner: Mutex<Inner>,
}

struct Inner {
    ids: HashMap<String, String>,
    accounts: HashMap<String, String>,
    /// Accounts whose lines are not on disk yet: after a crash another one may get the id.
    fresh: HashSet<String>,
    file: File,
    /// Lines that are not on disk yet.
    pending: Vec<u8>,
    /// How much of the file is whole lines.
    length: u64,
}

impl Exchange {
    /// Opens or makes `exchange.ndjson` in a folder. A last line that is not whole was never used
    /// and is cut off.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join("exchange.ndjson");
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        File::open(folder)?.sync_all()?;
        let mut inner = Inner {
            ids: HashMap::new(),
            accounts: HashMap::new(),
            fresh: HashSet::new(),
            file,
            pending: Vec::new(),
            length: 0,
        };
        inner.load().map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        Ok(Self { inner: Mutex::new(inner) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Each change is whole before anything can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl matchwire_gateway::Exchange for Exchange {
    fn id_for(&self, account: &str) -> String {
        self.lock().id_for(account)
    }

    fn sync(&self) -> io::Result<()> {
        self.lock().sync()
    }

    fn player_of(&self, account: &str) -> Option<String> {
        let inner = self.lock();
        inner.ids.get(account).filter(|_| !inner.fresh.contains(account)).cloned()
    }

    fn account_of(&self, id: &str) -> Option<String> {
        self.lock().accounts.get(id).cloned()
    }
}

impl Inner {
    fn load(&mut self) -> io::Result<()> {
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            let (id, account): (String, String) = serde_json::from_slice(&line).map_err(|e| {
                io::Error::new(io::ErrorKind::InvalidData, format!("byte {}: {e}", self.length))
            })?;
            self.ids.insert(account.clone(), id.clone());
            self.accounts.insert(id, account);
            self.length += line.len() as u64;
            line.clear();
        }
        self.file.set_len(self.length)?;
        self.file.sync_all()
    }

    fn id_for(&mut self, account: &str) -> String {
        if let Some(id) = self.ids.get(account) {
            return id.clone();
        }
        let id = format!("p{}", self.ids.len() + 1);
        let line = serde_json::json!([id, account]).to_string();
        self.pending.extend_from_slice(line.as_bytes());
        self.pending.push(b'\n');
        self.ids.insert(account.into(), id.clone());
        self.accounts.insert(id.clone(), account.into());
        self.fresh.insert(account.into());
        id
    }

    /// Puts what is pending on disk.
    fn sync(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(&self.pending)?;
        self.file.sync_data()?;
        self.length += self.pending.len() as u64;
        self.pending.clear();
        self.fresh.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use matchwire_gateway::Exchange as _;

    use super::*;

    fn ids(exchange: &Exchange, accounts: &[&str]) -> Vec<String> {
        let ids = accounts.iter().map(|account| exchange.id_for(account)).collect();
        exchange.sync().unwrap();
        ids
    }

    #[test]
    fn ids_stay_over_a_restart_and_a_torn_line() {
        let folder = tempfile::tempdir().unwrap();
        let exchange = Exchange::open(folder.path()).unwrap();
        assert_eq!(ids(&exchange, &["steam:1", "bot:a\n\"b", "steam:1"]), ["p1", "p2", "p1"]);
        drop(exchange);
        let path = folder.path().join("exchange.ndjson");
        let mut torn = std::fs::read(&path).unwrap();
        torn.extend_from_slice(b"[\"p3\",\"ste");
        std::fs::write(&path, torn).unwrap();
        let exchange = Exchange::open(folder.path()).unwrap();
        assert_eq!(ids(&exchange, &["steam:3", "steam:1"]), ["p3", "p1"]);
        assert_eq!(exchange.account_of("p2").as_deref(), Some("bot:a\n\"b"));
        assert_eq!(exchange.account_of("p9"), None);
    }

    #[test]
    fn an_account_is_looked_up_once_its_id_is_on_disk_and_gets_none_by_that() {
        let folder = tempfile::tempdir().unwrap();
        let exchange = Exchange::open(folder.path()).unwrap();
        assert_eq!(exchange.player_of("steam:1"), None);
        assert_eq!(exchange.id_for("steam:2"), "p1");
        assert_eq!(exchange.player_of("steam:2"), None);
        exchange.sync().unwrap();
        assert_eq!(exchange.player_of("steam:2").as_deref(), Some("p1"));
        drop(exchange);
        let exchange = Exchange::open(folder.path()).unwrap();
        assert_eq!(exchange.player_of("steam:2").as_deref(), Some("p1"));
        assert_eq!(exchange.player_of("steam:1"), None);
    }

    #[test]
    fn damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("exchange.ndjson"), "[\"p1\"]\n").unwrap();
        let error = Exchange::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("exchange.ndjson: byte 0"), "{error}");
    }
}
