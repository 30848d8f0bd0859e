//! From text to a document.

use serde_json::{Map, Number, Value};

use super::yaml;
use super::{DeclarativeError, Format};

/// Reads an object in JSON or YAML.
///
/// An empty list counts as an empty object: YAML's writers often cannot tell one from the other.
pub(super) fn read(text: &str, format: Format) -> Result<Map<String, Value>, DeclarativeError> {
    let text = text.trim_start_matches('\u{feff}');
    let mut value = match format {
        Format::Json => from_json(text).map_err(json_syntax)?,
        Format::Yaml => from_yaml(text)?,
        // JSON first: most of it is YAML as well, but not all, and its own parser is much faster.
        Format::Auto => from_json(text).or_else(|_| from_yaml(text))?,
    };
    whole_numbers(&mut value);
    match value {
        Value::Object(document) => Ok(document),
        Value::Array(list) if list.is_empty() => Ok(Map::new()),
        Value::Array(_) => Err(DeclarativeError::list()),
        _ => Err(DeclarativeError::Syntax { reason: "expected an object".to_owned(), place: None }),
    }
}

/// Numbers without a fraction are integers, however they are written.
pub(super) fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(float) = number.as_f64()
                && float.fract() == 0.0
                && float.abs() < EXACT
            {
                *number = Number::from(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(members) => members.values_mut().for_each(whole_numbers),
        _ => {}
    }
}

fn from_json(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text)
}

fn json_syntax(error: serde_json::Error) -> DeclarativeError {
    let reason = error.to_string();
    // The place is told in front of the reason.
    let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason).to_owned();
    DeclarativeError::Syntax { reason, place: Some((error.line(), error.column())) }
}

fn from_yaml(text: &str) -> Result<Value, DeclarativeError> {
    yaml::read(text).map_err(|error| DeclarativeError::Syntax {
        reason: error.reason,
        place: Some((error.line, error.column)),
    })
}

/// Up to here every whole number has a float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;
