//! From text to a document.

use serde_json::{Map, Number, Value};
use serde_yaml::Value as Yaml;

use super::DeclarativeError;

/// Reads a JSON or YAML object.
pub(super) fn read(text: &str) -> Result<Map<String, Value>, DeclarativeError> {
    // JSON first: most of it is YAML as well, but not all, and its own parser is much faster.
    let value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => from_yaml(read_yaml(text)?),
    };
    match value {
        Value::Object(document) => Ok(document),
        _ => Err(DeclarativeError::Syntax {
            reason: "expected an object".to_owned(),
            line: None,
            column: None,
        }),
    }
}

fn read_yaml(text: &str) -> Result<Yaml, DeclarativeError> {
    let mut value: Yaml = serde_yaml::from_str(text).map_err(syntax)?;
    value.apply_merge().map_err(syntax)?;
    Ok(value)
}

fn syntax(error: serde_yaml::Error) -> DeclarativeError {
    let mut reason = error.to_string();
    let location = error.location();
    if let Some(location) = &location
        && !reason.contains(" line ")
    {
        reason.push_str(&format!(" at line {} column {}", location.line(), location.column()));
    }
    DeclarativeError::Syntax {
        reason,
        line: location.as_ref().map(serde_yaml::Location::line),
        column: location.as_ref().map(serde_yaml::Location::column),
    }
}

fn from_yaml(value: Yaml) -> Value {
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::Number(number) => from_number(&number),
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(from_yaml).collect()),
        Yaml::Mapping(mapping) => {
            Value::Object(mapping.into_iter().map(|(key, value)| (key_text(key), from_yaml(value))).collect())
        }
        Yaml::Tagged(tagged) => from_yaml(tagged.value),
    }
}

/// Infinities and the like have no place in JSON; as texts they are refused wherever a number is wanted.
fn from_number(number: &serde_yaml::Number) -> Value {
    let json = if let Some(integer) = number.as_i64() {
        Some(Number::from(integer))
    } else if let Some(integer) = number.as_u64() {
        Some(Number::from(integer))
    } else {
        number.as_f64().and_then(Number::from_f64)
    };
    json.map_or_else(|| Value::String(number.to_string()), Value::Number)
}

fn key_text(key: Yaml) -> String {
    match from_yaml(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
