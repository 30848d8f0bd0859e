//! The core entities.

mod any;
mod facts;
mod plugins;
mod shown;

use moongate_schema::{Catalog, Context, Object, Operation, SeededRandomness, Violations};
use serde_json::{Value, json};

use super::{RouterFlavor, catalog};

#[test]
fn parents_come_before_children() {
    let catalog = test_catalog();
    let names: Vec<&str> = catalog.entities().iter().map(|schema| schema.name()).collect();
    for (parent, child) in [
        ("services", "routes"),
        ("certificates", "services"),
        ("routes", "plugins"),
        ("consumers", "plugins"),
        ("upstreams", "targets"),
        ("key_sets", "keys"),
    ] {
        let place = |name| names.iter().position(|one| *one == name).unwrap();
        assert!(place(parent) < place(child), "{names:?}");
    }
    let children: Vec<(&str, &str)> = catalog
        .children("services")
        .iter()
        .map(|child| (child.schema.name(), child.field.as_str()))
        .collect();
    assert_eq!(children, [("routes", "service"), ("plugins", "service"), ("filter_chains", "service")]);
    assert_eq!(catalog.entity_by_admin_path("key-sets").unwrap().name(), "key_sets");
}

#[test]
fn a_service_is_completed_with_its_defaults() {
    let service = complete("services", json!({"url": "https://example.com/api"})).unwrap();
    let shown = test_catalog().entity("services").unwrap().present(&service);
    assert_eq!(
        Value::Object(shown),
        json!({
            "id": service["id"], "created_at": 1_700_000_000, "updated_at": 1_700_000_000, "name": null,
            "retries": 5, "protocol": "https", "host": "example.com", "port": 443, "path": "/api",
            "connect_timeout": 60000, "write_timeout": 60000, "read_timeout": 60000, "tags": null,
            "client_certificate": null, "tls_verify": null, "tls_verify_depth": null, "ca_certificates": null,
            "enabled": true
        })
    );
}

#[test]
fn the_time_of_targets_has_milliseconds() {
    let target = complete("targets", json!({"target": "a.test:80"})).unwrap();
    assert_eq!(target["created_at"], json!(1_700_000_000.123));
}

#[test]
fn grpc_routes_keep_their_path() {
    let route = complete("routes", json!({"protocols": ["grpc"], "paths": ["/x"]})).unwrap();
    assert_eq!(route["strip_path"], json!(false));
    let route = complete("routes", json!({"paths": ["/x"]})).unwrap();
    assert_eq!(route["strip_path"], json!(true));
}

#[test]
fn the_algorithm_follows_what_is_hashed_on() {
    for (given, algorithm, hash_on) in [
        (json!({}), "round-robin", "none"),
        (json!({"hash_on": "ip"}), "consistent-hashing", "ip"),
        (json!({"hash_on": "none", "algorithm": "consistent-hashing"}), "round-robin", "none"),
        (json!({"hash_on": null}), "round-robin", "none"),
        (json!({"algorithm": "least-connections", "hash_on": "ip"}), "least-connections", "none"),
        (json!({"algorithm": "latency"}), "latency", "none"),
    ] {
        let upstream = complete("upstreams", given.clone()).unwrap();
        assert_eq!(
            (&upstream["algorithm"], &upstream["hash_on"]),
            (&json!(algorithm), &json!(hash_on)),
            "{given}"
        );
    }
}

#[test]
fn a_partial_health_check_is_filled() {
    let given = json!({"name": "up", "healthchecks": {"active": {"healthy": {"interval": 5}}}});
    let upstream = complete("upstreams", given).unwrap();
    let shown = test_catalog().entity("upstreams").unwrap().present(&upstream);
    assert_eq!(
        shown["healthchecks"]["active"]["healthy"],
        json!({
            "interval": 5, "http_statuses": [200, 302], "successes": 0
        })
    );
    assert_eq!(shown["healthchecks"]["active"]["headers"], Value::Null);
    assert_eq!(shown["healthchecks"]["passive"]["unhealthy"]["http_statuses"], json!([429, 500, 503]));
}

