use super::*;

/// What is wrong with one service.
fn service(fields: &str) -> Value {
    problems(&format!("{{_format_version: '3.0', services: [{{{fields}}}]}}"))["services"][0].clone()
}

/// What is wrong with one route.
fn route(fields: &str) -> Value {
    problems(&format!("{{_format_version: '3.0', routes: [{{{fields}}}]}}"))["routes"][0].clone()
}

#[test]
fn the_format_version_is_one_of_three_texts() {
    for (text, problem) in [
        ("_format_version: 3.0", "expected a string"),
        ("_format_version: '3.1'", "expected one of: 1.1, 2.1, 3.0"),
        ("_format_version: ~", "required field missing"),
        ("services: []", "required field missing"),
    ] {
        assert_eq!(problems(text), json!({"_format_version": problem}), "{text}");
    }
}

#[test]
fn unknown_keys_and_wrong_comments_are_refused() {
    assert_eq!(
        problems(
            "{_format_version: '3.0', nope: 1, Services: [], _transform: 'yes', _comment: [x], _ignore: {a: b}}"
        ),
        json!({
            "nope": "unknown field",
            "Services": "unknown field",
            "_transform": "expected a boolean",
            "_comment": "expected a string",
            "_ignore": "expected an array",
        })
    );
    assert_eq!(
        service("host: h, nope: 1, _comment: 5"),
        json!({"nope": "unknown field", "_comment": "expected a string"})
    );
    assert_eq!(problems("{_format_version: '3.0', services: x}"), json!({"services": "expected an array"}));
    assert_eq!(
        problems("{_format_version: '3.0', services: [[], [1]]}"),
        json!({"services": [{"host": "required field missing"}, {"1": "unknown field", "host": "required field missing"}]})
    );
}

#[test]
fn every_problem_with_a_service_is_reported() {
    assert_eq!(
        service("host: '', port: 99999, path: x, protocol: foo, tags: ['a,'], bogus: true, name: '!'"),
        json!({
            "bogus": "unknown field",
            "host": "length must be at least 1",
            "name": "invalid value '!': the only accepted ascii characters are alphanumerics or ., -, _, and ~",
            "path": "should start with: /",
            "port": "value should be between 0 and 65535",
            "protocol": "expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp",
            "tags": ["invalid tag 'a,': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"],
        })
    );
    assert_eq!(
        service("host: 1, name: 2, port: '80', retries: '5', tags: a, enabled: 'true', connect_timeout: 1.5"),
        json!({
            "host": "expected a string",
            "name": "expected a string",
            "port": "expected an integer",
            "retries": "expected an integer",
            "tags": "expected a set",
            "enabled": "expected a boolean",
            "connect_timeout": "expected an integer",
        })
    );
    assert_eq!(
        service("host: h, retries: 32768, read_timeout: 0, port: ~, created_at: 0, id: x"),
        json!({
            "retries": "value should be between 0 and 32767",
            "read_timeout": "value should be between 1 and 2147483646",
            "port": "required field missing",
            "created_at": "expected a valid timestamp",
            "id": "expected a valid UUID",
        })
    );
}

#[test]
fn a_bad_part_of_a_url_is_reported_under_its_field() {
    for (url, problem) in [
        ("5", json!({"url": "expected a string"})),
        ("''", json!({"url": "length must be at least 1"})),
        ("example.com", json!({"host": "required field missing", "path": "should start with: /"})),
        ("'http://'", json!({"host": "required field missing"})),
        ("'http://h:abc'", json!({"port": "expected an integer"})),
        ("'http://h.test?x=1'", json!({"host": "invalid value: h.test?x=1"})),
    ] {
        assert_eq!(service(&format!("url: {url}")), problem, "{url}");
    }
}

#[test]
fn some_fields_of_a_service_depend_on_its_protocol() {
    let condition = "failed conditional validation given value of field 'protocol'";
    assert_eq!(
        service("host: h, protocol: tcp, path: /x, tls_verify: true"),
        json!({"@entity": [condition, condition], "path": "value must be null", "tls_verify": "value must be null"})
    );
    assert_eq!(
        declared("{_format_version: '3.0', services: [{host: h, protocol: https, tls_verify: true}]}")
            .services
            .len(),
        1
    );
}

