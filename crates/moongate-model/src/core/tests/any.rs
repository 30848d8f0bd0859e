//! Whatever comes in, the entities say something of it.

use moongate_schema::{Context, Operation, SeededRandomness};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::test_catalog;

proptest! {
    #[test]
    fn any_object_is_either_right_or_told_what_is_wrong(
        entity in 0..14_usize,
        fields in prop::collection::vec((any::<prop::sample::Index>(), value()), 0..6),
        is_update in any::<bool>(),
    ) {
        let catalog = test_catalog();
        let schema = &catalog.entities()[entity];
        let given: Map<String, Value> =
            fields.into_iter().map(|(at, value)| (at.get(schema.fields()).name.clone(), value)).collect();
        let randomness = SeededRandomness::new(1);
        let context = Context::new(1_700_000_000_000, &randomness);
        let operation = if is_update { Operation::Update } else { Operation::Insert };
        let checked = schema.complete(given, operation, &context).and_then(|row| {
            let checked = schema.validate(&row, operation, &context);
            let shown = schema.present(&row);
            assert!(schema.fields().iter().all(|field| shown.contains_key(&field.name)));
            checked
        });
        if let Err(problems) = checked {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.fields().as_object().is_some_and(|fields| !fields.is_empty()));
            prop_assert!(problems.message().contains("schema violation"));
        }
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z~/*.:\\[(%é ]{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["http", "https", "tcp", "grpc", "none", "header", "env", "a.test"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let names =
            prop::sample::select(vec!["id", "name", "ip", "port", "active", "healthy", "private_key", "x"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..4).prop_map(|members| members.into_iter().fold(
                json!({}),
                |mut object, (name, value)| {
                    object[name] = value;
                    object
                }
            )),
        ]
    })
}
