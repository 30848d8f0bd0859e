//! Which requests are turned away.

use moongate_sdk::export::configure;
use moongate_sdk::testing::RawRequest;
use serde_json::{Value, json};

use super::*;

fn decision(config: &Value, request: &RawRequest) -> Decision {
    let plugin: RequestSizeLimiting =
        configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"));
    plugin.on_request(&request.as_request()).unwrap()
}

fn of_length(length: &str) -> RawRequest {
    RawRequest::new("POST", "/").with_header("content-length", length)
}

#[test]
fn a_body_up_to_the_limit_passes() {
    for (config, most) in [
        (json!({"allowed_payload_size": 10, "size_unit": "bytes"}), 10),
        (json!({"allowed_payload_size": 2, "size_unit": "kilobytes"}), 2048),
        (json!({"allowed_payload_size": 1}), 1_048_576),
        (json!({}), 134_217_728),
    ] {
        assert_eq!(decision(&config, &of_length(&most.to_string())), Decision::Continue, "{config}");
        let refused = Decision::fail(413, "Request size limit exceeded");
        assert_eq!(decision(&config, &of_length(&(most + 1).to_string())), refused, "{config}");
    }
}

#[test]
fn a_client_that_waits_for_leave_is_told_so() {
    let request = of_length("3").with_header("expect", "100-Continue");
    let config = json!({"allowed_payload_size": 1, "size_unit": "bytes"});
    assert_eq!(decision(&config, &request), Decision::fail(417, "Request size limit exceeded"));
}

#[test]
fn a_length_can_be_asked_for_except_of_chunked_bodies() {
    let config = json!({"allowed_payload_size": 5, "size_unit": "bytes", "require_content_length": true});
    let missing = Decision::fail(411, "A valid Content-Length header is required");
    assert_eq!(decision(&config, &RawRequest::get("/")), missing);
    let chunked = RawRequest::new("POST", "/").with_header("transfer-encoding", "chunked");
    assert_eq!(decision(&config, &chunked.with_body("abc")), Decision::Continue);
    // Over HTTP/2 nothing needs to be said of the body.
    assert_eq!(decision(&config, &RawRequest::new("POST", "/").with_body("abc")), Decision::Continue);
}

#[test]
fn a_chunked_body_is_measured() {
    let config = json!({"allowed_payload_size": 5, "size_unit": "bytes"});
    let chunked = || RawRequest::new("POST", "/").with_header("transfer-encoding", "chunked");
    assert_eq!(decision(&config, &chunked().with_body("12345")), Decision::Continue);
    let refused = Decision::fail(413, "Request size limit exceeded");
    assert_eq!(decision(&config, &chunked().with_body("123456")), refused);
}
