//! JSON Schemas translated: the configuration of a plugin, as its author's tools describe it.
//!
//! The translation goes to the gateway's own JSON form and from there to a [`Schema`]. A keyword that has no
//! counterpart is refused with its place rather than left out: a rule that its author wrote must hold.

mod keywords;

use serde_json::{Map, Value, json};

use crate::{Functions, Object, Schema, SchemaError, types};
use keywords::{KNOWN, merged};

impl Schema {
    /// The sub-schema of a plugin whose configuration a JSON Schema (2020-12) describes.
    ///
    /// `docs/plugins/config-schema.md` tells what is understood.
    ///
    /// # Errors
    /// The first place that is not understood, and why.
    pub fn plugin_from_json_schema(schema: &Value, functions: &Functions) -> Result<Self, SchemaError> {
        let root = Place { path: "schema".to_owned(), value: schema, root: schema, depth: 0 };
        let declaration = root.plugin()?;
        Self::from_json(&declaration, functions)
    }
}

/// A place in a JSON Schema.
struct Place<'a> {
    path: String,
    value: &'a Value,
    root: &'a Value,
    depth: usize,
}

impl<'a> Place<'a> {
    fn error(&self, reason: &str) -> SchemaError {
        SchemaError { path: self.path.clone(), reason: reason.to_owned() }
    }

    fn at(&self, name: &str, value: &'a Value) -> Self {
        Self { path: format!("{}.{name}", self.path), value, root: self.root, depth: self.depth }
    }

    fn member(&self, name: &str) -> Option<Self> {
        Some(self.at(name, self.value.get(name)?))
    }

    /// The declaration of a plugin: the configuration, and what it can be bound to.
    fn plugin(&self) -> Result<Value, SchemaError> {
        let members = self.value.as_object().ok_or_else(|| self.error("must be an object"))?;
        self.knows(members)?;
        let mut config = self.record()?;
        config.insert("type".to_owned(), json!("record"));
        config.insert("required".to_owned(), json!(true));
        let mut fields = Vec::new();
        let mut entity_checks = json!([]);
        let mut protocols = json!(types::HTTP_PROTOCOLS);
        if let Some(plugin) = self.member("x-plugin") {
            let members = plugin.value.as_object().ok_or_else(|| plugin.error("must be an object"))?;
            for (name, value) in members {
                let place = plugin.at(name, value);
                match name.as_str() {
                    "consumer" | "route" | "service" => {
                        if !value.as_bool().ok_or_else(|| place.error("must be true or false"))? {
                            let field =
                                json!({"type": "foreign", "reference": format!("{name}s"), "eq": null});
                            fields.push(json!({(name.clone()): field}));
                        }
                    }
                    "protocols" => protocols = value.clone(),
                    "entity_checks" => entity_checks = value.clone(),
                    _ => return Err(place.error("is not known")),
                }
            }
        }
        let is_default =
            |protocol: &&&str| protocols.as_array().is_some_and(|list| list.contains(&json!(protocol)));
        let default: Vec<&&str> = types::HTTP_PROTOCOLS.iter().filter(is_default).collect();
        let default = if default.is_empty() { protocols.clone() } else { json!(default) };
        let elements = json!({"type": "string", "required": true, "one_of": protocols});
        let set = json!({"type": "set", "required": true, "default": default, "elements": elements});
        fields.push(json!({"protocols": set}));
        fields.push(json!({"config": config}));
        Ok(json!({"fields": fields, "entity_checks": entity_checks}))
    }

    /// Refuses keywords that are not understood.
    fn knows(&self, members: &Object) -> Result<(), SchemaError> {
        match members.keys().find(|keyword| !KNOWN.contains(&keyword.as_str())) {
            Some(keyword) => Err(self.at(keyword, &Value::Null).error("is not understood")),
            None => Ok(()),
        }
    }

