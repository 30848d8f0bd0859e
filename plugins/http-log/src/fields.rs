//! Fields that a configuration puts into records.
//!
//! They are written in Lua, of which this understands `return` with a constant: a text, a number, true, false, or nil,
//! which removes a field.

use std::collections::BTreeMap;

use moongate_sdk::serde_json::{Map, Value};

/// The fields, by their paths.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CustomFields(Vec<(Vec<String>, Option<Value>)>);

impl CustomFields {
    /// Reads what stands for the fields. The second part names those that are not understood.
    pub(crate) fn new(fields: &BTreeMap<String, String>) -> (Self, Vec<&str>) {
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for (name, code) in fields {
            match constant(code) {
                Some(value) => known.push((path(name), value)),
                None => unknown.push(name.as_str()),
            }
        }
        (Self(known), unknown)
    }

    /// A record with the fields. One that is no object stays as it is.
    pub(crate) fn put_into(&self, record: &str) -> String {
        if self.0.is_empty() {
            return record.to_owned();
        }
        let Ok(Value::Object(mut object)) = moongate_sdk::serde_json::from_str(record) else {
            return record.to_owned();
        };
        for (path, value) in &self.0 {
            put(&mut object, path, value.as_ref());
        }
        Value::Object(object).to_string()
    }
}

fn put(object: &mut Map<String, Value>, path: &[String], value: Option<&Value>) {
    let [name, rest @ ..] = path else { return };
    match (rest, value) {
        ([], Some(value)) => {
            object.insert(name.clone(), value.clone());
        }
        ([], None) => {
            object.remove(name);
        }
        (rest, value) => {
            let inner = object.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// The names that dots in a name divide; a backslash before a dot makes it an ordinary character.
fn path(name: &str) -> Vec<String> {
    let mut path = vec![String::new()];
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '.' => path.push(String::new()),
            '\\' if characters.peek() == Some(&'.') => {
                characters.next();
                path.last_mut().into_iter().for_each(|last| last.push('.'));
            }
            other => path.last_mut().into_iter().for_each(|last| last.push(other)),
        }
    }
    path
}

/// What a piece of code returns: a constant, or `None` inside for nil. Nothing where it is not understood.
fn constant(code: &str) -> Option<Option<Value>> {
    let code = code.trim();
    let value =
        code.strip_prefix("return").filter(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()));
    let value = value.unwrap_or(code).trim().trim_end_matches(';').trim();
    let quoted = |quote: char| {
        let text = value.strip_prefix(quote)?.strip_suffix(quote)?;
        (!text.contains([quote, '\\'])).then(|| Value::from(text))
    };
    match value {
        "nil" => Some(None),
        "true" => Some(Some(Value::Bool(true))),
        "false" => Some(Some(Value::Bool(false))),
        _ => quoted('"').or_else(|| quoted('\'')).or_else(|| number(value)).map(Some),
    }
}

fn number(text: &str) -> Option<Value> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        return None;
    }
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<f64>().map(Value::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(fields: &[(&str, &str)], record: &str) -> String {
        let fields = fields.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect();
        CustomFields::new(&fields).0.put_into(record)
    }

    #[test]
    fn constants_are_put_into_a_record_and_nil_removes() {
        let fields =
            [("a", "return 1"), ("b.c", "return 'x'"), ("d", "return nil"), (r"e\.f", "return true;")];
        assert_eq!(put(&fields, r#"{"b":{"z":2},"d":3}"#), r#"{"a":1,"b":{"c":"x","z":2},"e.f":true}"#);
    }

    #[test]
    fn code_that_is_more_than_a_constant_is_told_by_name() {
        let fields = [
            ("a", "return kong.request.get_path()"),
            ("b", "return 1.5"),
            ("c", "returnx"),
            ("d", "return 'a' .. 'b'"),
        ];
        let fields = fields.into_iter().map(|(name, code)| (name.to_owned(), code.to_owned())).collect();
        assert_eq!(CustomFields::new(&fields).1, ["a", "c", "d"]);
    }
}
