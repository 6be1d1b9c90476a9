//! Where a back-up is: a directory, or a prefix in a bucket of S3.

use std::{path::Path, sync::Arc, time::Duration};

use object_store::{
    ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    local::LocalFileSystem,
};

use crate::Error;

/// How long the client retries a request by itself; whoever follows the log tries again after that.
const RETRY: Duration = Duration::from_secs(10);
/// A request that says nothing for so long has failed.
const QUIET: Duration = Duration::from_secs(15);

/// An open place.
pub(crate) struct Place {
    pub(crate) objects: Arc<dyn ObjectStore>,
    /// The prefix in it.
    pub(crate) prefix: object_store::path::Path,
    /// Whether an object can be replaced on condition that it is what it was.
    pub(crate) has_conditions: bool,
}

/// Opens a place. A directory is made if `makes` says so.
pub(crate) fn open(place: &str, makes: bool) -> Result<Place, Error> {
    match place.split_once("://") {
        Some(("s3", rest)) => bucket(place, rest),
        Some((scheme, _)) => Err(Error::Place {
            place: place.into(),
            what: format!("{scheme}:// is not known; give a directory or s3://BUCKET/PREFIX"),
        }),
        None => directory(Path::new(place), makes),
    }
}

fn directory(path: &Path, makes: bool) -> Result<Place, Error> {
    let name = path.display().to_string();
    if makes {
        std::fs::create_dir_all(path).map_err(Error::file(format!("cannot make {name}")))?;
    } else if !path.is_dir() {
        return Err(Error::Missing(name));
    }
    let files = LocalFileSystem::new_with_prefix(path);
    let files = files.map_err(|error| Error::Store { place: name, error })?;
    Ok(Place {
        objects: Arc::new(files.with_fsync(true)),
        prefix: object_store::path::Path::default(),
        has_conditions: false,
    })
}

fn bucket(place: &str, rest: &str) -> Result<Place, Error> {
    let wrong = |what: String| Error::Place { place: place.into(), what };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(wrong("name the bucket, as in s3://BUCKET/PREFIX".into()));
    }
    let prefix = object_store::path::Path::parse(prefix.trim_end_matches('/'));
    let prefix = prefix.map_err(|error| wrong(error.to_string()))?;
    // The client takes its TLS from here; a second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client =
        ClientOptions::new().with_timeout_disabled().with_read_timeout(QUIET).with_allow_http(true);
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
    Ok(Place { objects: Arc::new(store), prefix, has_conditions: true })
}