    /// The fields of an object, and what belongs to them.
    fn record(&self) -> Result<Object, SchemaError> {
        let mut fields: Vec<(i64, Value)> = Vec::new();
        let required = self.value.get("required").and_then(Value::as_array);
        let is_listed = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
        if let Some(properties) = self.member("properties") {
            let members =
                properties.value.as_object().ok_or_else(|| properties.error("must be an object"))?;
            for (name, value) in members {
                let place = properties.at(name, value);
                let order = value.get("x-order").and_then(Value::as_i64).unwrap_or(i64::MAX);
                let field = place.property(is_listed(name))?;
                fields.push((order, json!({(name.clone()): field})));
            }
        }
        fields.sort_by_key(|(order, _)| *order);
        let mut record = Object::new();
        record.insert("fields".to_owned(), fields.into_iter().map(|(_, field)| field).collect());
        for (keyword, name) in [("x-entity-checks", "entity_checks"), ("x-shorthands", "shorthand_fields")] {
            if let Some(value) = self.value.get(keyword) {
                record.insert(name.to_owned(), value.clone());
            }
        }
        Ok(record)
    }

    /// A property: whether it may be absent or null is told apart from what it holds.
    fn property(&self, is_listed: bool) -> Result<Value, SchemaError> {
        let (mut field, is_nullable) = self.field()?;
        let has_default = field.get("default").is_some_and(|default| !default.is_null());
        let is_fillable = field.get("type") == Some(&json!("record")) && is_fillable(&field);
        if !is_nullable && (is_listed || has_default || is_fillable) {
            field.insert("required".to_owned(), json!(true));
        }
        if let Some(own) = self.value.get("x-field") {
            let own = own.as_object().ok_or_else(|| self.error("x-field must be an object"))?;
            field.extend(own.clone());
        }
        Ok(Value::Object(field))
    }

    /// What a value must be, and whether it may be null.
    fn field(&self) -> Result<(Object, bool), SchemaError> {
        if self.depth > MAX_DEPTH {
            return Err(self.error("is nested too deeply, or refers to itself"));
        }
        let Some(members) = self.value.as_object() else {
            return match self.value {
                Value::Bool(true) => Ok((Map::from_iter([("type".to_owned(), json!("json"))]), true)),
                _ => Err(self.error("must be a schema")),
            };
        };
        if let Some(target) = members.get("$ref") {
            return self.referred(target, members);
        }
        self.knows(members)?;
        if let Some(alternatives) = self.member("anyOf").or_else(|| self.member("oneOf")) {
            return self.alternatives(&alternatives, members);
        }
        if let Some(Value::Array(all)) = members.get("allOf") {
            return match all.as_slice() {
                [one] => self.deeper("allOf", &merged(one, members, "allOf")),
                _ => Err(self.error("allOf must have one schema")),
            };
        }
        self.plain(members)
    }

    fn referred(&self, target: &Value, members: &Object) -> Result<(Object, bool), SchemaError> {
        let found = target.as_str().and_then(|target| self.root.pointer(target.strip_prefix('#')?));
        let found = found.ok_or_else(|| self.error("refers to what is not in the schema"))?;
        self.deeper("$ref", &merged(found, members, "$ref"))
    }

    fn deeper(&self, name: &str, value: &Value) -> Result<(Object, bool), SchemaError> {
        let path = format!("{}.{name}", self.path);
        Place { path, value, root: self.root, depth: self.depth + 1 }.field()
    }

    /// Alternatives: one schema or null, or texts of which each is described. What else there is, such as an
    /// enumeration with data, is taken as it is and left to the plugin.
    fn alternatives(&self, list: &Place<'_>, members: &Object) -> Result<(Object, bool), SchemaError> {
        let all = list.value.as_array().ok_or_else(|| list.error("must be a list"))?;
        let is_null = |schema: &&Value| schema.get("type") == Some(&json!("null"));
        let others: Vec<&Value> = all.iter().filter(|schema| !is_null(schema)).collect();
        let has_null = others.len() < all.len();
        let keyword = if members.contains_key("anyOf") { "anyOf" } else { "oneOf" };
        if let [one] = others.as_slice() {
            let (field, is_nullable) = self.deeper(keyword, &merged(one, members, keyword))?;
            return Ok((field, is_nullable || has_null));
        }
        let texts = |schema: &&Value| match (schema.get("const"), schema.get("enum")) {
            (Some(text @ Value::String(_)), _) => Some(vec![text.clone()]),
            (None, Some(Value::Array(texts))) if texts.iter().all(Value::is_string) => Some(texts.clone()),
            _ => None,
        };
        let mut field = Object::new();
        if let Some(texts) = others.iter().map(texts).collect::<Option<Vec<_>>>() {
            field.insert("type".to_owned(), json!("string"));
            field.insert("one_of".to_owned(), texts.into_iter().flatten().collect());
        } else {
            field.insert("type".to_owned(), json!("json"));
            field.insert("json_schema".to_owned(), json!({keyword: all}));
        }
        self.annotate(members, &mut field)?;
        Ok((field, has_null))
    }

