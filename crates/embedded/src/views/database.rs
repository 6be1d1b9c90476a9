//! A file of `SQLite`: how it is opened, what is in every one, and what its errors mean.
//!
//! - *Write-ahead log*: readers see the last commit that was there when they began, and wait for nobody.
//! - `synchronous` *is* `NORMAL`: a commit is not synced, a checkpoint is. After a crash of the machine the file is whole and
//!   may be some commits back, rows and position together; `OFF` could leave it damaged, `FULL` would sync for what the log
//!   has anyway.
//! - `secure_delete`: what is deleted is written over with zeros where it stands; [`purge`] sees to the rest.
//! - `cell_size_check`, `trusted_schema`: a damaged or a foreign file is found rather than believed.
//! - *Stable query plans*: otherwise a range is planned anew whenever other bounds are given, which takes longer than to read it.
//! - No memory map: a file that was truncated would end the process.

use std::{path::Path, time::Duration};

use matchwire_log::view_store::{Error, Schema};
use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig, ffi};

/// How long somebody waits for another one.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// What says that a file of `SQLite` is a view of ours: `mwvw`.
const APPLICATION_ID: i32 = 0x6d77_7677;
/// Which layout the file has.
const LAYOUT: i32 = 1;
/// Prepared statements that a connection keeps, enough for a dozen tables.
const STATEMENTS: usize = 100;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    /// To write, also if there is no file yet.
    Create,
}

/// Opens a file.
pub(super) fn connect(path: &Path, access: Access) -> Result<Connection, Error> {
    let flags = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Create => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    };
    // A connection is used by one thread at a time, which the compiler sees to.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let told = |error| explained(path, error);
    let connection = Connection::open_with_flags(path, flags).map_err(told)?;
    connection.busy_timeout(PATIENCE).map_err(told)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    let stable_plans = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
    connection.set_db_config(stable_plans, true).map_err(told)?;
    connection
        .execute_batch(
            "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;",
        )
        .map_err(told)?;
    Ok(connection)
}

/// Prepares a connection to write: what is in the file must have been looked at before.
pub(super) fn set_up_to_write(connection: &Connection, path: &Path) -> Result<(), Error> {
    // A cache of 16 MiB, a checkpoint every 16 MiB; what a large commit adds to the log on disk is given back.
    let pragmas =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;
         PRAGMA cache_size = -16384; PRAGMA wal_autocheckpoint = 4096;
         PRAGMA journal_size_limit = 67108864;";
    connection.execute_batch(pragmas).map_err(|error| explained(path, error))
}

/// Makes what is in every view, and the tables of this one, in a new file.
pub(super) fn lay_out(connection: &Connection, path: &Path, schema: &Schema) -> Result<(), Error> {
    let mut sql = format!(
        "BEGIN IMMEDIATE;
         PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {LAYOUT};
         CREATE TABLE view (name TEXT NOT NULL, version INTEGER NOT NULL, position TEXT,
             rows INTEGER NOT NULL) STRICT;
         INSERT INTO view VALUES ('{}', {}, NULL, 0);",
        schema.name(),
        schema.version(),
    );
    for table in schema.tables() {
        sql += &format!(
            "CREATE TABLE {} (key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;",
            table_name(table.name()),
        );
    }
    sql += "COMMIT;";
    connection.execute_batch(&sql).map_err(|error| explained(path, error))
}

