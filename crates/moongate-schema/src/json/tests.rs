//! The JSON form of schemas.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Auto, Check, CheckFunction, Deprecation, EntityCheck, Field, Functions, Hook, Requirement, Schema,
    Shorthand, ShorthandTarget, Transformation, checks,
};

#[test]
fn what_is_read_is_shown_as_it_was() {
    let schemas: serde_json::Map<String, Value> = serde_json::from_str(include_str!("schemas.json")).unwrap();
    for (name, shown) in &schemas {
        let declaration = with_targets(shown.clone());
        let schema = Schema::from_json(&declaration, &Functions::standard());
        let schema = schema.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(&schema.to_json(), shown, "{name}");
    }
    assert!(schemas.len() > 15);
}

/// Functions are not shown, so shorthands that need one get a target here.
fn with_targets(mut schema: Value) -> Value {
    let fields = schema["fields"].as_array_mut().unwrap();
    for config in fields.iter_mut().filter_map(|field| field.get_mut("config")) {
        let Some(shorthands) = config.get_mut("shorthand_fields") else { continue };
        for shorthand in shorthands.as_array_mut().unwrap() {
            for (_, field) in shorthand.as_object_mut().unwrap() {
                if field["deprecation"]["replaced_with"].is_null() {
                    field["expands_to"] = json!([["other"]]);
                }
                if field["deprecation"].is_null() {
                    field.as_object_mut().unwrap().remove("deprecation");
                }
            }
        }
    }
    schema
}

