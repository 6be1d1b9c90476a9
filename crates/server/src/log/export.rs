//! `matchwire log export`: events as they are delivered, a line each, stream by stream.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
};

use anyhow::{Context as _, bail};
use matchwire_domain::subject::Subject;
use matchwire_embedded::Export as Reader;

use super::folder;
use crate::cli::Export;

/// How many subjects are looked for at once.
const PAGE_SUBJECTS: usize = 1_000;
/// How many events are read at once.
const PAGE_EVENTS: usize = 1_000;
/// A page ends when it has so many stored bytes.
const PAGE_BYTES: usize = 4 << 20;

/// Runs the command; an error if some events cannot be read.
pub(super) fn run(args: &Export) -> anyhow::Result<()> {
    let folder = folder(&args.data);
    let reader = Reader::open(&folder, args.archive.open()?)
        .with_context(|| format!("cannot read the log in {}", folder.display()))?;
    let subject = args.subject.as_deref().map(Subject::parse).transpose()?;
    let Some(path) = &args.out else {
        let out = io::stdout().lock();
        return Exporter { reader, out: BufWriter::new(out), broken: 0 }.run(subject);
    };
    let place = || format!("cannot write {}", path.display());
    let file = File::create(path).with_context(place)?;
    let synced = file.try_clone().with_context(place)?;
    Exporter { reader, out: BufWriter::new(file), broken: 0 }.run(subject).with_context(place)?;
    synced.sync_all().with_context(place)
}

struct Exporter<W: Write> {
    reader: Reader,
    out: BufWriter<W>,
    /// Streams that could not be read to their end.
    broken: u64,
}

/// Why an export ends early.
enum End {
    /// Nobody reads any more.
    Unread,
    Failed(anyhow::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Failed(error.into()),
        }
    }
}

impl<W: Write> Exporter<W> {
    fn run(mut self, subject: Option<Subject>) -> anyhow::Result<()> {
        let done = match subject {
            Some(subject) => self.stream(&subject),
            None => self.all(),
        };
        let flushed = done.and_then(|()| Ok(self.out.flush()?));
        match flushed {
            Err(End::Failed(error)) => return Err(error),
            Err(End::Unread) => return Ok(()),
            Ok(()) => {}
        }
        for hole in self.reader.holes() {
            eprintln!(
                "missing: groups {} to {} ({} at byte {}: {})",
                hole.first, hole.last, hole.file, hole.offset, hole.what
            );
        }
        if self.broken > 0 {
            bail!("{} streams could not be read to their end", self.broken);
        }
        Ok(())
    }

    fn all(&mut self) -> Result<(), End> {
        let mut after: Option<String> = None;
        loop {
            let page = self.reader.subjects("", after.as_deref(), PAGE_SUBJECTS);
            let page = page.map_err(|error| End::Failed(error.into()))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.as_str().to_owned());
            // The server's own streams may hold parts of a source's raw text.
            for subject in page.iter().filter(|subject| !subject.is_internal()) {
                self.stream(subject)?;
            }
        }
    }

    fn stream(&mut self, subject: &Subject) -> Result<(), End> {
        let mut last = 0;
        let mut line = String::new();
        loop {
            let page = match self.reader.read(subject, last, PAGE_EVENTS, PAGE_BYTES) {
                Ok(page) => page,
                Err(error) => {
                    eprintln!("{subject}: behind seq {last}: {error}");
                    self.broken += 1;
                    return Ok(());
                }
            };
            if page.is_empty() {
                return Ok(());
            }
            for recorded in page {
                if recorded.seq != last + 1 {
                    eprintln!("{subject}: seq {} to {} are missing", last + 1, recorded.seq - 1);
                }
                last = recorded.seq;
                line.clear();
                recorded.write(&mut line);
                // Between tokens, where alone it may stand, a line break is a space.
                let line = line.replace(['\r', '\n'], " ");
                self.out.write_all(line.as_bytes())?;
                self.out.write_all(b"\n")?;
            }
        }
    }
}
