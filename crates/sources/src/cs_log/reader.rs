//! From posts to drafts: which bytes are new, where lines begin and end, and what they tell.

use matchwire_domain::{
    live_match::cs::{Event, SourceGap, SourceLate},
    live_match::{Vocabulary as _, course},
    timestamp::Timestamp,
};

use super::{
    block::{self, Block, Part},
    carry::{Carry, Context, Feed, Span},
    line,
    mention::{Mention, Place as Standing},
    parse::parse_line,
    post::{Offsets, Post},
};
use crate::{Answer, Draft};

/// How much of a line may wait for its rest, and of a span's head for what is missing before it.
const MAX_WAITING_BYTES: usize = 64 * 1_024;

/// Reads posts for one match.
#[derive(Debug, Clone, Copy)]
pub struct Reader {
    map: Option<u16>,
}

/// What is gathered while a post is read.
struct Reading<'a> {
    reader: Reader,
    source: String,
    exchange: &'a mut dyn FnMut(&str) -> String,
    drafts: Vec<Draft>,
    unknown: usize,
    /// When the last line was written, for what has no time of its own.
    time: Timestamp,
}

/// What names the events of a line.
enum Place<'a> {
    /// Its offset in the server's log.
    Offset(u64),
    /// The post and the line's number in it.
    Line(&'a str, usize),
}

impl Reader {
    /// For a map by its number, or counting maps as they are played.
    pub fn new(map: Option<u16>) -> Self {
        Self { map }
    }

    /// Reads a post after what was `carry`. `exchange` gives a player id for an account.
    ///
    /// The answer depends on the arguments alone, so a post whose outcome is unknown is read
    /// again with the same carry and gives the same events.
    pub fn read(
        self,
        mut carry: Carry,
        post: &Post<'_>,
        exchange: &mut dyn FnMut(&str) -> String,
    ) -> Answer<Carry> {
        if let Some(map) = self.map {
            carry.latest.series.map = map;
        }
        let source = "cs-log".into();
        let time = Timestamp::default();
        let drafts = Vec::new();
        let mut reading = Reading { reader: self, source, exchange, drafts, unknown: 0, time };
        let mut duplicate = 0;
        if let Some(offsets) = &post.offsets {
            duplicate = reading.part_of_feed(&mut carry, offsets, post.body);
        } else {
            reading.whole(&mut carry.latest, post);
        }
        let Reading { drafts, unknown, .. } = reading;
        carry.bound();
        Answer { drafts, duplicate, unknown, carry }
    }
}

