use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::*;

const TEXTS: &[&str] =
    &["s", "", "/", "~/a(", "http", "tcp", "*.a.test:80", "3.0", "0a0b0c0d-0000-4000-8000-000000000001"];

const KEYS: &[&str] = &[
    "services",
    "routes",
    "plugins",
    "name",
    "host",
    "url",
    "paths",
    "hosts",
    "protocols",
    "service",
    "id",
    "headers",
    "tags",
    "sources",
    "ip",
    "config",
    "_comment",
    "consumers",
    "instance_name",
    "username",
    "acls",
    "group",
    "certificates",
    "snis",
    "targets",
];

/// Values that look like parts of a document, at places where they belong and where they do not.
fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        prop_oneof![-2..400i64, any::<i64>()].prop_map(Into::into),
        select(TEXTS).prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        let fields = vec((select(KEYS), inner.clone()), 0..7);
        prop_oneof![
            vec(inner, 0..4).prop_map(Into::into),
            fields
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_is_read_or_refused_with_a_reason(services in any_value(), routes in any_value(), plugins in any_value(), consumers in any_value()) {
        let document = json!({"_format_version": "2.1", "services": services, "routes": routes, "plugins": plugins, "consumers": consumers});
        let declaration = declaration(&document.to_string());
        if let Ok(declaration) = &declaration {
            prop_assert_eq!(&exports::read_again(&declaration.rows), &declaration.rows);
        }
        if let Err(error) = declaration {
            prop_assert!(!error.to_string().is_empty());
            prop_assert!(error.fields().as_object().is_some_and(|fields| !fields.is_empty()));
            let nothing = "declarative config is invalid: {}";
            prop_assert!(error.message().len() > nothing.len());
            let flattened = error.flattened(&catalog());
            let is_empty = |value: &serde_json::Value| *value == json!({});
            prop_assert!(!is_empty(&flattened.fields) || flattened.errors.is_some_and(|errors| !errors.is_empty()));
        }
    }
}
