//! The table of a sealed file, from front to back.

use matchwire_domain::subject::Subject;
use matchwire_log::Error;

use super::{Sealed, Whole};
use crate::sealed::{
    frame::Part,
    index::PageAt,
    table::{Entry, PageRows},
};

/// Reads the entries of a table one after the other, and keeps nothing of it in the cache.
pub(crate) struct Entries<'a> {
    whole: &'a Whole,
    pages: std::slice::Iter<'a, PageAt>,
    read: std::vec::IntoIter<(Subject, Entry)>,
}

impl Sealed {
    /// What the table says, in order of subject.
    pub(crate) fn entries(&self) -> Entries<'_> {
        Entries::new(&self.whole)
    }
}

impl<'a> Entries<'a> {
    pub(in crate::sealed) fn new(whole: &'a Whole) -> Self {
        Self { whole, pages: whole.index.pages.iter(), read: Vec::new().into_iter() }
    }

    /// The next stream.
    pub(crate) fn next(&mut self) -> Result<Option<(Subject, Entry)>, Error> {
        loop {
            if let Some(entry) = self.read.next() {
                return Ok(Some(entry));
            }
            let Some(page) = self.pages.next() else { return Ok(None) };
            self.read = self.page(page)?.into_iter();
        }
    }

    pub(in crate::sealed) fn page(&self, at: &PageAt) -> Result<Vec<(Subject, Entry)>, Error> {
        let damaged = || self.whole.corrupt(at.place.offset, "a page of the table cannot be read");
        let (payload, _) = self.whole.frame(at.place, Part::Table)?;
        let mut rows = PageRows::new(&payload).ok_or_else(damaged)?;
        let mut entries = Vec::new();
        while rows.has_more() {
            let row = rows.read().ok_or_else(damaged)?;
            let subject = std::str::from_utf8(rows.subject()).ok().map(Subject::parse);
            let subject = subject.and_then(Result::ok).ok_or_else(damaged)?;
            let entry = row.entry(self.whole.home.log_id, &subject);
            entries.push((subject, entry));
        }
        Ok(entries)
    }
}
