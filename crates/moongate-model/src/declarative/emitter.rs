//! Values as YAML, in blocks.

use serde_json::{Map, Value};

use super::yaml;

/// Writes the members of `object`, each on its own lines.
pub(super) fn members(object: &Map<String, Value>, indent: usize, text: &mut String) {
    for (at, (key, value)) in object.iter().enumerate() {
        if at > 0 {
            pad(indent, text);
        }
        member(key, value, indent, text);
    }
}

/// Writes one member, whose key stands at `indent`.
pub(super) fn member(key: &str, value: &Value, indent: usize, text: &mut String) {
    scalar(key, indent, false, text);
    text.push(':');
    match value {
        Value::Object(object) if !object.is_empty() => {
            text.push('\n');
            pad(indent + 2, text);
            members(object, indent + 2, text);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            pad(indent, text);
            list(items, indent, text);
        }
        value => {
            text.push(' ');
            leaf(value, indent + 2, text);
            text.push('\n');
        }
    }
}

/// Writes the items of a list, behind dashes at `indent`.
fn list(items: &[Value], indent: usize, text: &mut String) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            pad(indent, text);
        }
        text.push_str("- ");
        match item {
            Value::Object(object) if !object.is_empty() => members(object, indent + 2, text),
            Value::Array(items) if !items.is_empty() => list(items, indent + 2, text),
            item => {
                leaf(item, indent + 2, text);
                text.push('\n');
            }
        }
    }
}

fn leaf(value: &Value, indent: usize, text: &mut String) {
    match value {
        Value::Null => text.push('~'),
        Value::String(value) => scalar(value, indent, true, text),
        // What is left is numbers, booleans and empty collections, which are written as in JSON.
        value => text.push_str(&value.to_string()),
    }
}

/// Writes a text so that it is read as a text.
fn scalar(value: &str, indent: usize, may_have_lines: bool, text: &mut String) {
    if is_plain(value) {
        text.push_str(value);
    } else if value.chars().all(is_printable) {
        text.push('\'');
        text.push_str(&value.replace('\'', "''"));
        text.push('\'');
    } else if may_have_lines && is_block(value) {
        let body = value.strip_suffix('\n');
        text.push_str(if body.is_some() { "|" } else { "|-" });
        for line in body.unwrap_or(value).split('\n') {
            text.push('\n');
            if !line.is_empty() {
                pad(indent, text);
                text.push_str(line);
            }
        }
    } else {
        text.push('"');
        value.chars().for_each(|c| escaped(c, text));
        text.push('"');
    }
}

/// Writes a character between double quotes.
fn escaped(c: char, text: &mut String) {
    match c {
        '"' => text.push_str("\\\""),
        '\\' => text.push_str("\\\\"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        c if is_printable(c) => text.push(c),
        c => text.push_str(&format!("\\U{:08x}", u32::from(c))),
    }
}

/// Whether a text can stand without quotes.
fn is_plain(value: &str) -> bool {
    !value.starts_with(|first: char| first.is_whitespace() || INDICATORS.contains(first))
        && !value.ends_with(|last: char| last.is_whitespace() || last == ':')
        && !value.contains(": ")
        && !value.contains(" #")
        && value != "..."
        && value != "<<"
        && value.chars().all(is_printable)
        && !yaml::has_type(value)
}

/// Whether a text with several lines can be written as such.
fn is_block(value: &str) -> bool {
    value.chars().all(|c| c == '\n' || is_printable(c))
        && !value.starts_with([' ', '\n'])
        && !value.ends_with("\n\n")
        && value != "\n"
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn pad(indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', indent));
}

const INDICATORS: &str = "-?:,[]{}#&*!|>'\"%@`";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn written(value: &Value) -> String {
        let mut text = String::new();
        members(value.as_object().unwrap(), 0, &mut text);
        text
    }

    #[test]
    fn collections_are_written_as_blocks() {
        let value = json!({
            "list": [1, [2, []], {"a": null, "b": ["x"]}],
            "map": {"k": {"n": 1.5}, "none": {}},
            "text": "a\nb\n",
        });
        assert_eq!(
            written(&value),
            "\
list:
- 1
- - 2
  - []
- a: ~
  b:
  - x
map:
  k:
    n: 1.5
  none: {}
text: |
  a
  b
"
        );
    }

    #[test]
    fn texts_that_could_be_something_else_are_quoted() {
        for (value, scalar) in [
            ("3.0", "'3.0'"),
            ("yes", "'yes'"),
            ("12:30", "'12:30'"),
            ("", "''"),
            ("~", "'~'"),
            ("it's", "it's"),
            ("'x", "'''x'"),
            ("a: b", "'a: b'"),
            ("a.test:80", "a.test:80"),
            ("~/x", "~/x"),
            ("*.a", "'*.a'"),
            ("0a0b0c0d-0000-4000-8000-000000000001", "0a0b0c0d-0000-4000-8000-000000000001"),
            ("tab\t", "\"tab\\t\""),
        ] {
            assert_eq!(written(&json!({"k": value})), format!("k: {scalar}\n"), "{value}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[a-c:# '\"\\-\\[\\]{}~!|>%@&*,?0-9.\n\r\t\u{85}\u{7f}_é]{0,8}",
            "(yes|null|0x1f|1e3|<<|---|...)"
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1000i32..1000).prop_map(|number| json!(f64::from(number) / 8.0 + 0.0625)),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 30, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(text.clone(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(value in any_value()) {
            let value = json!({"value": value});
            prop_assert_eq!(yaml::read(&written(&value)).map_err(|error| error.reason), Ok(value));
        }
    }
}
