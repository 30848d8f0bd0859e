//! Translated JSON Schemas.

mod derived;

use serde_json::{Value, json};

use crate::{Context, Functions, Operation, Schema, SeededRandomness};

#[test]
fn a_schema_derived_from_a_type_is_translated() {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Config",
        "type": "object",
        "properties": {
            "claims": {
                "description": "Which claims become headers.",
                "type": "object",
                "additionalProperties": {"type": "string"}
            },
            "secret": {"type": ["string", "null"], "x-referenceable": true, "x-encrypted": true},
            "leeway": {"type": "integer", "format": "uint32", "minimum": 0, "default": 60},
            "mode": {"$ref": "#/$defs/Mode", "default": "strict"},
            "cache": {"anyOf": [{"$ref": "#/$defs/Cache"}, {"type": "null"}]},
            "limits": {"$ref": "#/$defs/Cache"},
            "names": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "uniqueItems": true}
        },
        "required": ["claims"],
        "additionalProperties": false,
        "$defs": {
            "Mode": {"oneOf": [
                {"description": "All.", "type": "string", "const": "strict"},
                {"type": "string", "enum": ["loose", "off"]}
            ]},
            "Cache": {"type": "object", "properties": {"size": {"type": "number", "minimum": 0.5, "default": 2.0}}}
        }
    });
    assert_eq!(
        config(&schema),
        json!({
            "type": "record",
            "required": true,
            "fields": [
                {"cache": {"type": "record", "fields": [
                    {"size": {"type": "number", "between": [0.5, "inf"], "default": 2.0, "required": true}}
                ]}},
                {"claims": {
                    "type": "map", "keys": {"type": "string"}, "values": {"type": "string"}, "required": true,
                    "description": "Which claims become headers."
                }},
                {"leeway": {"type": "integer", "between": [0, 4_294_967_295_u32], "default": 60, "required": true}},
                {"limits": {"type": "record", "required": true, "fields": [
                    {"size": {"type": "number", "between": [0.5, "inf"], "default": 2.0, "required": true}}
                ]}},
                {"mode": {"type": "string", "one_of": ["strict", "loose", "off"], "default": "strict", "required": true}},
                {"names": {"type": "set", "elements": {"type": "string", "pattern": "^[a-z]+$", "required": true}}},
                {"secret": {"type": "string", "referenceable": true, "encrypted": true}}
            ]
        })
    );
}

#[test]
fn a_translated_schema_fills_and_refuses() {
    let schema = json!({
        "type": "object",
        "properties": {
            "limit": {"type": "integer", "minimum": 1},
            "name": {"type": "string", "pattern": "^[a-z]+$", "default": "x"},
            "inner": {"type": "object", "properties": {"deep": {"type": "boolean", "default": true}}}
        },
        "required": ["limit"],
        "x-plugin": {"consumer": false, "protocols": ["http", "https"], "entity_checks": [
            {"mutually_exclusive": ["config.limit", "config.other"]}
        ]}
    });
    let schema = Schema::plugin_from_json_schema(&schema, &Functions::standard()).unwrap();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(0, &randomness);
    let complete = |config: Value| {
        let given = json!({"config": config});
        schema.complete(given.as_object().unwrap().clone(), Operation::Insert, &context).unwrap()
    };
    let filled = complete(json!({"limit": 2}));
    assert_eq!(filled["config"], json!({"limit": 2, "name": "x", "inner": {"deep": true}}));
    assert_eq!(filled["protocols"], json!(["http", "https"]));
    assert_eq!(schema.validate(&filled, Operation::Insert, &context), Ok(()));

    let wrong = schema.validate(&complete(json!({"limit": 0, "name": "A"})), Operation::Insert, &context);
    assert_eq!(
        wrong.unwrap_err().fields(),
        json!({"config": {"limit": "value should be at least 1", "name": "invalid value: A"}})
    );
    let bound = json!({"config": {"limit": 1}, "consumer": {"id": "00000000-0000-4000-8000-000000000000"}});
    let bound = schema.complete(bound.as_object().unwrap().clone(), Operation::Insert, &context).unwrap();
    let wrong = schema.validate(&bound, Operation::Insert, &context).unwrap_err();
    assert_eq!(wrong.fields(), json!({"consumer": "value must be null"}));
}

#[test]
fn fields_are_in_the_order_that_is_asked_for() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "x-order": 2}, "b": {"type": "string", "x-order": 1}, "c": {"type": "boolean"}
    }});
    let fields = config(&schema);
    let names: Vec<&String> = fields["fields"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|field| field.as_object().unwrap().keys())
        .collect();
    assert_eq!(names, ["b", "a", "c"]);
}

#[test]
fn what_cannot_hold_is_refused_with_its_place() {
    for (property, message) in [
        (json!({"type": "integer", "multipleOf": 2}), "`schema.properties.a.multipleOf` is not understood"),
        (json!({"type": "array"}), "`schema.properties.a` says nothing of its items"),
        (json!({"$ref": "#/$defs/Nope"}), "`schema.properties.a` refers to what is not in the schema"),
        (
            json!({"type": "string", "x-check": "nope"}),
            "`schema.fields.1.config.fields.0.a.check` names no check of values",
        ),
        (
            json!({"type": "string", "pattern": "("}),
            "`schema.fields.1.config.fields.0.a.pattern` is no regular expression",
        ),
    ] {
        let schema = json!({"type": "object", "properties": {"a": property}});
        let error = Schema::plugin_from_json_schema(&schema, &Functions::standard()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_type_within_itself_is_refused() {
    let schema = json!({
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/Tree"}},
        "$defs": {"Tree": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}}
    });
    let error = Schema::plugin_from_json_schema(&schema, &Functions::standard()).unwrap_err();
    assert_eq!(error.reason, "is nested too deeply, or refers to itself");
}

fn config(schema: &Value) -> Value {
    let schema = Schema::plugin_from_json_schema(schema, &Functions::standard()).unwrap();
    let shown = schema.to_json();
    let fields = shown["fields"].as_array().unwrap();
    fields.iter().find_map(|field| field.get("config")).unwrap().clone()
}
