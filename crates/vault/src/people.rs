//! Everybody who is known: accounts, player ids, public ids and keys, in one file.
//!
//! The file has a JSON array on each line: `["player", id, account, public id]`, where the account is `null` for whoever
//! is named by an id alone; `["key", id, purpose, key]`; and `["spent", next, [public ids]]`, which says what is not given
//! again. A line is on disk before any event that needs it can be. It is only added to, and written anew when somebody is
//! erased.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use crate::{
    files, hex,
    public_id::{self, Spent},
    sealing::{KEY_BYTES, Key, Purpose},
};

/// Numbers of ids by which somebody is named are passed in a new vault if they are so near to those that were given.
const NEAR: u64 = 1_000_000;

/// The file, in the vault's folder.
pub const PEOPLE: &str = "people.ndjson";

/// Somebody.
#[derive(Default)]
struct Person {
    account: Option<String>,
    public: String,
    keys: Vec<(Purpose, Key)>,
    /// Whether the line is not on disk yet: after a crash another account may get the id.
    is_fresh: bool,
}

/// The file, open.
pub(crate) struct People {
    folder: PathBuf,
    file: File,
    /// How much of the file is whole lines.
    length: u64,
    /// Lines that are not on disk yet.
    pending: Vec<u8>,
    fresh: Vec<String>,
    by_id: HashMap<String, Person>,
    by_account: HashMap<String, String>,
    by_public: HashMap<String, String>,
    /// The number of the next player id.
    next: u64,
    spent: Spent,
    random: SystemRandom,
}

impl People {
    /// Opens or makes the file. A last line that is not whole was never used, and is cut off.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(PEOPLE);
        let mut people = Self {
            folder: folder.to_owned(),
            file: files::open(&path)?,
            length: 0,
            pending: Vec::new(),
            fresh: Vec::new(),
            by_id: HashMap::new(),
            by_account: HashMap::new(),
            by_public: HashMap::new(),
            next: 1,
            spent: Spent::new(),
            random: SystemRandom::new(),
        };
        people.load().map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        Ok(people)
    }

    fn load(&mut self) -> io::Result<()> {
        let mut reader = BufReader::new(self.file.try_clone()?);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            let known = serde_json::from_slice(&line).ok().and_then(|line| self.take(&line));
            known.ok_or_else(|| {
                let what = format!("byte {}: no line of a vault", self.length);
                io::Error::new(io::ErrorKind::InvalidData, what)
            })?;
            self.length += line.len() as u64;
            line.clear();
        }
        self.file.set_len(self.length)?;
        self.file.sync_all()
    }

    /// Takes in a line.
    fn take(&mut self, line: &Value) -> Option<()> {
        match line.as_array()?.as_slice() {
            [Value::String(kind), Value::String(id), account, Value::String(public)]
                if kind == "player" =>
            {
                let account = account.as_str().map(ToOwned::to_owned);
                self.insert(id, account, public.clone());
            }
            [
                Value::String(kind),
                Value::String(id),
                Value::String(purpose),
                Value::String(key),
            ] if kind == "key" => {
                let (purpose, bytes) = (Purpose::parse(purpose)?, hex::decode(key)?);
                self.by_id.get_mut(id)?.keys.push((purpose, Key { bytes }));
            }
            [Value::String(kind), next, Value::Array(spent)] if kind == "spent" => {
                self.next = self.next.max(next.as_u64()?);
                let spent = spent.iter().filter_map(Value::as_str);
                self.spent.extend(spent.map(ToOwned::to_owned));
            }
            _ => return None,
        }
        Some(())
    }

    fn insert(&mut self, id: &str, account: Option<String>, public: String) {
        if let Some(account) = &account {
            self.next = self.next.max(after(id));
            self.by_account.insert(account.clone(), id.to_owned());
        }
        self.by_public.insert(public.clone(), id.to_owned());
        self.by_id.insert(id.to_owned(), Person { account, public, ..Person::default() });
    }

    /// Sees to it that these ids, and those before them, are given to nobody, though nobody has them here.
    pub(crate) fn pass<'a>(&mut self, ids: impl Iterator<Item = &'a String>) {
        self.next = behind_near(self.next, ids.map(|id| after(id)).collect());
    }

    /// The player id of an account. A new account has the next one that nobody is named by, and that was not erased.
    pub(crate) fn id_for(
        &mut self,
        account: &str,
        year: i32,
        is_erased: impl Fn(&str) -> bool,
    ) -> io::Result<String> {
        if let Some(id) = self.by_account.get(account) {
            return Ok(id.clone());
        }
        let mut number = self.next;
        let id = loop {
            let id = format!("p{number}");
            if !self.knows(&id) && !is_erased(&id) {
                break id;
            }
            number += 1;
        };
        self.add(&id, Some(account.to_owned()), year)?;
        Ok(id)
    }

    /// Takes down that somebody is named by an id alone, which is then given to no account.
    pub(crate) fn note_named(&mut self, id: &str, year: i32) -> io::Result<()> {
        if self.knows(id) { Ok(()) } else { self.add(id, None, year) }
    }

    fn add(&mut self, id: &str, account: Option<String>, year: i32) -> io::Result<()> {
        let is_taken =
            |public: &str| self.by_public.contains_key(public) || self.spent.contains(public);
        let public = public_id::draw(&self.random, year, is_taken)?;
        self.write(&json!(["player", id, account, public]));
        self.insert(id, account, public);
        if let Some(person) = self.by_id.get_mut(id) {
            person.is_fresh = true;
        }
        self.fresh.push(id.to_owned());
        Ok(())
    }

    fn write(&mut self, line: &Value) {
        self.pending.extend_from_slice(line.to_string().as_bytes());
        self.pending.push(b'\n');
    }

    /// Puts what is new on disk.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(&self.pending)?;
        self.file.sync_data()?;
        self.length += self.pending.len() as u64;
        self.pending.clear();
        for id in self.fresh.drain(..) {
            if let Some(person) = self.by_id.get_mut(&id) {
                person.is_fresh = false;
            }
        }
        Ok(())
    }

    /// The player id of an account, if it is on disk.
    pub(crate) fn player_of(&self, account: &str) -> Option<String> {
        let id = self.by_account.get(account)?;
        self.by_id.get(id).filter(|person| !person.is_fresh).map(|_| id.clone())
    }

    pub(crate) fn account_of(&self, id: &str) -> Option<String> {
        self.by_id.get(id)?.account.clone()
    }

    /// Whether there is somebody of that id.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The public id of a player; whoever was named by an id alone so far is given one.
    pub(crate) fn public_id(&mut self, id: &str, year: i32) -> io::Result<String> {
        if let Some(person) = self.by_id.get(id) {
            return Ok(person.public.clone());
        }
        self.add(id, None, year)?;
        Ok(self.by_id.get(id).map(|person| person.public.clone()).unwrap_or_default())
    }

    /// The player with a public id.
    pub(crate) fn player_of_public(&self, public: &str) -> Option<String> {
        self.by_public.get(public).cloned()
    }

    /// A person's key, if there is one.
    pub(crate) fn key(&self, id: &str, purpose: Purpose) -> Option<Key> {
        let keys = &self.by_id.get(id)?.keys;
        keys.iter().find(|(of, _)| *of == purpose).map(|(_, key)| key.clone())
    }

    /// A person's key, made if need be.
    pub(crate) fn key_or_new(&mut self, id: &str, purpose: Purpose, year: i32) -> io::Result<Key> {
        if let Some(key) = self.key(id, purpose) {
            return Ok(key);
        }
        if !self.knows(id) {
            self.add(id, None, year)?;
        }
        let mut bytes = [0; KEY_BYTES];
        self.random.fill(&mut bytes).map_err(|_| io::Error::other("no random bytes"))?;
        self.write(&json!(["key", id, purpose.as_str(), hex::encode(&bytes)]));
        let key = Key { bytes };
        if let Some(person) = self.by_id.get_mut(id) {
            person.keys.push((purpose, key.clone()));
        }
        Ok(key)
    }

    /// Destroys everything of some people. The file is written anew, whole or not at all.
    pub(crate) fn destroy(&mut self, ids: &HashSet<String>) -> io::Result<()> {
        self.sync()?;
        for id in ids {
            let Some(person) = self.by_id.remove(id) else { continue };
            if let Some(account) = person.account {
                self.by_account.remove(&account);
            }
            self.by_public.remove(&person.public);
            self.spent.insert(person.public);
        }
        let bytes = self.to_bytes();
        files::replace(&self.folder, PEOPLE, &bytes)?;
        self.file = files::open(&self.folder.join(PEOPLE))?;
        self.length = bytes.len() as u64;
        Ok(())
    }

    fn to_bytes(&self) -> Vec<u8> {
        // In no order that tells when somebody came who is there no more.
        let mut spent: Vec<&String> = self.spent.iter().collect();
        spent.sort();
        let mut lines = vec![json!(["spent", self.next, spent])];
        let mut ids: Vec<&String> = self.by_id.keys().collect();
        ids.sort();
        for (id, person) in ids.into_iter().filter_map(|id| Some((id, self.by_id.get(id)?))) {
            lines.push(json!(["player", id, person.account, person.public]));
            for (purpose, key) in &person.keys {
                lines.push(json!(["key", id, purpose.as_str(), hex::encode(&key.bytes)]));
            }
        }
        lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes()
    }
}

