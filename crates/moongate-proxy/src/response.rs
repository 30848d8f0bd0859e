//! The head of a response, as the client gets it.

use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::forwarded::{VIA_1_1, X_KONG_REQUEST_ID, named_by_connection};
use crate::options::HeaderTokens;

/// Where a response came from, and how long it took.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Timing {
    /// The gateway or a plugin answered, after this long.
    Own(Duration),
    /// The request was sent, or it was tried to.
    Proxied {
        /// From the request's arrival until it was sent.
        gateway: Duration,
        /// From then until the head of the response was there, or until it was clear that none comes.
        upstream: Duration,
    },
}

/// Adds what the gateway says of a response.
pub(crate) fn annotate(
    headers: &mut HeaderMap,
    tokens: &HeaderTokens,
    timing: Timing,
    id: Option<HeaderValue>,
) {
    match timing {
        Timing::Own(taken) => {
            if tokens.response_latency {
                headers.insert(X_KONG_RESPONSE_LATENCY, milliseconds(taken));
            }
        }
        Timing::Proxied { gateway, upstream } => {
            if tokens.upstream_latency {
                headers.insert(X_KONG_UPSTREAM_LATENCY, milliseconds(upstream));
            }
            if tokens.proxy_latency {
                headers.insert(X_KONG_PROXY_LATENCY, milliseconds(gateway));
            }
            if tokens.via {
                headers.append(header::VIA, HeaderValue::from_static(VIA_1_1));
            }
        }
    }
    if tokens.server && !headers.contains_key(header::SERVER) {
        headers.insert(header::SERVER, HeaderValue::from_static(SERVER));
    }
    if let Some(id) = id {
        headers.insert(X_KONG_REQUEST_ID, id);
    }
}

/// Adds the status that the upstream answered with; a plugin may change the response's own.
pub(crate) fn tell_upstream_status(head: &mut http::response::Parts) {
    head.headers.insert(X_KONG_UPSTREAM_STATUS, HeaderValue::from(head.status.as_u16()));
}

/// Removes what belongs to the upstream's connection.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let found = headers.keys().any(|name| {
        matches!(*name, header::CONNECTION | header::TRANSFER_ENCODING | header::UPGRADE | header::TRAILER)
            || matches!(name.as_str(), "keep-alive" | "proxy-connection")
    });
    if !found {
        return;
    }
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // The length, if there is one, is not what the body was read by.
        headers.remove(header::CONTENT_LENGTH);
    }
    for name in named_by_connection(headers) {
        if name != header::CONTENT_LENGTH {
            headers.remove(name);
        }
    }
    for name in [header::CONNECTION, header::TRANSFER_ENCODING, header::UPGRADE, header::TRAILER] {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection"] {
        headers.remove(name);
    }
}

fn milliseconds(duration: Duration) -> HeaderValue {
    HeaderValue::from(duration.as_millis() as u64)
}

const SERVER: &str = concat!("moongate/", env!("CARGO_PKG_VERSION"));
const X_KONG_PROXY_LATENCY: HeaderName = HeaderName::from_static("x-kong-proxy-latency");
const X_KONG_RESPONSE_LATENCY: HeaderName = HeaderName::from_static("x-kong-response-latency");
const X_KONG_UPSTREAM_STATUS: HeaderName = HeaderName::from_static("x-kong-upstream-status");
const X_KONG_UPSTREAM_LATENCY: HeaderName = HeaderName::from_static("x-kong-upstream-latency");
