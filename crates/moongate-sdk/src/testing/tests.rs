use super::*;
use crate::HeaderError;
use crate::context as values;

#[test]
fn path_and_query_are_apart() {
    let raw = RawRequest::new("POST", "/orders?page=2?x");
    let request = raw.as_request();
    assert_eq!((request.method(), request.path()), ("POST".into(), "/orders".into()));
    assert_eq!(request.query().unwrap(), "page=2?x");
    assert_eq!(RawRequest::get("/orders").as_request().query(), None);
    assert_eq!(RawRequest::get("/orders?").as_request().query().unwrap(), "");
}

#[test]
fn header_names_are_compared_without_regard_to_case() {
    let raw = RawRequest::get("/").with_header("X-Many", "1").with_header("x-many", b"\xff");
    let request = raw.as_request();
    assert_eq!(request.header("x-MANY").unwrap(), b"1");
    assert_eq!(request.header_values("X-many"), [b"1".to_vec(), b"\xff".to_vec()]);
    assert_eq!(request.headers().len(), 2);
    assert_eq!(request.header_text("x-many").unwrap(), "1");
    request.set_header("X-MANY", "2").unwrap();
    assert_eq!(request.header_values("x-many"), [b"2"]);
    request.remove_header("x-Many").unwrap();
    assert_eq!(request.header("x-many"), None);
}

#[test]
fn a_refused_header_leaves_everything_as_it_was() {
    let raw = RawRequest::get("/").with_header("x-user", "alice");
    let request = raw.as_request();
    assert_eq!(request.set_header("x-user", "a\r\nb"), Err(HeaderError::InvalidValue));
    assert_eq!(request.set_header("x-user", vec![b'a'; 64 * 1024 + 1]), Err(HeaderError::TooLarge));
    assert_eq!(request.set_header("x user", "a"), Err(HeaderError::InvalidName));
    assert_eq!(request.set_header("Content-Length", "5"), Err(HeaderError::Forbidden));
    assert_eq!(request.remove_header("connection"), Err(HeaderError::Forbidden));
    assert_eq!(request.headers(), [("x-user".into(), b"alice".to_vec())]);
}

#[test]
fn there_is_room_for_a_thousand_header_lines() {
    let raw = RawResponse::new(200);
    let response = raw.as_response();
    for _ in 0..1_000 {
        response.add_header("x", "1").unwrap();
    }
    assert_eq!(response.add_header("x", "1"), Err(HeaderError::TooLarge));
    response.set_header("x", "2").unwrap();
    assert_eq!(response.header_values("x"), [b"2"]);
}

#[test]
fn response_headers_of_a_request_are_apart_from_its_own() {
    let raw = RawRequest::get("/");
    raw.as_request().set_response_header("X-Seen", "yes").unwrap();
    raw.as_request().add_response_header("x-seen", "twice").unwrap();
    assert_eq!(raw.response_header("x-seen").unwrap(), b"yes");
    assert_eq!(raw.as_request().header("x-seen"), None);
    raw.as_request().remove_response_header("x-seen").unwrap();
    assert_eq!(raw.response_header("x-seen"), None);
}

#[test]
fn a_status_that_no_response_has_is_ignored() {
    let raw = RawResponse::new(200);
    for status in [0, 199, 600, u16::MAX] {
        assert!(!raw.as_response().set_status(status));
    }
    assert_eq!(raw.as_response().status(), 200);
    assert!(raw.as_response().set_status(599));
    assert_eq!(raw.as_response().status(), 599);
}

#[test]
fn the_context_ends_with_its_request() {
    let _first = RawRequest::get("/");
    assert!(values::set("key", "own"));
    assert!(values::set_shared("key", "shared"));
    assert_eq!(values::get("key").unwrap(), b"own");
    assert_eq!(values::get_shared("key").unwrap(), b"shared");
    values::remove("key");
    assert_eq!((values::get("key"), values::get_shared("key").unwrap()), (None, b"shared".to_vec()));
    let _second = RawRequest::get("/");
    assert_eq!(values::get_shared("key"), None);
}

#[test]
fn a_full_context_refuses_a_value_and_keeps_what_it_has() {
    let _request = RawRequest::get("/");
    assert!(values::set("k", "small"));
    assert!(!values::set("k", vec![0; 64 * 1024]));
    assert_eq!(values::get("k").unwrap(), b"small");
    assert!(values::set("k", vec![0; 64 * 1024 - 1]));
    assert!(!values::set_shared("k", ""));
    values::remove("k");
    assert!(values::set_shared("k", ""));
}
