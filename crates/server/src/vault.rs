//! The vault, as the gateway, the log and the sources use it.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context as _;
use matchwire_domain::{
    dead_letter::Sealed,
    live_match::{Identities, PersonName},
};
use matchwire_gateway::{Erased, EventName, Exchange, IdForm, Seal};
use matchwire_log::{Clock as _, SystemClock};
use matchwire_vault::{Erasure, FileKey, Identity, Purpose, Vault, is_given_here, is_public};

/// The vault of the server; clones are handles to the same one.
#[derive(Clone)]
pub(crate) struct OpenVault(Arc<Inner>);

struct Inner {
    vault: Vault,
    /// Whether something could not be made since the last sync, as an id for want of random bytes.
    failed: AtomicBool,
}

impl OpenVault {
    /// Opens the vault of a data directory.
    pub(crate) fn open(data: &Path) -> anyhow::Result<Self> {
        let folder = data.join("vault");
        let vault = Vault::open(&folder)
            .with_context(|| format!("cannot open the vault in {}", folder.display()))?;
        Ok(Self(Arc::new(Inner { vault, failed: AtomicBool::new(false) })))
    }

    /// The key of what readers of sources remember.
    pub(crate) fn readers(&self) -> &FileKey {
        self.vault().readers()
    }

    fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// What of a failure is left to `sync`, without which nothing goes to the log.
    fn or_failed<T>(&self, made: io::Result<T>) -> Option<T> {
        made.inspect_err(|error| {
            tracing::error!(%error, "the vault failed");
            self.0.failed.store(true, Ordering::Relaxed);
        })
        .ok()
    }
}

/// What a text is by its form, where it may name a player; that is the same in all vaults.
pub(crate) fn form_of(id: &str) -> IdForm {
    match id {
        id if is_given_here(id) => IdForm::Given,
        id if is_public(id) => IdForm::Public,
        _ => IdForm::Other,
    }
}

impl Identities for OpenVault {
    fn account_of(&self, player: &str) -> Option<String> {
        self.vault().account_of(player)
    }

    fn name_of(&self, player: &str, sealed: &PersonName) -> Option<String> {
        self.vault().unseal(player, Purpose::Names, sealed.as_sealed()?)
    }
}

impl Exchange for OpenVault {
    fn id_for(&self, account: &str) -> String {
        self.or_failed(self.vault().id_for(account, SystemClock.now())).unwrap_or_default()
    }

    fn note_named(&self, player: &str) {
        self.or_failed(self.vault().note_named(player, SystemClock.now()));
    }

    fn knows(&self, player: &str) -> bool {
        self.vault().knows(player)
    }

    fn form_of(&self, id: &str) -> IdForm {
        form_of(id)
    }

    fn seal(&self, event: EventName<'_>, player: &str, name: &PersonName) -> PersonName {
        // One that is sealed already, as in an event that was read here and comes again, is sealed for this event.
        let opened = self.name_of(player, name);
        let plain = opened.as_deref().unwrap_or_else(|| name.as_str());
        let event = Identity::of(event.subject, event.source, event.id);
        let sealed = self.vault().seal(player, Purpose::Names, event, plain, SystemClock.now());
        match self.or_failed(sealed).flatten() {
            Some(sealed) => PersonName::sealed(&sealed),
            None => PersonName::unreadable(),
        }
    }

    fn sync(&self) -> io::Result<()> {
        if self.0.failed.swap(false, Ordering::Relaxed) {
            return Err(io::Error::other("there were no random bytes"));
        }
        self.vault().sync()
    }

    fn player_of(&self, account: &str) -> Option<String> {
        self.vault().player_of(account)
    }

    fn public_id(&self, player: &str) -> Option<String> {
        let id = self.vault().public_id(player, SystemClock.now());
        id.inspect_err(|error| tracing::error!(%error, "a public id could not be made")).ok()?
    }

    fn public_ids(&self, players: &[&str]) -> Vec<Option<String>> {
        let ids = self.vault().public_ids(players, SystemClock.now());
        let ids = ids.inspect_err(|error| tracing::error!(%error, "public ids could not be made"));
        ids.unwrap_or_else(|_| vec![None; players.len()])
    }

    fn player_of_public(&self, public: &str) -> Option<String> {
        self.vault().player_of_public(public)
    }

    fn erase(&self, player: &str) -> io::Result<Erased> {
        self.vault().erase(player, SystemClock.now()).map(erased)
    }

    fn is_purge_due(&self) -> bool {
        self.vault().is_purge_due()
    }

    fn purged(&self) -> io::Result<()> {
        self.vault().purged()
    }

    fn erasures(&self) -> Vec<(String, Erased)> {
        let all = self.vault().erasures().into_iter();
        all.map(|erasure| (erasure.player.clone(), erased(erasure))).collect()
    }
}

fn erased(erasure: Erasure) -> Erased {
    Erased { receipt: erasure.receipt, time: erasure.time }
}

/// The key of the dead letters.
pub(crate) struct Letters(pub(crate) OpenVault);

impl Letters {
    fn key(&self) -> &FileKey {
        self.0.vault().letters()
    }
}

impl Seal for Letters {
    fn seal(&self, name: &str, plain: &[u8]) -> io::Result<Sealed> {
        self.key().seal(name, plain)
    }

    fn open(&self, name: &str, sealed: &Sealed) -> io::Result<Option<Vec<u8>>> {
        self.key().unseal(name, sealed)
    }

    fn name(&self, content: &[&[u8]]) -> io::Result<String> {
        self.key().name(content)
    }
}
