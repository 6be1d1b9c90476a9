//! Objects of a back-up by their names, with the checksums of what goes in and out.

mod upload;

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use matchwire_store::{Place, is_missing};
use object_store::{ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion};

use crate::Error;

/// The most that a `backup.json` may have.
const MAX_SMALL_BYTES: u64 = 256 << 20;

/// A place for back-ups; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    place: Place,
}

impl Store {
    /// Opens a place to back up to: a directory, which is made, or `s3://BUCKET/PREFIX`.
    ///
    /// For S3 the usual variables count: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, which must
    /// be set, `AWS_SESSION_TOKEN`, `AWS_REGION`, and `AWS_ENDPOINT_URL` (also with `http://`).
    pub fn create(place: &str) -> Result<Self, Error> {
        Ok(Self { place: Place::create(place)? })
    }

    /// Opens a place to restore from; a directory must exist.
    pub fn open(place: &str) -> Result<Self, Error> {
        Ok(Self { place: Place::open(place)? })
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        self.place.name()
    }

    /// The directory that it is, if it is one.
    pub(crate) fn directory(&self) -> Option<PathBuf> {
        self.place.directory().map(PathBuf::from)
    }

    /// The whole of a small object, with what tells its version; nothing if there is none.
    pub(crate) async fn read(&self, name: &str) -> Result<Option<(Bytes, UpdateVersion)>, Error> {
        let got = match self.place.objects().get(&self.place.path(name)).await {
            Err(error) if is_missing(&error) => {
                return Ok(None);
            }
            got => got.map_err(|error| self.error(error))?,
        };
        if got.meta.size > MAX_SMALL_BYTES {
            let what =
                format!("it has {} bytes, and at most {MAX_SMALL_BYTES} belong", got.meta.size);
            return Err(Error::Damaged { object: name.into(), what });
        }
        let version =
            UpdateVersion { e_tag: got.meta.e_tag.clone(), version: got.meta.version.clone() };
        let bytes = got.bytes().await.map_err(|error| self.error(error))?;
        Ok(Some((bytes, version)))
    }

    /// Replaces a small object as a whole. Where the store can, only if it still is at a version, or
    /// still is not there; else it is [`Error::Busy`].
    pub(crate) async fn replace(
        &self,
        name: &str,
        bytes: Bytes,
        version: Option<UpdateVersion>,
    ) -> Result<UpdateVersion, Error> {
        let mode = match version {
            _ if !self.place.has_conditions() => PutMode::Overwrite,
            Some(version) if version.e_tag.is_some() => PutMode::Update(version),
            Some(_) => PutMode::Overwrite,
            None => PutMode::Create,
        };
        let options = PutOptions { mode, ..PutOptions::default() };
        let path = self.place.path(name);
        match self.place.objects().put_opts(&path, bytes.clone().into(), options).await {
            Ok(put) => Ok(UpdateVersion { e_tag: put.e_tag, version: put.version }),
            Err(
                object_store::Error::Precondition { .. }
                | object_store::Error::AlreadyExists { .. },
            ) => match self.read(name).await? {
                // It was done, and only the answer was lost.
                Some((found, version)) if found == bytes => Ok(version),
                _ => Err(Error::Busy(self.name().into())),
            },
            Err(error) => Err(self.error(error)),
        }
    }

    /// A piece of an object.
    pub(crate) async fn range(
        &self,
        name: &str,
        range: std::ops::Range<u64>,
    ) -> Result<Bytes, Error> {
        match self.place.objects().get_range(&self.place.path(name), range).await {
            Err(error) if is_missing(&error) => {
                Err(Error::Damaged { object: name.into(), what: "it is missing".into() })
            }
            got => got.map_err(|error| self.error(error)),
        }
    }

    /// Removes an object; one that is not there is no error.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Error> {
        match self.place.objects().delete(&self.place.path(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.error(error)),
        }
    }

    /// The names of all objects in a folder.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        let found = self.place.objects().list(Some(&self.place.path(folder)));
        let name = |meta: object_store::ObjectMeta| {
            meta.location.filename().map(|name| format!("{folder}/{name}"))
        };
        let names = found.try_filter_map(|meta| std::future::ready(Ok(name(meta))));
        names.try_collect().await.map_err(|error| self.error(error))
    }

    /// Puts bytes under a name.
    pub(crate) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        Ok(self.place.put(name, bytes).await?)
    }

    fn error(&self, error: object_store::Error) -> Error {
        self.place.error(error).into()
    }
}
