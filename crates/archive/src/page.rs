//! The headers of a column's pages, looked at before anything is decompressed, and the beginning of a
//! footer.
//!
//! Whoever decodes a page reserves what its header asks for. So a header must be one as it is
//! written here, and ask for no more than a group may have. Both are in Thrift's compact protocol, of
//! which this reads as much as is needed: structs of numbers.

use crate::schema::COLUMNS;

/// The types of a field: none, two for a truth value, a number, a list and a struct.
const STOP: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I32: u8 = 5;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// The kinds of a page that are written.
const DATA: i64 = 0;
const DICTIONARY: i64 = 2;

/// The encodings that are written: plain, by dictionary, by run length, by difference, and by
/// dictionary under its newer number.
const ENCODINGS: [i64; 5] = [0, 2, 3, 5, 8];

/// Looks at every page of a column, which together ask for at most `limit` bytes: how many they do.
pub(crate) fn raw_bytes(column: &[u8], rows: u32, limit: u64) -> Result<u64, String> {
    let mut rest = column;
    let mut raw_bytes = 0;
    while !rest.is_empty() {
        let header = header(&mut rest).ok_or("a page has no header as it is written here")?;
        let page = header.check(rows)?;
        rest = rest.get(page.bytes..).ok_or("a page goes beyond its column")?;
        raw_bytes += page.raw_bytes;
        if raw_bytes > limit {
            return Err(format!("its columns have more than {limit} bytes"));
        }
    }
    Ok(raw_bytes)
}

/// Whether a footer begins with a schema of as many elements as it has, so that reading it goes no
/// deeper than that.
pub(crate) fn has_schema(footer: &[u8]) -> bool {
    let schema = |rest: &mut &[u8]| {
        let version = byte(rest)? == field(I32) && number(rest).is_some();
        let list = byte(rest)? == field(LIST);
        // The number of elements and their type.
        let size = u8::try_from(COLUMNS + 1).ok()?;
        Some(version && list && byte(rest)? == size << 4 | STRUCT)
    };
    schema(&mut { footer }) == Some(true)
}

/// The first byte of a field whose number is one more than that of the field before.
const fn field(kind: u8) -> u8 {
    0x10 | kind
}

/// What is said of a page, by the numbers of the fields: of its header, and of the struct within.
#[derive(Default)]
struct Header {
    kind: Option<i64>,
    raw_bytes: Option<i64>,
    bytes: Option<i64>,
    values: Option<i64>,
    has_unknown: bool,
}

struct Page {
    bytes: usize,
    raw_bytes: u64,
}

impl Header {
    fn check(&self, rows: u32) -> Result<Page, String> {
        let sizes = (self.bytes.map(usize::try_from), self.raw_bytes.map(u64::try_from));
        let (Some(Ok(bytes)), Some(Ok(raw_bytes))) = sizes else {
            return Err("a page does not say its size".into());
        };
        if self.has_unknown || !matches!(self.kind, Some(DATA | DICTIONARY)) {
            return Err("a page is of a kind that is not written here".into());
        }
        match self.values {
            Some(values) if (0..=i64::from(rows)).contains(&values) => {
                Ok(Page { bytes, raw_bytes })
            }
            values => Err(format!("a page says that it has {values:?} values of {rows} rows")),
        }
    }

    fn number(&mut self, within: Option<i64>, id: i64, value: i64) {
        let place = match (within, id) {
            (None, 1) => &mut self.kind,
            (None, 2) => &mut self.raw_bytes,
            (None, 3) => &mut self.bytes,
            (Some(5 | 7), 1) => &mut self.values,
            (Some(5), 2..=4) | (Some(7), 2) if ENCODINGS.contains(&value) => return,
            _ => return self.has_unknown = true,
        };
        // What is said twice could be taken differently.
        self.has_unknown |= place.replace(value).is_some();
    }
}

/// Reads a header; nothing if it is none.
fn header(rest: &mut &[u8]) -> Option<Header> {
    let mut header = Header::default();
    fields(rest, &mut header, None)?;
    Some(header)
}

fn fields(rest: &mut &[u8], header: &mut Header, within: Option<i64>) -> Option<()> {
    let mut id = 0;
    loop {
        let first = byte(rest)?;
        if first == STOP {
            return Some(());
        }
        id = match first >> 4 {
            0 => number(rest)?,
            step => id + i64::from(step),
        };
        match first & 15 {
            TRUE | FALSE if (within, id) == (Some(7), 3) => {}
            I32 => header.number(within, id, number(rest)?),
            STRUCT if within.is_none() => fields(rest, header, Some(id))?,
            _ => return None,
        }
    }
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, others) = rest.split_first()?;
    *rest = others;
    Some(*first)
}

/// A number of up to 32 bits: 7 bits a byte, from the lowest, the sign in the last bit of all.
fn number(rest: &mut &[u8]) -> Option<i64> {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = byte(rest)?;
        number |= i64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let number = (number >> 1) ^ -(number & 1);
            return i32::try_from(number).is_ok().then_some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data page of 3 values, 100 bytes raw and 2 as it is, then those.
    const PAGE: [u8; 19] =
        [0x15, 0, 0x15, 200, 1, 0x15, 4, 0x2c, 0x15, 6, 0x15, 0, 0x15, 6, 0x15, 6, 0, 0, 9];

    fn check(change: impl Fn(&mut Vec<u8>)) -> Result<u64, String> {
        let mut page = [&PAGE[..], &[9]].concat();
        change(&mut page);
        raw_bytes(&page, 3, 1_000)
    }

    #[test]
    fn pages() {
        assert_eq!(check(|_| ()), Ok(100));
        assert_eq!(check(|page| page.extend(page.clone())), Ok(200));
        assert!(check(|page| page.truncate(19)).is_err(), "too short");
        assert!(check(|page| page[4] = 0x7f).is_err(), "too large");
        assert!(check(|page| page[9] = 8).is_err(), "too many values");
        assert!(check(|page| page[9] = 5).is_err(), "fewer than none");
        assert!(check(|page| page[11] = 12).is_err(), "another encoding");
        assert!(check(|page| page[1] = 6).is_err(), "another kind");
        assert!(check(|page| page[5] = 0x16).is_err(), "another type");
    }
}
