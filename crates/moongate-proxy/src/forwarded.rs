//! The head of a request, as the upstream gets it.

use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Version, request};

use crate::options::{ProxyOptions, RealIp};
use crate::tls::TlsSession;
use crate::tunnel;

/// What is known of a client's connection, with the header values that follow from it.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Whether its forwarding headers are believed.
    pub(crate) trusted: bool,
    /// The address as a header's value.
    text: HeaderValue,
    /// Address of the listener.
    pub(crate) listener: IpAddr,
    /// Port of the listener.
    pub(crate) port: u16,
    port_text: HeaderValue,
    /// Where the connection is a TLS connection.
    pub(crate) tls: Option<Rc<TlsSession>>,
    /// The client's address, where a trusted peer said it in the PROXY protocol.
    pub(crate) proxied: Option<IpAddr>,
}

impl Peer {
    pub(crate) fn new(address: SocketAddr, local: SocketAddr, options: &ProxyOptions) -> Self {
        let ip = address.ip().to_canonical();
        Self {
            address,
            trusted: options.trusts(ip),
            text: value(&ip.to_string()),
            listener: local.ip(),
            port: local.port(),
            port_text: HeaderValue::from(local.port()),
            tls: None,
            proxied: None,
        }
    }

    /// The address as a header's value.
    pub(crate) fn text(&self) -> &HeaderValue {
        &self.text
    }

    /// The scheme of the connection.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The scheme of the client's own connection: the peer's, or what a trusted peer says.
    pub(crate) fn forwarded_scheme<'h>(&self, headers: &'h HeaderMap) -> &'h [u8] {
        let told = if self.trusted { headers.get(X_FORWARDED_PROTO) } else { None };
        told.map_or(self.scheme().as_bytes(), HeaderValue::as_bytes)
    }

    /// The server name of the TLS handshake.
    pub(crate) fn sni(&self) -> Option<&str> {
        self.tls.as_ref()?.sni.as_deref()
    }

    /// The client's address: the peer's, or what a trusted peer says.
    pub(crate) fn client(&self, headers: &HeaderMap, options: &ProxyOptions) -> IpAddr {
        let own = self.address.ip().to_canonical();
        if !self.trusted {
            return own;
        }
        let told = match &options.real_ip {
            RealIp::ProxyProtocol => self.proxied,
            RealIp::Header(name) => told(headers, name, options),
        };
        told.unwrap_or(own)
    }
}

/// The client that a trusted peer names in a header.
fn told(headers: &HeaderMap, name: &HeaderName, options: &ProxyOptions) -> Option<IpAddr> {
    // Of several lines and of a list, the last entry is the one that the trusted peer wrote.
    let lines = headers.get_all(name).iter().rev().map_while(|line| line.to_str().ok());
    let addresses = lines
        .flat_map(|line| line.rsplit(','))
        .map_while(|entry| {
            let entry = entry.trim();
            entry.parse().ok().or_else(|| Some(entry.parse::<SocketAddr>().ok()?.ip()))
        })
        .map(|address: IpAddr| address.to_canonical());
    let mut last = None;
    for address in addresses {
        last = Some(address);
        if !(options.real_ip_recursive && options.trusts(address)) {
            break;
        }
    }
    last
}

/// Whether a request could mean one thing to the gateway and another to an upstream.
pub(crate) fn is_ambiguous(head: &request::Parts) -> bool {
    let headers = &head.headers;
    let several = |name: HeaderName| headers.get_all(name).iter().nth(1).is_some();
    let lengths = headers.contains_key(header::CONTENT_LENGTH);
    let coded = headers.contains_key(header::TRANSFER_ENCODING);
    let framing = match (lengths, coded) {
        (true, true) => true,
        (true, false) => several(header::CONTENT_LENGTH),
        (false, true) => {
            let is_chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
            several(header::TRANSFER_ENCODING)
                || head.version == Version::HTTP_10
                || !headers.get(header::TRANSFER_ENCODING).is_some_and(is_chunked)
        }
        (false, false) => false,
    };
    framing
        || several(header::HOST)
        || several(header::AUTHORIZATION)
        || (head.version == Version::HTTP_11 && !headers.contains_key(header::HOST))
}

/// What the forwarding headers say of one request.
pub(crate) struct Forwarding<'a> {
    pub(crate) peer: &'a Peer,
    pub(crate) client: IpAddr,
    /// The Host header that the upstream gets.
    pub(crate) host: HeaderValue,
    /// The matched prefix, where it was removed.
    pub(crate) prefix: Option<HeaderValue>,
    /// `X-Kong-Request-Id`.
    pub(crate) request_id: Option<&'a HeaderValue>,
}