impl Reading<'_> {
    /// A post that stands for itself.
    fn whole(&mut self, context: &mut Context, post: &Post<'_>) {
        let identity = post.identity();
        for (number, text) in post.body.split(|byte| *byte == b'\n').enumerate() {
            self.line(context, text, &Place::Line(&identity, number));
        }
    }

    /// A post at a known place of a feed; answers how many lines had come before.
    fn part_of_feed(&mut self, carry: &mut Carry, offsets: &Offsets, body: &[u8]) -> usize {
        let mut text = body.to_vec();
        // A line ending that was lost on the way.
        let lost = offsets.end - offsets.begin - body.len() as u64;
        text.extend_from_slice(match lost {
            2 => b"\r\n",
            1 => b"\n",
            _ => b"",
        });
        let (name, feed) = carry.feed(&offsets.feed, offsets.begin, &text);
        self.source = format!("cs-log/{name}");
        let missing = feed.missing(offsets.begin, offsets.end);
        let duplicate = known_lines(&text, offsets.begin, &missing);
        for (begin, end) in missing {
            let slice = |at: u64| usize::try_from(at - offsets.begin).unwrap_or(usize::MAX);
            let part = text.get(slice(begin)..slice(end)).unwrap_or_default();
            self.time = first_time(part).unwrap_or(self.time);
            self.part(feed, begin, part);
        }
        feed.bound();
        if let Some(last) = feed.spans.last() {
            carry.latest = last.context.clone();
        }
        duplicate
    }

    /// A part of a feed that is new as a whole.
    fn part(&mut self, feed: &mut Feed, begin: u64, bytes: &[u8]) {
        let end = begin + bytes.len() as u64;
        let at = feed.spans.partition_point(|span| span.end <= begin);
        let left = at.checked_sub(1).and_then(|i| feed.spans.get(i));
        let before = left.map(|span| span.end);
        // What is known at the nearest place before; nothing of a block goes over a gap.
        let nearest = left.map_or(&feed.origin, |span| &span.context);
        let context = Context { block: None, ..nearest.clone() };
        if at < feed.spans.len() {
            let late = SourceLate { from: begin, to: end };
            let late = course::Event::from(late).into();
            self.draft(context.series.map, format!("late-{begin}"), None, &late);
        } else if let Some(from) = before.filter(|from| *from < begin) {
            let gap = course::Event::from(SourceGap { from, to: begin }).into();
            self.draft(context.series.map, format!("gap-{from}-{begin}"), None, &gap);
        }
        feed.prefixed |= tells_prefix(begin, bytes);
        let mut span = if before == Some(begin) {
            feed.spans.remove(at - 1)
        } else {
            let head_open = !feed.spans.is_empty();
            let (head, tail, prefixed) = (Vec::new(), Vec::new(), feed.prefixed);
            Span { begin, end: begin, head, head_open, prefixed, tail, context }
        };
        self.extend(&mut span, bytes);
        let at = feed.spans.partition_point(|other| other.end <= begin);
        match feed.spans.get_mut(at) {
            Some(next) if next.begin == end => {
                // The gap is closed: what waited on both sides belongs together.
                self.join(span, next);
            }
            _ => feed.spans.insert(at, span),
        }
    }

    /// Puts a span in front of the one that begins where it ends.
    fn join(&mut self, mut span: Span, next: &mut Span) {
        let only_waited = next.begin + (next.head.len() + next.tail.len()) as u64 == next.end;
        let waiting = std::mem::take(&mut next.head);
        self.extend(&mut span, &waiting);
        let rest = std::mem::take(&mut span.tail);
        if only_waited {
            next.tail.splice(..0, rest);
            next.context = span.context;
        } else if !rest.is_empty() {
            let offset = span.end - rest.len() as u64;
            self.line(&mut span.context, &rest, &Place::Offset(offset));
        }
        next.begin = span.begin;
        next.head = span.head;
        next.head_open &= span.head_open;
    }

    /// Adds bytes at the end of a span and reads the lines that they complete.
    fn extend(&mut self, span: &mut Span, bytes: &[u8]) {
        let mut offset = span.end - span.tail.len() as u64;
        span.end += bytes.len() as u64;
        let mut text = std::mem::take(&mut span.tail);
        text.extend_from_slice(bytes);
        let mut rest = text.as_slice();
        while let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(length + 1);
            if !(span.head_open && waits(span, line)) {
                self.line(&mut span.context, line, &Place::Offset(offset));
            }
            offset += line.len() as u64;
            rest = after;
        }
        if rest.len() <= MAX_WAITING_BYTES {
            span.tail = rest.to_vec();
        }
    }

    /// One line: a part of a block, a fact, or nothing that we know.
    fn line(&mut self, context: &mut Context, bytes: &[u8], place: &Place<'_>) {
        let text = String::from_utf8_lossy(bytes);
        if text.trim().is_empty() {
            return;
        }
        if let Some(map) = self.reader.map {
            context.series.map = map;
        }
        let Some(split) = line::split(&text) else {
            self.unknown += 1;
            return;
        };
        self.time = split.time;
        match (block::part(split.text), &mut context.block) {
            (Some(Part::Begin), block) => *block = Some(Block::default()),
            (Some(Part::Inside), Some(block)) => {
                if !block.push(split.text) {
                    context.block = None;
                    self.unknown += 1;
                }
            }
            (Some(Part::End), Some(block)) => {
                let table = block.read();
                context.block = None;
                match table {
                    Some(event) => self.fact(context, event, &[], place),
                    None => self.unknown += 1,
                }
            }
            _ => match parse_line(&text) {
                Some(parsed) => self.fact(context, parsed.event, &parsed.mentions, place),
                None => self.unknown += 1,
            },
        }
    }

    /// A fact, after the introductions that it needs.
    fn fact(
        &mut self,
        context: &mut Context,
        event: Event,
        mentions: &[Mention],
        place: &Place<'_>,
    ) {
        context.follow(&event, self.reader.map.is_none());
        let event = event.exchange(self.exchange);
        let ids = mentions.iter().map(|mention| ((self.exchange)(&mention.account), mention));
        let people: Vec<(String, &Mention)> = ids.collect();
        // A server seats bots and sends them away all the time; they matter once they act.
        let is_seat = matches!(event, Event::PlayerJoined(_) | Event::PlayerConnected(_));
        if is_seat && mentions.iter().any(Mention::is_bot) {
            return;
        }
        context.roster.follow(&event);
        let introductions = match event {
            Event::PlayerJoined(_) | Event::PlayerConnected(_) | Event::PlayerDisconnected(_) => {
                Vec::new()
            }
            _ => {
                let introduce = |(id, mention): &(String, &Mention)| match mention.place {
                    Standing::On(side) => context.roster.introduce(id, &mention.name, side),
                    _ => None,
                };
                people.iter().filter_map(introduce).collect()
            }
        };
        let (id, sequence) = match place {
            Place::Offset(offset) => (offset.to_string(), Some(format!("{offset:020}"))),
            Place::Line(post, line) => (format!("{post}.{line}"), None),
        };
        // The fact has the line's own place; who is introduced before it depends on who was heard.
        for (number, event) in introductions.into_iter().enumerate() {
            let sequence = sequence.as_ref().map(|sequence| format!("{sequence}.{number}"));
            self.draft(context.series.map, format!("{id}.{number}"), sequence, &event);
        }
        let sequence = sequence.map(|sequence| sequence + "~");
        self.draft(context.series.map, id, sequence, &event);
    }

    fn draft(&mut self, map: u16, id: String, sequence: Option<String>, event: &Event) {
        let draft = Draft::new(map, &self.source, id, event);
        self.drafts.push(Draft { sequence, time: Some(self.time), ..draft });
    }
}

