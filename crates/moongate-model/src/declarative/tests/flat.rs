use super::*;

fn flattened(text: &str) -> Flattened {
    declaration(text).unwrap_err().flattened(&catalog())
}

/// The entities with problems, of a document whose other parts are right.
fn entities(text: &str) -> Value {
    let flattened = flattened(text);
    assert_eq!(flattened.fields, json!({}));
    assert_eq!(flattened.message, "declarative config is invalid: {}");
    flattened.errors.unwrap().into()
}

#[test]
fn problems_are_told_with_the_entity_as_it_was_given() {
    assert_eq!(
        entities(
            "{_format_version: '3.0', services: [{name: a, tags: [t1, t2], port: 99999}, {name: ok, host: h}, \
             {id: 0a0b0c0d-0000-4000-8000-000000000001, host: 'a b', tags: ['x,y']}]}"
        ),
        json!([
            {
                "entity": {"name": "a", "port": 99999, "tags": ["t1", "t2"]},
                "entity_name": "a",
                "entity_tags": ["t1", "t2"],
                "entity_type": "service",
                "errors": [
                    {"field": "host", "message": "required field missing", "type": "field"},
                    {"field": "port", "message": "value should be between 0 and 65535", "type": "field"},
                ],
            },
            {
                "entity": {"id": "0a0b0c0d-0000-4000-8000-000000000001", "host": "a b", "tags": ["x,y"]},
                "entity_id": "0a0b0c0d-0000-4000-8000-000000000001",
                "entity_tags": ["x,y"],
                "entity_type": "service",
                "errors": [
                    {"field": "host", "message": "invalid value: a b", "type": "field"},
                    {
                        "field": "tags.1",
                        "message": "invalid tag 'x,y': expected printable ascii (except `,` and `/`) or valid utf-8 sequences",
                        "type": "field",
                    },
                ],
            },
        ])
    );
}

#[test]
fn nested_entities_have_problems_of_their_own() {
    let path = "should start with: / (fixed path) or ~/ (regex path)";
    assert_eq!(
        entities(
            "{_format_version: '3.0', services: [{name: a, host: h, \
             routes: [{name: bad, paths: [x, /ok, y], tags: [q]}], \
             plugins: [{name: rate-limiting, config: {minute: x, zip: 1}}]}], \
             consumers: [{id: 0a0b0c0d-0000-4000-8000-000000000001, username: u, acls: [{}]}]}"
        ),
        json!([
            {
                "entity": {"consumer": {"id": "0a0b0c0d-0000-4000-8000-000000000001"}},
                "entity_type": "acl",
                "errors": [{"field": "group", "message": "required field missing", "type": "field"}],
            },
            {
                "entity": {"name": "bad", "paths": ["x", "/ok", "y"], "tags": ["q"]},
                "entity_name": "bad",
                "entity_tags": ["q"],
                "entity_type": "route",
                "errors": [
                    {"field": "paths.1", "message": path, "type": "field"},
                    {"field": "paths.3", "message": path, "type": "field"},
                ],
            },
            {
                "entity": {"config": {"minute": "x", "zip": 1}, "name": "rate-limiting"},
                "entity_name": "rate-limiting",
                "entity_type": "plugin",
                "errors": [
                    {"field": "config.minute", "message": "expected a number", "type": "field"},
                    {"field": "config.zip", "message": "unknown field", "type": "field"},
                ],
            },
        ])
    );
}

#[test]
fn problems_of_entities_as_a_whole_have_no_field() {
    assert_eq!(
        entities("{_format_version: '3.0', routes: [{name: r, methods: []}]}"),
        json!([{
            "entity": {"methods": {}, "name": "r"},
            "entity_name": "r",
            "entity_type": "route",
            "errors": [{
                "message": "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
                "type": "entity",
            }],
        }])
    );
    let id = crate::generated_id("services", "s");
    assert_eq!(
        entities("{_format_version: '3.0', services: [{name: s, host: h}, {name: s, host: g}]}"),
        json!([{
            "entity": {"id": id, "name": "s", "host": "g"},
            "entity_id": id,
            "entity_name": "s",
            "entity_type": "service",
            "errors": [{
                "message": "uniqueness violation: 'services' entity with name set to 's' already declared",
                "type": "entity",
            }],
        }])
    );
}

#[test]
fn what_belongs_to_no_entity_stays_in_the_fields() {
    let mixed = flattened("{_format_version: '9', nope: 1, services: [{name: s}]}");
    assert_eq!(
        mixed.fields,
        json!({"nope": "unknown field", "_format_version": "expected one of: 1.1, 2.1, 3.0"})
    );
    assert_eq!(
        mixed.message,
        "declarative config is invalid: {_format_version=\"expected one of: 1.1, 2.1, 3.0\",nope=\"unknown field\"}"
    );
    assert_eq!(mixed.errors.unwrap()[0]["entity_name"], "s");

    let list = flattened("{_format_version: '3.0', services: x}");
    assert_eq!(list.fields, json!({"services": "expected an array"}));
    assert_eq!(list.errors, Some(Vec::new()));

    let dangling = flattened("{_format_version: '3.0', routes: [{name: r, paths: [/], service: s}]}");
    assert_eq!(
        dangling.fields,
        json!({"routes": {"r": ["invalid reference 'service: s' (no such entry in 'services')"]}})
    );

    assert_eq!(flattened("a: [").errors, None);
}
