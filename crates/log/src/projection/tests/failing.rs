//! A store in memory in which every change fails for as long as it is told to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::view_store::{
    Build, Error, MemoryViews, Schema, Size, Snapshot, Start, Stored, StoredView, Transaction,
    ViewStore,
};

#[derive(Clone)]
pub(super) struct Failing {
    views: MemoryViews,
    switch: Switch,
}

#[derive(Clone)]
struct Switch {
    error: Error,
    fails: Arc<AtomicBool>,
}

impl Failing {
    pub(super) fn new(error: Error) -> Self {
        let switch = Switch { error, fails: Arc::new(AtomicBool::new(true)) };
        Self { views: MemoryViews::new(), switch }
    }

    pub(super) fn fail(&self) {
        self.switch.fails.store(true, Ordering::SeqCst);
    }

    pub(super) fn heal(&self) {
        self.switch.fails.store(false, Ordering::SeqCst);
    }
}

impl Switch {
    fn check(&self) -> Result<(), Error> {
        if self.fails.load(Ordering::SeqCst) { Err(self.error.clone()) } else { Ok(()) }
    }
}

impl ViewStore for Failing {
    fn list(&self) -> Result<Vec<Stored>, Error> {
        self.views.list()
    }

    fn open(&self, schema: &Schema) -> Result<Option<Arc<dyn StoredView>>, Error> {
        let switch = self.switch.clone();
        let view = self.views.open(schema)?;
        Ok(view.map(|view| Arc::new(View { view, switch }) as Arc<dyn StoredView>))
    }

    fn build(&self, schema: &Schema, start: Start) -> Result<Box<dyn Build>, Error> {
        let build = self.views.build(schema, start)?;
        Ok(Box::new(Building { build, switch: self.switch.clone() }))
    }

    fn remove(&self, name: &str, version: u32) -> Result<bool, Error> {
        self.views.remove(name, version)
    }
}

struct View {
    view: Arc<dyn StoredView>,
    switch: Switch,
}

struct Building {
    build: Box<dyn Build>,
    switch: Switch,
}

impl StoredView for View {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        self.view.snapshot()
    }

    fn snapshots(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        self.view.snapshots(count)
    }

    fn begin(&self, expected: Option<&str>) -> Result<Box<dyn Transaction + '_>, Error> {
        self.switch.check()?;
        self.view.begin(expected)
    }

    fn purge(&self) -> Result<(), Error> {
        self.view.purge()
    }

    fn size(&self) -> Result<Size, Error> {
        self.view.size()
    }
}

impl StoredView for Building {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        self.build.snapshot()
    }

    fn snapshots(&self, count: usize) -> Result<Vec<Box<dyn Snapshot>>, Error> {
        self.build.snapshots(count)
    }

    fn begin(&self, expected: Option<&str>) -> Result<Box<dyn Transaction + '_>, Error> {
        self.switch.check()?;
        self.build.begin(expected)
    }

    fn purge(&self) -> Result<(), Error> {
        self.build.purge()
    }

    fn size(&self) -> Result<Size, Error> {
        self.build.size()
    }
}

impl Build for Building {
    fn finish(self: Box<Self>) -> Result<Arc<dyn StoredView>, Error> {
        let view = self.build.finish()?;
        Ok(Arc::new(View { view, switch: self.switch }))
    }
}
