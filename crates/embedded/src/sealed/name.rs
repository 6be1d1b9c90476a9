//! The names of sealed files.

const SUFFIX: &str = ".sealed";

/// The positions (numbers of append groups) that a file covers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Range {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Range {
    /// Whether there is a position in both.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// The name of a sealed file.
pub(crate) fn sealed_name(range: Range) -> String {
    format!("{:020}-{:020}{SUFFIX}", range.first, range.last)
}

/// What a sealed file covers, by its name; nothing if it is not exactly such a name.
pub(crate) fn parse_name(name: &str) -> Option<Range> {
    let (first, last) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    let range = Range { first: first.parse().ok()?, last: last.parse().ok()? };
    (range.first <= range.last && sealed_name(range) == name).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_names() {
        let range = Range { first: 1, last: 420 };
        let name = sealed_name(range);
        assert_eq!(name, "00000000000000000001-00000000000000000420.sealed");
        assert_eq!(parse_name(&name), Some(range));
        for bad in [
            "1-420.sealed",
            "00000000000000000420-00000000000000000001.sealed",
            "+0000000000000000001-00000000000000000420.sealed",
            "00000000000000000001-00000000000000000420.sealed.tmp",
            "00000000000000000001.seg",
            "",
        ] {
            assert_eq!(parse_name(bad), None, "{bad}");
        }
    }
}
