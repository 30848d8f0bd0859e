//! Members of a JSON object, and what is changed in them.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::config::{Assignments, Config, Type};
use crate::split;

/// The members of an object, in their order, their values as they are written.
#[derive(Debug, Default)]
pub(crate) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// The members of the object that a text is; nothing where it is none.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// The object, without space between its parts.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).map(|text| compact(&text)).unwrap_or_default()
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.get())
    }

    fn put(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, own)) => *own = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    fn put_json(&mut self, name: &str, json: String) {
        if let Ok(value) = RawValue::from_string(json) {
            self.put(name, value);
        }
    }
}

impl Members {
    /// Whether there is a member of this name. False counts as nothing.
    fn has(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|value| value != "false")
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    fn rename(&mut self, old: &str, new: &str) {
        if old == new {
            return;
        }
        if let Some(at) = self.0.iter().position(|(known, _)| known == old) {
            let (_, value) = self.0.remove(at);
            self.put(new, value);
        }
    }

    /// A text becomes a list of two; anything but a list or an object gives way to a list of one.
    fn append(&mut self, name: &str, value: &str) {
        let current = self.raw(name).map(str::trim).unwrap_or_default();
        let inner = |open: char, close: char| {
            current.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).map(str::trim)
        };
        let json = match (inner('[', ']'), inner('{', '}')) {
            (Some(items), _) if !items.is_empty() => format!("[{items},{value}]"),
            (_, Some(members)) if !members.is_empty() => format!("{{{members},\"1\":{value}}}"),
            _ if current.starts_with('"') => format!("[{current},{value}]"),
            _ => format!("[{value}]"),
        };
        self.put_json(name, json);
    }
}

/// What is changed in the members of a body, in the order in which it is done.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    remove: Vec<String>,
    rename: Vec<(String, String)>,
    /// Names, and values as JSON.
    replace: Vec<(String, String)>,
    add: Vec<(String, String)>,
    append: Vec<(String, String)>,
}

impl Rules {
    pub(crate) fn new(config: &Config) -> Self {
        let renamed = |text: &String| {
            let (old, new) = split(text);
            Some((old, new?))
        };
        Self {
            remove: config.remove.json.clone(),
            rename: config.rename.json.iter().filter_map(renamed).collect(),
            replace: values(&config.replace),
            add: values(&config.add),
            append: values(&config.append),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty()
            && self.rename.is_empty()
            && self.replace.is_empty()
            && self.add.is_empty()
            && self.append.is_empty()
    }

    pub(crate) fn apply(&self, members: &mut Members) {
        for name in &self.remove {
            members.remove(name);
        }
        for (old, new) in &self.rename {
            members.rename(old, new);
        }
        for (name, value) in &self.replace {
            if members.has(name) {
                members.put_json(name, value.clone());
            }
        }
        for (name, value) in &self.add {
            if !members.has(name) {
                members.put_json(name, value.clone());
            }
        }
        for (name, value) in &self.append {
            members.append(name, value);
        }
    }
}

/// Names and values as JSON. What cannot be of its type is left out.
fn values(assignments: &Assignments) -> Vec<(String, String)> {
    let value = |(at, pair): (usize, &String)| {
        let (name, value) = split(pair);
        let value = value?;
        let json = match assignments.json_types.get(at) {
            None | Some(Type::String) => text(&value),
            Some(Type::Boolean) => (value == "true").to_string(),
            Some(Type::Number) => number(value.trim())?,
        };
        Some((name, json))
    };
    assignments.json.iter().enumerate().filter_map(value).collect()
}

/// A number as JSON, which may be written in more ways than JSON knows.
fn number(text: &str) -> Option<String> {
    if serde_json::from_str::<serde_json::Number>(text).is_ok() {
        return Some(text.to_owned());
    }
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    if let Some(digits) = hexadecimal {
        return u64::from_str_radix(digits, 16).ok().map(|number| number.to_string());
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then(|| number.to_string())
}

/// A text as JSON.
fn text(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// Takes the space between the parts of a JSON text out.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |byte: &u8| {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = *byte == b'\\' && !escaped;
            return true;
        }
        in_string = *byte == b'"';
        !byte.is_ascii_whitespace()
    };
    json.iter().copied().filter(keep).collect()
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    members.put(&name, value);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(config: serde_json::Value, json: &str) -> String {
        let rules = Rules::new(&serde_json::from_value(config).unwrap());
        let mut members = Members::parse(json.as_bytes()).unwrap();
        rules.apply(&mut members);
        String::from_utf8(members.encode()).unwrap()
    }

    #[test]
    fn members_are_removed_renamed_replaced_added_and_appended_in_this_order() {
        let config = serde_json::json!({
            "remove": {"json": ["r", "none"]}, "rename": {"json": ["old:new"]}, "replace": {"json": ["a:rep", "x:y"]},
            "add": {"json": ["r:again", "a:no", "q:v:w"]}, "append": {"json": ["q:2", "l:3", "n:4"]},
        });
        assert_eq!(
            changed(config, r#"{"r": 1, "b": {"r": 1.50}, "old": [1, 2], "a": null, "l": ["x"], "n": 5}"#),
            r#"{"b":{"r":1.50},"a":"rep","l":["x","3"],"n":["4"],"new":[1,2],"r":"again","q":["v:w","2"]}"#
        );
    }

    #[test]
    fn values_have_the_types_that_stand_at_their_places() {
        let types = ["number", "boolean", "boolean", "string", "number", "number"];
        let pairs = ["a:1.5", "b:true", "c:yes", "d:1", "e:many", "f:0x10", "g:2"];
        let config = serde_json::json!({"add": {"json": pairs, "json_types": types}});
        assert_eq!(changed(config, "{}"), r#"{"a":1.5,"b":true,"c":false,"d":"1","f":16,"g":"2"}"#);
    }

    #[test]
    fn false_counts_as_nothing_but_null_does_not() {
        let config =
            serde_json::json!({"replace": {"json": ["f:r", "n:r"]}, "add": {"json": ["f:a", "n:a"]}});
        assert_eq!(changed(config, r#"{"f":false,"n":null}"#), r#"{"f":"a","n":"r"}"#);
    }

    #[test]
    fn only_objects_have_members() {
        for json in ["", "[1]", "\"a\"", "{bad", "null", "{} {}"] {
            assert!(Members::parse(json.as_bytes()).is_none(), "{json}");
        }
    }
}
