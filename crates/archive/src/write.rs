//! Writes an object: encoded here, uploaded beside.

use matchwire_embedded::archive::{About, NextGroup, Object};
use matchwire_log::Error;
use matchwire_store::Place;

use crate::{
    encode::{self, Failure},
    out::{Ended, Out},
    schema::Schema,
    worker::Worker,
};

/// Writes an object of the groups that `next` gives.
pub(crate) fn object(
    worker: &Worker,
    place: &Place,
    schema: &Schema,
    about: &About,
    next: &mut NextGroup<'_>,
) -> Result<Object, Error> {
    let away = |what: String| Error::Away { place: place.name().into(), what };
    let (mut out, upload) = Out::begin(worker, place, &about.name);
    let written = match encode::object(&mut out, schema, about, next) {
        Ok(()) => out.finish().map_err(|error| Failure::Parquet(error.into())),
        Err(failure) => {
            drop(out);
            Err(failure)
        }
    };
    match (written, upload.wait()) {
        (Ok(bytes), Some(Ok(()))) => Ok(Object { name: about.name.clone(), bytes }),
        (Err(Failure::Log(error)), _) => Err(error),
        (_, Some(Err(Ended::Store(error)))) => Err(away(said(&error))),
        (Err(Failure::Parquet(error)), _) => Err(Error::Io(std::io::Error::other(error))),
        (Ok(_), _) => Err(away("the upload has stopped".into())),
    }
}

/// What an error says, with its reasons.
pub(crate) fn said(error: &matchwire_store::Error) -> String {
    let mut said = error.to_string();
    let mut reason = std::error::Error::source(error);
    while let Some(error) = reason {
        said += &format!(": {error}");
        reason = error.source();
    }
    said
}

/// Removes what a process that ended while it wrote an object left beside it in a directory.
pub(crate) fn sweep(place: &Place, name: &str) {
    let Some(path) = place.directory().map(|directory| directory.join(name)) else { return };
    let (Some(folder), Some(name)) =
        (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return;
    };
    let is_left = |file: &str| {
        let number = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('#'));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if file.file_name().to_str().is_some_and(is_left)
            && let Err(error) = std::fs::remove_file(file.path())
        {
            tracing::warn!(file = %file.path().display(), %error, "cannot remove what was left");
        }
    }
}