#[test]
fn a_route_needs_something_to_match_by() {
    for (protocols, problem) in [
        ("[http]", "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'"),
        (
            "[http, https]",
            "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
        ),
        ("[grpc]", "must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'"),
        ("[grpcs]", "must set one of 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'grpcs'"),
        (
            "[tcp]",
            "must set one of 'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' or 'udp'",
        ),
        ("[tls_passthrough]", "must set snis when 'protocols' is 'tls_passthrough'"),
    ] {
        assert_eq!(
            route(&format!("protocols: {protocols}, methods: ~")),
            json!({"@entity": [problem]}),
            "{protocols}"
        );
    }
}

#[test]
fn the_protocols_of_a_route_fit_together() {
    for (protocols, problem) in [
        ("[]", json!("unknown type: nil")),
        ("[ftp]", json!("unknown type: ftp")),
        (
            "[http, ftp]",
            json!([null, "expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp"]),
        ),
        ("[http, tcp]", json!("these sets are mutually exclusive: ('http', 'https'), ('tcp', 'tls', 'udp')")),
        ("[http, grpc]", json!("these sets are mutually exclusive: ('http', 'https'), ('grpc', 'grpcs')")),
        ("http", json!("expected a set")),
        ("~", json!("required field missing")),
    ] {
        assert_eq!(
            route(&format!("paths: [/], protocols: {protocols}")),
            json!({"protocols": problem}),
            "{protocols}"
        );
    }
}

#[test]
fn some_fields_of_a_route_depend_on_its_protocols() {
    assert_eq!(
        route("protocols: [tcp], paths: [/x], sources: [{port: 1}]"),
        json!({"paths": "cannot set 'paths' when 'protocols' is 'tcp', 'tls', 'tls_passthrough' or 'udp'"})
    );
    assert_eq!(
        route("protocols: [grpc], paths: [/x], strip_path: true"),
        json!({"strip_path": "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'"})
    );
    assert_eq!(
        route("protocols: [http], snis: [a.test]"),
        json!({
            "@entity": [
                "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'",
                "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'",
            ],
            "snis": "length must be 0",
        })
    );
    assert_eq!(
        route("protocols: [tcp], sources: [{ip: x, port: 70000}, {}]"),
        json!({"sources": [
            {"ip": "invalid ip or cidr range: 'x'", "port": "value should be between 0 and 65535"},
            {"@entity": ["at least one of these fields must be non-empty: 'ip', 'port'"]},
        ]})
    );
}

#[test]
fn the_header_conditions_of_a_route_are_a_map_of_lists() {
    for (headers, problem) in [
        ("{Host: [a]}", "cannot contain 'host' header, which must be specified in the 'hosts' attribute"),
        ("{x a: [b]}", "bad header name 'x a', allowed characters are A-Z, a-z, 0-9, '_', and '-'"),
        ("{x-a: b}", "expected an array"),
        ("[x]", "expected a string"),
        ("x", "expected a map"),
    ] {
        assert_eq!(route(&format!("headers: {headers}")), json!({"headers": problem}), "{headers}");
    }
}

#[test]
fn a_plugin_configuration_needs_a_name() {
    assert_eq!(
        problems(
            "{_format_version: '3.0', plugins: [{}, {name: cors, config: 5, protocols: [x], instance_name: 'a b'}]}"
        ),
        json!({"plugins": [
            {"name": "required field missing"},
            {
                "config": "expected a record",
                "protocols": ["expected one of: grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp"],
                "instance_name":
                    "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~",
            },
        ]})
    );
}

