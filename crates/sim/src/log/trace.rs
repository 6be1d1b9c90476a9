//! The story of a run, one line an operation.

/// Where the lines go, if anywhere.
pub struct Trace<'a> {
    sink: Option<&'a mut dyn FnMut(&str)>,
    lines: u64,
}

impl<'a> Trace<'a> {
    /// Nobody wants to know.
    pub fn off() -> Self {
        Self { sink: None, lines: 0 }
    }

    /// Each line goes to `sink` as soon as its operation is done.
    pub fn to(sink: &'a mut dyn FnMut(&str)) -> Self {
        Self { sink: Some(sink), lines: 0 }
    }

    /// A line, which is only made if somebody wants it.
    pub(super) fn line(&mut self, line: impl FnOnce() -> String) {
        if let Some(sink) = &mut self.sink {
            self.lines += 1;
            sink(&format!("{:>4}  {}", self.lines, line()));
        }
    }
}
