//! Columns to rows: what comes back of a group, or what is wrong with it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use matchwire_domain::{chain::Digest, timestamp::Timestamp};
use matchwire_embedded::archive::Row;
use parquet::{
    basic::{Compression, ZstdLevel},
    column::reader::ColumnReaderImpl,
    data_type::{
        ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
    },
    errors::ParquetError,
    file::{metadata::ColumnChunkMetaData, serialized_reader::SerializedPageReader},
};

use crate::{
    footer::Group,
    page,
    schema::{
        CHAIN, EVENT, FINGERPRINT, MAX_GROUP_BYTES, MAX_RAW_BYTES, POSITION, RECORDED, SEQ,
        SUBJECT, Schema,
    },
};

/// Does what may panic on bytes that are not what they should be.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "reading it has failed with a panic".into())
}

/// The rows of a group, of which these are all bytes.
pub(crate) fn rows(bytes: &Bytes, group: &Group, schema: &Schema) -> Result<Vec<Row>, String> {
    if crc32c::crc32c(bytes) != group.crc32c {
        return Err("its checksum is another one".into());
    }
    caught(|| Columns::new(bytes, group, schema)?.rows())?
}

/// The columns of a group.
struct Columns<'a> {
    parts: Vec<Bytes>,
    group: &'a Group,
    schema: &'a Schema,
}

impl<'a> Columns<'a> {
    fn new(bytes: &Bytes, group: &'a Group, schema: &'a Schema) -> Result<Self, String> {
        let mut rest = bytes.clone();
        let mut parts = Vec::with_capacity(group.columns.len());
        let mut limit = MAX_RAW_BYTES;
        for bytes in group.columns {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            if bytes > rest.len() {
                return Err("it ends within its columns".into());
            }
            let part = rest.split_to(bytes);
            limit -= page::raw_bytes(&part, group.rows, limit)?;
            parts.push(part);
        }
        Ok(Self { parts, group, schema })
    }

    fn rows(&self) -> Result<Vec<Row>, String> {
        let subjects = self.required::<ByteArrayType>(SUBJECT)?;
        let seqs = self.required::<Int64Type>(SEQ)?;
        let recorded = self.required::<Int64Type>(RECORDED)?;
        let positions = self.required::<Int64Type>(POSITION)?;
        let fingerprints = self.required::<Int64Type>(FINGERPRINT)?;
        let chains = self.chains()?;
        let events = self.required::<ByteArrayType>(EVENT)?;
        // A dictionary may name one long value many times.
        let bytes: usize = subjects.iter().chain(&events).map(ByteArray::len).sum();
        if bytes > MAX_GROUP_BYTES {
            return Err(format!(
                "its rows have {bytes} bytes, and at most {MAX_GROUP_BYTES} belong"
            ));
        }
        let numbers = seqs.into_iter().zip(recorded).zip(positions).zip(fingerprints);
        let texts = subjects.iter().zip(&events).zip(chains);
        let mut rows: Vec<Row> = Vec::with_capacity(events.len());
        for ((((seq, recorded), position), fingerprint), ((subject, event), chain)) in
            numbers.zip(texts)
        {
            rows.push(Row {
                subject: shared(subject, rows.last())?,
                seq: seq.cast_unsigned(),
                position: position.cast_unsigned(),
                recorded: moment(recorded)?,
                fingerprint: fingerprint.cast_unsigned(),
                chain,
                stored: event.data().to_vec(),
            });
        }
        Ok(rows)
    }

    fn chains(&self) -> Result<Vec<Option<Digest>>, String> {
        let (levels, chains) = self.column::<FixedLenByteArrayType>(CHAIN)?;
        let mut chains = chains.into_iter();
        let chain = |level| match level {
            0 => Ok(None),
            _ => chains.next().and_then(|chain| digest(&chain)).map(Some).ok_or("a chain is none"),
        };
        Ok(levels.into_iter().map(chain).collect::<Result<_, _>>()?)
    }

    /// A column in which each row has a value.
    fn required<T: DataType>(&self, number: usize) -> Result<Vec<T::T>, String> {
        self.column::<T>(number).map(|(_, values)| values)
    }

    /// A column: whether each row has a value, if some may have none, and the values.
    fn column<T: DataType>(&self, number: usize) -> Result<(Vec<i16>, Vec<T::T>), String> {
        let describe = self.schema.columns.columns().get(number);
        let (Some(part), Some(column)) = (self.parts.get(number), describe) else {
            return Err(format!("it has no column {number}"));
        };
        let wrong = |what: &dyn std::fmt::Display| format!("its column {}: {what}", column.name());
        let rows = usize::try_from(self.group.rows).unwrap_or(usize::MAX);
        let read = || {
            let about = ColumnChunkMetaData::builder(column.clone())
                .set_compression(Compression::ZSTD(ZstdLevel::default()))
                .set_num_values(self.group.rows.into())
                .set_total_compressed_size(i64::try_from(part.len())?)
                .set_data_page_offset(0)
                .build()?;
            let pages = SerializedPageReader::new(Arc::new(part.clone()), &about, rows, None)?;
            let mut reader = ColumnReaderImpl::<T>::new(column.clone(), Box::new(pages));
            let (mut levels, mut values) = (Vec::new(), Vec::new());
            // One more than there may be.
            let (read, ..) = reader.read_records(rows + 1, Some(&mut levels), None, &mut values)?;
            Ok::<_, ParquetError>((read, levels, values))
        };
        let (read, levels, values) = read().map_err(|error| wrong(&error))?;
        let has_value = levels.iter().filter(|level| **level != 0).count();
        let is_required = column.max_def_level() == 0;
        let fits = if is_required {
            values.len() == rows
        } else {
            levels.len() == rows && values.len() == has_value
        };
        if read != rows || !fits {
            return Err(wrong(&format_args!("{read} rows, and {rows} belong")));
        }
        Ok((levels, values))
    }
}

/// A subject; that of the row before if it is the same.
fn shared(subject: &ByteArray, before: Option<&Row>) -> Result<Arc<str>, String> {
    match before {
        Some(row) if row.subject.as_bytes() == subject.data() => Ok(row.subject.clone()),
        _ => std::str::from_utf8(subject.data())
            .map(Into::into)
            .map_err(|error| format!("a subject is no text: {error}")),
    }
}

fn moment(ms: i64) -> Result<Timestamp, String> {
    let moment = Timestamp::from_ms(ms);
    if moment.ms() == ms { Ok(moment) } else { Err(format!("{ms} ms is no recordedtime")) }
}

fn digest(chain: &FixedLenByteArray) -> Option<Digest> {
    chain.data().try_into().ok().map(Digest)
}
