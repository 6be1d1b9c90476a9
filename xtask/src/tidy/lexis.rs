//! Tells code from comments and literals, so that a rule is not fooled by a brace in a string.
//!
//! It does not parse: what a rule needs beyond lines, words and matching braces, it finds itself.

/// A Rust source, twice, line by line: what of it is code, and what is comment. What is neither
/// (the inside of strings and characters) is blank, so that every column stays where it was.
#[derive(Debug)]
pub(super) struct Source {
    /// With comments and the inside of literals blanked.
    pub(super) code: Vec<String>,
    /// With all but comments blanked.
    pub(super) comments: Vec<String>,
}

/// What the reader is inside of.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Code,
    Line,
    /// A block comment, this deep.
    Block(usize),
    /// A string, byte string or C string.
    Text,
    /// A raw string with so many hashes.
    Raw(usize),
    Character,
}

impl Source {
    /// Splits a source into code and comments.
    pub(super) fn read(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut reader = Reader { chars: &chars, at: 0, code: String::new(), note: String::new() };
        let mut inside = Inside::Code;
        while reader.at < chars.len() {
            inside = reader.step(inside);
        }
        let lines = |text: &str| text.lines().map(str::to_owned).collect();
        Self { code: lines(&reader.code), comments: lines(&reader.note) }
    }

    /// The code as one text, and the line (from 1) of each of its bytes by [`line_of`].
    pub(super) fn joined(&self) -> String {
        self.code.join("\n")
    }
}

/// The line, from 1, of a byte of a text.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The byte after the brace, bracket or parenthesis that closes the one at `open`; the end of the
/// text if none does.
pub(super) fn closing(text: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    text.len()
}

/// Where each whole word of a text starts, and the word: what is made of letters, digits and `_`.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> + Clone {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..)?;
        let start = from + rest.find(is_word)?;
        let word = text.get(start..)?;
        let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
        from = start + end;
        word.get(..end).map(|word| (start, word))
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A place in a text, and what was read before it.
struct Reader<'a> {
    chars: &'a [char],
    at: usize,
    code: String,
    note: String,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Takes some characters, into the code, the comments or neither.
    fn take(&mut self, count: usize, code: bool, note: bool) {
        for _ in 0..count {
            let Some(c) = self.peek(0) else { return };
            self.at += 1;
            let kept = |keep| if keep || c == '\n' { c } else { ' ' };
            self.code.push(kept(code));
            self.note.push(kept(note));
        }
    }

    /// Reads on, by one token at most.
    fn step(&mut self, inside: Inside) -> Inside {
        match inside {
            Inside::Code => self.step_code(),
            Inside::Line => {
                let ends = self.peek(0) == Some('\n');
                self.take(1, false, true);
                if ends { Inside::Code } else { inside }
            }
            Inside::Block(depth) => self.step_block(depth),
            Inside::Text => self.step_quoted('"', inside),
            Inside::Character => self.step_quoted('\'', inside),
            Inside::Raw(hashes) => {
                let closes = self.peek(0) == Some('"')
                    && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
                self.take(if closes { 1 + hashes } else { 1 }, closes, false);
                if closes { Inside::Code } else { inside }
            }
        }
    }

    fn step_code(&mut self) -> Inside {
        match (self.peek(0), self.peek(1)) {
            (Some('/'), Some('/')) => {
                self.take(2, false, true);
                Inside::Line
            }
            (Some('/'), Some('*')) => {
                self.take(2, false, true);
                Inside::Block(1)
            }
            (Some('"'), _) => {
                self.take(1, true, false);
                Inside::Text
            }
            (Some('\''), next) => {
                // A lifetime has no closing quote: 'a, as against 'a' and '\n'.
                let literal = next == Some('\\') || self.peek(2) == Some('\'');
                self.take(1, true, false);
                if literal { Inside::Character } else { Inside::Code }
            }
            (Some(c), _) if is_word(c) => self.step_word(),
            _ => {
                self.take(1, true, false);
                Inside::Code
            }
        }
    }

    /// A word, which may be the prefix of a raw string: `r`, `br`, `cr`.
    fn step_word(&mut self) -> Inside {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let len = rest.iter().take_while(|c| is_word(**c)).count();
        let word: String = rest.iter().take(len).collect();
        let hashes = rest.iter().skip(len).take_while(|c| **c == '#').count();
        let quoted = rest.get(len + hashes) == Some(&'"');
        if quoted && matches!(word.as_str(), "r" | "br" | "cr") {
            self.take(len + hashes + 1, true, false);
            Inside::Raw(hashes)
        } else {
            self.take(len, true, false);
            Inside::Code
        }
    }

    fn step_block(&mut self, depth: usize) -> Inside {
        match (self.peek(0), self.peek(1)) {
            (Some('*'), Some('/')) => {
                self.take(2, false, true);
                if depth == 1 { Inside::Code } else { Inside::Block(depth - 1) }
            }
            (Some('/'), Some('*')) => {
                self.take(2, false, true);
                Inside::Block(depth + 1)
            }
            _ => {
                self.take(1, false, true);
                Inside::Block(depth)
            }
        }
    }

    fn step_quoted(&mut self, quote: char, inside: Inside) -> Inside {
        if self.peek(0) == Some('\\') {
            self.take(2, false, false);
            return inside;
        }
        let closes = self.peek(0) == Some(quote);
        self.take(1, closes, false);
        if closes { Inside::Code } else { inside }
    }
}