#[test]
fn problems_are_laid_out_like_the_document() {
    let error = declaration(
        "
_format_version: '3.0'
services:
- {name: a, host: 5, port: 99999}
- name: b
  host: h
  routes:
  - paths: [/ok]
  - {protocols: [http], paths: [/ok, x], methods: [get]}
- {name: c, host: h, protocol: tcp, path: /x}
",
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "\
in 'services':
  - in entry 1 of 'services':
    in 'host': expected a string
    in 'port': value should be between 0 and 65535
  - in entry 2 of 'services':
    in 'routes':
      - in entry 2 of 'routes':
        in 'methods':
          - in entry 1 of 'methods': invalid value: get
        in 'paths':
          - in entry 2 of 'paths': should start with: / (fixed path) or ~/ (regex path)
  - in entry 3 of 'services':
    in '@entity':
      - in entry 1 of '@entity': failed conditional validation given value of field 'protocol'
    in 'path': value must be null"
    );
    let dangling = declaration("{_format_version: '3.0', routes: [{name: r, paths: [/], service: s}]}");
    assert_eq!(
        dangling.unwrap_err().to_string(),
        "\
in 'routes':
  in 'r':
    - in entry 1 of 'r': invalid reference 'service: s' (no such entry in 'services')"
    );
}

#[test]
fn a_message_has_all_problems_in_one_line() {
    for (text, message) in [
        ("{}", r#"{_format_version="required field missing"}"#),
        (
            "{_format_version: '3.0', key-sets: [], Services: []}",
            r#"{Services="unknown field",["key-sets"]="unknown field"}"#,
        ),
        (
            "{_format_version: '3.0', services: [{name: a}, {host: h}, {host: h, port: 99999, tags: [x, 'a,b']}]}",
            "{services={{host=\"required field missing\"},[3]={port=\"value should be between 0 and 65535\",\
             tags={[2]=\"invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences\"}}}}",
        ),
        (
            "{_format_version: '3.0', consumers: [{}]}",
            "{consumers={{[\"@entity\"]={\"at least one of these fields must be non-empty: 'custom_id', 'username'\"}}}}",
        ),
        ("just text", r#"{error="failed parsing declarative configuration: expected an object"}"#),
    ] {
        let error = declaration(text).unwrap_err();
        assert_eq!(error.message(), format!("declarative config is invalid: {message}"), "{text}");
    }
}

#[test]
fn problems_of_nested_items_stand_where_the_items_do() {
    assert_eq!(
        problems(
            "
_format_version: '3.0'
services:
- name: a
  host: h
  routes:
  - {name: ok, paths: [/]}
  - {name: bad, paths: [x], methods: [get]}
  plugins:
  - name: nope
consumers:
- username: u
  keyauth_credentials: [{key: 5}]
  acls: [{grp: x}]
"
        ),
        json!({
            "services": [{
                "plugins": [{
                    "name": "plugin 'nope' not enabled; add it to the 'plugins' configuration property",
                }],
                "routes": [null, {
                    "methods": ["invalid value: get"],
                    "paths": ["should start with: / (fixed path) or ~/ (regex path)"],
                }],
            }],
            "consumers": [{
                "acls": [{"group": "required field missing", "grp": "unknown field"}],
                "keyauth_credentials": [{"key": "expected a string"}],
            }],
        })
    );
}

#[test]
fn a_plugin_is_checked_by_its_own_schema() {
    assert_eq!(
        problems(
            "{_format_version: '3.0', plugins: [{name: rate-limiting, config: {minute: x}}, {name: rate-limiting}, {name: cors, config: {zip: 1}}]}"
        ),
        json!({"plugins": [
            {"config": {"minute": "expected a number"}},
            {"@entity": ["at least one of these fields must be non-empty: 'config.minute', 'config.hour'"]},
            {"config": {"zip": "unknown field"}},
        ]})
    );
}

#[test]
fn a_time_to_live_is_in_seconds() {
    let text = |ttl: &str| {
        format!(
            "{{_format_version: '3.0', consumers: [{{username: u, keyauth_credentials: [{{key: k, ttl: {ttl}}}]}}]}}"
        )
    };
    let rows = declaration(&text("60")).unwrap().rows;
    assert_eq!(rows["keyauth_credentials"].values().next().unwrap()["ttl"], json!(60));
    let rows = declaration(&text("0")).unwrap().rows;
    assert!(!rows["keyauth_credentials"].values().next().unwrap().contains_key("ttl"));
    assert_eq!(
        problems(&text("-1")),
        json!({"consumers": [{"keyauth_credentials": [{"ttl": "must be an integer between 0 and 100000000"}]}]})
    );
}
