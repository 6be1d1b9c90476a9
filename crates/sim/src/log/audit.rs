//! Reads what the log holds: pages, whole streams, single events; and compares that with the model.

use matchwire_domain::{chain::Digest, envelope::Recorded, subject::Subject};
use matchwire_embedded::verify_on;
use matchwire_log::Error;
use rand::Rng;

use super::{
    life::{Held, Life},
    settle::short,
};

/// How many events are looked up by identity in an audit.
const FINDS: usize = 12;

impl Life<'_> {
    /// Checks everything: each acknowledged event is there once, with its number, its bytes and its
    /// chain, and beyond them at most one group that may be there.
    ///
    /// While bits are flipped, what is given must be right nevertheless, and what is not given must
    /// be an error that says so.
    pub(super) fn audit(&mut self) -> Held {
        // Whether a group in doubt is there can only be told of whole streams.
        let fails = self.shelf.set_fails(0);
        let audited = self.audit_all();
        self.shelf.set_fails(fails);
        audited
    }

    fn audit_all(&mut self) -> Held {
        let mut beyond = Vec::new();
        for stream in 0..self.scenario.streams {
            let subject = self.subject(stream)?;
            let (floor, mut found, is_whole) = self.read_all(stream)?;
            let known = usize::try_from(self.model.head(stream)).unwrap_or_default();
            let first = usize::try_from(floor).unwrap_or_default();
            let before = self.disk.met();
            let served = self.process.as_ref().map_or(Ok(0), |process| process.log.head(&subject));
            let served = match served {
                Ok(served) => served,
                Err(error) => {
                    self.excuse(&error, before)?;
                    if is_whole {
                        return Err(format!("{subject} can be read, and has no head: {error:?}"));
                    }
                    known as u64
                }
            };
            let read = first + found.len();
            if is_whole && served != read as u64 || served < known as u64 {
                return Err(format!(
                    "{subject} has {known} events, the head is {served}, and {read} can be read"
                ));
            }
            let rest = found.split_off((known - first.min(known)).min(found.len()));
            for recorded in &found {
                let checked = self.model.check_read(stream, recorded);
                checked.map_err(|what| format!("{subject}: {what}"))?;
            }
            beyond.push(rest);
        }
        let resolved = self.model.resolve(&beyond)?;
        for (stream, rest) in beyond.iter().enumerate() {
            for recorded in rest {
                self.model.check_read(stream, recorded)?;
            }
        }
        for _ in 0..FINDS.min(2 * self.scenario.streams) {
            self.look()?;
        }
        self.subjects()?;
        let all = self.model.total();
        self.trace.line(|| format!("audit: {all} events, a group in doubt was there: {resolved}"));
        if self.flipped == 0 { self.verify() } else { Ok(()) }
    }

    /// Reads a page somewhere.
    pub(super) fn read(&mut self) -> Held {
        let stream = self.scenario.stream(&mut self.random);
        let head = self.model.head(stream);
        let (after, limit) = (self.random.random_range(0..=head), self.random.random_range(1..20));
        let subject = self.subject(stream)?;
        let before = self.disk.met();
        let Some(process) = &self.process else { return Ok(()) };
        let page = process.log.read(&subject, after, limit);
        self.trace.line(|| {
            let got = page.as_ref().map(Vec::len).map_err(ToString::to_string);
            format!("read {subject} after {after}, at most {limit}: {got:?}")
        });
        let page = match page {
            Ok(page) => page,
            Err(Error::Trimmed { floor, .. }) if floor.seq > after => {
                return self.model.trimmed(stream, floor, self.flipped > 0);
            }
            Err(error) => return self.excuse(&error, before),
        };
        if page.is_empty() != (after == head) || page.len() > limit {
            return Err(format!(
                "{} events of {subject} after {after} of {head}, with a limit of {limit}",
                page.len()
            ));
        }
        for (entry, seq) in page.iter().zip(after + 1..) {
            if entry.recorded.seq != seq {
                return Err(format!("seq {} where {seq} belongs", entry.recorded.seq));
            }
            self.model.check_read(stream, &entry.recorded)?;
        }
        Ok(())
    }

    /// Looks for an event by its identity, and for one that was never stored.
    pub(super) fn look(&mut self) -> Held {
        let stream = self.scenario.stream(&mut self.random);
        let subject = self.subject(stream)?;
        let index = self.random.random_range(0..self.model.events(stream).len().max(1));
        let known = self.model.events(stream).get(index).map(|known| known.fact.clone());
        let unknown = self.supply.unknown(stream, &self.scenario);
        for fact in known.into_iter().chain(unknown) {
            let before = self.disk.met();
            let expected = self.model.find(stream, &fact).map(|first| first.seq);
            let Some(process) = &self.process else { return Ok(()) };
            let (source, id) = (&fact.event.source, &fact.event.id);
            let found = match process.log.find(&subject, source, id) {
                Ok(found) => found,
                Err(Error::Trimmed { floor, .. })
                    if expected.is_some_and(|seq| seq <= floor.seq) =>
                {
                    self.model.trimmed(stream, floor, self.flipped > 0)?;
                    continue;
                }
                Err(error) => {
                    self.excuse(&error, before)?;
                    continue;
                }
            };
            let seq = found.as_ref().map(|recorded| recorded.seq);
            if seq != expected {
                return Err(format!("{subject} {source} {id} is {seq:?}, and not {expected:?}"));
            }
            if let Some(recorded) = found {
                self.model.check_read(stream, &recorded)?;
            }
        }
        Ok(())
    }

    /// Lists the streams, from somewhere on.
    fn subjects(&mut self) -> Held {
        let Some(process) = &self.process else { return Ok(()) };
        let mut expected: Vec<&str> = Vec::new();
        for (stream, subject) in self.supply.subjects().iter().enumerate() {
            if self.model.head(stream) > 0 {
                expected.push(subject.as_str());
            }
        }
        expected.sort_unstable();
        let after = expected.get(self.random.random_range(0..=expected.len())).copied();
        let limit = self.random.random_range(1..15);
        let expected = expected.into_iter().filter(|subject| Some(*subject) > after);
        let before = self.disk.met();
        let got = match process.log.subjects("", after, limit) {
            Ok(got) => got,
            Err(error) => return self.excuse(&error, before),
        };
        let expected: Vec<&str> = expected.collect();
        let got: Vec<&str> = got.iter().map(Subject::as_str).collect();
        // What damage hides is not in the list.
        let is_part = got.is_sorted() && got.iter().all(|subject| expected.contains(subject));
        if expected.iter().take(limit).eq(&got) || self.flipped > 0 && is_part {
            return Ok(());
        }
        Err(format!("these are not the streams after {after:?}: {got:?}"))
    }

    /// A whole stream in pages behind its floor, with its numbers, times and chain checked; and
    /// whether it is whole.
    fn read_all(&mut self, stream: usize) -> Result<(u64, Vec<Recorded>, bool), String> {
        let subject = self.subject(stream)?;
        let before = self.disk.met();
        let (mut start, mut found): (u64, Vec<Recorded>) = (0, Vec::new());
        let Some(process) = &self.process else { return Ok((start, found, false)) };
        let mut chain = Digest::genesis(process.log.id(), &subject);
        loop {
            let limit = self.random.random_range(1..60);
            let after = start + found.len() as u64;
            let page = match process.log.read(&subject, after, limit) {
                Ok(page) if page.is_empty() => return Ok((start, found, true)),
                Ok(page) => page,
                Err(Error::Trimmed { floor, .. }) if floor.seq > after => {
                    for recorded in found.drain(..) {
                        self.model.check_read(stream, &recorded)?;
                    }
                    self.model.trimmed(stream, floor, self.flipped > 0)?;
                    (start, chain) = (floor.seq, floor.chain);
                    continue;
                }
                Err(error) => {
                    self.excuse(&error, before)?;
                    return Ok((start, found, false));
                }
            };
            for recorded in page.into_iter().map(|entry| entry.recorded) {
                let (seq, last) = (start + found.len() as u64 + 1, found.last());
                chain = chain.next(seq, recorded.recorded, Digest::leaf(&recorded.stored));
                let follows = last.is_none_or(|last| last.recorded <= recorded.recorded);
                if recorded.seq != seq || recorded.chain != chain || !follows {
                    let (got, is) = (short(Some(recorded.chain)), short(Some(chain)));
                    return Err(format!(
                        "{subject}: seq {} where {seq} belongs, with chain {got} where it is {is}, \
                         at {:?} after {:?}",
                        recorded.seq,
                        recorded.recorded,
                        last.map(|last| last.recorded)
                    ));
                }
                found.push(recorded);
            }
        }
    }

    /// Compares with what `verify` says of the files.
    fn verify(&mut self) -> Held {
        let verified = verify_on(&self.disk, &mut |_| ());
        let verified = verified.map_err(|error: Error| format!("verify: {error:?}"))?;
        let streams = (0..self.scenario.streams).filter(|stream| self.model.head(*stream) > 0);
        let events = verified.events + verified.trimmed;
        let found = (verified.damage.is_empty(), events, verified.streams);
        if found == (true, self.model.total(), streams.count() as u64) {
            return Ok(());
        }
        Err(format!("verify found {verified:?}, and there are {} events", self.model.total()))
    }
}
