//! Rules, their texts and their order.

use serde_json::{Value, json};

use crate::{
    Check, CheckFailure, CheckFunction, Context, CustomCheck, EntityCheck, Field, Object, Operation,
    Requirement, Schema, SeededRandomness, Violations, types,
};

#[test]
fn each_rule_has_its_text() {
    let check = Check { name: "never", run: |value| Err(format!("never {value}")) };
    for (field, value, text) in [
        (Field::string(), json!(1), "expected a string"),
        (Field::string(), json!(""), "length must be at least 1"),
        (Field::string().len_min(0).len_max(2), json!("abc"), "length must be at most 2"),
        (Field::string().len_eq(2), json!("abc"), "length must be 2"),
        (Field::string().eq("a"), json!("b"), "value must be a"),
        (Field::string().ne("a"), json!("a"), "value must not be a"),
        (Field::string().eq(Value::Null), json!("b"), "value must be null"),
        (Field::string().one_of(["a", "b"]), json!("c"), "expected one of: a, b"),
        (Field::string().not_one_of(["a", "b"]), json!("b"), "must not be one of: a, b"),
        (Field::string().uuid(), json!("x"), "expected a valid UUID"),
        (Field::string().is_regex(), json!("("), "not a valid regex: ("),
        (Field::string().starts_with("/"), json!("x"), "should start with: /"),
        (Field::string().matches("^%l+$"), json!("X"), "invalid value: X"),
        (Field::string().match_any(["^a", "^b"]), json!("c"), "invalid value: c"),
        (Field::string().match_none("//", "no"), json!("a//b"), "no"),
        (Field::string().check(check), json!("x"), "never \"x\""),
        (Field::string().matches("^%l+$").err("own"), json!("X"), "own"),
        (Field::string().err("own"), json!(1), "expected a string"),
        (Field::integer(), json!(1.5), "expected an integer"),
        (Field::integer().one_of([-1, 1]), json!(2), "expected one of: -1, 1"),
        (Field::integer().timestamp(), json!(0), "expected a valid timestamp"),
        (Field::number(), json!("1"), "expected a number"),
        (Field::number().gt(0), json!(0), "value must be greater than 0"),
        (Field::number().between(0.001, 1_000_000), json!(0), "value should be between 0.001 and 1000000"),
        (Field::boolean(), json!("true"), "expected a boolean"),
        (Field::array(Field::string()), json!("a"), "expected an array"),
        (Field::array(Field::string()), json!({"a": 1}), "expected an array"),
        (Field::array(Field::string()).len_min(1), json!([]), "length must be at least 1"),
        (Field::set(Field::string()), json!("a"), "expected a set"),
        (types::headers(), json!("a"), "expected a map"),
        (types::headers(), json!(["a"]), "expected a string"),
        (types::headers(), json!({"a": "b"}), "expected an array"),
        (Field::record(Schema::record()), json!("a"), "expected a record"),
        (
            Field::set(types::protocol()).mutually_exclusive_subsets(&[
                &["http", "https"],
                &["tcp"],
                &["udp"],
            ]),
            json!(["tcp", "http"]),
            "these sets are mutually exclusive: ('http', 'https'), ('tcp')",
        ),
    ] {
        let schema = Schema::record().field("f", field.clone());
        assert_eq!(problems(&schema, json!({"f": value})), json!({"f": text}), "{field:?} {value}");
    }
}

#[test]
fn values_that_are_right_pass() {
    for (field, value) in [
        (Field::integer(), json!(5.0)),
        (Field::integer(), json!(null)),
        (Field::string().matches("^%l+$"), json!(null)),
        (Field::array(Field::string()), json!({})),
        (Field::record(Schema::record()), json!([])),
        (Field::string().uuid(), json!("ABCDEF01-0000-4000-8000-00000000000f")),
        (Field::string().uuid().referenceable(), json!("{vault://env/some-id}")),
        (Field::string().is_regex(), json!("(?=look)around")),
        (Field::array(Field::string().one_of(["x"])), json!([null])),
        (Field::json(), json!([1, {"a": null}])),
    ] {
        let schema = Schema::record().field("f", field.clone());
        assert_eq!(problems(&schema, json!({"f": value})), json!({}), "{field:?} {value}");
    }
}

#[test]
fn null_and_absent_values_are_missing_when_they_are_required() {
    let schema = Schema::record().field("f", Field::string().required());
    for given in [json!({}), json!({"f": null})] {
        assert_eq!(problems(&schema, given), json!({"f": "required field missing"}));
    }
}

#[test]
fn the_first_rule_that_is_broken_counts() {
    let field = Field::string().matches("^%l+$").starts_with("/").one_of(["/a"]);
    let schema = Schema::record().field("f", field);
    assert_eq!(problems(&schema, json!({"f": ""})), json!({"f": "expected one of: /a"}));
    let field = Field::string().matches("^%l+$").starts_with("/");
    let schema = Schema::record().field("f", field);
    assert_eq!(problems(&schema, json!({"f": ""})), json!({"f": "length must be at least 1"}));
    assert_eq!(problems(&schema, json!({"f": "X"})), json!({"f": "should start with: /"}));
}