#[test]
fn completing_a_complete_object_changes_nothing() {
    let facts: Vec<Value> = serde_json::from_str(include_str!("tests/shown_rows.json")).unwrap();
    let catalog = test_catalog();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(1_700_000_000_000, &randomness);
    for fact in facts {
        let schema = catalog.entity(fact["entity"].as_str().unwrap()).unwrap();
        let once = complete(schema.name(), fact["given"].clone()).unwrap();
        let mut twice = schema.complete(once.clone(), Operation::Insert, &context).unwrap();
        // Setting what is hashed on, even to the same, sets the algorithm.
        if schema.name() == "upstreams" {
            twice.insert("algorithm".to_owned(), once["algorithm"].clone());
        }
        assert_eq!(once, twice, "{}", fact["given"]);
    }
}

fn test_catalog() -> Catalog {
    catalog(RouterFlavor::TraditionalCompatible).build().unwrap()
}

fn complete(entity: &str, input: Value) -> Result<Object, Violations> {
    let catalog = test_catalog();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(1_700_000_000_123, &randomness);
    let Value::Object(input) = input else { panic!("an object") };
    catalog.entity(entity).unwrap().complete(input, Operation::Insert, &context)
}

/// What is wrong with a new object: the message and the fields, or `None`.
fn problems(entity: &str, input: &Value) -> Option<(String, Value)> {
    let catalog = test_catalog();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(1_700_000_000_123, &randomness);
    let schema = catalog.entity(entity).unwrap();
    let completed = schema.complete(input.as_object().unwrap().clone(), Operation::Insert, &context);
    let checked = completed.and_then(|object| schema.validate(&object, Operation::Insert, &context));
    checked.err().map(|violations| (violations.message(), violations.fields()))
}

#[test]
fn a_route_that_the_router_cannot_use_is_refused_as_a_whole() {
    for given in
        [json!({"paths": ["~/(?=x)"]}), json!({"headers": {"a": []}}), json!({"headers": {"a": ["~*(?=x)"]}})]
    {
        let (message, _) = problems("routes", &given).unwrap();
        assert!(message.starts_with("schema violation (Router Expression failed validation: "), "{message}");
    }
    // With another problem in a path there is nothing to say of the whole.
    let (message, _) = problems("routes", &json!({"paths": ["~/(?=x)", "x"]})).unwrap();
    assert!(message.starts_with("schema violation (paths.2: should start with"), "{message}");
}

#[test]
fn routes_by_expression_exclude_routes_by_fields() {
    let catalog = catalog(RouterFlavor::Expressions).build().unwrap();
    let schema = catalog.entity("routes").unwrap();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(1_700_000_000_000, &randomness);
    let fields = "'methods', 'hosts', 'paths', 'headers', 'snis', 'sources' or 'destinations' simultaneously";
    for (given, reason) in [
        (json!({"expression": "http.path == \"/\""}), None),
        (json!({"expression": "tcp.dst_port == 1", "protocols": ["tcp"], "priority": 5}), None),
        (json!({"paths": ["/"], "sources": [{"port": 1}]}), None),
        (json!({"expression": "x", "paths": ["/"]}), Some(format!("cannot set 'expression' with {fields}"))),
        (
            json!({"expression": "x", "regex_priority": 1}),
            Some("cannot set 'regex_priority' with 'expression' simultaneously".to_owned()),
        ),
        (json!({"paths": ["/"], "priority": 1}), Some(format!("cannot set 'priority' with {fields}"))),
    ] {
        let row = schema.complete(given.as_object().unwrap().clone(), Operation::Insert, &context).unwrap();
        let found = schema.validate(&row, Operation::Insert, &context).err();
        let wanted = reason.map(|reason| vec![format!("Router Expression failed validation: {reason}")]);
        let found = found.map(|found| (found.entity().to_vec(), found.fields()));
        let wanted = wanted.map(|texts| (texts.clone(), json!({"@entity": texts})));
        assert_eq!(found, wanted, "{given}");
    }
}
