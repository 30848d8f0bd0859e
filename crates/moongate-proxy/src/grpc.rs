//! Answers that do not come from an upstream, as clients of gRPC understand them: without a body, with the outcome in
//! headers.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, StatusCode, Version, request};

use crate::answer::Answer;
use crate::body::ResponseBody;

/// Longest message that is told.
const LONGEST: usize = 4 * 1024;

/// Whether a request is a call.
pub(crate) fn is_call(head: &request::Parts) -> bool {
    head.version == Version::HTTP_2
        && head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(GRPC.as_bytes()))
}

/// Says in headers what the body says, unless it is one that clients of gRPC read.
pub(crate) fn translate(answer: &mut Answer) {
    let headers = &answer.head.headers;
    let ResponseBody::Full(body) = &mut answer.body else { return };
    if headers.contains_key(GRPC_STATUS)
        || headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(GRPC.as_bytes()))
    {
        return;
    }
    let body = std::mem::replace(body, Bytes::new());
    let code = code(answer.head.status);
    let message = message(&body).unwrap_or_else(|| HeaderValue::from_static(standard_message(code)));
    let headers = &mut answer.head.headers;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    headers.insert(GRPC_STATUS, HeaderValue::from(code));
    headers.insert(GRPC_MESSAGE, message);
}

/// What a body says: the message in it if it is JSON, or all of it.
fn message(body: &[u8]) -> Option<HeaderValue> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let told = serde_json::from_str::<serde_json::Value>(text).ok();
    let message = match &told {
        Some(value) => value.get("message")?.as_str()?,
        None => text,
    };
    (!message.is_empty() && message.len() <= LONGEST).then(|| HeaderValue::from_str(message).ok()).flatten()
}

/// The code of gRPC for a status of HTTP.
fn code(status: StatusCode) -> u16 {
    match status.as_u16() {
        401 => 16,
        403 => 7,
        404 => 5,
        409 => 6,
        429 => 8,
        499 => 1,
        501 => 12,
        503 => 14,
        504 => 4,
        400..=498 => 3,
        500..=599 => 13,
        _ => 0,
    }
}

fn standard_message(code: u16) -> &'static str {
    MESSAGES.get(usize::from(code)).copied().unwrap_or_default()
}

/// By code.
const MESSAGES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

pub(crate) const GRPC: &str = "application/grpc";
pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
pub(crate) const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

#[cfg(test)]
mod tests {
    use moongate_hooks::Reply;

    use super::*;

    fn translated(status: u16, kind: Option<&'static str>, body: &'static str) -> Answer {
        let mut headers = http::HeaderMap::new();
        headers.extend(kind.map(|kind| (CONTENT_TYPE, HeaderValue::from_static(kind))));
        let status = StatusCode::from_u16(status).unwrap();
        let mut answer =
            Answer::from_plugin(Reply { status, headers, body: Bytes::from_static(body.as_bytes()) });
        translate(&mut answer);
        answer
    }

    #[test]
    fn the_status_becomes_a_code_and_the_body_a_message() {
        for (status, body, code, message) in [
            (404, "{\"message\":\"no Route\"}", "5", "no Route"),
            (401, "go away", "16", "go away"),
            (418, "", "3", "InvalidArgument"),
            (503, "{\"error\":1}", "14", "Unavailable"),
            (502, "two\nlines", "13", "Internal"),
        ] {
            let answer = translated(status, Some("application/json"), body);
            let headers = &answer.head.headers;
            assert_eq!(headers[CONTENT_TYPE], GRPC, "{body}");
            assert_eq!(
                (&headers[GRPC_STATUS], &headers[GRPC_MESSAGE]),
                (&HeaderValue::from_static(code), &HeaderValue::from_static(message))
            );
            assert!(matches!(answer.body, ResponseBody::Full(body) if body.is_empty()));
        }
    }

    #[test]
    fn what_is_made_for_clients_of_grpc_stays_as_it_is() {
        let answer = translated(200, Some("application/grpc+proto"), "x");
        assert!(!answer.head.headers.contains_key(GRPC_STATUS));
        assert!(matches!(answer.body, ResponseBody::Full(body) if body == "x"));
    }
}
