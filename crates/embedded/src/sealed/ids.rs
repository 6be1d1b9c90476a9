//! The ids of a file, in order of fingerprint, in pages.

use super::{streams::Id, varint::put};
use crate::format::Fields;

/// A page is full with so many bytes; that are some 380 ids.
const PAGE_BYTES: usize = 4_000;

/// A page that is being filled.
#[derive(Debug, Default)]
pub(super) struct Page {
    rows: Vec<u8>,
    count: u64,
    first: u64,
    last: u64,
}

impl Page {
    /// Adds an id, whose fingerprint is not below the last one; gives the page and its first
    /// fingerprint if it is full with it.
    pub(super) fn add(&mut self, id: Id) -> Option<(Vec<u8>, u64)> {
        if self.count == 0 {
            (self.first, self.last) = (id.fingerprint, id.fingerprint);
        }
        put(&mut self.rows, id.fingerprint - self.last);
        put(&mut self.rows, id.ordinal.into());
        put(&mut self.rows, id.seq);
        self.count += 1;
        self.last = id.fingerprint;
        (self.rows.len() >= PAGE_BYTES).then(|| self.take()).flatten()
    }

    /// What there is of a page; nothing if it is empty.
    pub(super) fn take(&mut self) -> Option<(Vec<u8>, u64)> {
        let page = std::mem::take(self);
        let mut payload = Vec::with_capacity(page.rows.len() + 16);
        put(&mut payload, page.count);
        payload.extend(page.first.to_le_bytes());
        payload.extend(page.rows);
        (page.count > 0).then_some((payload, page.first))
    }
}

/// How far a page is read. It holds no bytes, so that it can be kept beside them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    at: usize,
    left: u64,
    fingerprint: u64,
}

impl Cursor {
    /// Nothing if it is no page.
    pub(super) fn new(payload: &[u8]) -> Option<Self> {
        let mut fields = Fields(payload);
        let (left, fingerprint) = (fields.varint()?, fields.u64()?);
        Some(Self { at: payload.len() - fields.0.len(), left, fingerprint })
    }

    /// Whether there are more.
    pub(super) fn has_more(&self) -> bool {
        self.left > 0
    }

    /// Whether all were read, and nothing is behind them.
    pub(super) fn is_done(&self, payload: &[u8]) -> bool {
        self.left == 0 && self.at == payload.len()
    }

    /// The next id; nothing if it is not what a writer makes.
    pub(super) fn next(&mut self, payload: &[u8]) -> Option<Id> {
        let mut fields = Fields(payload.get(self.at..)?);
        self.left = self.left.checked_sub(1)?;
        self.fingerprint = self.fingerprint.checked_add(fields.varint()?)?;
        let id =
            Id { fingerprint: self.fingerprint, ordinal: fields.number()?, seq: fields.varint()? };
        self.at = payload.len() - fields.0.len();
        Some(id)
    }
}
