//! Brings rows into the one form in which they are kept, so that they are read from each store alike.

use serde_json::{Number, Value, json};

use crate::layout::{Column, Kind, Table};
use crate::record::{foreign_id, id_of};
use crate::{Row, StoreError};

/// What a row says about its expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ttl {
    /// Nothing.
    Unsaid,
    /// There is none.
    Never,
    /// In this many milliseconds.
    In(u64),
}

/// `row` with all fields of `table`, in the form in which they are kept, without `ttl`.
pub(crate) fn fit(table: &Table, mut row: Row) -> Result<(Row, Ttl), StoreError> {
    let unfit = |field: &str, why: &str| StoreError::Unfit {
        entity: table.name.to_string(),
        field: field.to_owned(),
        why: why.to_owned(),
    };
    let ttl = match row.remove("ttl").filter(|_| table.ttl && table.column("ttl").is_none()) {
        None => Ttl::Unsaid,
        Some(Value::Null) => Ttl::Never,
        Some(value) => match value.as_f64() {
            Some(seconds) if seconds > 0.0 => Ttl::In(milliseconds(seconds)),
            Some(0.0) => Ttl::Never,
            _ => return Err(unfit("ttl", "no number of seconds")),
        },
    };
    let mut fitted = Row::new();
    for column in &table.columns {
        let value = match row.remove(&column.field) {
            None | Some(Value::Null) => Value::Null,
            Some(value) => value_of(column, value).map_err(|why| unfit(&column.field, why))?,
        };
        fitted.insert(column.field.clone(), value);
    }
    match row.keys().next() {
        Some(unknown) => Err(unfit(unknown, "there is no such field")),
        None => Ok((fitted, ttl)),
    }
}

fn value_of(column: &Column, value: Value) -> Result<Value, &'static str> {
    match &column.kind {
        Kind::Uuid => id_of(Some(&value)).map(|id| json!(id)).ok_or("no UUID"),
        Kind::Foreign(_) => {
            foreign_id(Some(&value)).map(|id| json!({ "id": id })).ok_or("no reference by id")
        }
        Kind::Text => match value {
            Value::String(text) => storable(&text).map(|()| Value::String(text)),
            _ => Err("no string"),
        },
        Kind::Boolean => value.is_boolean().then_some(value).ok_or("neither true nor false"),
        Kind::Integer => whole(&value).map(Value::from).ok_or("no whole number of 64 bits"),
        Kind::Number => match value {
            // As a float first, which is what databases keep.
            Value::Number(number) => {
                Ok(number.as_f64().and_then(Number::from_f64).map_or(Value::Null, plain))
            }
            _ => Err("no number"),
        },
        Kind::Timestamp => {
            let seconds = whole(&value).filter(|seconds| seconds.unsigned_abs() <= LAST_SECOND);
            seconds.map(Value::from).ok_or("no time of day in seconds")
        }
        Kind::Moment => moment(&value).ok_or("no time of day in seconds"),
        Kind::Texts => {
            let texts = value.as_array().ok_or("no list")?;
            for text in texts.iter().filter(|text| !text.is_null()) {
                storable(text.as_str().ok_or("a list with something else than strings")?)?;
            }
            Ok(value)
        }
        Kind::Json => json_of(value),
    }
}

/// Databases keep neither zero characters nor a sign of zero, and large numbers without a fraction are whole numbers
/// to them.
fn json_of(value: Value) -> Result<Value, &'static str> {
    Ok(match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && (float == 0.0 || float.abs() >= 1e15) => {
                if float == 0.0 {
                    json!(0.0)
                } else {
                    plain(number)
                }
            }
            _ => Value::Number(number),
        },
        Value::String(text) => {
            storable(&text)?;
            Value::String(text)
        }
        Value::Array(values) => Value::Array(values.into_iter().map(json_of).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| {
                storable(&name)?;
                Ok((name, json_of(value)?))
            };
            Value::Object(fields.into_iter().map(field).collect::<Result<_, &'static str>>()?)
        }
        value => value,
    })
}

fn storable(text: &str) -> Result<(), &'static str> {
    if text.contains('\0') { Err("a string with a zero character") } else { Ok(()) }
}

/// A number without a fraction as a whole number, where 64 bits can hold it.
pub(crate) fn plain(number: Number) -> Value {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 => {
            // Exact: the bounds are powers of two, and between them the float has no fraction.
            #[expect(clippy::cast_possible_truncation, reason = "within the bounds of i64")]
            #[expect(clippy::cast_sign_loss, reason = "not negative")]
            if (-I64_END..I64_END).contains(&float) {
                Value::from(float as i64)
            } else if (0.0..2.0 * I64_END).contains(&float) {
                Value::from(float as u64)
            } else {
                Value::Number(number)
            }
        }
        _ => Value::Number(number),
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => plain(number.clone()).as_i64(),
        _ => None,
    }
}

/// Seconds, to the microsecond.
fn moment(value: &Value) -> Option<Value> {
    let seconds = value.as_f64()?;
    #[expect(clippy::cast_precision_loss, reason = "a bound")]
    let bound = LAST_SECOND as f64;
    (seconds.abs() <= bound).then(|| seconds_of((seconds * 1e6).round()))
}

/// Seconds of a time in microseconds.
pub(crate) fn seconds_of(micros: f64) -> Value {
    Number::from_f64(micros / 1e6).map_or(Value::Null, plain)
}

fn milliseconds(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
    let milliseconds = (seconds * 1000.0).round() as u64;
    milliseconds
}

/// The end of the numbers of `i64`.
const I64_END: f64 = 9_223_372_036_854_775_808.0;

/// The last second that Postgres has a name for is not far after: the end of the year 294000.
const LAST_SECOND: u64 = 9_200_000_000_000;

#[cfg(test)]
mod tests;