    fn plain(&self, members: &Object) -> Result<(Object, bool), SchemaError> {
        let (kind, is_nullable) = self.kind(members)?;
        let mut field = Object::new();
        let mut put = |name: &str, value: Value| field.insert(name.to_owned(), value);
        match kind {
            "array" => {
                let is_set = members.get("uniqueItems") == Some(&json!(true));
                put("type", json!(if is_set { "set" } else { "array" }));
                let items = self.member("items").ok_or_else(|| self.error("says nothing of its items"))?;
                let (mut elements, is_nullable) = items.field()?;
                if !is_nullable {
                    elements.insert("required".to_owned(), json!(true));
                }
                put("elements", Value::Object(elements));
            }
            "object" if members.contains_key("properties") => {
                put("type", json!("record"));
                field.append(&mut self.record()?);
            }
            "object" => {
                put("type", json!("map"));
                let keys = match self.member("propertyNames") {
                    Some(names) => names.field()?.0,
                    None => Map::from_iter([("type".to_owned(), json!("string"))]),
                };
                put("keys", Value::Object(keys));
                let (values, _) = match self.member("additionalProperties") {
                    Some(values) => values.field()?,
                    None => (Map::from_iter([("type".to_owned(), json!("json"))]), true),
                };
                put("values", Value::Object(values));
            }
            other => {
                put("type", json!(other));
            }
        }
        self.annotate(members, &mut field)?;
        Ok((field, is_nullable))
    }

    /// The type of values and whether null is one of them.
    fn kind(&self, members: &Object) -> Result<(&'static str, bool), SchemaError> {
        let name = |name: &str| match name {
            "string" => Ok("string"),
            "integer" => Ok("integer"),
            "number" => Ok("number"),
            "boolean" => Ok("boolean"),
            "array" => Ok("array"),
            "object" => Ok("object"),
            _ => Err(self.error("has a type that is not understood")),
        };
        match members.get("type") {
            Some(Value::String(kind)) => Ok((name(kind)?, false)),
            Some(Value::Array(kinds)) => {
                let others: Vec<&str> =
                    kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect();
                match others.as_slice() {
                    [kind] => Ok((name(kind)?, others.len() < kinds.len())),
                    _ => Ok(("json", true)),
                }
            }
            Some(_) => Err(self.error("has a type that is not understood")),
            None if members.contains_key("properties") => Ok(("object", false)),
            None => match members.get("const").or_else(|| members.get("enum").and_then(|list| list.get(0))) {
                Some(Value::String(_)) => Ok(("string", false)),
                Some(Value::Bool(_)) => Ok(("boolean", false)),
                Some(Value::Number(number)) => {
                    Ok((if number.is_f64() { "number" } else { "integer" }, false))
                }
                _ => Ok(("json", true)),
            },
        }
    }
}

/// Whether a record can be filled from nothing.
fn is_fillable(record: &Object) -> bool {
    let fields = record.get("fields").and_then(Value::as_array);
    let fields = fields.into_iter().flatten().filter_map(Value::as_object).flat_map(Object::values);
    fields.filter(|field| field.get("required") == Some(&json!(true))).all(|field| {
        let is_record = field.get("type") == Some(&json!("record"));
        field.get("default").is_some() || (is_record && field.as_object().is_some_and(is_fillable))
    })
}

const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests;
