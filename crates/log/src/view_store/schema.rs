//! What a view is called, and which tables it has.

/// The longest name of a view or of a table.
const MAX_NAME_BYTES: usize = 32;

/// A version of a view. Two versions of one view have nothing to do with each other for a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    name: &'static str,
    version: u32,
    tables: &'static [Table],
}

/// A table of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table(&'static str);

impl Schema {
    /// A version of a view, counted from 1. A name has 1 to 32 lower-case letters, digits and `_`, the first one a
    /// letter; to be evaluated in a constant, so that another one does not compile.
    #[must_use]
    pub const fn new(name: &'static str, version: u32, tables: &'static [Table]) -> Self {
        assert!(is_name(name), "the name of a view has lower-case letters, digits and `_`");
        assert!(version > 0, "the versions of a view are counted from 1");
        Self { name, version, tables }
    }

    /// The name of the view.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Which version it is.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Its tables.
    pub const fn tables(&self) -> &'static [Table] {
        self.tables
    }

    /// That a table is one of them: whoever reads and writes a view names its tables in one place.
    pub fn assert_has(&self, table: Table) {
        assert!(self.tables.contains(&table), "{} has no table {}", self.name, table.0);
    }
}

impl Table {
    /// A table, named like a view.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        assert!(is_name(name), "the name of a table has lower-case letters, digits and `_`");
        Self(name)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

/// Whether a text may name a view or a table. It may stand in a file's name and in SQL as it is.
const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let Some((first, mut rest)) = bytes.split_first() else { return false };
    while let Some((byte, others)) = rest.split_first() {
        if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_') {
            return false;
        }
        rest = others;
    }
    first.is_ascii_lowercase() && bytes.len() <= MAX_NAME_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_files_and_sql() {
        for name in ["a", "player_activity", "top10", "a23456789012345678901234567890_2"] {
            assert!(is_name(name), "{name}");
        }
        let too_long = "a23456789012345678901234567890_23";
        for name in ["", "1a", "_a", "a-b", "a.b", "A", "ä", "a b", "a\"", too_long] {
            assert!(!is_name(name), "{name}");
        }
    }
}
