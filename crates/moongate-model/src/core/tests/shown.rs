//! The schemas as `/schemas` shows them.

use moongate_schema::Schema;
use serde_json::{Map, Value};

use super::test_catalog;

#[test]
fn schemas_are_shown_as_tools_know_them() {
    let facts: Map<String, Value> = serde_json::from_str(include_str!("schemas.json")).unwrap();
    let catalog = test_catalog();
    for (name, fact) in &facts {
        let schema: &Schema = match name.strip_prefix("vaults/") {
            Some(vault) => catalog.vault(vault).unwrap(),
            None => catalog.entity(name).unwrap(),
        };
        let (mut shown, mut wanted) = (without(schema.to_json()), fact["schema"].clone());
        if fact["unordered"] == true {
            sort(&mut shown);
            sort(&mut wanted);
        }
        assert_eq!(shown, wanted, "{name}");
    }
}

#[test]
fn every_field_of_an_entity_says_what_it_is_for() {
    for schema in test_catalog().entities().iter().filter(|schema| schema.is_stored()) {
        for field in schema.fields() {
            let length = field.description.as_ref().map(String::len);
            assert!(
                length.is_some_and(|length| (10..=500).contains(&length)),
                "{}.{}",
                schema.name(),
                field.name
            );
        }
    }
}

/// Takes out what is told in other words, or not always.
fn without(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let is_kept = |(name, value): &(String, Value)| {
                name != "description" && !(name == "len_min" && *value == 1)
            };
            members.into_iter().filter(is_kept).map(|(name, value)| (name, without(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(without).collect(),
        value => value,
    }
}

/// Puts all lists in an order of their own.
fn sort(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(sort),
        Value::Array(values) => {
            values.iter_mut().for_each(sort);
            values.sort_by_key(Value::to_string);
        }
        _ => {}
    }
}
