//! Values on their way through the connection.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::cell::Cell;
use crate::layout::Kind;

impl ToSql for Cell {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Uuid(id) => id.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Number(number) => number.to_sql(kind, out),
            Self::Boolean(boolean) => boolean.to_sql(kind, out),
            Self::Time(micros) => {
                out.put_i64(micros.saturating_sub(EPOCH));
                Ok(IsNull::No)
            }
            Self::Texts(texts) => texts.to_sql(kind, out),
            Self::Json(value) => value.to_sql(kind, out),
        }
    }

    /// Columns have the type that their kind asks for, which is checked when the store is opened.
    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The cell in a column of a kind.
pub(super) fn cell(kind: &Kind, row: &Row, at: usize) -> Result<Cell, tokio_postgres::Error> {
    let cell = match kind {
        Kind::Uuid | Kind::Foreign(_) => row.try_get::<_, Option<_>>(at)?.map(Cell::Uuid),
        Kind::Text => row.try_get::<_, Option<_>>(at)?.map(Cell::Text),
        Kind::Integer => row.try_get::<_, Option<_>>(at)?.map(Cell::Integer),
        Kind::Number => row.try_get::<_, Option<_>>(at)?.map(Cell::Number),
        Kind::Boolean => row.try_get::<_, Option<_>>(at)?.map(Cell::Boolean),
        Kind::Timestamp | Kind::Moment => {
            row.try_get::<_, Option<Micros>>(at)?.map(|Micros(time)| Cell::Time(time))
        }
        Kind::Texts => row.try_get::<_, Option<_>>(at)?.map(Cell::Texts),
        Kind::Json => row.try_get::<_, Option<_>>(at)?.map(Cell::Json),
    };
    Ok(cell.unwrap_or(Cell::Null))
}

/// Microseconds since 1970.
struct Micros(i64);

impl<'a> FromSql<'a> for Micros {
    fn from_sql(_kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(i64::from_be_bytes(raw.try_into()?).saturating_add(EPOCH)))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMPTZ
    }
}

/// Microseconds from 1970 to 2000, when time begins for Postgres.
const EPOCH: i64 = 946_684_800_000_000;
