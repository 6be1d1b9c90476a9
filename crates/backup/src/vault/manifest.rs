//! `vault/backup.json`: what belongs to a back-up of a vault.

use bytes::Bytes;
use matchwire_domain::timestamp::Timestamp;
use object_store::UpdateVersion;
use serde::{Deserialize, Serialize};

use super::FOLDER;
use crate::{Day, Error, Store, manifest::NAME};

/// The format in which files are sealed; earlier ones had them open.
const FORMAT: u32 = 3;

/// What belongs to a back-up of a vault. It names nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// When this was written.
    made: Timestamp,
    /// Whose key opens the files.
    pub(super) day: Day,
    /// The number of the player id that is given next: without the key it says which ids are spent.
    pub(super) next_player: u64,
    /// How many erasures the files know of.
    pub(super) erasures: usize,
    pub(super) files: Vec<Object>,
}

/// A file as it was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Object {
    pub(super) file: String,
    /// Its name in the folder of the back-up.
    #[serde(rename = "object")]
    pub(super) name: String,
    /// Of what is stored.
    pub(super) bytes: u64,
    /// Of what is stored, in hexadecimal digits.
    pub(super) sha256: String,
}

impl Manifest {
    pub(super) fn new(
        made: Timestamp,
        day: Day,
        next_player: u64,
        erasures: usize,
        files: Vec<Object>,
    ) -> Self {
        Self { format: FORMAT, made, day, next_player, erasures, files }
    }

    /// Whether it says the same as another one, whenever that was.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        *self == Self { made: self.made, ..other.clone() }
    }

    pub(super) fn encode(&self) -> Bytes {
        // It has nothing that JSON cannot say.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// The manifest of a vault's back-up, if there is one.
pub(super) async fn read(store: &Store) -> Result<Option<(Manifest, UpdateVersion)>, Error> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let object = format!("{FOLDER}/{NAME}");
    let Some((bytes, version)) = store.read(&object).await? else { return Ok(None) };
    let damaged = |what: String| Error::Damaged { object: object.clone(), what };
    let Version { format } =
        serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if format > FORMAT {
        return Err(Error::Newer { place: store.name().into(), format, readable: FORMAT });
    }
    if format < FORMAT {
        return Err(damaged(format!(
            "it has format {format}, in which accounts lie open; back up to a new place, and destroy this one"
        )));
    }
    let manifest = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    Ok(Some((manifest, version)))
}
