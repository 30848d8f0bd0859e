//! The logic alone, with fakes of requests; `moongate plugin test` plays tests/cases.yaml through a gateway as well.

use moongate_sdk::testing::{RawRequest, RawResponse};

use super::*;

fn plugin() -> {{Name}} {
    {{Name}}::new(Config { greeting: "hello".to_owned() }).unwrap()
}

#[test]
fn upstreams_are_greeted() {
    let request = RawRequest::get("/orders");
    assert_eq!(plugin().on_request(&request.as_request()).unwrap(), Decision::Continue);
    assert_eq!(request.as_request().header("x-greeting").unwrap(), b"hello");
}

#[test]
fn clients_are_greeted() {
    let response = RawResponse::new(200);
    plugin().on_response(&response.as_response()).unwrap();
    assert_eq!(response.as_response().header("x-{{name}}").unwrap(), b"hello");
}