#[test]
fn elements_and_records_are_told_where_they_stand() {
    let record = Schema::record().field("n", Field::number().gt(0)).field("s", Field::string().required());
    let schema = Schema::record().field("list", Field::array(Field::record(record)));
    let given = json!({"list": [{"n": 1, "s": "x"}, {"n": 0, "s": null, "other": 1}]});
    let violations = violations(&schema, given);
    assert_eq!(
        violations.fields(),
        json!({"list": [
            null,
            {"n": "value must be greater than 0", "other": "unknown field", "s": "required field missing"}
        ]})
    );
    assert_eq!(
        violations.message(),
        "schema violation (list.2: {\n  n = \"value must be greater than 0\",\n  other = \"unknown field\",\n  s = \
         \"required field missing\"\n})"
    );
}

#[test]
fn checks_over_fields_have_their_texts() {
    let schema = |check| {
        let fields = Schema::record()
            .field("a", Field::string())
            .field("b", Field::string())
            .field("c", Field::string());
        fields.entity_check(check)
    };
    for (check, given, text) in [
        (
            EntityCheck::only_one_of(&["a", "b"]),
            json!({"a": "x", "b": "y"}),
            "exactly one of these fields must be non-empty: 'a', 'b'",
        ),
        (
            EntityCheck::mutually_required(&["a", "b"]),
            json!({"a": "x", "b": null}),
            "all or none of these fields must be set: 'a', 'b'",
        ),
        (
            EntityCheck::mutually_exclusive(&["a", "b"]),
            json!({"a": "x", "b": "y"}),
            "only one or none of these fields must be set: 'a', 'b'",
        ),
        (
            EntityCheck::distinct(&["a", "b", "c"]),
            json!({"a": "x", "b": null, "c": "x"}),
            "values of these fields must be distinct: 'a', 'b', 'c'",
        ),
        (
            EntityCheck::MutuallyExclusiveSets(vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]),
            json!({"a": "x", "c": "y"}),
            "these sets are mutually exclusive: ('a'), ('c')",
        ),
        (
            EntityCheck::conditional_at_least_one_of(
                "a",
                Requirement::eq("x"),
                &["b", "c"],
                "need one of %s",
            ),
            json!({"a": "x", "b": null, "c": null}),
            "need one of 'b', 'c'",
        ),
    ] {
        let found = violations(&schema(check.clone()), given);
        assert_eq!(found.entity(), [text], "{check:?}");
        assert!(
            violations(&schema(check.clone()), json!({"a": null, "b": null, "c": null})).entity().len() <= 1
        );
    }
}

#[test]
fn a_condition_is_told_twice() {
    let check = EntityCheck::conditional("a", Requirement::eq("x"), "in.b", Requirement::required());
    let inner = Schema::record().field("b", Field::string());
    let schema =
        Schema::record().field("a", Field::string()).field("in", Field::record(inner)).entity_check(check);
    assert_eq!(
        problems(&schema, json!({"a": "x", "in": {"b": null}})),
        json!({"@entity": ["failed conditional validation given value of field 'a'"], "in": {"b": "required field missing"}})
    );
    for given in [json!({"a": "y", "in": {"b": null}}), json!({"a": "x", "in": {"b": "z"}})] {
        assert_eq!(problems(&schema, given), json!({}));
    }
}

#[test]
fn a_function_looks_only_at_fields_that_are_right() {
    let run = |object: &Object, context: &Context<'_>| match object.get("a").and_then(Value::as_str) {
        Some("whole") => Err(CheckFailure::Entity(format!("at {}", context.now()))),
        Some("field") => Err(CheckFailure::Fields(Violations::of_field("b", "wrong"))),
        _ => Ok(()),
    };
    let check = EntityCheck::custom(&["a", "b"], CheckFunction { name: "f", run });
    let fields = Schema::record().field("a", Field::string()).field("b", Field::string().len_max(1));
    let schema = fields.clone().entity_check(check);
    assert_eq!(problems(&schema, json!({"a": "whole", "b": null})), json!({"@entity": ["at 7"]}));
    assert_eq!(problems(&schema, json!({"a": "field", "b": null})), json!({"b": "wrong"}));
    assert_eq!(problems(&schema, json!({"a": "whole", "b": "xx"})), json!({"b": "length must be at most 1"}));
    assert_eq!(problems(&schema, json!({"a": "whole"})), json!({}));

    let eager = EntityCheck::Custom(CustomCheck {
        field_sources: vec!["a".to_owned(), "b".to_owned()],
        run_with_missing_fields: true,
        run_with_invalid_fields: true,
        function: Some(CheckFunction { name: "f", run }),
    });
    assert_eq!(problems(&fields.entity_check(eager), json!({"a": "whole"})), json!({"@entity": ["at 7"]}));
}

fn problems(schema: &Schema, given: Value) -> Value {
    violations(schema, given).fields()
}

fn violations(schema: &Schema, given: Value) -> Violations {
    let randomness = SeededRandomness::new(1);
    let context = Context::new(7_000, &randomness);
    schema.validate(given.as_object().unwrap(), Operation::Insert, &context).err().unwrap_or_default()
}
