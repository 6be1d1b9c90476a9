//! Puts an object that comes in parts.

use std::future::Future;

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStoreExt as _};
use tokio::task::{JoinError, JoinSet};

use crate::{Error, Place};

/// How many parts are on their way at once; each takes its size in memory.
const MAX_ON_THE_WAY: usize = 4;

/// An object that comes in parts.
pub trait Parts: Send {
    /// Why it may fail to come, or to be put.
    type Error: From<Error> + Send;

    /// The next part; nothing after the last. All but the last have one size, which for S3 is at least
    /// 5 MiB, and there are at most 10,000.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;
}

impl Place {
    /// Puts bytes under a name.
    pub async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        let put = self.objects().put(&self.path(name), bytes.into()).await;
        put.map(drop).map_err(|error| self.error(error))
    }

    /// Puts parts under a name. The object is there as a whole or not at all. Four parts are on their
    /// way at once; an object of one part goes in one request.
    pub async fn upload<P: Parts>(&self, name: &str, parts: &mut P) -> Result<(), P::Error> {
        let Some(first) = parts.next().await? else {
            return Ok(self.put(name, Bytes::new()).await?);
        };
        let Some(second) = parts.next().await? else {
            return Ok(self.put(name, first).await?);
        };
        let upload = self.objects().put_multipart(&self.path(name)).await;
        let mut upload = upload.map_err(|error| self.error(error))?;
        let sent = self.send(&mut *upload, [first, second], parts).await;
        if sent.is_err() {
            // What was sent is left to the store's own rules if this fails, too.
            let _ = upload.abort().await;
        }
        sent
    }

    async fn send<P: Parts>(
        &self,
        upload: &mut dyn MultipartUpload,
        come: [Bytes; 2],
        parts: &mut P,
    ) -> Result<(), P::Error> {
        let mut on_the_way = JoinSet::new();
        for part in come {
            on_the_way.spawn(upload.put_part(part.into()));
        }
        while let Some(part) = parts.next().await? {
            if on_the_way.len() >= MAX_ON_THE_WAY {
                self.sent(on_the_way.join_next().await)?;
            }
            on_the_way.spawn(upload.put_part(part.into()));
        }
        while !on_the_way.is_empty() {
            self.sent(on_the_way.join_next().await)?;
        }
        upload.complete().await.map_err(|error| self.error(error))?;
        Ok(())
    }

    fn sent(&self, part: Option<Result<object_store::Result<()>, JoinError>>) -> Result<(), Error> {
        match part {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(self.error(error)),
            Some(Err(error)) => Err(self.error(error.into())),
        }
    }
}