/// The number of a player id that has the form of those that are given here.
pub(crate) fn number_of(id: &str) -> Option<u64> {
    let number = id.strip_prefix('p')?.parse().ok()?;
    (format!("p{number}") == id).then_some(number)
}

/// The number behind that of a player id; 0 for one of another form.
fn after(id: &str) -> u64 {
    number_of(id).map_or(0, |number| number.saturating_add(1))
}

/// The number of the player id that is given next, by what the file of people holds, where nobody will be known: behind all ids
/// that were given, and those by which somebody is named that are not far from there. The error is the first byte of a line that is
/// none of a vault.
pub fn next_player(people: &[u8]) -> Result<u64, usize> {
    let (mut next, mut named, mut at) = (1, Vec::new(), 0);
    for line in people.split_inclusive(|byte| *byte == b'\n') {
        let value: Value = serde_json::from_slice(line).map_err(|_| at)?;
        let found = match value.as_array().map(Vec::as_slice) {
            Some([Value::String(kind), Value::String(id), Value::Null, _]) if kind == "player" => {
                named.push(after(id));
                0
            }
            Some([Value::String(kind), Value::String(id), ..]) if kind == "player" => after(id),
            Some([Value::String(kind), spent, _]) if kind == "spent" => spent.as_u64().ok_or(at)?,
            Some([Value::String(kind), ..]) if kind == "key" => 0,
            _ => return Err(at),
        };
        next = next.max(found);
        at += line.len();
    }
    Ok(behind_near(next, named))
}

/// The number behind all of these that are not far from the next one: one of anybody's choice must not use up those that are left.
fn behind_near(next: u64, mut numbers: Vec<u64>) -> u64 {
    numbers.sort_unstable();
    let near = |next: u64, it: u64| if it <= next + NEAR { next.max(it) } else { next };
    numbers.into_iter().fold(next, near)
}

/// A file of people that knows nobody, and gives this number to the next player id.
pub fn nobody(next_player: u64) -> Vec<u8> {
    format!("{}\n", json!(["spent", next_player, []])).into_bytes()
}
