//! A value on its way into or out of a column.

use serde_json::{Number, Value, json};
use uuid::Uuid;

use crate::fit::{plain, seconds_of};
use crate::layout::{Kind, Table};
use crate::record::{Record, foreign_id, id_of};
use crate::{Row, StoreError};

/// A value as databases know it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Uuid(Uuid),
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// Microseconds since 1970.
    Time(i64),
    Texts(Vec<Option<String>>),
    Json(Value),
}

/// The cells of a record in the order of the columns; last, in tables with a time to live, the expiry.
pub(crate) fn cells_of(table: &Table, record: &Record) -> Vec<Cell> {
    let mut cells: Vec<Cell> = table
        .columns
        .iter()
        .map(|column| record.get(&column.field).map_or(Cell::Null, |value| Cell::of(&column.kind, value)))
        .collect();
    if table.ttl {
        let micros = record.expires_at().and_then(|at| i64::try_from(at.saturating_mul(1000)).ok());
        cells.push(micros.map_or(Cell::Null, Cell::Time));
    }
    cells
}

/// A record and its id, from cells in the order of [`cells_of`].
pub(crate) fn record_of(table: &Table, cells: Vec<Cell>) -> Result<(Uuid, Record), StoreError> {
    let mut cells = cells.into_iter();
    let mut row = Row::new();
    for column in &table.columns {
        let value = cells.next().unwrap_or(Cell::Null).into_value(&column.kind);
        row.insert(column.field.clone(), value);
    }
    let expires_at = match cells.next() {
        Some(Cell::Time(micros)) => u64::try_from(micros / 1000).ok(),
        _ => None,
    };
    let id = id_of(row.get("id"));
    let id = id.ok_or_else(|| StoreError::Corrupt(format!("a row of `{}` has no id", table.name)))?;
    Ok((id, Record::new(row, expires_at)))
}

impl Cell {
    /// The cell for a value of a row that fits its table.
    fn of(kind: &Kind, value: &Value) -> Self {
        let cell = match kind {
            Kind::Uuid => id_of(Some(value)).map(Self::Uuid),
            Kind::Foreign(_) => foreign_id(Some(value)).map(Self::Uuid),
            Kind::Text => value.as_str().map(|text| Self::Text(text.to_owned())),
            Kind::Integer => value.as_i64().map(Self::Integer),
            Kind::Number => value.as_f64().map(Self::Number),
            Kind::Boolean => value.as_bool().map(Self::Boolean),
            Kind::Timestamp => value.as_i64().map(|seconds| Self::Time(seconds.saturating_mul(1_000_000))),
            #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
            Kind::Moment => value.as_f64().map(|seconds| Self::Time((seconds * 1e6).round() as i64)),
            Kind::Texts => value.as_array().map(|texts| {
                Self::Texts(texts.iter().map(|text| text.as_str().map(str::to_owned)).collect())
            }),
            Kind::Json => (!value.is_null()).then(|| Self::Json(value.clone())),
        };
        cell.unwrap_or(Self::Null)
    }

    fn into_value(self, kind: &Kind) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Uuid(id) if matches!(kind, Kind::Foreign(_)) => json!({ "id": id }),
            Self::Uuid(id) => json!(id),
            Self::Text(text) => Value::String(text),
            Self::Integer(number) => Value::from(number),
            Self::Number(number) => Number::from_f64(number).map_or(Value::Null, plain),
            Self::Boolean(boolean) => Value::Bool(boolean),
            Self::Time(micros) if *kind == Kind::Timestamp => Value::from(micros / 1_000_000),
            #[expect(clippy::cast_precision_loss, reason = "what was written has no more digits")]
            Self::Time(micros) => seconds_of(micros as f64),
            Self::Texts(texts) => Value::from(texts),
            Self::Json(value) => value,
        }
    }
}
