//! Schemas as JSON.

use serde_json::{Map, Value, json};

use super::{Form, checks};
use crate::text::whole;
use crate::{
    Deprecation, Field, FieldType, Length, Object, OnDelete, PatternRule, Rules, Schema, Shorthand,
    ShorthandTarget, Transformation,
};

/// A schema with everything that belongs to it.
pub(super) fn schema(schema: &Schema, form: Form) -> Object {
    let mut out = Object::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    if !schema.name().is_empty() {
        put("name", json!(schema.name()));
        put("primary_key", json!([schema.primary_key()]));
        put("generate_admin_api", json!(schema.has_admin_endpoints()));
        put("db_export", json!(schema.is_exported()));
        put("stored", json!(schema.is_stored()));
    }
    if let Some(key) = schema.key_field() {
        put("endpoint_key", json!(key));
    }
    if !schema.cache_key_fields().is_empty() {
        put("cache_key", json!(schema.cache_key_fields()));
    }
    if let Some(name) = schema.own_admin_name() {
        put("admin_api_name", json!(name));
    }
    if let Some(name) = schema.own_nested_name() {
        put("admin_api_nested_name", json!(name));
    }
    if schema.has_ttl() {
        put("ttl", json!(true));
    }
    if !schema.transformations().is_empty() {
        put("transformations", schema.transformations().iter().map(transformation).collect());
    }
    out.append(&mut record(schema, form));
    out
}

fn transformation(transformation: &Transformation) -> Value {
    let Transformation { input, needs, on_write } = transformation;
    json!({"input": input, "needs": needs, "on_write": on_write.name})
}

/// The fields of a record, and what belongs to them.
fn record(schema: &Schema, form: Form) -> Object {
    let mut out = Object::new();
    out.insert("fields".to_owned(), schema.fields().iter().map(|field| named(field, form)).collect());
    if !schema.shorthands().is_empty() {
        let shorthands = schema.shorthands().iter().map(|one| shorthand(one, form)).collect();
        out.insert("shorthand_fields".to_owned(), shorthands);
    }
    if !schema.entity_checks().is_empty() {
        let checks = schema.entity_checks().iter().map(|check| checks::write(check, form)).collect();
        out.insert("entity_checks".to_owned(), checks);
    }
    out
}

/// A field under its name: `{"port": {...}}`.
pub(super) fn named(field: &Field, form: Form) -> Value {
    Value::Object(Map::from_iter([(field.name.clone(), Value::Object(attributes(field, form)))]))
}

fn shorthand(shorthand: &Shorthand, form: Form) -> Value {
    let mut out = attributes(&shorthand.field, form);
    if form == Form::Declared {
        match &shorthand.target {
            ShorthandTarget::Paths(paths) => out.insert("expands_to".to_owned(), json!(paths)),
            ShorthandTarget::Function { name, .. } => out.insert("function".to_owned(), json!(name)),
        };
    }
    Value::Object(Map::from_iter([(shorthand.field.name.clone(), Value::Object(out))]))
}

/// The attributes of a field.
pub(super) fn attributes(field: &Field, form: Form) -> Object {
    let mut out = Object::new();
    write_type(&field.kind, form, &mut out);
    write_rules(&field.rules, form, &mut out);
    if field.is_abstract && form == Form::Shown {
        // Sub-schemas say which fields there are.
        out.remove("fields");
    }
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    let flags = [
        ("immutable", field.immutable),
        ("referenceable", field.referenceable),
        ("encrypted", field.encrypted),
        ("transient", field.transient),
        ("abstract", field.is_abstract),
        ("indexed", field.indexed),
        ("unique_across_ws", field.unique_across_ws),
        ("auto", field.auto.is_some()),
    ];
    for (name, _) in flags.iter().filter(|(_, is_set)| *is_set) {
        put(name, json!(true));
    }
    let options = [
        ("required", field.required.map(Value::from)),
        ("unique", field.unique.map(Value::from)),
        ("default", field.default.clone()),
        ("err", field.err.clone().map(Value::from)),
        ("description", field.description.clone().map(Value::from)),
        ("examples", field.examples.clone().map(Value::from)),
        ("deprecation", field.deprecation.as_ref().map(deprecation)),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            put(name, value);
        }
    }
    out
}

