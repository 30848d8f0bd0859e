use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::*;
use crate::{HttpsRedirectStatus, PathHandling, Protocol, Reference};

mod ids;
mod messages;
mod references;

const NOW: i64 = 1_700_000_000;

fn declared(text: &str) -> Entities {
    parse(text, NOW).unwrap().entities
}

/// What is wrong with a document, in the shape of the document.
fn problems(text: &str) -> serde_json::Value {
    parse(text, NOW).unwrap_err().fields()
}

#[test]
fn fields_that_are_not_given_have_defaults() {
    let entities = declared(
        "{_format_version: '3.0', services: [{name: s, host: h, routes: [{paths: [/]}], plugins: [{name: p}]}]}",
    );

    let service = &entities.services[0];
    assert_eq!((service.created_at, service.updated_at), (NOW, NOW));
    assert_eq!((service.protocol, service.port, service.retries), (Protocol::Http, 80, 5));
    assert_eq!(service.connect_timeout, 60_000);
    assert!(service.enabled && service.path.is_none() && service.tags.is_none());

    let route = &entities.routes[0];
    assert_eq!(route.protocols, [Protocol::Http, Protocol::Https]);
    assert_eq!(route.https_redirect_status_code, HttpsRedirectStatus::UpgradeRequired);
    assert_eq!((route.regex_priority, route.path_handling), (0, PathHandling::V0));
    assert!(route.strip_path && !route.preserve_host && route.request_buffering && route.response_buffering);

    let plugin = &entities.plugins[0];
    assert_eq!(plugin.protocols, [Protocol::Grpc, Protocol::Grpcs, Protocol::Http, Protocol::Https]);
    assert!(plugin.enabled && plugin.config.is_empty());
}

#[test]
fn a_grpc_route_keeps_its_path_unless_told_otherwise() {
    let entities = declared("{_format_version: '3.0', routes: [{paths: [/], protocols: [grpc]}]}");
    assert!(!entities.routes[0].strip_path);
}

#[test]
fn nested_items_belong_to_the_item_around_them() {
    let entities = declared(
        "
_format_version: '3.0'
services:
- name: s
  host: h
  routes:
  - name: r
    paths: [/]
    plugins:
    - {name: of-route, config: {limit: 5}}
  plugins:
  - {name: of-service}
plugins:
- {name: of-all}
",
    );
    let service = Some(Reference { id: entities.services[0].id });
    let route = Some(Reference { id: entities.routes[0].id });
    assert_eq!(entities.routes[0].service, service);
    let plugin = |name: &str| entities.plugins.iter().find(|plugin| plugin.name == name).unwrap();
    assert_eq!((plugin("of-route").route, plugin("of-route").service), (route, None));
    assert_eq!((plugin("of-service").route, plugin("of-service").service), (None, service));
    assert_eq!((plugin("of-all").route, plugin("of-all").service), (None, None));
    assert_eq!(plugin("of-route").config["limit"], 5);
}

#[test]
fn a_url_stands_for_protocol_host_port_and_path() {
    let entities = |url: &str| {
        let service = declared(&format!("{{_format_version: '3.0', services: [{{url: '{url}', host: z}}]}}"));
        let service = service.services[0].clone();
        (service.protocol, service.host, service.port, service.path)
    };
    let path = |text: &str| Some(text.to_owned());
    assert_eq!(entities("https://h.test:444/x"), (Protocol::Https, "h.test".into(), 444, path("/x")));
    assert_eq!(entities("http://h.test"), (Protocol::Http, "h.test".into(), 80, None));
    assert_eq!(entities("https://h.test/"), (Protocol::Https, "h.test".into(), 443, path("/")));
    assert_eq!(entities("grpc://h.test:9"), (Protocol::Grpc, "h.test".into(), 9, None));
    assert_eq!(entities("//h.test:443"), (Protocol::Https, "h.test".into(), 443, None));
    assert_eq!(entities("http://[::1]:8080/a"), (Protocol::Http, "::1".into(), 8080, path("/a")));
}

#[test]
fn json_and_yaml_with_anchors_are_read() {
    let from_json = declared(
        r#"{"_format_version": "3.0", "services": [{"name": "a", "host": "h", "tags": ["t", "t"]}]}"#,
    );
    let from_yaml = declared(
        "
_format_version: '3.0'
_ignore:
- &base {host: h, tags: [t]}
services:
- <<: *base
  name: a
  _comment: merged
",
    );
    assert_eq!(from_json, from_yaml);
}

#[test]
fn older_formats_are_upgraded() {
    let entities = declared(
        "{_format_version: '2.1', services: [{name: s, host: h, routes: [{name: a, paths: ['/v[0-9]+', /a%20b]}]}]}",
    );
    assert_eq!(
        entities.routes[0].paths.as_deref(),
        Some(["~/v[0-9]+".to_owned(), "/a b".to_owned()].as_slice())
    );
}

#[test]
fn entities_are_ordered_by_id() {
    let entities = declared(
        "
_format_version: '3.0'
services:
- {id: ffffffff-0000-4000-8000-000000000001, name: a, host: h}
- {id: 00000000-0000-4000-8000-000000000001, name: b, host: h}
",
    );
    assert_eq!(entities.services[0].name.as_deref(), Some("b"));
    assert_eq!(entities.service(entities.services[1].id), Some(&entities.services[1]));
}

#[test]
fn the_hash_is_that_of_the_text_unless_nothing_is_declared() {
    let text = "_format_version: \"3.0\"\nservices:\n- {name: one, host: h}\n";
    assert_eq!(parse(text, NOW).unwrap().hash, "41e943caec385f88f740539b5cb366b3");
    assert_eq!(parse("_format_version: '3.0'\nservices: []", NOW).unwrap().hash, "0".repeat(32));
}

#[test]
fn empty_collections_declare_nothing() {
    let text =
        "{_format_version: '3.0', services: {}, routes: [], plugins: ~, consumers: [], parameters: [{a: b}]}";
    assert_eq!(declared(text), Entities::default());
}

#[test]
fn a_text_that_is_no_document_tells_where_it_breaks() {
    let Err(DeclarativeError::Syntax { line, column, .. }) = parse("a: [1,\nb: 2: 3\n", NOW) else {
        panic!()
    };
    assert_eq!((line, column.is_some()), (Some(2), true));
    assert_eq!(
        parse("\t- x", NOW).unwrap_err().to_string(),
        "failed parsing declarative configuration: found character that cannot start any token, \
         while scanning for the next token at line 1 column 1"
    );
    for text in ["", "5", "just text", "[]"] {
        assert_eq!(
            problems(text),
            json!({"error": "failed parsing declarative configuration: expected an object"}),
            "{text}"
        );
    }
}

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
    fn any_document_is_read_or_refused_with_a_reason(services in any_value(), routes in any_value(), plugins in any_value()) {
        let document = json!({"_format_version": "2.1", "services": services, "routes": routes, "plugins": plugins});
        if let Err(error) = parse(&document.to_string(), NOW) {
            prop_assert!(!error.to_string().is_empty());
            prop_assert!(error.fields().as_object().is_some_and(|fields| !fields.is_empty()));
        }
    }
}
