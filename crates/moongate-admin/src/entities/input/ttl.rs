//! How long an entity lives.

use moongate_schema::Object;
use serde_json::Value;

use crate::error::ApiError;
use crate::infer;

/// Takes `ttl` out of the fields: seconds, or null for no end.
///
/// # Errors
/// [`ApiError::InvalidOption`] for what is no number of seconds, or too many.
pub(super) fn take(fields: &mut Object) -> Result<Option<Value>, ApiError> {
    let Some(ttl) = fields.remove("ttl") else { return Ok(None) };
    let number = match &ttl {
        Value::Null => return Ok(Some(Value::Null)),
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text.is_empty() => return Ok(Some(Value::Null)),
        // A form has only texts, and the schema does not know the field.
        Value::String(text) => infer::number(text).and_then(|number| number.as_f64()),
        _ => None,
    };
    let seconds = number.filter(|seconds| seconds.fract() == 0.0 && (0.0..=LONGEST).contains(seconds));
    let why = "must be an integer between 0 and 100000000";
    let seconds = seconds.ok_or(ApiError::InvalidOption { option: "ttl", why })?;
    Ok(Some(Value::from(seconds as u64)))
}

const LONGEST: f64 = 100_000_000.0;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(ttl: Value) -> Result<Option<Value>, String> {
        take(&mut Object::from_iter([("ttl".to_owned(), ttl)])).map_err(|error| error.to_string())
    }

    #[test]
    fn it_is_a_whole_number_of_seconds_or_nothing() {
        assert_eq!(taken(json!(5)), Ok(Some(json!(5))));
        assert_eq!(taken(json!(5.0)), Ok(Some(json!(5))));
        assert_eq!(taken(json!("60")), Ok(Some(json!(60))));
        assert_eq!(taken(json!("")), Ok(Some(json!(null))));
        assert_eq!(taken(json!(null)), Ok(Some(json!(null))));
        for wrong in [json!(-1), json!(1.5), json!(100_000_001), json!("x"), json!([])] {
            let message = "invalid option (ttl: must be an integer between 0 and 100000000)";
            assert_eq!(taken(wrong), Err(message.to_owned()));
        }
    }
}