fn write_type(kind: &FieldType, form: Form, out: &mut Object) {
    let anonymous = |field: &Field| Value::Object(attributes(field, form));
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    let name = match kind {
        FieldType::String => "string",
        FieldType::Integer => "integer",
        FieldType::Number => "number",
        FieldType::Boolean => "boolean",
        FieldType::Function => "function",
        FieldType::Array(elements) | FieldType::Set(elements) => {
            put("elements", anonymous(elements));
            if matches!(kind, FieldType::Array(_)) { "array" } else { "set" }
        }
        FieldType::Map { keys, values } => {
            put("keys", anonymous(keys));
            put("values", anonymous(values));
            "map"
        }
        FieldType::Foreign { reference, on_delete } => {
            put("reference", json!(reference));
            match on_delete {
                OnDelete::Restrict => {}
                OnDelete::Cascade => drop(put("on_delete", json!("cascade"))),
                OnDelete::Null => drop(put("on_delete", json!("null"))),
            }
            "foreign"
        }
        FieldType::Json(json_schema) => {
            if let Some(json_schema) = json_schema {
                put("json_schema", json_schema.clone());
            }
            "json"
        }
        FieldType::Record(_) => "record",
    };
    put("type", json!(name));
    if let FieldType::Record(schema) = kind {
        out.append(&mut record(schema, form));
    }
}

/// The rules of a field or of a condition.
pub(super) fn write_rules(rules: &Rules, form: Form, out: &mut Object) {
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    };
    let list = |values: &Option<Vec<Value>>| values.clone().map(Value::from);
    let patterns = |rules: &[PatternRule]| (!rules.is_empty()).then(|| rules.iter().map(pattern).collect());
    let flag = |is_set: bool| is_set.then_some(Value::Bool(true));
    let Length { eq, min, max } = rules.length;
    put("eq", rules.eq.clone());
    put("ne", rules.ne.clone());
    put("not_one_of", list(&rules.not_one_of));
    put("one_of", list(&rules.one_of));
    put("gt", rules.gt.map(number));
    put("timestamp", flag(rules.timestamp));
    put("uuid", flag(rules.uuid));
    put("is_regex", flag(rules.is_regex));
    put("between", rules.between.map(|(least, most)| json!([number(least), number(most)])));
    put("len_eq", eq.map(Value::from));
    put("len_min", min.map(Value::from));
    put("len_max", max.map(Value::from));
    put("starts_with", rules.starts_with.clone().map(Value::from));
    put("not_match", rules.not_match.clone().map(Value::from));
    put("match_none", patterns(&rules.match_none));
    put("match", rules.matches.clone().map(Value::from));
    put("match_all", patterns(&rules.match_all));
    put("match_any", rules.match_any.as_ref().map(match_any));
    put("pattern", rules.pattern.as_ref().map(|pattern| json!(pattern.as_str())));
    put("contains", rules.contains.clone());
    put("mutually_exclusive_subsets", rules.mutually_exclusive_subsets.as_ref().map(|sets| json!(sets)));
    if form == Form::Declared {
        put("check", rules.check.map(|check| json!(check.name)));
    }
}

fn match_any((patterns, err): &(Vec<String>, Option<String>)) -> Value {
    match err {
        Some(err) => json!({"patterns": patterns, "err": err}),
        None => json!({"patterns": patterns}),
    }
}

fn pattern(rule: &PatternRule) -> Value {
    match &rule.err {
        Some(err) => json!({"pattern": rule.pattern, "err": err}),
        None => json!({"pattern": rule.pattern}),
    }
}

fn deprecation(deprecation: &Deprecation) -> Value {
    let mut out = Object::new();
    let paths = deprecation.replaced_with.iter().map(|path| json!({"path": path})).collect::<Vec<_>>();
    let members = [
        ("message", deprecation.message.clone().map(Value::from)),
        ("removal_in_version", deprecation.removal_in_version.clone().map(Value::from)),
        ("old_default", deprecation.old_default.clone()),
        ("replaced_with", (!paths.is_empty()).then_some(Value::Array(paths))),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            out.insert(name.to_owned(), value);
        }
    }
    Value::Object(out)
}

fn number(number: f64) -> Value {
    if number.is_infinite() {
        return json!(if number > 0.0 { "inf" } else { "-inf" });
    }
    let value = Value::from(number);
    match &value {
        Value::Number(number) => whole(number).map_or(value, Value::from),
        _ => value,
    }
}
