//! Brings bytes of an object, and says what stands against it.

use std::ops::Range;

use bytes::Bytes;
use matchwire_embedded::archive::Object;
use matchwire_store::{Place, is_missing};
use object_store::{GetOptions, GetRange, ObjectStoreExt as _};

/// Why bytes of an object do not come.
pub(crate) enum Fault {
    /// There is no such object.
    Missing,
    /// It has so many bytes, which is not what it should have.
    Size(u64),
    /// The store has failed.
    Store(matchwire_store::Error),
}

/// A piece of an object, in one request.
pub(crate) async fn range(place: Place, object: Object, range: Range<u64>) -> Result<Bytes, Fault> {
    let path = place.path(&object.name);
    let wanted = range.end - range.start;
    let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
    let failed = match place.objects().get_opts(&path, options).await {
        Ok(got) if got.meta.size != object.bytes => return Err(Fault::Size(got.meta.size)),
        Ok(got) => match got.bytes().await {
            Ok(bytes) if bytes.len() as u64 == wanted => return Ok(bytes),
            Ok(bytes) => return Err(Fault::Size(bytes.len() as u64)),
            Err(error) => error,
        },
        Err(error) if is_missing(&error) => return Err(Fault::Missing),
        Err(error) => error,
    };
    // A range that lies beyond the object's end is a failure like any other; its size tells.
    match place.objects().head(&path).await {
        Ok(meta) if meta.size != object.bytes => Err(Fault::Size(meta.size)),
        Err(error) if is_missing(&error) => Err(Fault::Missing),
        _ => Err(Fault::Store(place.error(failed))),
    }
}
