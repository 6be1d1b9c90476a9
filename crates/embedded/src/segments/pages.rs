//! Reads records of one part of the history at a time.

use matchwire_domain::{envelope::Recorded, subject::Subject};
use matchwire_log::Error;

use super::Segments;
use crate::{fetch::Fetch, history};

impl Segments {
    /// Records from `next` on, of one part of the history.
    pub(super) fn page(
        &self,
        subject: &Subject,
        next: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let (parts, newer) = {
            let state = self.shared.state.read();
            let first_seq = state.open.index.stream(subject.as_str()).map(|s| s.first_seq);
            if first_seq.is_some_and(|first_seq| first_seq <= next) {
                drop(state);
                return self.open_page(subject, next, limit, limit_bytes);
            }
            (state.parts.clone(), first_seq)
        };
        match (history::find(&parts, subject.as_str(), next, newer)?, newer) {
            (Some((part, found, seq)), _) => {
                let page = match part.read(subject, &found, seq, limit, limit_bytes) {
                    // A later part may have been trimmed as well.
                    Err(Error::Trimmed { subject, floor }) => {
                        let floor = history::floor(&parts, subject.as_str())?.unwrap_or(floor);
                        return Err(Error::Trimmed { subject, floor });
                    }
                    page => page?,
                };
                if page.is_empty() && limit > 0 && limit_bytes > 0 {
                    // All that the part had from there on is lost.
                    return self.page(subject, found.last_seq + 1, limit, limit_bytes);
                }
                Ok(page)
            }
            (None, Some(first_seq)) => self.open_page(subject, first_seq, limit, limit_bytes),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// Records of the open segment, which is only looked up under its lock. Should the segment be
    /// full meanwhile, its file is still the one that has them.
    fn open_page(
        &self,
        subject: &Subject,
        seq: u64,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Recorded>, Error> {
        let (file, home, spans) = {
            let state = self.shared.state.read();
            let has = state.open.index.stream(subject.as_str()).map(|stream| stream.first_seq);
            if has.is_none_or(|first_seq| first_seq > seq) {
                drop(state);
                return self.page(subject, seq, limit, limit_bytes);
            }
            let spans = state.open.spans(subject.as_str(), seq, limit);
            (state.open.file.clone(), state.open.home, spans)
        };
        Fetch { file: &*file, home, subject }.records(seq, &spans, limit_bytes)
    }
}