/// That a file is a view of this schema.
pub(super) fn check(connection: &Connection, path: &Path, schema: &Schema) -> Result<(), Error> {
    let told = |error| explained(path, error);
    check_kind(connection, path)?;
    let (name, version): (String, u32) = connection
        .query_row("SELECT name, version FROM view", (), |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(told)?;
    if name != schema.name() || version != schema.version() {
        return Err(damaged(path, &format!("it holds the view {name} {version}")));
    }
    let select = "SELECT name FROM sqlite_schema WHERE name <> 'view' ORDER BY name";
    let mut statement = connection.prepare(select).map_err(told)?;
    let found = statement.query_map((), |row| row.get(0)).map_err(told)?;
    let found: Vec<String> = found.collect::<Result<_, _>>().map_err(told)?;
    let mut tables: Vec<String> =
        schema.tables().iter().map(|table| table_name(table.name())).collect();
    tables.sort_unstable();
    if found == tables {
        Ok(())
    } else {
        Err(damaged(path, &format!("it has the tables {found:?}, and should have {tables:?}")))
    }
}

fn check_kind(connection: &Connection, path: &Path) -> Result<(), Error> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let kind = pragma("application_id").and_then(|id| Ok((id, pragma("user_version")?)));
    match kind.map_err(|error| explained(path, error))? {
        (APPLICATION_ID, LAYOUT) => Ok(()),
        (APPLICATION_ID, other) => {
            Err(damaged(path, &format!("its layout is {other}, and {LAYOUT} is known")))
        }
        _ => Err(damaged(path, "it is no view of Matchwire")),
    }
}

/// The position and the rows of a view.
pub(super) fn standing(
    connection: &Connection,
    path: &Path,
) -> Result<(Option<String>, u64), Error> {
    check_kind(connection, path)?;
    read_standing(connection).map_err(|error| explained(path, error))
}

/// The same of a file that was looked at before.
pub(super) fn read_standing(connection: &Connection) -> rusqlite::Result<(Option<String>, u64)> {
    let mut statement = connection.prepare_cached("SELECT position, rows FROM view")?;
    statement.query_row((), |row| {
        Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default()))
    })
}

/// What a table of a view is called in the file, where it cannot be taken for one of `SQLite`'s or ours.
pub(super) fn table_name(table: &str) -> String {
    format!("rows_{table}")
}

/// Writes the file anew, with the rows that are in it and nothing else, and makes the write-ahead log empty.
///
/// `secure_delete` is not enough: where a page was divided, its free space keeps copies of rows that live on in another page, and
/// are not written over when those are deleted.
pub(super) fn purge(connection: &Connection, path: &Path) -> Result<(), Error> {
    // While somebody reads, each attempt would add all of the file to the log, which could not be emptied.
    empty_log(connection, path)?;
    connection.execute_batch("VACUUM").map_err(|error| explained(path, error))?;
    empty_log(connection, path)
}

/// Brings the write-ahead log into the file, and empties it; unless somebody reads what is in it.
fn empty_log(connection: &Connection, path: &Path) -> Result<(), Error> {
    let told = |error| explained(path, error);
    // Whoever begins to read from now on does not need the log, so that after those who read now another attempt succeeds.
    connection.busy_timeout(Duration::ZERO).map_err(told)?;
    let is_busy = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get::<_, bool>(0))
        .map_err(told);
    connection.busy_timeout(PATIENCE).map_err(told)?;
    if is_busy? { Err(busy(path, "somebody reads it")) } else { Ok(()) }
}

pub(super) fn damaged(path: &Path, what: &str) -> Error {
    Error::Damaged { place: path.display().to_string(), what: what.into() }
}

pub(super) fn busy(path: &Path, what: &str) -> Error {
    Error::Busy { place: path.display().to_string(), what: what.into() }
}

/// What an error of `SQLite` means.
#[expect(clippy::needless_pass_by_value, reason = "it takes the place of the error")]
pub(super) fn explained(path: &Path, error: rusqlite::Error) -> Error {
    let what = error.to_string();
    match error.sqlite_error() {
        Some(ffi::Error {
            code:
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
            ..
        }) => busy(path, &what),
        Some(ffi::Error { code: ErrorCode::DiskFull, .. }) => {
            Error::Full { place: path.display().to_string() }
        }
        Some(ffi::Error {
            code:
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
            extended_code,
        }) if *extended_code != ffi::SQLITE_IOERR_SHORT_READ => {
            Error::Failed { place: path.display().to_string(), what }
        }
        // All that is asked is known to be right of a view, so that the file is another than it was.
        _ => damaged(path, &what),
    }
}
