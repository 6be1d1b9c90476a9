//! What the footer of an object says of its groups, as far as rows are read by it.

use parquet::{
    basic::CompressionCodec,
    file::metadata::{
        ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataOptions,
        ParquetMetaDataReader, ParquetStatisticsPolicy, RowGroupMetaData,
    },
};

use crate::{
    decode::caught,
    page,
    schema::{CHECKSUMS, COLUMNS, MAX_GROUP_ROWS, MAX_GROUPS, Schema, THIS_VERSION, VERSION},
};

/// What an object begins and ends with.
const MAGIC: &[u8; 4] = b"PAR1";
/// The length of the footer, and the end of the object.
pub(crate) const END_BYTES: usize = 8;

/// Where the groups of an object are.
#[derive(Debug)]
pub(crate) struct Footer {
    pub(crate) groups: Vec<Group>,
}

/// Where a group is, and what it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) rows: u32,
    /// Where its first column begins; the others follow without a gap.
    pub(crate) from: u64,
    /// The checksum of all its columns.
    pub(crate) crc32c: u32,
    /// The size of each column.
    pub(crate) columns: [u32; COLUMNS],
}

impl Group {
    pub(crate) fn bytes(&self) -> u64 {
        self.columns.iter().copied().map(u64::from).sum()
    }
}

/// How many bytes the footer has before its end, by the last bytes of the object.
pub(crate) fn length(tail: &[u8]) -> Result<u64, String> {
    let end = tail.last_chunk::<END_BYTES>().map(|end| end.split_at(4));
    match end {
        Some((length, magic)) if magic == MAGIC => {
            Ok(length.try_into().map(u32::from_le_bytes).unwrap_or_default().into())
        }
        _ => Err("it does not end as a Parquet file does".into()),
    }
}

impl Footer {
    /// Reads a footer that begins at byte `from` of its object.
    pub(crate) fn read(footer: &[u8], from: u64, schema: &Schema) -> Result<Self, String> {
        if !page::has_schema(footer) {
            return Err("it has other columns than an object of an archive".into());
        }
        let mut options = ParquetMetaDataOptions::new();
        options.set_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
        options.set_column_stats_policy(ParquetStatisticsPolicy::SkipAll);
        options.set_size_stats_policy(ParquetStatisticsPolicy::SkipAll);
        let read = || ParquetMetaDataReader::decode_metadata_with_options(footer, Some(&options));
        let read = caught(read)?.map_err(|error| format!("its footer cannot be read: {error}"))?;
        groups(&read, from, schema)
    }
}

fn groups(read: &ParquetMetaData, to: u64, schema: &Schema) -> Result<Footer, String> {
    let file = read.file_metadata();
    let version = said(file, VERSION)?;
    if version != THIS_VERSION {
        return Err(format!(
            "it has version {version:?}, and this version of matchwire reads {THIS_VERSION}"
        ));
    }
    if file.schema() != &*schema.root {
        return Err("it has other columns than an object of an archive".into());
    }
    let checksums = said(file, CHECKSUMS)?.as_bytes().chunks(8).map(|digits| {
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 8)?;
        u32::from_str_radix(digits, 16).ok()
    });
    let checksums = checksums.collect::<Option<Vec<_>>>().ok_or("its checksums are none")?;
    let count = read.num_row_groups();
    if count > MAX_GROUPS || count != checksums.len() {
        return Err(format!("it has {count} groups, and {} checksums", checksums.len()));
    }
    let mut at = MAGIC.len() as u64;
    let mut groups = Vec::with_capacity(count);
    for (number, (read, crc32c)) in read.row_groups().iter().zip(checksums).enumerate() {
        let group = group(read, at, crc32c).ok_or_else(|| format!("its group {number} is none"))?;
        at += group.bytes();
        groups.push(group);
    }
    if at > to {
        return Err("its groups reach into its footer".into());
    }
    Ok(Footer { groups })
}

/// What is said under a key.
fn said<'a>(file: &'a FileMetaData, key: &str) -> Result<&'a str, String> {
    let mut said = file.key_value_metadata().into_iter().flatten();
    let found = said.find(|said| said.key == key).and_then(|said| said.value.as_deref());
    found.ok_or_else(|| format!("it does not say its {key}"))
}

/// A group that begins at a byte; nothing if it is not as it is written here.
fn group(read: &RowGroupMetaData, from: u64, crc32c: u32) -> Option<Group> {
    let rows = u32::try_from(read.num_rows()).ok()?;
    if rows == 0 || rows as usize > MAX_GROUP_ROWS || read.num_columns() != COLUMNS {
        return None;
    }
    let mut columns = [0; COLUMNS];
    let mut at = from;
    for (bytes, column) in columns.iter_mut().zip(read.columns()) {
        *bytes = column_bytes(column, at, rows)?;
        at += u64::from(*bytes);
    }
    Some(Group { rows, from, crc32c, columns })
}

/// The size of a column that begins at a byte.
fn column_bytes(column: &ColumnChunkMetaData, from: u64, rows: u32) -> Option<u32> {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let fits = u64::try_from(start) == Ok(from)
        && column.num_values() == i64::from(rows)
        && column.compression_codec() == CompressionCodec::ZSTD
        && column.file_path().is_none();
    fits.then(|| u32::try_from(column.compressed_size()).ok()).flatten()
}
