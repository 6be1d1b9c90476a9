//! Where objects are: a directory, or a prefix in a bucket of S3.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use object_store::{
    ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    local::LocalFileSystem,
};

use crate::Error;

/// How long the client retries a request by itself; who asks may try again after that.
const RETRY: Duration = Duration::from_secs(10);
/// A request that says nothing for so long has failed.
const QUIET: Duration = Duration::from_secs(15);

/// An open place; clones share it.
#[derive(Clone)]
pub struct Place {
    name: String,
    objects: Arc<dyn ObjectStore>,
    prefix: object_store::path::Path,
    directory: Option<PathBuf>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.name).finish()
    }
}

impl Place {
    /// Opens a place to write to: a directory, which is made, or `s3://BUCKET/PREFIX`.
    ///
    /// For S3 the usual variables count: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, which must
    /// be set, `AWS_SESSION_TOKEN`, `AWS_REGION`, and `AWS_ENDPOINT_URL` (also with `http://`).
    pub fn create(place: &str) -> Result<Self, Error> {
        Self::new(place, true)
    }

    /// Opens a place to read from; a directory must exist.
    pub fn open(place: &str) -> Result<Self, Error> {
        Self::new(place, false)
    }

    fn new(place: &str, makes: bool) -> Result<Self, Error> {
        match place.split_once("://") {
            Some(("s3", rest)) => Self::bucket(place, rest),
            Some((scheme, _)) => Err(Error::Name {
                place: place.into(),
                what: format!("{scheme}:// is not known; give a directory or s3://BUCKET/PREFIX"),
            }),
            None => Self::folder(place, makes),
        }
    }

    fn folder(place: &str, makes: bool) -> Result<Self, Error> {
        let (name, directory) = (place.to_owned(), PathBuf::from(place));
        if makes {
            std::fs::create_dir_all(&directory)
                .map_err(|source| Error::Make { place: name.clone(), source })?;
        } else if !directory.is_dir() {
            return Err(Error::Missing(name));
        }
        let files = LocalFileSystem::new_with_prefix(&directory);
        let files = files.map_err(|error| Error::Request { place: name.clone(), error })?;
        Ok(Self {
            name,
            objects: Arc::new(files.with_fsync(true)),
            prefix: object_store::path::Path::default(),
            directory: Some(directory),
        })
    }

    fn bucket(place: &str, rest: &str) -> Result<Self, Error> {
        let wrong = |what: String| Error::Name { place: place.into(), what };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong("name the bucket, as in s3://BUCKET/PREFIX".into()));
        }
        let prefix = object_store::path::Path::parse(prefix.trim_end_matches('/'));
        let prefix = prefix.map_err(|error| wrong(error.to_string()))?;
        // The client takes its TLS from here; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = ClientOptions::new()
            .with_timeout_disabled()
            .with_read_timeout(QUIET)
            .with_allow_http(true);
        let retry = RetryConfig { retry_timeout: RETRY, ..RetryConfig::default() };
        let builder = AmazonS3Builder::from_env();
        // Without keys the client would ask the network that it is in for some.
        let has = |key| builder.get_config_value(&key).is_some();
        if !has(AmazonS3ConfigKey::AccessKeyId) || !has(AmazonS3ConfigKey::SecretAccessKey) {
            return Err(wrong("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".into()));
        }
        let store = builder
            .with_bucket_name(bucket)
            .with_client_options(client)
            .with_retry(retry)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Self { name: place.into(), objects: Arc::new(store), prefix, directory: None })
    }

    /// Its name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The directory that it is, if it is one. Its objects are synced before they have their names.
    pub fn directory(&self) -> Option<&std::path::Path> {
        self.directory.as_deref()
    }

    /// Whether an object can be replaced on condition that it is what it was.
    pub fn has_conditions(&self) -> bool {
        self.directory.is_none()
    }

    /// The client of its store, for names that [`path`](Self::path) gives.
    pub fn objects(&self) -> &dyn ObjectStore {
        &*self.objects
    }

    /// The full name of an object or a folder in it.
    pub fn path(&self, name: &str) -> object_store::path::Path {
        let parts = self.prefix.parts();
        parts.chain(object_store::path::Path::from(name).parts()).collect()
    }

    /// What a failure of the store means to who uses it.
    pub fn error(&self, error: object_store::Error) -> Error {
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
            _ => return Error::Request { place, error },
        };
        Error::Refused { place, what }
    }
}

/// Whether an object is not there, and not its whole bucket.
pub fn is_missing(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::NotFound { source, .. } if !is_bucket_missing(source))
}

/// What the server says in its answer, if it says something.
fn reason(error: &str) -> &str {
    let message = error.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>"));
    message.map_or(error, |(message, _)| message)
}

fn is_bucket_missing(source: &impl ToString) -> bool {
    source.to_string().contains("NoSuchBucket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for bad in ["ftp://x/y", "s3://", "s3:///x"] {
            assert!(matches!(Place::open(bad), Err(Error::Name { .. })), "{bad}");
        }
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a/b");
        let place = place.to_str().unwrap();
        assert!(matches!(Place::open(place), Err(Error::Missing(_))));
        assert_eq!(Place::create(place).unwrap().path("c/d").to_string(), "c/d");
        std::fs::write(folder.path().join("file"), "").unwrap();
        let file = folder.path().join("file");
        assert!(matches!(Place::create(file.to_str().unwrap()), Err(Error::Make { .. })));
    }
}
