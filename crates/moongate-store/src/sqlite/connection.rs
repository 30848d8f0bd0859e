//! Connections to the file, and values on their way through them.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql};
use uuid::Uuid;

use crate::StoreError;
use crate::cell::Cell;
use crate::layout::Kind;

/// Opens the file, or makes it for the eyes of its owner only: there are private keys in it.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let unavailable =
        |why: &dyn std::fmt::Display| StoreError::Unavailable { why: format!("{}: {why}", path.display()) };
    if !path.exists() {
        let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        made.map_err(|error| unavailable(&error))?;
    }
    let connection = Connection::open(path).map_err(|error| unavailable(&error))?;
    let prepared = connection.busy_timeout(PATIENCE).and_then(|()| {
        // A commit waits until the disk has it.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)
    });
    prepared.map_err(error)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

/// The error for one of SQLite.
pub(super) fn error(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ConstraintViolation) => {
            StoreError::Corrupt(error.to_string())
        }
        Some(_) => StoreError::Unavailable { why: error.to_string() },
        None => StoreError::Corrupt(error.to_string()),
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let json = |value: Result<String, serde_json::Error>| {
            value
                .map(SqlValue::Text)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
        };
        Ok(ToSqlOutput::Owned(match self {
            Self::Null => SqlValue::Null,
            Self::Uuid(id) => SqlValue::Text(id.to_string()),
            Self::Text(text) => return Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Self::Integer(number) => SqlValue::Integer(*number),
            Self::Number(number) => SqlValue::Real(*number),
            Self::Boolean(boolean) => SqlValue::Integer(i64::from(*boolean)),
            Self::Time(micros) if micros % 1_000_000 == 0 => SqlValue::Integer(micros / 1_000_000),
            #[expect(clippy::cast_precision_loss, reason = "what was written has no more digits")]
            Self::Time(micros) => SqlValue::Real(*micros as f64 / 1e6),
            Self::Texts(texts) => json(serde_json::to_string(texts))?,
            Self::Json(value) => json(serde_json::to_string(value))?,
        }))
    }
}

/// The cell in a column of a kind. `None` if something else is in it.
pub(super) fn cell(kind: &Kind, value: ValueRef<'_>) -> Option<Cell> {
    Some(match (kind, value) {
        (_, ValueRef::Null) => Cell::Null,
        (Kind::Uuid | Kind::Foreign(_), ValueRef::Text(text)) => {
            Cell::Uuid(Uuid::try_parse_ascii(text).ok()?)
        }
        (Kind::Text, ValueRef::Text(text)) => Cell::Text(std::str::from_utf8(text).ok()?.to_owned()),
        (Kind::Texts, ValueRef::Text(text)) => Cell::Texts(serde_json::from_slice(text).ok()?),
        (Kind::Json, ValueRef::Text(text)) => Cell::Json(serde_json::from_slice(text).ok()?),
        (Kind::Integer, ValueRef::Integer(number)) => Cell::Integer(number),
        (Kind::Boolean, ValueRef::Integer(number)) => Cell::Boolean(number != 0),
        (Kind::Number, ValueRef::Real(number)) => Cell::Number(number),
        (Kind::Timestamp | Kind::Moment, ValueRef::Integer(seconds)) => {
            Cell::Time(seconds.checked_mul(1_000_000)?)
        }
        #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
        (Kind::Timestamp | Kind::Moment, ValueRef::Real(seconds)) => {
            Cell::Time((seconds * 1e6).round() as i64)
        }
        _ => return None,
    })
}

/// How long a connection waits for another process which writes.
const PATIENCE: Duration = Duration::from_secs(10);
