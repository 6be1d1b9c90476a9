//! What an object holds: its columns, how they are written, and its bounds.

use std::sync::Arc;

use matchwire_embedded::archive::About;
use parquet::{
    basic::{Compression, Encoding, ZstdLevel},
    errors::Result,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr},
    },
    schema::{
        parser::parse_message_type,
        types::{ColumnPath, SchemaDescPtr, SchemaDescriptor, TypePtr},
    },
};

/// The most groups of an object; Parquet counts them with 16 bits.
pub const MAX_GROUPS: usize = 32_767;
/// The most rows of a group.
pub const MAX_GROUP_ROWS: usize = 65_536;
/// The most bytes that the subjects and the stored bytes of a group may have.
pub const MAX_GROUP_BYTES: usize = 64 << 20;

/// The most bytes that the columns of a group have when they are decompressed: what
/// [`MAX_GROUP_BYTES`] bounds, and with every row its id, source, type and numbers.
pub(crate) const MAX_RAW_BYTES: u64 = 256 << 20;

/// The keys of what is said of the whole object.
pub(crate) const VERSION: &str = "matchwire.version";
pub(crate) const CHECKSUMS: &str = "matchwire.crc32c";
const LOG_ID: &str = "matchwire.log_id";
const FIRST: &str = "matchwire.first_position";
const LAST: &str = "matchwire.last_position";
/// The version of all that is said here.
pub(crate) const THIS_VERSION: &str = "1";

/// The number of columns, and which those are that become a row again.
pub(crate) const COLUMNS: usize = 11;
pub(crate) const SUBJECT: usize = 0;
pub(crate) const SEQ: usize = 1;
pub(crate) const RECORDED: usize = 2;
pub(crate) const POSITION: usize = 7;
pub(crate) const FINGERPRINT: usize = 8;
pub(crate) const CHAIN: usize = 9;
pub(crate) const EVENT: usize = 10;

/// `event` is a STRING: as JSON, some readers would parse it and give other bytes.
const MESSAGE: &str = "
    message matchwire {
        REQUIRED BYTE_ARRAY subject (STRING);
        REQUIRED INT64 seq (INTEGER(64,false));
        REQUIRED INT64 recordedtime (TIMESTAMP(MILLIS,true));
        REQUIRED BYTE_ARRAY type (STRING);
        REQUIRED BYTE_ARRAY source (STRING);
        REQUIRED BYTE_ARRAY id (STRING);
        OPTIONAL INT64 time (TIMESTAMP(MILLIS,true));
        REQUIRED INT64 position (INTEGER(64,false));
        REQUIRED INT64 fingerprint (INTEGER(64,false));
        OPTIONAL FIXED_LEN_BYTE_ARRAY (32) chain;
        REQUIRED BYTE_ARRAY event (STRING);
    }";

/// The schema.
#[derive(Clone)]
pub(crate) struct Schema {
    pub(crate) root: TypePtr,
    pub(crate) columns: SchemaDescPtr,
}

impl Schema {
    pub(crate) fn new() -> Result<Self> {
        let root = Arc::new(parse_message_type(MESSAGE)?);
        let columns = Arc::new(SchemaDescriptor::new(root.clone()));
        Ok(Self { root, columns })
    }
}

/// How the columns of an object are written.
///
/// Numbers that grow are written as differences. Statistics are only of columns that a reader skips
/// groups by. There is no index of pages, since a group is hardly more than one page of each column.
pub(crate) fn properties(about: &About) -> Result<WriterPropertiesPtr> {
    let key = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let said = vec![
        key(VERSION, THIS_VERSION.into()),
        key(LOG_ID, about.log_id.clone()),
        key(FIRST, about.positions.0.to_string()),
        key(LAST, about.positions.1.to_string()),
    ];
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("matchwire version {}", env!("CARGO_PKG_VERSION")))
        .set_key_value_metadata(Some(said))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(MAX_GROUP_ROWS))
        .set_data_page_row_count_limit(MAX_GROUP_ROWS)
        .set_data_page_size_limit(4 << 20)
        .set_write_batch_size(256);
    for column in ["subject", "type", "source"] {
        builder = builder.set_column_dictionary_enabled(ColumnPath::from(column), true);
    }
    for column in ["subject", "seq", "recordedtime"] {
        let path = ColumnPath::from(column);
        builder = builder.set_column_statistics_enabled(path, EnabledStatistics::Chunk);
    }
    for column in ["seq", "recordedtime", "time", "position"] {
        let path = ColumnPath::from(column);
        builder = builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    Ok(Arc::new(builder.build()))
}
