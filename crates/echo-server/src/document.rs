//! The answer to a request that asks for nothing else: the request itself.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::decode;

/// Field names and nesting are those of ealen/echo-server, and parts of the interface.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    host: Host,
    http: Http<'a>,
    request: Received,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a BTreeMap<String, String>>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(
        head: &'a Parts,
        query: &[(String, String)],
        body: &[u8],
        peer: SocketAddr,
        environment: Option<&'a BTreeMap<String, String>>,
    ) -> Self {
        let path = percent_decode_str(head.uri.path()).decode_utf8_lossy().into_owned();
        let content_type = head.headers.get(CONTENT_TYPE).map(|value| decode::text(value.as_bytes()));
        Self {
            host: Host { hostname: hostname(head), ip: peer.ip().to_canonical(), ips: [] },
            http: Http {
                method: head.method.as_str(),
                base_url: "",
                original_url: head.uri.to_string(),
                protocol: "http",
            },
            request: Received {
                params: [("0", path)].into(),
                query: decode::object(query),
                cookies: decode::cookies(&head.headers),
                body: decode::body(content_type.as_deref().unwrap_or_default(), body),
                headers: decode::headers(&head.headers),
            },
            environment,
        }
    }
}

#[derive(Debug, Serialize)]
struct Host {
    hostname: String,
    ip: IpAddr,
    /// Always empty: forwarding headers are shown under `headers` and not believed.
    ips: [IpAddr; 0],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    base_url: &'a str,
    original_url: String,
    protocol: &'a str,
}

#[derive(Debug, Serialize)]
struct Received {
    /// The decoded path under the name that Express gives to a wildcard.
    params: BTreeMap<&'static str, String>,
    query: Map<String, Value>,
    cookies: Map<String, Value>,
    body: Value,
    headers: Map<String, Value>,
}

/// The host that was asked for, without its port. An absolute request target outranks the header.
fn hostname(head: &Parts) -> String {
    if let Some(host) = head.uri.host() {
        return host.to_owned();
    }
    let host = head.headers.get(HOST).map(|value| decode::text(value.as_bytes())).unwrap_or_default();
    let after_address = host.rfind(']').map_or(0, |bracket| bracket + 1);
    match host.get(after_address..).and_then(|rest| rest.find(':')) {
        Some(colon) => host.get(..after_address + colon).unwrap_or_default().to_owned(),
        None => host,
    }
}
