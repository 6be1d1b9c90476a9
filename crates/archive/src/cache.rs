//! The footers of the objects that were read last.

use std::{collections::VecDeque, sync::Arc};

use matchwire_embedded::archive::Object;
use parking_lot::Mutex;

use crate::footer::Footer;

/// How many are kept; each has some 70 bytes a group.
const MAX_FOOTERS: usize = 8;

/// The footers, with the one that was asked for last in front.
#[derive(Default)]
pub(crate) struct Cache(Mutex<VecDeque<(Object, Arc<Footer>)>>);

impl Cache {
    pub(crate) fn get(&self, object: &Object) -> Option<Arc<Footer>> {
        let mut footers = self.0.lock();
        let at = footers.iter().position(|(of, _)| of == object)?;
        let found = footers.remove(at)?;
        let footer = found.1.clone();
        footers.push_front(found);
        Some(footer)
    }

    pub(crate) fn put(&self, object: &Object, footer: Arc<Footer>) {
        let mut footers = self.0.lock();
        footers.retain(|(of, _)| of.name != object.name);
        footers.push_front((object.clone(), footer));
        footers.truncate(MAX_FOOTERS);
    }

    pub(crate) fn forget(&self, name: &str) {
        self.0.lock().retain(|(of, _)| of.name != name);
    }
}
