//! Where two answers differ.

use serde_json::Value;

use crate::case::Step;

/// Each difference with its place. Empty if `got` is as good as `want`.
pub fn differences(want: &Value, got: &Value, place: &str, step: &Step) -> Vec<String> {
    match (want, got) {
        (Value::Object(wanted), Value::Object(given)) => {
            let mut found = Vec::new();
            let names: std::collections::BTreeSet<_> = wanted.keys().chain(given.keys()).collect();
            for name in names {
                let place = format!("{place}.{name}");
                match (wanted.get(name), given.get(name)) {
                    (want, got) if name == "connection" && [want, got].into_iter().all(is_kept_alive) => {}
                    (Some(want), Some(got)) => found.extend(differences(want, got, &place, step)),
                    (Some(want), None) => found.push(format!("{place}: missing, want {}", short(want))),
                    (None, got) => {
                        found.push(format!("{place}: not wanted, got {}", short(got.unwrap_or(&Value::Null))))
                    }
                }
            }
            found
        }
        (Value::Array(wanted), Value::Array(given)) if wanted.len() == given.len() => {
            let (mut wanted, mut given): (Vec<&Value>, Vec<&Value>) =
                (wanted.iter().collect(), given.iter().collect());
            // Headers have an order of their own, also in a body whose lists are sets.
            if step.unordered && !place.ends_with(".headers") {
                wanted.sort_by_cached_key(|value| sorted(value).to_string());
                given.sort_by_cached_key(|value| sorted(value).to_string());
            }
            let pairs = wanted.iter().zip(&given).enumerate();
            pairs
                .flat_map(|(at, (want, got))| differences(want, got, &format!("{place}[{at}]"), step))
                .collect()
        }
        (Value::Number(wanted), Value::Number(given)) if wanted.as_f64() == given.as_f64() => Vec::new(),
        _ if want == got => Vec::new(),
        _ => vec![format!("{place}: want {}\n{:>10} {}", short(want), "got", short(got))],
    }
}

/// HTTP/1.1 connections stay open without being told to.
fn is_kept_alive(header: Option<&Value>) -> bool {
    header.is_none_or(|value| *value == serde_json::json!(["keep-alive"]))
}

/// With the items of all lists in an order that depends on nothing but themselves.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect(),
        other => other.clone(),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(300) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compared(want: &Value, got: &Value, unordered: bool) -> Vec<String> {
        let step = serde_json::from_value(json!({"to": "admin", "unordered": unordered})).unwrap();
        differences(want, got, "body", &step)
    }

    #[test]
    fn equal_answers_have_no_differences() {
        let answer = json!({"a": [1, {"b": null}], "connection": ["keep-alive"]});
        assert_eq!(compared(&answer, &json!({"a": [1.0, {"b": null}]}), false), [""; 0]);
    }

    #[test]
    fn what_is_missing_too_much_or_other_is_named_with_its_place() {
        let found = compared(&json!({"a": {"b": 1}, "c": 2}), &json!({"a": {"b": 2}, "d": 3}), false);
        assert_eq!(found.len(), 3, "{found:?}");
        for (found, place) in found.iter().zip(["body.a.b: want 1", "body.c: missing", "body.d: not wanted"])
        {
            assert!(found.starts_with(place), "{found}");
        }
        assert_eq!(compared(&json!([1, 2]), &json!([1]), true).len(), 1);
        assert_eq!(compared(&json!({"connection": ["close"]}), &json!({}), false).len(), 1);
        assert_eq!(compared(&json!({"a": null}), &json!({}), false).len(), 1);
    }

    #[test]
    fn sets_are_equal_in_any_order_and_lists_are_not() {
        let (want, got) = (json!([{"a": [1, 2]}, {"a": [3]}]), json!([{"a": [3]}, {"a": [2, 1]}]));
        assert_eq!(compared(&want, &got, true), [""; 0]);
        assert!(!compared(&want, &got, false).is_empty());
        assert!(!compared(&want, &json!([{"a": [3]}, {"a": [2, 2]}]), true).is_empty());
    }
}
