//! The vault as a whole, open.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

use matchwire_domain::timestamp::Timestamp;
use parking_lot::Mutex;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::{
    Erasure, FileKey, Identity, LETTER_KEY, Purpose, READER_KEY,
    erasures::Ledger,
    files, hex,
    people::{People, number_of},
};

/// Is there for as long as rows of somebody who was erased may be in files of views.
const PURGE_DUE: &str = "purge.due";

/// Who people are. It is used from all threads; what it does to its files it does under a lock.
pub struct Vault {
    folder: PathBuf,
    inner: Mutex<Inner>,
    letters: FileKey,
    readers: FileKey,
    /// How many were erased again when it was opened.
    erased_again: usize,
}

struct Inner {
    people: People,
    ledger: Ledger,
}

impl Vault {
    /// Opens or makes the vault in a folder. Whoever is in the ledger of erasures and still has something in it, as in one
    /// that came back from a back-up, is erased before it is used.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let (mut people, ledger) = (People::open(folder)?, Ledger::open(folder)?);
        files::sync_folder(folder)?;
        // In a vault that came back from a time before they were known, others would get their ids, and be erased for them.
        people.pass(ledger.players());
        let left: HashSet<String> =
            ledger.players().filter(|player| people.knows(player)).cloned().collect();
        let letters = FileKey::open(folder, LETTER_KEY, "dead letters")?;
        let readers = FileKey::open(folder, READER_KEY, "readers")?;
        if !left.is_empty() {
            tracing::info!(people = left.len(), "erased again what a back-up had brought back");
            files::replace(folder, PURGE_DUE, &[])?;
            letters.destroy()?;
            readers.destroy()?;
            people.destroy(&left)?;
        }
        let inner = Mutex::new(Inner { people, ledger });
        let erased_again = left.len();
        Ok(Self { folder: folder.into(), inner, letters, readers, erased_again })
    }

    /// How many people were erased again when it was opened, since something of them had come back.
    pub fn erased_again(&self) -> usize {
        self.erased_again
    }

    /// The key of the dead letters.
    pub fn letters(&self) -> &FileKey {
        &self.letters
    }

    /// The key of what readers of sources remember.
    pub fn readers(&self) -> &FileKey {
        &self.readers
    }

    /// The player id of an account, a new one for a new account. It is durable only after [`sync`](Self::sync), and no
    /// event with it may be appended before.
    pub fn id_for(&self, account: &str, now: Timestamp) -> io::Result<String> {
        let Inner { people, ledger } = &mut *self.inner.lock();
        people.id_for(account, year(now), |id| ledger.of(id).is_some())
    }

    /// Takes down that somebody is named by a player id without an account. If it has the form of those that are given here,
    /// it is given to nobody from then on. It is durable only after [`sync`](Self::sync).
    pub fn note_named(&self, player: &str, now: Timestamp) -> io::Result<()> {
        if !is_given_here(player) {
            return Ok(());
        }
        let Inner { people, ledger } = &mut *self.inner.lock();
        if ledger.of(player).is_some() { Ok(()) } else { people.note_named(player, year(now)) }
    }

    /// Whether anything is known of a player here, or was until the player was erased.
    pub fn knows(&self, player: &str) -> bool {
        let inner = self.inner.lock();
        inner.people.knows(player) || inner.ledger.of(player).is_some()
    }

    /// Makes every id and key durable that was given.
    pub fn sync(&self) -> io::Result<()> {
        self.inner.lock().people.sync()
    }

    /// The player id of an account, if it has one that is durable. None is made.
    pub fn player_of(&self, account: &str) -> Option<String> {
        self.inner.lock().people.player_of(account)
    }

    /// The account of a player id.
    pub fn account_of(&self, player: &str) -> Option<String> {
        self.inner.lock().people.account_of(player)
    }

    /// Everybody who has been erased.
    pub fn erasures(&self) -> Vec<Erasure> {
        self.inner.lock().ledger.all().cloned().collect()
    }

    /// Whether a player has been erased, and when.
    pub fn erasure_of(&self, player: &str) -> Option<Erasure> {
        self.inner.lock().ledger.of(player).cloned()
    }

    /// The public id of a player, durable; nothing of somebody who has been erased.
    pub fn public_id(&self, player: &str, now: Timestamp) -> io::Result<Option<String>> {
        Ok(self.public_ids(&[player], now)?.pop().flatten())
    }

    /// The same of several players, in their order, with one write for all who are given one.
    pub fn public_ids(&self, players: &[&str], now: Timestamp) -> io::Result<Vec<Option<String>>> {
        let mut inner = self.inner.lock();
        let mut ids = Vec::with_capacity(players.len());
        for player in players {
            let is_erased = inner.ledger.of(player).is_some();
            let id = (!is_erased).then(|| inner.people.public_id(player, year(now)));
            ids.push(id.transpose()?);
        }
        inner.people.sync()?;
        Ok(ids)
    }

    /// The player with a public id.
    pub fn player_of_public(&self, public: &str) -> Option<String> {
        self.inner.lock().people.player_of_public(public)
    }

    /// Seals a text of a player's for an event, in base64url; nothing for somebody who has been erased. The key is durable
    /// only after [`sync`](Self::sync).
    pub fn seal(
        &self,
        player: &str,
        purpose: Purpose,
        event: Identity,
        plain: &str,
        now: Timestamp,
    ) -> io::Result<Option<String>> {
        let mut inner = self.inner.lock();
        if inner.ledger.of(player).is_some() {
            return Ok(None);
        }
        let key = inner.people.key_or_new(player, purpose, year(now))?;
        drop(inner);
        Ok(key.seal(player, purpose, event, plain))
    }

    /// Opens what was sealed for a player; nothing once the key is destroyed, or if it is another's.
    pub fn unseal(&self, player: &str, purpose: Purpose, sealed: &str) -> Option<String> {
        let key = self.inner.lock().people.key(player, purpose)?;
        key.open(player, purpose, sealed)
    }

    /// Forgets a person: writes it into the ledger, then destroys the exchange and the keys, those of the dead letters and of
    /// what readers remember too, since these may hold anybody's text. After a crash in between the next opening goes on. The same
    /// erasure again has the receipt that it had. It may take a second for a million people.
    pub fn erase(&self, player: &str, now: Timestamp) -> io::Result<Erasure> {
        let mut inner = self.inner.lock();
        files::replace(&self.folder, PURGE_DUE, &[])?;
        let known = inner.ledger.of(player).cloned();
        let erasure = if let Some(known) = known {
            known
        } else {
            let mut bytes = [0; 8];
            let random = SystemRandom::new();
            random.fill(&mut bytes).map_err(|_| io::Error::other("no random bytes"))?;
            let (receipt, player) = (hex::encode(&bytes), player.to_owned());
            let erasure = Erasure { receipt, player, time: now };
            inner.ledger.add(erasure.clone())?;
            erasure
        };
        inner.people.destroy(&HashSet::from([player.to_owned()]))?;
        self.letters.destroy()?;
        self.readers.destroy()?;
        Ok(erasure)
    }

    /// Whether somebody was erased since it was last said that views were purged.
    pub fn is_purge_due(&self) -> bool {
        self.folder.join(PURGE_DUE).exists()
    }

    /// Takes down that no file of a view has anything of those who were erased.
    pub fn purged(&self) -> io::Result<()> {
        files::destroy(&self.folder, PURGE_DUE)
    }
}

/// Whether a player id has the form of those that are given to accounts: `p1`, `p2`, and so on.
pub fn is_given_here(player: &str) -> bool {
    number_of(player).is_some()
}

/// The year of a time, in UTC.
fn year(now: Timestamp) -> i32 {
    now.to_string().get(..4).and_then(|year| year.parse().ok()).unwrap_or_default()
}
