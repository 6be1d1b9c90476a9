//! Rows to columns: what is written of each group.

use std::io::Write;

use matchwire_domain::{envelope::Attributes, timestamp::Timestamp};
use matchwire_embedded::archive::{About, NextGroup, Row};
use matchwire_log::Error;
use parquet::{
    data_type::{
        ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
    },
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
};

use crate::{
    out::Out,
    schema::{self, CHECKSUMS, MAX_GROUP_BYTES, MAX_GROUP_ROWS, MAX_GROUPS, Schema},
};

/// Why an object is not written.
pub(crate) enum Failure {
    /// By the log's word: its rows could not be had, or cannot be written.
    Log(Error),
    /// By that of Parquet, or since the upload has ended.
    Parquet(ParquetError),
}

impl From<ParquetError> for Failure {
    fn from(error: ParquetError) -> Self {
        Self::Parquet(error)
    }
}

/// Writes a whole object.
pub(crate) fn object(
    out: &mut Out<'_>,
    schema: &Schema,
    about: &About,
    next: &mut NextGroup<'_>,
) -> Result<(), Failure> {
    let properties = schema::properties(about)?;
    let mut writer = SerializedFileWriter::new(out, schema.root.clone(), properties)?;
    let mut checksums = String::new();
    for groups in 0.. {
        let Some(rows) = next().map_err(Failure::Log)? else { break };
        check(about, groups, &rows).map_err(Failure::Log)?;
        writer.flush().map_err(ParquetError::from)?;
        let from = start(&mut writer);
        let columns = Columns::of(&rows).map_err(|what| {
            Failure::Log(Error::Corrupt { file: about.name.clone(), offset: from, what })
        })?;
        columns.write(&rows, writer.next_row_group()?)?;
        // The checksum is of all that has come out of the writer's own buffer.
        writer.flush().map_err(ParquetError::from)?;
        checksums += &format!("{:08x}", writer.inner_mut().take_crc32c());
    }
    writer.append_key_value_metadata(KeyValue::new(CHECKSUMS.to_owned(), checksums));
    writer.close()?;
    Ok(())
}

/// Begins a group: where it is, with a checksum of nothing yet.
fn start(writer: &mut SerializedFileWriter<&mut Out<'_>>) -> u64 {
    let out = writer.inner_mut();
    out.take_crc32c();
    out.bytes()
}

/// Refuses a group that no reader would take, behind so many others.
fn check(about: &About, before: usize, rows: &[Row]) -> Result<(), Error> {
    if before >= MAX_GROUPS {
        let what = format!("{} cannot have more than {MAX_GROUPS} groups", about.name);
        return Err(refused(what));
    }
    if rows.is_empty() || rows.len() > MAX_GROUP_ROWS {
        let (name, rows) = (&about.name, rows.len());
        let what = format!("a group of {name} has {rows} rows; it takes 1 to {MAX_GROUP_ROWS}");
        return Err(refused(what));
    }
    let bytes = rows.iter().map(|row| row.subject.len() + row.stored.len()).sum();
    if bytes > MAX_GROUP_BYTES {
        return Err(Error::TooLarge { bytes, limit: MAX_GROUP_BYTES });
    }
    Ok(())
}

/// What the caller asks for cannot be.
pub(crate) fn refused(what: String) -> Error {
    Error::Io(std::io::Error::new(std::io::ErrorKind::InvalidInput, what))
}

/// What is in the stored bytes of a group, as columns.
struct Columns {
    kinds: Vec<ByteArray>,
    sources: Vec<ByteArray>,
    ids: Vec<ByteArray>,
    times: Vec<Option<i64>>,
}

impl Columns {
    /// Reads it; or what is wrong with which row.
    fn of(rows: &[Row]) -> Result<Self, String> {
        let (kinds, sources, ids, times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut columns = Self { kinds, sources, ids, times };
        for row in rows {
            columns.add(&row.stored).map_err(|what| {
                let (seq, subject) = (row.seq, &row.subject);
                format!("the stored bytes of seq {seq} of {subject} are no event: {what}")
            })?;
        }
        Ok(columns)
    }

    fn add(&mut self, stored: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(stored).map_err(|error| error.to_string())?;
        let attributes = Attributes::read(text.as_bytes()).map_err(|error| error.to_string())?;
        let time = attributes.time.as_deref().map(Timestamp::parse).transpose();
        self.times.push(time.map_err(|error| error.to_string())?.map(Timestamp::ms));
        self.kinds.push(ByteArray::from(&*attributes.kind));
        self.sources.push(ByteArray::from(&*attributes.source));
        self.ids.push(ByteArray::from(&*attributes.id));
        Ok(())
    }

    /// Writes a group, column by column in the order of the schema.
    fn write<W: Write + Send>(
        &self,
        rows: &[Row],
        group: SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let mut group = Group(group);
        let subjects: Vec<ByteArray> = rows.iter().map(|row| (&*row.subject).into()).collect();
        group.bytes(&subjects)?;
        group.numbers(rows.iter().map(|row| row.seq.cast_signed()))?;
        group.numbers(rows.iter().map(|row| row.recorded.ms()))?;
        group.bytes(&self.kinds)?;
        group.bytes(&self.sources)?;
        group.bytes(&self.ids)?;
        let times: Vec<i64> = self.times.iter().copied().flatten().collect();
        group.column::<Int64Type>(&times, Some(&levels(self.times.iter().map(Option::is_some))))?;
        group.numbers(rows.iter().map(|row| row.position.cast_signed()))?;
        group.numbers(rows.iter().map(|row| row.fingerprint.cast_signed()))?;
        let chains = rows.iter().filter_map(|row| row.chain);
        let chains: Vec<FixedLenByteArray> = chains.map(|chain| chain.0.to_vec().into()).collect();
        let has_chain = levels(rows.iter().map(|row| row.chain.is_some()));
        group.column::<FixedLenByteArrayType>(&chains, Some(&has_chain))?;
        let events: Vec<ByteArray> = rows.iter().map(|row| row.stored.clone().into()).collect();
        group.bytes(&events)?;
        group.0.close().map(drop)
    }
}

/// The levels of a column in which some rows have no value.
fn levels(has: impl Iterator<Item = bool>) -> Vec<i16> {
    has.map(i16::from).collect()
}

/// A group of rows that is being written.
struct Group<'a, W: Write>(SerializedRowGroupWriter<'a, W>);

impl<W: Write + Send> Group<'_, W> {
    fn bytes(&mut self, values: &[ByteArray]) -> Result<(), ParquetError> {
        self.column::<ByteArrayType>(values, None)
    }

    fn numbers(&mut self, values: impl Iterator<Item = i64>) -> Result<(), ParquetError> {
        self.column::<Int64Type>(&values.collect::<Vec<_>>(), None)
    }

    fn column<T: DataType>(
        &mut self,
        values: &[T::T],
        levels: Option<&[i16]>,
    ) -> Result<(), ParquetError> {
        let column = self.0.next_column()?;
        let mut column =
            column.ok_or_else(|| ParquetError::General("there is no such column".into()))?;
        column.typed::<T>().write_batch(values, levels, None)?;
        column.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_groups_as_parquet_counts() {
        let about = About { name: "x".into(), log_id: String::new(), positions: (1, 2) };
        let rows = [crate::tests::row(1)];
        assert!(check(&about, MAX_GROUPS - 1, &rows).is_ok());
        let Err(Error::Io(error)) = check(&about, MAX_GROUPS, &rows) else { panic!("too many") };
        assert!(error.to_string().contains("32767 groups"), "{error}");
    }
}
