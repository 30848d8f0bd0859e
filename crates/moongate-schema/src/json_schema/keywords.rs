//! The keywords of JSON Schema that stand for rules and annotations.

use serde_json::{Value, json};

use super::Place;
use crate::{Object, SchemaError};

impl Place<'_> {
    /// Translates the keywords that are neither about the type nor about what is nested.
    pub(super) fn annotate(&self, members: &Object, field: &mut Object) -> Result<(), SchemaError> {
        for (keyword, value) in members {
            let mut put = |name: &str, value: Value| field.insert(name.to_owned(), value);
            match keyword.as_str() {
                "default" if !value.is_null() => {
                    put("default", value.clone());
                    if value.as_str() == Some("") {
                        put("len_min", json!(0));
                    }
                }
                "description" | "examples" => drop(put(keyword, value.clone())),
                "deprecated" if *value == json!(true) && !members.contains_key("x-deprecation") => {
                    put("deprecation", json!({}));
                }
                "enum" => {
                    let values = value.as_array().ok_or_else(|| self.error("enum must be a list"))?;
                    put("one_of", values.iter().filter(|value| !value.is_null()).cloned().collect());
                }
                "const" => drop(put("one_of", json!([value]))),
                "minLength" | "minItems" | "minProperties" => drop(put("len_min", value.clone())),
                "maxLength" | "maxItems" | "maxProperties" => drop(put("len_max", value.clone())),
                "pattern" => drop(put("pattern", value.clone())),
                "exclusiveMinimum" => drop(put("gt", value.clone())),
                "contains" => {
                    let wanted =
                        value.get("const").ok_or_else(|| self.error("contains must have a const"))?;
                    put("contains", wanted.clone());
                }
                "format" => {
                    if let Some((name, value)) = value.as_str().and_then(rule_of_format) {
                        put(name, value);
                    }
                }
                "x-referenceable" | "x-encrypted" | "x-check" | "x-err" | "x-deprecation" => {
                    put(keyword.trim_start_matches("x-"), value.clone());
                }
                _ => {}
            }
        }
        let (least, most) = (members.get("minimum"), members.get("maximum"));
        if least.is_some() || most.is_some() {
            let format = members.get("format").and_then(Value::as_str).unwrap_or_default();
            let least = least.cloned().unwrap_or_else(|| json!("-inf"));
            let most = most.cloned().unwrap_or_else(|| most_of_format(format));
            field.insert("between".to_owned(), json!([least, most]));
        }
        Ok(())
    }
}

/// `schema` with the members of `outer` but `without`, which stand before its own.
pub(super) fn merged(schema: &Value, outer: &Object, without: &str) -> Value {
    let Some(members) = schema.as_object() else { return schema.clone() };
    let mut members = members.clone();
    let outer = outer.iter().filter(|(keyword, _)| *keyword != without && *keyword != "$defs");
    members.extend(outer.map(|(keyword, value)| (keyword.clone(), value.clone())));
    Value::Object(members)
}

/// The rule that a format stands for. Formats without one only describe.
fn rule_of_format(format: &str) -> Option<(&'static str, Value)> {
    Some(match format {
        "uuid" => ("uuid", json!(true)),
        "regex" => ("is_regex", json!(true)),
        "uri" | "url" => ("check", json!("url")),
        "hostname" => ("check", json!("host")),
        "ip" | "ipv4" | "ipv6" => ("check", json!("ip")),
        _ => return None,
    })
}

/// The greatest number of a format of whole numbers.
fn most_of_format(format: &str) -> Value {
    match format {
        "uint8" => json!(u8::MAX),
        "uint16" => json!(u16::MAX),
        "uint32" => json!(u32::MAX),
        _ => json!("inf"),
    }
}

/// The keywords that are understood, or that say nothing that must hold.
pub(super) const KNOWN: &[&str] = &[
    "$anchor",
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "default",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
    "x-check",
    "x-deprecation",
    "x-encrypted",
    "x-entity-checks",
    "x-err",
    "x-field",
    "x-order",
    "x-plugin",
    "x-referenceable",
    "x-shorthands",
];
