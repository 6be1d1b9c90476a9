//! Objects of a back-up by their names, with the checksums of what goes in and out.

mod upload;

use std::{fmt, path::PathBuf};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::{
    ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion, path::Path,
};

use crate::{
    Error,
    place::{self, Place},
};

/// The most that a `backup.json` may have.
const MAX_SMALL_BYTES: u64 = 256 << 20;

/// A place for back-ups; clones share it.
#[derive(Clone)]
pub struct Store {
    inner: std::sync::Arc<Place>,
    name: String,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.name).finish()
    }
}

impl Store {
    /// Opens a place to back up to: a directory, which is made, or `s3://BUCKET/PREFIX`.
    ///
    /// For S3 the usual variables count: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, which must
    /// be set, `AWS_SESSION_TOKEN`, `AWS_REGION`, and `AWS_ENDPOINT_URL` (also with `http://`).
    pub fn create(place: &str) -> Result<Self, Error> {
        Self::new(place, true)
    }

    /// Opens a place to restore from; a directory must exist.
    pub fn open(place: &str) -> Result<Self, Error> {
        Self::new(place, false)
    }

    fn new(place: &str, makes: bool) -> Result<Self, Error> {
        Ok(Self { inner: place::open(place, makes)?.into(), name: place.into() })
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The directory that it is, if it is one.
    pub(crate) fn directory(&self) -> Option<PathBuf> {
        (!self.inner.has_conditions).then(|| PathBuf::from(&self.name))
    }

    fn path(&self, name: &str) -> Path {
        let parts = self.inner.prefix.parts();
        parts.chain(Path::from(name).parts()).collect()
    }

    /// The whole of a small object, with what tells its version; nothing if there is none.
    pub(crate) async fn read(&self, name: &str) -> Result<Option<(Bytes, UpdateVersion)>, Error> {
        let got = match self.inner.objects.get(&self.path(name)).await {
            Err(object_store::Error::NotFound { source, .. }) if !is_bucket_missing(&source) => {
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
            _ if !self.inner.has_conditions => PutMode::Overwrite,
            Some(version) if version.e_tag.is_some() => PutMode::Update(version),
            Some(_) => PutMode::Overwrite,
            None => PutMode::Create,
        };
        let options = PutOptions { mode, ..PutOptions::default() };
        let path = self.path(name);
        match self.inner.objects.put_opts(&path, bytes.clone().into(), options).await {
            Ok(put) => Ok(UpdateVersion { e_tag: put.e_tag, version: put.version }),
            Err(
                object_store::Error::Precondition { .. }
                | object_store::Error::AlreadyExists { .. },
            ) => match self.read(name).await? {
                // It was done, and only the answer was lost.
                Some((found, version)) if found == bytes => Ok(version),
                _ => Err(Error::Busy(self.name.clone())),
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
        match self.inner.objects.get_range(&self.path(name), range).await {
            Err(object_store::Error::NotFound { source, .. }) if !is_bucket_missing(&source) => {
                Err(Error::Damaged { object: name.into(), what: "it is missing".into() })
            }
            got => got.map_err(|error| self.error(error)),
        }
    }

    /// Removes an object; one that is not there is no error.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Error> {
        match self.inner.objects.delete(&self.path(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.error(error)),
        }
    }

    /// The names of all objects in a folder.
    pub(crate) async fn list(&self, folder: &str) -> Result<Vec<String>, Error> {
        let found = self.inner.objects.list(Some(&self.path(folder)));
        let name = |meta: object_store::ObjectMeta| {
            meta.location.filename().map(|name| format!("{folder}/{name}"))
        };
        let names = found.try_filter_map(|meta| std::future::ready(Ok(name(meta))));
        names.try_collect().await.map_err(|error| self.error(error))
    }

    /// What a failure of the store means to who uses it.
    pub(crate) fn error(&self, error: object_store::Error) -> Error {
        let place = self.name.clone();
        let what = match &error {
            object_store::Error::NotFound { source, .. } if is_bucket_missing(source) => {
                "there is no such bucket; make it first".to_owned()
            }
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => format!(
                "it refuses these keys; look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what \
                 they are allowed ({})",
                reason(&error.to_string())
            ),
            _ => return Error::Store { place, error },
        };
        Error::Refused { place, what }
    }
}

/// What the server says in its answer, if it says something.
fn reason(error: &str) -> &str {
    let message = error.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
    message.map_or(error, |(message, _)| message)
}

fn is_bucket_missing(source: &impl ToString) -> bool {
    source.to_string().contains("NoSuchBucket")
}