impl Forwarding<'_> {
    /// Turns the client's headers, without those of its connection, into those that the upstream gets.
    pub(crate) fn apply(self, head: &mut request::Parts) {
        let headers = &mut head.headers;
        // One growth for all that follows, instead of several.
        headers.reserve(12);

        let via = match head.version {
            Version::HTTP_10 => VIA_1_0,
            Version::HTTP_2 => VIA_2,
            _ => VIA_1_1,
        };
        prepend(headers, header::VIA, HeaderValue::from_static(via));
        let real_ip = match self.client == self.peer.address.ip().to_canonical() {
            true => self.peer.text.clone(),
            false => value(&self.client.to_string()),
        };
        match headers.contains_key(X_FORWARDED_FOR) {
            true => prepend(headers, X_FORWARDED_FOR, self.peer.text.clone()),
            false => drop(headers.insert(X_FORWARDED_FOR, real_ip.clone())),
        }
        headers.insert(X_REAL_IP, real_ip);

        let told = |name: &HeaderName| self.peer.trusted && head.headers.contains_key(name);
        let missing =
            [X_FORWARDED_PROTO, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PATH, X_FORWARDED_PREFIX]
                .map(|name| !told(&name));
        let [proto, host, port, path, prefix] = missing;
        if proto {
            head.headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(self.peer.scheme()));
        }
        if host {
            let original =
                head.headers.get(header::HOST).map_or_else(|| HeaderValue::from_static(""), bare_host);
            head.headers.insert(X_FORWARDED_HOST, original);
        }
        if port {
            head.headers.insert(X_FORWARDED_PORT, self.peer.port_text.clone());
        }
        if path {
            head.headers.insert(X_FORWARDED_PATH, value(head.uri.path()));
        }
        if prefix {
            match self.prefix {
                Some(prefix) => {
                    head.headers.insert(X_FORWARDED_PREFIX, prefix);
                }
                None => {
                    head.headers.remove(X_FORWARDED_PREFIX);
                }
            }
        }
        if let Some(id) = self.request_id {
            head.headers.insert(X_KONG_REQUEST_ID, id.clone());
        }
        head.headers.insert(header::HOST, self.host);
        head.headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
        head.version = Version::HTTP_11;
    }
}

/// Removes what belongs to the client's connection, and headers with odd names. Says whether the client wants to go on in WebSocket.
pub(crate) fn remove_hop_by_hop(headers: &mut HeaderMap) -> bool {
    // Most requests have none of these, and one look at each name tells.
    let found = headers.keys().any(|name| {
        matches!(*name, header::CONNECTION | header::TE | header::TRANSFER_ENCODING | header::UPGRADE)
            || matches!(name.as_str(), "keep-alive" | "proxy-connection" | "proxy")
            || is_odd(name)
    });
    if !found {
        return false;
    }
    let odd: Vec<_> = headers.keys().filter(|name| is_odd(name)).cloned().collect();
    for name in odd {
        headers.remove(name);
    }
    let websocket = tunnel::is_websocket(headers);
    let named = named_by_connection(headers);
    let trailers = headers
        .get_all(header::TE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|coding| coding.trim() == "trailers"));
    for name in named {
        // A client could otherwise have the gateway remove what frames its message or names its target.
        if !matches!(name, header::CONTENT_LENGTH | header::HOST) {
            headers.remove(name);
        }
    }
    for name in [header::CONNECTION, header::TE, header::TRANSFER_ENCODING, header::UPGRADE] {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection", "proxy"] {
        headers.remove(name);
    }
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    websocket
}

/// Whether a name has other characters than letters, digits, hyphens and underscores. Servers differ in what they
/// take such names for.
fn is_odd(name: &HeaderName) -> bool {
    // Names are in lower case. Those that are allowed and these are all the characters that a name can have.
    !name.as_str().bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

/// The headers that a message's `Connection` header names.
pub(crate) fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        // By far the most frequent values, which name no header.
        .filter(|name| !name.eq_ignore_ascii_case("keep-alive") && !name.eq_ignore_ascii_case("close"))
        .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
        .collect()
}

/// Puts `value` behind the first line of a header and drops the others; or makes it the only one.
fn prepend(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    let joined = headers.get(&name).map(|first| {
        let mut joined = Vec::with_capacity(first.len() + 2 + value.len());
        joined.extend_from_slice(first.as_bytes());
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(value.as_bytes());
        HeaderValue::from_bytes(&joined).unwrap_or_else(|_| value.clone())
    });
    headers.insert(name, joined.unwrap_or(value));
}

/// A host without its port, in lower case.
pub(crate) fn bare_host(host: &HeaderValue) -> HeaderValue {
    let bytes = host.as_bytes();
    let end = match bytes.iter().rposition(|byte| *byte == b':') {
        Some(colon) if !bytes.get(colon..).unwrap_or_default().contains(&b']') => colon,
        _ => bytes.len(),
    };
    if end == bytes.len() && !bytes.iter().any(u8::is_ascii_uppercase) {
        return host.clone();
    }
    let bare = bytes.get(..end).unwrap_or_default().to_ascii_lowercase();
    HeaderValue::from_bytes(&bare).unwrap_or_else(|_| host.clone())
}

/// Text that the gateway made of valid parts, as a header's value.
fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

pub(crate) const VIA_1_1: &str = concat!("1.1 moongate/", env!("CARGO_PKG_VERSION"));
const VIA_2: &str = concat!("2 moongate/", env!("CARGO_PKG_VERSION"));
const VIA_1_0: &str = concat!("1 moongate/", env!("CARGO_PKG_VERSION"));
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(crate) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PATH: HeaderName = HeaderName::from_static("x-forwarded-path");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
pub(crate) const X_KONG_REQUEST_ID: HeaderName = HeaderName::from_static("x-kong-request-id");

#[cfg(test)]
mod tests;