#[test]
fn a_wrong_declaration_is_refused_with_its_place() {
    for (declaration, message) in [
        (json!({"fields": [{"a": {"type": "zip"}}]}), "`schema.fields.0.a.type` is no type that is known"),
        (json!({"fields": [{"a": {}}]}), "`schema.fields.0.a.type` is missing"),
        (
            json!({"fields": [{"a": {"type": "string", "requird": true}}]}),
            "`schema.fields.0.a.requird` is not known",
        ),
        (json!({"fields": [{"a": {"type": "array"}}]}), "`schema.fields.0.a.elements` is missing"),
        (
            json!({"fields": [{"a": {"type": "integer", "between": [1]}}]}),
            "`schema.fields.0.a.between` must be two numbers",
        ),
        (
            json!({"fields": [{"a": {"type": "string", "check": "x"}}]}),
            "`schema.fields.0.a.check` names no check of values",
        ),
        (
            json!({"fields": [{"a": {"type": "array", "elements": {"type": "string", "lenmin": 1}}}]}),
            "`schema.fields.0.a.elements.lenmin` is not known",
        ),
        (
            json!({"fields": [{"a": {"type": "integer", "default": 0, "gt": 0}}]}),
            "`schema.fields.0.a.default` is refused by the field itself: value must be greater than 0",
        ),
        (
            json!({"shorthand_fields": [{"a": {"type": "string"}}]}),
            "`schema.shorthand_fields.0.a` must say what it stands for: `expands_to`, `function` or a deprecation",
        ),
        (json!({"fields": {"a": {}}}), "`schema.fields` must be a list"),
        (json!({"entity_checks": [{"some": []}]}), "`schema.entity_checks.0` is no check that is known"),
        (json!({"name": "x", "primary_key": ["key"]}), "`schema.primary_key` must be `id`"),
        (json!([]), "`schema` must be an object"),
    ] {
        let error = Schema::from_json(&declaration, &Functions::standard()).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn a_declaration_with_functions_is_read_again() {
    let functions = functions();
    let schema = Schema::entity("things")
        .endpoint_key("name")
        .cache_key(&["name", "owner"])
        .admin_name("all-things")
        .admin_nested_name("thing")
        .with_ttl()
        .field("id", Field::string().uuid().auto(Auto::Uuid))
        .field("created_at", Field::integer().timestamp().auto(Auto::CreatedAt))
        .field("name", Field::string().unique().check(checks::NAME))
        .field("owner", Field::foreign("consumers").cascade().required())
        .shorthand(
            "address",
            Shorthand {
                field: Field::string(),
                target: ShorthandTarget::Function { name: "parts", run: |_, _| Ok(crate::Object::new()) },
            },
        )
        .entity_check(EntityCheck::custom(&["name"], functions.entity_check("fits").unwrap()))
        .transformation(Transformation {
            input: vec!["name".to_owned()],
            needs: vec!["owner.id".to_owned()],
            on_write: functions.hook("hash").unwrap(),
        });
    assert_eq!(Schema::from_json(&schema.to_declaration(), &functions), Ok(schema));
}

fn functions() -> Functions {
    Functions::standard()
        .with_check(Check { name: "any", run: |_| Ok(()) })
        .with_entity_check(CheckFunction { name: "fits", run: |_, _| Ok(()) })
        .with_hook(Hook { name: "hash", run: |_| Ok(crate::Object::new()) })
        .with_shorthand("parts", |_, _| Ok(crate::Object::new()))
}

proptest! {
    #[test]
    fn any_schema_is_read_again(schema in schema(2)) {
        prop_assert_eq!(Schema::from_json(&schema.to_declaration(), &functions()), Ok(schema));
    }
}

fn schema(depth: u32) -> BoxedStrategy<Schema> {
    let fields = prop::collection::vec(("[a-z]{1,5}", field(depth)), 0..5);
    let checks = prop::collection::vec(entity_check(), 0..3);
    (fields, checks, any::<bool>())
        .prop_map(|(fields, checks, has_shorthand)| {
            let schema =
                fields.into_iter().fold(Schema::record(), |schema, (name, field)| schema.field(&name, field));
            let schema = checks.into_iter().fold(schema, Schema::entity_check);
            if has_shorthand {
                let field = Field::string().deprecated(Deprecation {
                    removal_in_version: Some("4.0".to_owned()),
                    replaced_with: vec![vec!["a".to_owned(), "b".to_owned()]],
                    ..Deprecation::default()
                });
                schema.shorthand("old", Shorthand::of_paths(field, &[&["a", "b"]]))
            } else {
                schema
            }
        })
        .boxed()
}

fn field(depth: u32) -> BoxedStrategy<Field> {
    let leaf = prop_oneof![
        Just(Field::boolean()),
        Just(Field::json()),
        Just(Field::foreign("services").cascade()),
        ("[a-z%^$+]{0,6}", any::<bool>()).prop_map(|(pattern, is_checked)| {
            let field = Field::string().matches(&pattern).match_none(&pattern, "no").len_max(9);
            if is_checked { field.check(checks::PATH) } else { field }
        }),
        (any::<i32>(), any::<i32>()).prop_map(|(one, other)| Field::integer().between(one, other).ne(one)),
        any::<f32>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|than| Field::number().gt(than)),
    ];
    let nested = if depth == 0 {
        leaf.boxed()
    } else {
        prop_oneof![
            3 => leaf,
            1 => field(depth - 1).prop_map(Field::array),
            1 => field(depth - 1).prop_map(|elements| Field::set(elements).mutually_exclusive_subsets(&[&["a"], &["b"]])),
            1 => (field(depth - 1), field(depth - 1)).prop_map(|(keys, values)| Field::map(keys, values)),
            1 => schema(depth - 1).prop_map(Field::record),
        ]
        .boxed()
    };
    (nested, any::<Option<bool>>(), any::<Option<bool>>(), any::<bool>(), prop::option::of("[a-z]{3}"))
        .prop_map(|(field, required, unique, encrypted, err)| Field {
            required,
            unique,
            encrypted,
            err,
            ..field
        })
        .boxed()
}

fn entity_check() -> impl Strategy<Value = EntityCheck> {
    let err = "must set one of %s";
    prop_oneof![
        Just(EntityCheck::at_least_one_of(&["a", "b"])),
        Just(EntityCheck::distinct(&["a", "b"])),
        Just(EntityCheck::MutuallyExclusiveSets(vec!["a".to_owned()], vec!["b".to_owned()])),
        Just(EntityCheck::conditional("a", Requirement::eq(Value::Null), "b", Requirement::required())),
        Just(EntityCheck::conditional_at_least_one_of("a", Requirement::contains("x"), &["b"], err)),
        Just(EntityCheck::conditional_with_text(
            "a",
            Requirement::elements(Field::string().not_one_of(["x"])),
            "b",
            Requirement::len_eq(0),
            "no",
        )),
    ]
}

#[test]
fn a_gateway_without_a_database_may_know_fewer_values() {
    let policy = json!({
        "type": "string", "default": "local",
        "one_of": ["local", "cluster"], "one_of_without_database": ["local"],
    });
    let declaration = json!({"fields": [{"policy": policy}]});
    for (functions, values) in [
        (Functions::standard(), json!(["local", "cluster"])),
        (Functions::standard().without_database(), json!(["local"])),
    ] {
        let shown = Schema::from_json(&declaration, &functions).unwrap().to_json();
        assert_eq!(shown["fields"][0]["policy"]["one_of"], values);
    }
}
