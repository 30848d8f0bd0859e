//! Where a request has its configuration.

use http::header::CONTENT_TYPE;

use super::*;

fn parse(kind: &'static str, query: &str, body: &str) -> Result<Request, String> {
    let mut headers = HeaderMap::new();
    if !kind.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    Request::parse(&headers, &Arguments::parse(query).unwrap(), body.as_bytes())
        .map_err(|error| error.to_string())
}

fn source(kind: &'static str, body: &str) -> Result<Source, String> {
    parse(kind, "", body).map(|request| request.source)
}

fn text(text: &str) -> Result<Source, String> {
    Ok(Source::Text(text.to_owned()))
}

#[test]
fn a_body_of_yaml_is_the_configuration() {
    assert_eq!(source("application/yaml", "a: 1\n"), text("a: 1\n"));
    assert_eq!(source("text/yaml; charset=utf-8", "a: 1\n"), text("a: 1\n"));
}

#[test]
fn a_body_of_json_is_the_configuration_or_has_it_as_text() {
    let body = r#"{"_format_version":"3.0","services":[]}"#;
    assert_eq!(
        source("application/json", body),
        Ok(Source::Json(json!({"_format_version": "3.0", "services": []})))
    );
    assert_eq!(source("application/json", r#"{"config":"a: 1"}"#), text("a: 1"));
}

#[test]
fn a_form_has_it_in_a_field() {
    assert_eq!(source("application/x-www-form-urlencoded", "config=a%3A%201&x=y"), text("a: 1"));
    let body = "--XX\r\nContent-Disposition: form-data; name=\"config\"; filename=\"kong.yml\"\r\n\r\na: 1\n\r\n--XX--";
    assert_eq!(source("multipart/form-data; boundary=XX", body), text("a: 1\n"));
}

#[test]
fn nothing_is_no_configuration_and_other_types_are_not_read() {
    let nothing = Err("expected a declarative configuration".to_owned());
    assert_eq!(source("", ""), nothing);
    assert_eq!(source("application/yaml", ""), nothing);
    assert_eq!(source("application/json", r#"{"services":[]}"#), nothing);
    assert_eq!(source("application/json", r#"{"config":{}}"#), nothing);
    assert_eq!(source("text/plain", "a: 1"), Err("Unsupported media type".to_owned()));
}

#[test]
fn options_are_in_the_query_or_beside_the_configuration() {
    fn options(query: &str, kind: &'static str, body: &str) -> LoadOptions {
        parse(kind, query, body).unwrap().options
    }
    let both = LoadOptions { check_hash: true, flatten_errors: true };
    assert_eq!(options("check_hash=1&flatten_errors=on", "text/yaml", "a"), both);
    assert_eq!(
        options("", "application/json", r#"{"config":"a","check_hash":1,"flatten_errors":true}"#),
        both
    );
    for word in ["0", "x", "", "false"] {
        let read = options(&format!("flatten_errors={word}"), "text/yaml", "a");
        assert_eq!(read, LoadOptions::default(), "{word}");
    }
}
