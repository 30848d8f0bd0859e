//! Members of a JSON object.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::rules::Fields;

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

impl Fields for Members {
    /// False counts as nothing.
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

    fn set(&mut self, name: &str, value: &str) {
        self.put_json(name, text(value));
    }

    /// A text becomes a list of two; anything but a list or an object gives way to a list of one.
    fn append(&mut self, name: &str, value: &str) {
        let value = text(value);
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

    fn edited(json: &str, edit: impl FnOnce(&mut Members)) -> String {
        let mut members = Members::parse(json.as_bytes()).unwrap();
        edit(&mut members);
        String::from_utf8(members.encode()).unwrap()
    }

    #[test]
    fn what_is_not_touched_stays_as_it_is_written() {
        let json = r#"{"z": 1.50, "a": {"b c": [1, "d  \"e"]}, "n": 12345678901234567890}"#;
        let expected = r#"{"z":1.50,"a":{"b c":[1,"d  \"e"]},"n":12345678901234567890,"p":"\"1\""}"#;
        assert_eq!(edited(json, |members| members.set("p", "\"1\"")), expected);
    }

    #[test]
    fn only_objects_have_members() {
        for json in ["", "[1]", "\"a\"", "{bad", "null", "{} {}"] {
            assert!(Members::parse(json.as_bytes()).is_none(), "{json}");
        }
    }

    #[test]
    fn values_are_appended_by_what_is_there() {
        for (json, expected) in [
            (r#"{"a": "1"}"#, r#"{"a":["1","2"]}"#),
            (r#"{"a": ["x"]}"#, r#"{"a":["x","2"]}"#),
            (r#"{"a": []}"#, r#"{"a":["2"]}"#),
            (r#"{"a": 5}"#, r#"{"a":["2"]}"#),
            (r#"{"a": {"b": 1}}"#, r#"{"a":{"b":1,"1":"2"}}"#),
            (r"{}", r#"{"a":["2"]}"#),
        ] {
            assert_eq!(edited(json, |members| members.append("a", "2")), expected, "{json}");
        }
    }

    #[test]
    fn a_renamed_member_takes_the_place_of_another() {
        let renamed = edited(r#"{"a":1,"z":2}"#, |members| {
            members.rename("a", "z");
            members.rename("none", "b");
        });
        assert_eq!(renamed, r#"{"z":1}"#);
    }

    #[test]
    fn false_counts_as_nothing_but_null_does_not() {
        let members = Members::parse(br#"{"f":false,"n":null}"#).unwrap();
        assert!(!members.has("f"));
        assert!(members.has("n"));
    }
}
