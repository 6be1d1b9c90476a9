//! Server-sent events out of bytes, as the HTML standard has them:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>.

use std::mem;

use crate::wire::MAX_BYTES;

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Event {
    /// Its data; lines are joined by line breaks.
    pub(crate) data: String,
    /// The last id that was told, in this event or before.
    pub(crate) id: Option<String>,
}

/// What is read so far.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    /// Whether a line feed that comes next belongs to the line end before it.
    after_cr: bool,
    is_begun: bool,
    data: String,
    has_data: bool,
    id: Option<String>,
    /// How long it wants to be left alone after a broken connection, in milliseconds.
    pub(crate) retry_ms: Option<u64>,
}

/// More came without an end than is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Parser {
    /// Takes bytes, and gives the events that are complete with them.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLarge> {
        let mut events = Vec::new();
        for piece in bytes.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
            let (text, end) = match piece.split_last() {
                Some((end @ (b'\r' | b'\n'), text)) => (text, Some(*end)),
                _ => (piece, None),
            };
            if mem::take(&mut self.after_cr) && end == Some(b'\n') && text.is_empty() {
                continue;
            }
            if self.line.len() + text.len() + self.data.len() > MAX_BYTES {
                return Err(TooLarge);
            }
            self.line.extend_from_slice(text);
            if let Some(end) = end {
                self.after_cr = end == b'\r';
                let line = mem::take(&mut self.line);
                events.extend(self.line(&line));
            }
        }
        Ok(events)
    }

    fn line(&mut self, line: &[u8]) -> Option<Event> {
        let mut line = line;
        if !mem::replace(&mut self.is_begun, true) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            let data = mem::take(&mut self.data);
            // An id alone is told with the next event.
            return mem::take(&mut self.has_data).then(|| Event { data, id: self.id.clone() });
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = match colon.and_then(|at| line.split_at_checked(at)) {
            Some((field, value)) => (field, value.get(1..).unwrap_or_default()),
            None => (line, &[][..]),
        };
        let value = String::from_utf8_lossy(value.strip_prefix(b" ").unwrap_or(value));
        match field {
            b"data" => {
                if mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(&value);
            }
            b"id" if !value.contains('\0') => self.id = Some(value.into_owned()),
            b"retry" => self.retry_ms = value.parse().ok().or(self.retry_ms),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(text: &[u8]) -> Vec<(String, Option<String>)> {
        let events = Parser::default().push(text).unwrap();
        events.into_iter().map(|event| (event.data, event.id)).collect()
    }

    #[test]
    fn as_the_standard_has_them() {
        let id = |text: &str| Some(text.to_owned());
        assert_eq!(events(b"data: YHOO\ndata: +2\ndata: 10\n\n"), [("YHOO\n+2\n10".into(), None)]);
        let stream =
            b": test\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third\n\n";
        let told = [
            ("first event".into(), id("1")),
            ("second event".into(), id("")),
            (" third".into(), id("")),
        ];
        assert_eq!(events(stream), told);
        assert_eq!(
            events(b"data\n\ndata\ndata\n\ndata:"),
            [(String::new(), None), ("\n".into(), None)]
        );
        assert_eq!(events(b"data:test\n\ndata: test\n\n").len(), 2);
        assert_eq!(
            events(b"\xef\xbb\xbfdata: x\r\n\r\nid: a\0b\rdata: y\r\r"),
            [("x".into(), None), ("y".into(), None)]
        );
        assert_eq!(events(b"event: e\nid: 7\n\ndata: x\n\n"), [("x".into(), id("7"))]);
    }

    #[test]
    fn how_long_it_wants_to_be_left_alone() {
        let mut parser = Parser::default();
        parser.push(b"retry: 10000\nretry: soon\n\n").unwrap();
        assert_eq!(parser.retry_ms, Some(10_000));
    }

    #[test]
    fn what_has_no_end() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 1 << 20];
        let pushed = (0..20).map(|_| parser.push(&piece)).find_map(Result::err);
        assert_eq!(pushed, Some(TooLarge));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_it_is_cut(
            lines in proptest::collection::vec("(data|id|retry|: c|)?:? ?[a-z0-9é]{0,3}(\r|\n|\r\n)", 0..30),
            cut in 0_usize..100,
        ) {
            let text = lines.concat().into_bytes();
            let (mut whole, mut parts) = (Parser::default(), Parser::default());
            let all = whole.push(&text).unwrap();
            let cut = cut.min(text.len());
            let mut both = parts.push(&text[..cut]).unwrap();
            both.extend(parts.push(&text[cut..]).unwrap());
            prop_assert_eq!(all, both);
        }
    }
}
