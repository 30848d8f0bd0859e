//! What upstreams see.

use moongate_sdk::Captures;
use moongate_sdk::export::configure;
use moongate_sdk::testing::{Gateway, Outcome, RawRequest};
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> RequestTransformer {
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

fn transformed(config: &Value, request: &RawRequest) -> Outcome {
    let _gateway = Gateway::new();
    assert_eq!(plugin(config).on_request(&request.as_request()).unwrap(), Decision::Continue);
    request.outcome()
}

fn problems(config: &Value) -> Vec<Problem> {
    configure::<RequestTransformer>(&config.to_string()).err().unwrap_or_default()
}

/// The values of a header that goes upstream.
fn header(request: &RawRequest, name: &str) -> Vec<String> {
    let text = |value: Vec<u8>| String::from_utf8(value).unwrap();
    request.as_request().header_values(name).into_iter().map(text).collect()
}

#[test]
fn headers_are_removed_renamed_replaced_added_and_appended_in_this_order() {
    let config = json!({
        "remove": {"headers": ["X-A"]}, "rename": {"headers": ["x-old:X-New"]},
        "replace": {"headers": ["x-b:rep", "x-none:rep"]}, "add": {"headers": ["x-c:a:b", "x-a:again", "x-new:no"]},
        "append": {"headers": ["x-b:app", "x-d:app"]},
    });
    let headers = [("x-a", "1"), ("x-old", "o"), ("x-b", "b"), ("x-e", "e"), ("x-new", "n")];
    let request =
        headers.iter().fold(RawRequest::get("/"), |request, (name, value)| request.with_header(name, value));
    transformed(&config, &request);
    for (name, values) in [
        ("x-a", vec!["again"]),
        ("x-old", vec![]),
        ("x-new", vec!["o"]),
        ("x-b", vec!["rep", "app"]),
        ("x-c", vec!["a:b"]),
        ("x-d", vec!["app"]),
        ("x-e", vec!["e"]),
        ("x-none", vec![]),
    ] {
        assert_eq!(header(&request, name), values, "{name}");
    }
}

#[test]
fn a_header_that_is_there_is_not_added() {
    let request = RawRequest::get("/").with_header("x-a", "mine").with_header("x-a", "too");
    transformed(&json!({"add": {"headers": ["x-a:1", "x-b:two words", "x-empty:"]}}), &request);
    assert_eq!(header(&request, "x-a"), ["mine", "too"]);
    assert_eq!(header(&request, "x-b"), ["two words"]);
    assert!(header(&request, "x-empty").is_empty());
}

#[test]
fn the_host_can_only_be_replaced() {
    let config = json!({
        "remove": {"headers": ["host"]}, "rename": {"headers": ["host:x-host"]}, "add": {"headers": ["host:a"]},
        "replace": {"headers": ["host:inner.test"]}, "append": {"headers": ["host:b"]},
    });
    let request = RawRequest::get("/").with_header("host", "gw.test");
    transformed(&config, &request);
    assert_eq!(header(&request, "host"), ["inner.test"]);
    assert_eq!(header(&request, "x-host"), ["gw.test"]);
}

#[test]
fn queries_go_upstream_in_the_order_of_their_names() {
    for (config, query, expected) in [
        (json!({"remove": {"querystring": ["a"]}}), "a=1", None),
        (json!({"remove": {"querystring": ["a"]}}), "a=1&a=2&b", Some("b")),
        (json!({"rename": {"querystring": ["c:z"]}}), "c=1&b=2", Some("b=2&z=1")),
        (json!({"replace": {"querystring": ["a:new"]}}), "c=1&b=1", Some("b=1&c=1")),
        (json!({"replace": {"querystring": ["a:n w"]}}), "b=2&a=1", Some("a=n%20w&b=2")),
        (json!({"add": {"querystring": ["a:1", "b:1"]}}), "b=2", Some("a=1&b=2")),
        (json!({"append": {"querystring": ["a:2"]}}), "a=1", Some("a=1&a=2")),
    ] {
        let request = RawRequest::get(&format!("/x?{query}"));
        transformed(&config, &request);
        assert_eq!(request.as_request().query().as_deref(), expected, "{config}");
    }
}

fn posted(content_type: &str, body: &str) -> RawRequest {
    RawRequest::new("POST", "/").with_header("content-type", content_type).with_body(body)
}

#[test]
fn bodies_are_changed_by_what_they_are() {
    let config = json!({
        "remove": {"body": ["r"]}, "rename": {"body": ["old:new"]}, "replace": {"body": ["a:rep"]},
        "add": {"body": ["p:1"]}, "append": {"body": ["q:2"]},
    });
    for (content_type, body, expected) in [
        (
            "application/json; charset=utf-8",
            r#"{"r": 1, "old": [1, 2], "a": null}"#,
            Some(r#"{"a":"rep","new":[1,2],"p":"1","q":["2"]}"#),
        ),
        ("application/json", "", Some(r#"{"p":"1","q":["2"]}"#)),
        ("application/json", "{bad", None),
        ("application/json", "[1]", None),
        ("application/x-www-form-urlencoded", "r=1&old=x+y&a=1", Some("a=rep&new=x%20y&p=1&q=2")),
        ("application/x-www-form-urlencoded", "", Some("p=1&q=2")),
        ("multipart/form-data", "--x--", None),
        ("text/plain", "r=1", None),
    ] {
        let body = transformed(&config, &posted(content_type, body)).body;
        assert_eq!(body.as_deref(), expected.map(str::as_bytes), "{content_type} {expected:?}");
    }
}

#[test]
fn a_body_to_which_nothing_happens_is_not_written_again() {
    let request = posted("application/json", r#"{"p": "mine"}"#);
    assert_eq!(transformed(&json!({"add": {"body": ["p:1"]}}), &request).body, None);
}

#[test]
fn methods_without_a_body_get_the_form_as_query() {
    let request =
        || posted("application/x-www-form-urlencoded", "b=2&a=3").with_header("content-length", "7");
    let form = RawRequest::new("POST", "/x?a=1&c=4")
        .with_header("content-type", "application/x-www-form-urlencoded");
    let form = form.with_body("b=2&a=3");
    let outcome = transformed(&json!({"http_method": "GET"}), &form);
    assert_eq!((outcome.method.as_deref(), outcome.body), (Some("GET"), None));
    assert_eq!(form.as_request().query().unwrap(), "a=1&a=3&b=2&c=4");
    let put = request();
    assert_eq!(transformed(&json!({"http_method": "PUT"}), &put).method.unwrap(), "PUT");
    assert_eq!(put.as_request().query(), None);
}

#[test]
fn the_path_can_come_from_what_the_route_captured() {
    let captures = Captures {
        positional: vec!["12".to_owned(), "posts".to_owned()],
        named: vec![("id".to_owned(), "12".to_owned())],
    };
    for (uri, path, query) in [
        ("/users/$(uri_captures['id'])/$(uri_captures[2])", "/users/12/posts", "x=1"),
        ("/new?y=$(query_params.x)", "/new", "y=1&x=1"),
    ] {
        let request = RawRequest::get("/u/12/posts?x=1").with_captures(captures.clone());
        let outcome = transformed(&json!({"replace": {"uri": uri}}), &request);
        assert_eq!(outcome.path.as_deref(), Some(path));
        assert_eq!(request.as_request().query().as_deref(), Some(query));
    }
}

#[test]
fn values_can_depend_on_the_request() {
    let config = json!({
        "add": {"headers": ["x-a:$(query_params.q or 'none')", "x-b:$(headers.x_c)-$(shared.s)", "x-d:$(headers.nope)"]},
    });
    let request = RawRequest::get("/?q=7").with_header("x-c", "C");
    transformed(&config, &request);
    assert_eq!(header(&request, "x-a"), ["7"]);
    assert_eq!(header(&request, "x-b"), ["C-"]);
    assert_eq!(header(&request, "x-d"), [""]);
}

#[test]
fn headers_that_belong_to_the_gateway_stay_as_they_are() {
    let config = json!({
        "remove": {"headers": ["connection"]},
        "rename": {"headers": ["content-length:x-length", "x-old:upgrade"]},
        "add": {"headers": ["content-length:3", "transfer-encoding:chunked", "x-a:1"]},
    });
    let request = RawRequest::get("/").with_header("content-length", "0").with_header("x-old", "1");
    transformed(&config, &request);
    assert_eq!(header(&request, "content-length"), ["0"]);
    assert_eq!(header(&request, "x-a"), ["1"]);
    for name in ["x-length", "x-old", "transfer-encoding", "upgrade"] {
        assert!(header(&request, name).is_empty(), "{name}");
    }
}

#[test]
fn a_value_that_cannot_be_made_fails_the_request() {
    let plugin = plugin(&json!({"add": {"headers": ["x-a:$(headers.none:lower())"]}}));
    assert!(plugin.on_request(&RawRequest::get("/").as_request()).is_err());
}

#[test]
fn templates_that_are_not_understood_are_refused_with_their_place() {
    let problems = problems(&json!({
        "add": {"headers": ["x-a:1", "x-b:$(foo bar)"]}, "replace": {"uri": "/$(", "querystring": ["a:$(1 +)"]},
    }));
    let told: Vec<String> =
        problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
    assert_eq!(
        told,
        [
            "replace.querystring.0: value '$(1 +)' is not in supported format, error:`+` is not understood",
            "add.headers.1: value '$(foo bar)' is not in supported format, error:`bar` is not expected here",
        ]
    );
}