/// Whether these bytes of a feed show that its lines start with `L `.
fn tells_prefix(begin: u64, bytes: &[u8]) -> bool {
    let first = if begin == 0 { &b"L"[..] } else { b"L " };
    bytes.starts_with(first) || bytes.windows(3).any(|three| three == b"\nL ")
}

/// Whether a line at the head of a span makes sense only with what is missing before it: the rest
/// of a line, or of a block. If so it is put aside.
fn waits(span: &mut Span, line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    let part = line::split(&text).map(|line| block::part(line.text));
    let cut = part.is_none() || (span.prefixed && !line.starts_with(b"L "));
    let waits = match part {
        _ if cut => span.head.is_empty(),
        None => false,
        Some(part) => matches!(part, Some(Part::Inside | Part::End)),
    };
    let fits = span.head.len() + line.len() <= MAX_WAITING_BYTES;
    span.head_open = waits && fits && part != Some(Some(Part::End));
    if waits && fits {
        span.head.extend_from_slice(line);
    }
    waits && fits
}

/// How many lines that tell something begin outside the missing parts.
fn known_lines(text: &[u8], begin: u64, missing: &[(u64, u64)]) -> usize {
    let mut offset = begin;
    let mut known = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let is_new = missing.iter().any(|(from, to)| (*from..*to).contains(&offset));
        known += usize::from(!is_new && parse_line(&String::from_utf8_lossy(line)).is_some());
        offset += line.len() as u64;
    }
    known
}

/// The time of the first line that has one.
fn first_time(text: &[u8]) -> Option<Timestamp> {
    text.split(|byte| *byte == b'\n')
        .find_map(|line| line::split(&String::from_utf8_lossy(line)).map(|line| line.time))
}
