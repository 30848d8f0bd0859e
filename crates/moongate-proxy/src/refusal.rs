//! What a client is told whose request found a route that is for another protocol.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, LOCATION, UPGRADE};
use http::{HeaderValue, request};
use moongate_model::HttpsRedirectStatus;
use moongate_router::ProtocolRefusal;

use crate::answer::Answer;
use crate::body::ResponseBody;
use crate::error::{Failure, page};
use crate::forwarded::{Peer, X_FORWARDED_HOST, bare_host};
use crate::grpc::{GRPC, GRPC_MESSAGE, GRPC_STATUS};

impl From<ProtocolRefusal> for Failure {
    fn from(refusal: ProtocolRefusal) -> Self {
        match refusal {
            ProtocolRefusal::HttpsRequired(redirect) => Self::HttpsRequired(redirect),
            ProtocolRefusal::GrpcsRequired => Self::GrpcsRequired,
            ProtocolRefusal::NotGrpc => Self::NotGrpc,
            ProtocolRefusal::Http2Required => Self::Http2Required,
        }
    }
}

/// Adds how to ask instead to the answer to a refused request.
pub(crate) fn explain(answer: &mut Answer, failure: Failure, peer: &Peer, request: &request::Parts) {
    match failure {
        Failure::HttpsRequired(HttpsRedirectStatus::UpgradeRequired) => {
            upgrade(answer, "TLS/1.2, HTTP/1.1");
        }
        Failure::HttpsRequired(redirect) => redirect_to_https(answer, redirect, peer, request),
        Failure::Http2Required => upgrade(answer, "HTTP/2"),
        Failure::GrpcsRequired => {
            let headers = &mut answer.head.headers;
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
            headers.insert(GRPC_STATUS, HeaderValue::from_static("1"));
            headers.insert(GRPC_MESSAGE, HeaderValue::from_static("gRPC request matched gRPCs route"));
            answer.body = ResponseBody::Full(Bytes::new());
        }
        _ => {}
    }
}

fn upgrade(answer: &mut Answer, protocols: &'static str) {
    answer.head.headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.head.headers.insert(UPGRADE, HeaderValue::from_static(protocols));
}

/// Sends the client to the same place over TLS, with a page for whoever looks at it.
fn redirect_to_https(
    answer: &mut Answer,
    redirect: HttpsRedirectStatus,
    peer: &Peer,
    request: &request::Parts,
) {
    let told = if peer.trusted { request.headers.get(X_FORWARDED_HOST) } else { None };
    let host = told.or_else(|| request.headers.get(HOST)).map(HeaderValue::as_bytes).unwrap_or_default();
    let host = bare_host(host);
    let host = str::from_utf8(&host).unwrap_or_default();
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    if let Ok(location) = HeaderValue::try_from(format!("https://{host}{target}")) {
        answer.head.headers.insert(LOCATION, location);
    }
    let (title, kind) = match redirect {
        HttpsRedirectStatus::UpgradeRequired => return,
        HttpsRedirectStatus::MovedPermanently => ("301 Moved Permanently", "text/html"),
        HttpsRedirectStatus::Found => ("302 Found", "text/html"),
        HttpsRedirectStatus::TemporaryRedirect => ("307 Temporary Redirect", "text/html; charset=UTF-8"),
        HttpsRedirectStatus::PermanentRedirect => ("308 Permanent Redirect", "text/html; charset=UTF-8"),
    };
    answer.head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.body = ResponseBody::Full(page(title).into());
}
