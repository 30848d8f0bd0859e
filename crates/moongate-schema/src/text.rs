//! Values as they stand in messages.

use serde_json::{Number, Value};

use crate::Object;

/// A value as Lua writes it: texts as they are, numbers with at most 14 digits.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number_text(number.as_f64().unwrap_or_default()),
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

/// A number as Lua writes it.
pub fn number_text(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e15 {
        return format!("{number:.0}");
    }
    let exponent = number.abs().log10().floor();
    if !(-5.0..14.0).contains(&exponent) {
        let text = format!("{number:.13e}");
        let Some((digits, exponent)) = text.split_once('e') else { return text };
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent is between -5 and 14")]
    let decimals = usize::try_from(13 - exponent as i64).unwrap_or_default();
    let text = format!("{number:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A value in one line, as a Lua table is written: `{id="..."}`.
///
/// Elements of lists come first, members follow by name; `null` elements are left out and those behind them
/// get their place.
pub fn inline_table(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("{{{}}}", inline_items(items).join(",")),
        Value::Object(members) => {
            let members =
                members.iter().map(|(name, value)| format!("{}={}", key(name), inline_table(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::String(text) => quoted(text),
        other => plain(other),
    }
}

fn inline_items(items: &[Value]) -> Vec<String> {
    let mut is_dense = true;
    let mut texts = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if item.is_null() {
            is_dense = false;
        } else if is_dense {
            texts.push(inline_table(item));
        } else {
            texts.push(format!("[{}]={}", at + 1, inline_table(item)));
        }
    }
    texts
}

/// A value over several lines, as a Lua table is written with an indent of two spaces.
pub fn pretty_table(value: &Value) -> String {
    let mut text = String::new();
    write_pretty(value, 0, &mut text);
    text
}

fn write_pretty(value: &Value, depth: usize, text: &mut String) {
    let mut lines: Vec<(String, &Value)> = Vec::new();
    match value {
        Value::Array(items) => {
            let dense = items.iter().take_while(|item| !item.is_null()).count();
            let items = items.iter().enumerate().filter(|(_, item)| !item.is_null());
            let place = |at: usize| if at < dense { String::new() } else { format!("[{}] = ", at + 1) };
            lines.extend(items.map(|(at, item)| (place(at), item)));
        }
        Value::Object(members) => {
            lines.extend(members.iter().map(|(name, value)| (format!("{} = ", key(name)), value)));
        }
        Value::String(string) => return text.push_str(&quoted(string)),
        other => return text.push_str(&plain(other)),
    }
    let indent = "  ".repeat(depth + 1);
    text.push_str("{\n");
    for (at, (name, value)) in lines.iter().enumerate() {
        text.push_str(&indent);
        text.push_str(name);
        write_pretty(value, depth + 1, text);
        text.push_str(if at + 1 == lines.len() { "\n" } else { ",\n" });
    }
    text.push_str(&"  ".repeat(depth));
    text.push('}');
}

fn key(name: &str) -> String {
    let is_identifier = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !KEYWORDS.contains(&name);
    if is_identifier { name.to_owned() } else { format!("[{}]", quoted(name)) }
}

fn quoted(text: &str) -> String {
    if text.contains('\n') && !text.contains('\r') {
        let mut level = String::new();
        while text.contains(&format!("]{level}]")) {
            level.push('=');
        }
        let line = if text.starts_with('\n') { "\n" } else { "" };
        return format!("[{level}[{line}{text}]{level}]");
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\\n"),
            '\r' => quoted.push_str("\\r"),
            '\0' => quoted.push_str("\\000"),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// The value at a path such as `config.redis.host`. `None` when a part of the path is no object or is absent.
pub fn value_at<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        None => object.get(path),
        Some((head, rest)) => value_at(object.get(head)?.as_object()?, rest),
    }
}

/// Whole numbers without a fraction, which other languages write as `5.0`.
pub(crate) fn whole(number: &Number) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    let number = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within 2^53")]
    (number == number.trunc() && number.abs() <= LIMIT).then_some(number as i64)
}

const KEYWORDS: [&str; 22] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_with_at_most_14_digits() {
        for (number, text) in [
            (5.0, "5"),
            (0.001, "0.001"),
            (2_147_483_648.0, "2147483648"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.3"),
            (1e15, "1e+15"),
            (1e-7, "1e-07"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }

    #[test]
    fn tables_are_written_on_several_lines() {
        let value = json!({"@entity": ["a \"b\""], "headers": [null, "x"], "n": {"end": "y"}});
        assert_eq!(
            pretty_table(&value),
            "{\n  [\"@entity\"] = {\n    \"a \\\"b\\\"\"\n  },\n  headers = {\n    [2] = \"x\"\n  },\n  n = {\n    \
             [\"end\"] = \"y\"\n  }\n}"
        );
    }

    #[test]
    fn tables_are_written_in_one_line() {
        let value = json!({"name": "x", "route": null, "service": {"id": "1"}, "list": ["a", null, "b"]});
        assert_eq!(inline_table(&value), r#"{list={"a",[3]="b"},name="x",route=null,service={id="1"}}"#);
    }
}
