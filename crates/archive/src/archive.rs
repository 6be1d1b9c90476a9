//! The archive: what is asked for at the seam, over the place and the thread that speaks to it.

use std::{fmt, future::Future, ops::Range, sync::Arc};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use matchwire_embedded::archive::{About, Archive, NextGroup, Object, Row};
use matchwire_log::Error;
use matchwire_store::{Place, is_missing};
use object_store::ObjectStoreExt as _;

use crate::{
    cache::Cache,
    decode,
    encode::refused,
    fetch::{self, Fault},
    footer::{self, END_BYTES, Footer},
    name,
    schema::Schema,
    worker::{PATIENCE, Worker},
    write::{self, said},
};

/// What is fetched of an object's end at first. The footer of some 150 groups fits.
const TAIL_BYTES: u64 = 256 << 10;

/// An archive of Parquet objects.
pub struct Parquet {
    place: Place,
    worker: Worker,
    schema: Schema,
    footers: Cache,
}

impl fmt::Debug for Parquet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Parquet").field(&self.place.name()).finish()
    }
}

impl Parquet {
    /// Opens an archive in a directory, which is made, or at `s3://BUCKET/PREFIX`, with the keys that
    /// `AWS_*` name as for a back-up. The place is asked for its objects once, so that what does not
    /// fit is told now.
    pub fn open(place: &str) -> Result<Self, crate::Error> {
        let place = Place::create(place)?;
        let worker = Worker::start()?;
        let schema = Schema::new().map_err(std::io::Error::other)?;
        let archive = Self { place, worker, schema, footers: Cache::default() };
        let place = archive.place.clone();
        let probe = async move {
            let folder = place.path("");
            let mut objects = place.objects().list(Some(&folder));
            objects.try_next().await.map(drop).map_err(|error| place.error(error))
        };
        match archive.in_time(probe) {
            Some(probed) => probed?,
            None => return Err(crate::Error::Late { place: archive.place() }),
        }
        Ok(archive)
    }

    /// Does what a reader waits for; nothing if it takes too long.
    fn in_time<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let limited = async { tokio::time::timeout(PATIENCE, work).await.ok() };
        self.worker.wait(limited).flatten()
    }

    fn late(&self) -> Error {
        self.away(format!("it has not answered within {} s", PATIENCE.as_secs()))
    }

    fn away(&self, what: String) -> Error {
        Error::Away { place: self.place(), what }
    }

    fn fetch(&self, object: &Object, range: Range<u64>) -> Result<Bytes, Error> {
        let fetch = fetch::range(self.place.clone(), object.clone(), range);
        let fault = match self.in_time(fetch) {
            Some(Ok(bytes)) => return Ok(bytes),
            Some(Err(fault)) => fault,
            None => return Err(self.late()),
        };
        Err(match fault {
            Fault::Store(error) => self.away(said(&error)),
            Fault::Missing => corrupt(object, 0, "it is missing".into()),
            Fault::Size(bytes) => {
                corrupt(object, 0, format!("it has {bytes} bytes, and {} belong", object.bytes))
            }
        })
    }

    /// The footer of an object, which is fetched once.
    fn footer(&self, object: &Object) -> Result<Arc<Footer>, Error> {
        if let Some(footer) = self.footers.get(object) {
            return Ok(footer);
        }
        let start = object.bytes.saturating_sub(TAIL_BYTES);
        if object.bytes < END_BYTES as u64 {
            return Err(corrupt(object, 0, "it is too small for a Parquet file".into()));
        }
        let tail = self.fetch(object, start..object.bytes)?;
        let end = object.bytes - END_BYTES as u64;
        let length = footer::length(&tail).map_err(|what| corrupt(object, end, what))?;
        let Some(from) = end.checked_sub(length) else {
            return Err(corrupt(object, end, "its footer is longer than itself".into()));
        };
        let bytes = if from < start {
            self.fetch(object, from..end)?
        } else {
            let cut = |at: u64| usize::try_from(at - start).unwrap_or_default();
            tail.slice(cut(from)..cut(end))
        };
        let footer = Footer::read(&bytes, from, &self.schema);
        let footer = Arc::new(footer.map_err(|what| corrupt(object, from, what))?);
        self.footers.put(object, footer.clone());
        Ok(footer)
    }

    fn group(&self, object: &Object, group: u32) -> Result<Vec<Row>, Error> {
        let footer = self.footer(object)?;
        let number = group;
        let group = usize::try_from(number).ok().and_then(|number| footer.groups.get(number));
        let Some(group) = group else {
            let what = format!("it has {} groups, and no group {number}", footer.groups.len());
            return Err(corrupt(object, 0, what));
        };
        let bytes = self.fetch(object, group.from..group.from + group.bytes())?;
        let rows = decode::rows(&bytes, group, &self.schema);
        rows.map_err(|what| corrupt(object, group.from, format!("group {number}: {what}")))
    }
}

impl Archive for Parquet {
    fn place(&self) -> String {
        self.place.name().into()
    }

    fn write(&self, about: &About, next: &mut NextGroup<'_>) -> Result<Object, Error> {
        if !name::is_good(&about.name) {
            return Err(bad_name(&about.name));
        }
        self.footers.forget(&about.name);
        write::sweep(&self.place, &about.name);
        write::object(&self.worker, &self.place, &self.schema, about, next)
    }

    fn read(&self, object: &Object, group: u32) -> Result<Vec<Row>, Error> {
        if !name::is_good(&object.name) {
            return Err(corrupt(object, 0, "that is no name of an object".into()));
        }
        let rows = self.group(object, group);
        if matches!(rows, Err(Error::Corrupt { .. })) {
            // It may be put right by who has it whole.
            self.footers.forget(&object.name);
        }
        rows
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let Some(folder) = prefix.strip_suffix('/').filter(|folder| name::is_good(folder)) else {
            return Err(bad_name(prefix));
        };
        let (place, folder) = (self.place.clone(), self.place.path(folder));
        let list = async move {
            let root = place.path("");
            let name = |location: &object_store::path::Path| {
                let parts: Vec<_> = location.prefix_match(&root)?.collect();
                Some(parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join("/"))
            };
            let found = place.objects().list(Some(&folder));
            let names = found.try_filter_map(|meta| std::future::ready(Ok(name(&meta.location))));
            let names: Result<Vec<String>, _> = names.try_collect().await;
            names.map_err(|error| place.error(error))
        };
        match self.in_time(list) {
            Some(listed) => listed.map_err(|error| self.away(said(&error))),
            None => Err(self.late()),
        }
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        if !name::is_good(name) {
            return Err(bad_name(name));
        }
        self.footers.forget(name);
        let (place, path) = (self.place.clone(), self.place.path(name));
        let remove = async move {
            match place.objects().delete(&path).await {
                Ok(()) => Ok(()),
                Err(error) if is_missing(&error) => Ok(()),
                Err(error) => Err(place.error(error)),
            }
        };
        match self.in_time(remove) {
            Some(removed) => removed.map_err(|error| self.away(said(&error))),
            None => Err(self.late()),
        }
    }
}

fn bad_name(name: &str) -> Error {
    refused(format!("{name:?} must be letters, digits, `.` and `-`, in parts between `/`"))
}

fn corrupt(object: &Object, offset: u64, what: String) -> Error {
    Error::Corrupt { file: object.name.clone(), offset, what }
}
