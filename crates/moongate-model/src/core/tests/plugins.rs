//! Plugin configurations, with the schemas of known plugins.

use moongate_schema::{Catalog, CatalogBuilder, Context, Functions, Operation, Schema, SeededRandomness};
use serde_json::{Map, Value, json};

use super::super::{RouterFlavor, catalog};

#[test]
fn plugin_configurations_are_filled_and_refused_as_tools_know_it() {
    let facts: Vec<Value> = serde_json::from_str(include_str!("plugin_rows.json")).unwrap();
    let catalog = with_plugins();
    let schema = catalog.entity("plugins").unwrap();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(1_700_000_000_123, &randomness);
    let mut differences = Vec::new();
    for fact in &facts {
        let given = fact["given"].as_object().unwrap().clone();
        let completed = schema.complete(given.clone(), Operation::Insert, &context);
        let checked =
            completed.and_then(|row| schema.validate(&row, Operation::Insert, &context).map(|()| row));
        let (found, wanted) = match checked {
            Err(problems) => {
                let found = json!({"message": problems.message(), "fields": problems.fields()});
                (found, json!({"message": fact["message"], "fields": fact["fields"]}))
            }
            Ok(row) => {
                let mut shown = schema.present(&row);
                for masked in ["id", "created_at", "updated_at"] {
                    shown.remove(masked);
                }
                (Value::Object(shown), fact["shown"].clone())
            }
        };
        if found != wanted {
            differences.push(format!("{given:?}:\n  wanted {wanted}\n  found  {found}"));
        }
    }
    assert!(differences.is_empty(), "{} of {}\n{}", differences.len(), facts.len(), differences.join("\n"));
}

#[test]
fn a_change_merges_the_configuration_field_by_field() {
    let catalog = with_plugins();
    let schema = catalog.entity("plugins").unwrap();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(1_700_000_000_000, &randomness);
    let limits = json!({"v": {"minute": 1}});
    let given = json!({"name": "response-ratelimiting", "config": {"limits": limits, "redis_port": 1, "policy": "redis", "redis": {"host": "a"}}});
    let row = schema.complete(given.as_object().unwrap().clone(), Operation::Insert, &context).unwrap();

    let later = Context::new(1_700_000_009_000, &randomness);
    let patch = json!({"config": {"redis_host": "b", "limits": {"w": {"second": 2}}}, "enabled": false});
    let (patch, whole) = schema.change(&row, patch.as_object().unwrap().clone(), &later).unwrap();
    assert_eq!(schema.validate(&whole, Operation::Update, &later), Ok(()));
    let shown = schema.present(&whole);
    assert_eq!(shown["config"]["redis"]["host"], "b");
    assert_eq!(shown["config"]["redis_host"], "b");
    assert_eq!(shown["config"]["redis"]["port"], 1);
    assert_eq!(shown["config"]["policy"], "redis");
    assert_eq!(shown["config"]["limits"].as_object().unwrap().keys().collect::<Vec<_>>(), ["w"]);
    assert_eq!(shown["config"]["limits"]["w"]["minute"], Value::Null);
    assert_eq!(
        (&shown["enabled"], &shown["created_at"], &shown["updated_at"]),
        (&json!(false), &json!(1_700_000_000), &json!(1_700_000_009))
    );
    assert_eq!(patch["config"], json!({"redis": {"host": "b"}, "limits": shown["config"]["limits"]}));
}

#[test]
fn a_change_is_told_that_it_is_one() {
    let catalog = with_plugins();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(1_700_000_000_000, &randomness);
    for (entity, given, patch, message) in [
        (
            "consumers",
            json!({"username": "bob"}),
            json!({"username": null}),
            "schema violation (when updating, at least one of these fields must be non-empty: 'custom_id', 'username')",
        ),
        (
            "plugins",
            json!({"name": "acl", "config": {"deny": ["x"]}}),
            json!({"config": {"allow": ["y"]}}),
            "schema violation (exactly one of these fields must be non-empty: 'config.allow', 'config.deny')",
        ),
        (
            "services",
            json!({"host": "h", "path": "/x"}),
            json!({"protocol": "tcp"}),
            "2 schema violations (failed conditional validation given value of field 'protocol'; path: value must be null)",
        ),
        (
            "services",
            json!({"host": "h"}),
            json!({"host": null}),
            "schema violation (host: required field missing)",
        ),
        ("services", json!({"host": "h"}), json!({"foo": "bar"}), "schema violation (foo: unknown field)"),
        (
            "routes",
            json!({"methods": ["GET"]}),
            json!({"methods": null}),
            "schema violation (must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https')",
        ),
        (
            "routes",
            json!({"methods": ["GET"], "headers": {"a": ["b"]}}),
            json!({"protocols": ["tcp"]}),
            "3 schema violations (must set one of 'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' or \
             'udp'; headers: cannot set 'headers' when 'protocols' is 'tcp', 'tls', 'tls_passthrough' or 'udp'; methods: \
             cannot set 'methods' when 'protocols' is 'tcp', 'tls', 'tls_passthrough' or 'udp')",
        ),
        (
            "upstreams",
            json!({"name": "up"}),
            json!({"hash_on": "header"}),
            "2 schema violations (failed conditional validation given value of field 'hash_on'; hash_on_header: required \
             field missing)",
        ),
    ] {
        let schema = catalog.entity(entity).unwrap();
        let row = schema.complete(given.as_object().unwrap().clone(), Operation::Insert, &context).unwrap();
        assert_eq!(schema.validate(&row, Operation::Insert, &context), Ok(()), "{given}");
        let (_, whole) = schema.change(&row, patch.as_object().unwrap().clone(), &context).unwrap();
        let problems = schema.validate(&whole, Operation::Update, &context).unwrap_err();
        assert_eq!(problems.message(), message);
    }
}

#[test]
fn a_reference_is_looked_at_as_the_object_that_it_stands_for() {
    let catalog = with_plugins();
    let schema = catalog.entity("plugins").unwrap();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(1_700_000_000_000, &randomness);
    for (field, value, fields) in [
        ("route", json!({"id": "x"}), json!({"route": {"protocols": "required field missing"}})),
        ("service", json!({"id": "x"}), json!({"service": {"id": "expected a valid UUID"}})),
        ("service", json!("x"), json!({"service": {"id": "missing primary key"}})),
        ("service", json!({}), json!({"service": {"id": "missing primary key"}})),
        ("service", json!({"id": null}), json!({"service": {"id": "required field missing"}})),
        (
            "service",
            json!({"id": "x", "foo": 1}),
            json!({"service": {"id": "expected a valid UUID", "foo": "unknown field"}}),
        ),
    ] {
        let given = json!({"name": "tcp-log", "config": {"host": "h", "port": 1}, (field): value});
        let row = schema.complete(given.as_object().unwrap().clone(), Operation::Insert, &context).unwrap();
        let problems = schema.validate(&row, Operation::Insert, &context).unwrap_err();
        assert_eq!(problems.fields(), fields, "{given}");
    }
}

fn with_plugins() -> Catalog {
    let declarations = include_str!("plugins.json");
    let declarations: Map<String, Value> = serde_json::from_str(declarations).unwrap();
    let builder = catalog(RouterFlavor::TraditionalCompatible);
    let add = |builder: CatalogBuilder, (name, declaration): (&String, &Value)| {
        builder.plugin(name, Schema::from_json(declaration, &Functions::standard()).unwrap())
    };
    declarations.iter().fold(builder, add).build().unwrap()
}
