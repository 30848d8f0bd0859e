//! The schemas of entities as JSON Schema.

use moongate_schema::{Field, FieldType, Schema};
use serde_json::{Map, Value, json};

/// An entity, with what a client may leave out and what it may only give.
pub(super) fn of_entity(schema: &Schema) -> Value {
    let mut object = of_fields(schema);
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for shorthand in schema.shorthands() {
            let mut property = of_field(&shorthand.field);
            annotate(&mut property, "writeOnly", json!(true));
            properties.insert(shorthand.field.name.clone(), property);
        }
        if schema.has_ttl() {
            let description = "Seconds until it expires";
            properties
                .insert("ttl".to_owned(), json!({"type": ["integer", "null"], "description": description}));
        }
    }
    object
}

/// The same for what changes an entity: everything may be left out.
pub(super) fn without_required(mut entity: Value) -> Value {
    if let Some(entity) = entity.as_object_mut() {
        entity.remove("required");
    }
    entity
}

/// The name of the schema of a plugin's configuration.
pub(super) fn configuration_of(plugin: &str) -> String {
    format!("config-of-{plugin}")
}

/// Adds to the entity `plugins` which configuration belongs to which plugin.
pub(super) fn add_configurations<'a>(entity: &mut Value, plugins: impl Iterator<Item = &'a str>) {
    let rules: Vec<Value> = plugins
        .map(|plugin| {
            let config = format!("#/components/schemas/{}", configuration_of(plugin));
            json!({
                "if": {"properties": {"name": {"const": plugin}}, "required": ["name"]},
                "then": {"properties": {"config": {"$ref": config}}},
            })
        })
        .collect();
    if !rules.is_empty() {
        annotate(entity, "allOf", rules.into());
    }
}

/// What the API answers when it refuses.
pub(super) fn of_error() -> Value {
    json!({
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"type": "string"},
            "code": {"type": "integer"},
            "name": {"type": "string"},
            "fields": {"type": "object"},
        },
    })
}

fn of_fields(schema: &Schema) -> Value {
    let fields = schema.fields();
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.clone(), of_field(field))).collect();
    // A default, a generated value or the path makes up for what is not given.
    let needed = fields.iter().filter(|field| {
        let made_up = field.default.is_some() || field.auto.is_some() || field.reference().is_some();
        field.is_required() && !made_up
    });
    let needed: Vec<&str> =
        needed.filter(|field| field.fields().is_none()).map(|field| field.name.as_str()).collect();
    let mut object = json!({"type": "object", "properties": properties});
    if !needed.is_empty() {
        annotate(&mut object, "required", json!(needed));
    }
    object
}

/// A field, with what its values are held to.
pub(super) fn of_field(field: &Field) -> Value {
    let mut schema = match &field.kind {
        FieldType::String => json!({"type": "string"}),
        FieldType::Integer => json!({"type": "integer"}),
        FieldType::Number => json!({"type": "number"}),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Array(elements) => json!({"type": "array", "items": of_field(elements)}),
        FieldType::Set(elements) => {
            json!({"type": "array", "uniqueItems": true, "items": of_field(elements)})
        }
        FieldType::Map { values, .. } => json!({"type": "object", "additionalProperties": of_field(values)}),
        FieldType::Record(schema) => of_fields(schema),
        FieldType::Foreign { reference, .. } => json!({
            "type": "object",
            "description": format!("One of the {reference}, by its id or by a unique field"),
            "properties": {"id": {"type": "string", "format": "uuid"}},
        }),
        _ => json!({}),
    };
    let rules = &field.rules;
    if let Some(values) = &rules.one_of {
        annotate(&mut schema, "enum", json!(values));
    }
    if let Some((least, most)) = rules.between {
        annotate(&mut schema, "minimum", json!(least));
        annotate(&mut schema, "maximum", json!(most));
    }
    if let Some(than) = rules.gt {
        annotate(&mut schema, "exclusiveMinimum", json!(than));
    }
    if rules.uuid {
        annotate(&mut schema, "format", json!("uuid"));
    }
    if let Some(default) = &field.default {
        annotate(&mut schema, "default", default.clone());
    }
    if let Some(description) = &field.description {
        annotate(&mut schema, "description", json!(description));
    }
    if field.deprecation.is_some() {
        annotate(&mut schema, "deprecated", json!(true));
    }
    if !field.is_required() {
        let or_null = schema.get("type").map(|kind| json!([kind, "null"]));
        if let Some(or_null) = or_null {
            annotate(&mut schema, "type", or_null);
        }
    }
    schema
}

pub(super) fn annotate(schema: &mut Value, keyword: &str, value: Value) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(keyword.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_must_be_given_is_required_and_others_may_be_null() {
        let schema = Schema::entity("things")
            .field("host", Field::string().required())
            .field("port", Field::integer().between(0, 65535).default(80).required())
            .field("tags", Field::set(Field::string()));
        let expected = json!({
            "type": "object",
            "required": ["host"],
            "properties": {
                "host": {"type": "string"},
                "port": {"type": "integer", "minimum": 0.0, "maximum": 65535.0, "default": 80},
                "tags": {"type": ["array", "null"], "uniqueItems": true, "items": {"type": ["string", "null"]}},
            },
        });
        assert_eq!(of_entity(&schema), expected);
    }
}
