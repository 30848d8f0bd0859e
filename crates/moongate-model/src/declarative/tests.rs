use serde_json::json;

use super::*;
use crate::testing::{NOW, catalog, declaration, declared};
use crate::{Entities, HttpsRedirectStatus, PathHandling, Protocol, Reference};

mod answers;
mod any;
mod exports;
mod flat;
mod ids;
mod messages;
mod references;

/// What is wrong with a document, in the shape of the document.
fn problems(text: &str) -> serde_json::Value {
    declaration(text).unwrap_err().fields()
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
    assert!(plugin.enabled && plugin.config["limit"].is_null());
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
    - {name: limited, instance_name: of-route, config: {limit: 5}}
  plugins:
  - {name: limited, instance_name: of-service}
plugins:
- {name: limited, instance_name: of-all}
",
    );
    let service = Some(Reference { id: entities.services[0].id });
    let route = Some(Reference { id: entities.routes[0].id });
    assert_eq!(entities.routes[0].service, service);
    let plugin = |name: &str| {
        entities.plugins.iter().find(|plugin| plugin.instance_name.as_deref() == Some(name)).unwrap()
    };
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
    assert_eq!(declaration(text).unwrap().hash, "41e943caec385f88f740539b5cb366b3");
    assert_eq!(hash(text), "41e943caec385f88f740539b5cb366b3");
    let nothing = declaration("_format_version: '3.0'\nservices: []").unwrap();
    assert_eq!((nothing.hash.as_str(), nothing.len()), (Declaration::EMPTY_HASH, 0));
}

#[test]
fn empty_collections_declare_nothing() {
    let text = "{_format_version: '3.0', services: {}, routes: [], plugins: ~, consumers: []}";
    assert_eq!(declared(text), Entities::default());
    let text = "{_format_version: '3.0', services: [{name: s, host: h, routes: {}, plugins: ~}]}";
    assert_eq!(declaration(text).unwrap().len(), 1);
}

#[test]
fn a_text_that_is_no_document_tells_where_it_breaks() {
    let Err(DeclarativeError::Syntax { place: Some((line, _)), .. }) = declaration("a: [1,\nb: 2: 3\n")
    else {
        panic!()
    };
    assert_eq!(line, 2);
    let error = declaration("\t- x").unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("failed parsing declarative configuration: 1:"), "{text}");
    assert_eq!(error.fields(), json!({"error": text}));
    for text in ["", "5", "just text"] {
        assert_eq!(
            problems(text),
            json!({"error": "failed parsing declarative configuration: expected an object"}),
            "{text}"
        );
    }
    assert_eq!(problems("{}"), json!({"_format_version": "required field missing"}));
}

#[test]
fn a_format_can_be_asked_for() {
    let randomness = moongate_schema::SeededRandomness::new(1);
    let (catalog, context) = (catalog(), Context::new(1, &randomness));
    let yaml = "_format_version: '3.0'\n";
    let json = r#"{"_format_version": "3.0"}"#;
    assert!(parse(yaml, Format::Yaml, &catalog, &context).is_ok());
    assert!(parse(json, Format::Json, &catalog, &context).is_ok());
    let error = parse(yaml, Format::Json, &catalog, &context).unwrap_err();
    assert_eq!(error.to_string(), "failed parsing declarative configuration: 1:1: expected value");
}

#[test]
fn the_end_of_a_file_name_tells_the_format() {
    let format = |path: &str| Format::of_path(std::path::Path::new(path));
    assert_eq!((format("a/kong.yml"), format("kong.yaml")), (Some(Format::Yaml), Some(Format::Yaml)));
    assert_eq!((format("kong.json"), format("kong.txt"), format("kong")), (Some(Format::Json), None, None));
}

#[test]
fn a_document_without_the_shape_of_one_is_told_apart() {
    for text in [
        "[1]",
        "{_format_version: '3.0', services: [x]}",
        "{_format_version: '3.0', services: [~]}",
        "{_format_version: '3.0', services: [{name: s, host: h, routes: [5]}]}",
        "{_format_version: '3.0', routes: [{name: r, paths: [/], service: 5}]}",
        "{_format_version: '3.0', routes: [{paths: [/], service: nowhere}]}",
    ] {
        assert!(matches!(declaration(text), Err(DeclarativeError::Malformed(_))), "{text}");
    }
    assert_eq!(
        problems("{_format_version: '3.0', services: [{host: h}, x]}"),
        json!({"services": [null, "expected a record"]})
    );
    assert!(matches!(
        declaration("{_format_version: '3.0', certificates: [{cert: x, key: y, snis: [a.test]}]}"),
        Err(DeclarativeError::Invalid(_))
    ));
}

#[test]
fn words_for_yes_and_no_are_read_as_such() {
    let entities = declared(
        "{_format_version: '3.0', routes: [{paths: [/], strip_path: no, preserve_host: on, name: 'yes'}]}",
    );
    let route = &entities.routes[0];
    assert!(!route.strip_path && route.preserve_host && route.name.as_deref() == Some("yes"));
}
