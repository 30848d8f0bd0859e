//! What the texts of a form mean: the schema says which of them are numbers, lists or nothing.

use moongate_schema::{Field, FieldType, Object, Schema};
use serde_json::{Number, Value};

/// Gives the fields of a form their types.
///
/// What cannot be read as the type that the schema wants stays a text, for the validation to refuse.
/// `refining` has the field that chooses a sub-schema, if there are some: the form, or what the form changes.
pub(crate) fn infer(schema: &Schema, form: Object, refining: &Object) -> Object {
    let infer = |(name, value): (String, Value)| {
        let shorthands = || schema.shorthands().iter().map(|shorthand| &shorthand.field);
        let field =
            schema.field_of(&name, refining).or_else(|| shorthands().find(|field| field.name == name));
        let value = match field {
            Some(field) => infer_value(field, value),
            None => value,
        };
        (name, value)
    };
    form.into_iter().map(infer).collect()
}

fn infer_value(field: &Field, value: Value) -> Value {
    if value.as_str() == Some("") {
        return Value::Null;
    }
    match (&field.kind, value) {
        (FieldType::Integer | FieldType::Number, Value::String(text)) => {
            number(&text).map_or(Value::String(text), Value::Number)
        }
        (FieldType::Boolean, Value::String(text)) => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(text),
        },
        (FieldType::Array(elements) | FieldType::Set(elements), value) => match value {
            Value::Array(values) => values.into_iter().map(|value| infer_value(elements, value)).collect(),
            value @ (Value::Object(_) | Value::Null) => value,
            value => Value::Array(vec![infer_value(elements, value)]),
        },
        (FieldType::Map { values, .. }, Value::Object(map)) => {
            let infer = |(key, value): (String, Value)| (key, infer_value(values, value));
            Value::Object(map.into_iter().map(infer).collect())
        }
        (FieldType::Record(schema), Value::Object(record)) => {
            let refining = record.clone();
            Value::Object(infer(schema, record, &refining))
        }
        (FieldType::Foreign { .. }, Value::Object(reference)) => {
            // `service.id=` clears the reference like `service=`.
            if !reference.is_empty() && reference.values().all(|value| value.as_str() == Some("")) {
                return Value::Null;
            }
            Value::Object(reference)
        }
        (_, value) => value,
    }
}

/// A number in any notation that Lua reads.
pub(crate) fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with(['+', '-']))? as f64,
        None if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => digits.parse().ok()?,
        None => return None,
    };
    let number = if negative { -number } else { number };
    if number.fract() == 0.0 && number.abs() < LARGEST_EXACT {
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}

/// From here on not every whole number is a floating-point number.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use moongate_schema::{Field, Schema};
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        let healthy = Schema::record().field("interval", Field::number()).field("on", Field::boolean());
        let headers = Field::map(Field::string(), Field::array(Field::string()));
        Schema::entity("things")
            .field("name", Field::string())
            .field("port", Field::integer())
            .field("rate", Field::number())
            .field("enabled", Field::boolean())
            .field("tags", Field::set(Field::string()))
            .field("statuses", Field::array(Field::integer()))
            .field("headers", headers)
            .field("healthy", Field::record(healthy))
            .field("service", Field::foreign("services"))
    }

    fn inferred(form: Value) -> Value {
        let Value::Object(form) = form else { panic!("no object") };
        Value::Object(infer(&schema(), form.clone(), &form))
    }

    #[test]
    fn numbers_and_truths_are_read_where_the_schema_wants_them() {
        let form = json!({"name": "80", "port": "80", "rate": "1.5", "enabled": "false"});
        assert_eq!(inferred(form), json!({"name": "80", "port": 80, "rate": 1.5, "enabled": false}));
    }

    #[test]
    fn what_is_no_number_or_truth_stays_text() {
        let form = json!({"port": "abc", "rate": "inf", "enabled": "maybe", "unknown": "1"});
        assert_eq!(inferred(form.clone()), form);
    }

    #[test]
    fn an_empty_text_is_null() {
        let form = json!({"name": "", "port": "", "tags": "", "healthy": {"interval": ""}, "service": ""});
        let expected =
            json!({"name": null, "port": null, "tags": null, "healthy": {"interval": null}, "service": null});
        assert_eq!(inferred(form), expected);
    }

    #[test]
    fn one_text_for_a_list_is_a_list_of_one() {
        let form = json!({"tags": "a", "statuses": ["200", "x"], "headers": {"a": "1", "b": ["2", "3"]}});
        assert_eq!(
            inferred(form),
            json!({"tags": ["a"], "statuses": [200, "x"], "headers": {"a": ["1"], "b": ["2", "3"]}})
        );
    }

    #[test]
    fn records_are_read_field_by_field() {
        let form = json!({"healthy": {"interval": "5", "on": "true", "x": "1"}});
        assert_eq!(inferred(form), json!({"healthy": {"interval": 5, "on": true, "x": "1"}}));
    }

    #[test]
    fn a_reference_without_a_value_is_null() {
        assert_eq!(inferred(json!({"service": {"id": ""}})), json!({"service": null}));
        let form = json!({"service": {"id": "1"}});
        assert_eq!(inferred(form.clone()), form);
    }

    #[test]
    fn numbers_have_the_notations_of_lua() {
        for (text, expected) in
            [("7", json!(7)), (" -7 ", json!(-7)), ("0x1F", json!(31)), ("1e3", json!(1000))]
        {
            assert_eq!(number(text).map(Value::Number), Some(expected), "{text}");
        }
        for text in ["", "nan", "inf", "1x", "0x", "0x-1", "--1", "1 2"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
