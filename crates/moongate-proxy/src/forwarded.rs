//! The head of a request, as the upstream gets it.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Version, request};

use crate::error::Failure;
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

    /// Whether the client's own connection is a TLS connection: by what a trusted peer says, or else if this one is
    /// (`over_tls`).
    pub(crate) fn forwards_https(&self, headers: &HeaderMap, over_tls: bool) -> bool {
        let told = if self.trusted { headers.get(X_FORWARDED_PROTO) } else { None };
        told.map_or(over_tls, |scheme| scheme == "https")
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

/// Why a request is answered before anything looks at it, if it is.
pub(crate) fn refusal(head: &request::Parts) -> Option<Failure> {
    match head.method {
        _ if is_ambiguous(head) || is_malformed(head) => Some(Failure::BadRequest),
        Method::CONNECT => Some(Failure::BadRequest),
        Method::TRACE => Some(Failure::MethodNotAllowed),
        _ => None,
    }
}

/// The length of its body that the head of a request names.
pub(crate) fn body_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether a request could mean one thing to the gateway and another to an upstream.
fn is_ambiguous(head: &request::Parts) -> bool {
    let (mut hosts, mut lengths, mut authorizations, mut codings) = (0, 0, 0, 0);
    let mut is_chunked = true;
    for (name, value) in &head.headers {
        match *name {
            header::HOST => hosts += 1,
            header::CONTENT_LENGTH => lengths += 1,
            header::AUTHORIZATION => authorizations += 1,
            header::TRANSFER_ENCODING => {
                codings += 1;
                is_chunked = value.as_bytes().eq_ignore_ascii_case(b"chunked");
            }
            _ => {}
        }
    }
    let is_badly_coded = codings > 0 && (lengths > 0 || head.version == Version::HTTP_10 || !is_chunked);
    is_badly_coded
        || codings > 1
        || lengths > 1
        || hosts > 1
        || authorizations > 1
        || (head.version == Version::HTTP_11 && hosts == 0)
}

/// Whether the method or the host of a request has characters that no upstream expects there.
fn is_malformed(head: &request::Parts) -> bool {
    let is_name = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    // Without a Host header there is nothing to look at.
    !head.method.as_str().as_bytes().iter().all(is_name)
        || head.headers.get(header::HOST).is_some_and(is_no_host)
}

/// Whether the value of a Host header names no host. What is behind a colon or an address in brackets does not matter.
fn is_no_host(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    let is_bad = |byte: &u8| *byte == b'/' || *byte <= b' ' || *byte == 0x7f;
    let end = match bytes {
        [b'[', ..] => bytes.iter().position(|byte| *byte == b']').map(|at| at + 1),
        _ => bytes.iter().position(|byte| *byte == b':'),
    };
    let host = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    matches!(host, [] | b".") || bytes.iter().any(is_bad) || bytes.windows(2).any(|pair| pair == b"..")
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
    /// Whether the client wants to go on in WebSocket.
    pub(crate) websocket: bool,
}

/// How the upstream is told where a request's body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// There is none. That is said if the client said so.
    None,
    /// So many bytes.
    Known(u64),
    /// It comes in chunks.
    Unknown,
}

/// Takes the headers of a request, line by line.
pub(crate) trait Lines {
    /// A line whose value is made of `parts`.
    fn line(&mut self, name: &HeaderName, parts: &[&[u8]]);

    fn value(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.line(name, &[value.as_bytes()]);
    }
}

/// As HTTP/1 writes them.
impl Lines for Vec<u8> {
    fn line(&mut self, name: &HeaderName, parts: &[&[u8]]) {
        self.extend_from_slice(name.as_str().as_bytes());
        self.extend_from_slice(b": ");
        for part in parts {
            self.extend_from_slice(part);
        }
        self.extend_from_slice(b"\r\n");
    }
}

impl Lines for HeaderMap {
    fn line(&mut self, name: &HeaderName, parts: &[&[u8]]) {
        if let Ok(value) = HeaderValue::from_bytes(&parts.concat()) {
            self.append(name, value);
        }
    }

    fn value(&mut self, name: &HeaderName, value: &HeaderValue) {
        self.append(name, value.clone());
    }
}

impl Forwarding<'_> {
    /// Writes the headers that the upstream gets: the client's, which are without those of its connection, and the
    /// gateway's own.
    pub(crate) fn write(&self, head: &request::Parts, length: BodyLength, lines: &mut impl Lines) {
        lines.value(&header::HOST, &self.host);
        let connection: &[u8] = if self.websocket { b"keep-alive, Upgrade" } else { b"keep-alive" };
        lines.line(&header::CONNECTION, &[connection]);
        if self.websocket {
            lines.line(&header::UPGRADE, &[b"websocket"]);
        }
        let own_real_ip;
        let real_ip = match self.client == self.peer.address.ip().to_canonical() {
            true => &self.peer.text,
            false => {
                own_real_ip = value(&self.client.to_string());
                &own_real_ip
            }
        };
        let via = match head.version {
            Version::HTTP_10 => VIA_1_0,
            Version::HTTP_2 => VIA_2,
            _ => VIA_1_1,
        };
        // What is said already. Of lists, the first line counts.
        let (mut has_via, mut has_for, mut has_length) = (false, false, false);
        let (mut has_proto, mut has_host, mut has_port, mut has_path, mut has_prefix) =
            (false, false, false, false, false);
        for (name, value) in &head.headers {
            let (is_list, has, own) = match name.as_str() {
                "host" | "connection" | "upgrade" | "transfer-encoding" | "x-real-ip"
                | "x-kong-request-id" => {
                    continue;
                }
                "content-length" => {
                    has_length = true;
                    continue;
                }
                "via" => (true, &mut has_via, via.as_bytes()),
                "x-forwarded-for" => (true, &mut has_for, self.peer.text.as_bytes()),
                "x-forwarded-proto" => (false, &mut has_proto, &[][..]),
                "x-forwarded-host" => (false, &mut has_host, &[][..]),
                "x-forwarded-port" => (false, &mut has_port, &[][..]),
                "x-forwarded-path" => (false, &mut has_path, &[][..]),
                "x-forwarded-prefix" => (false, &mut has_prefix, &[][..]),
                _ => {
                    lines.value(name, value);
                    continue;
                }
            };
            match is_list {
                true if !*has => lines.line(name, &[value.as_bytes(), b", ", own]),
                false if self.peer.trusted => lines.value(name, value),
                _ => continue,
            }
            *has = true;
        }
        if !has_via {
            lines.line(&header::VIA, &[via.as_bytes()]);
        }
        if !has_for {
            lines.value(&X_FORWARDED_FOR, real_ip);
        }
        lines.value(&X_REAL_IP, real_ip);
        if !has_proto {
            lines.line(&X_FORWARDED_PROTO, &[self.peer.scheme().as_bytes()]);
        }
        if !has_host {
            let host = head.headers.get(header::HOST).map_or(NO_HOST, HeaderValue::as_bytes);
            lines.line(&X_FORWARDED_HOST, &[&bare_host(host)]);
        }
        if !has_port {
            lines.value(&X_FORWARDED_PORT, &self.peer.port_text);
        }
        if !has_path {
            lines.line(&X_FORWARDED_PATH, &[head.uri.path().as_bytes()]);
        }
        if let (false, Some(prefix)) = (has_prefix, &self.prefix) {
            lines.value(&X_FORWARDED_PREFIX, prefix);
        }
        if let Some(id) = self.request_id {
            lines.value(&X_KONG_REQUEST_ID, id);
        }
        match length {
            BodyLength::None if has_length => lines.line(&header::CONTENT_LENGTH, &[b"0"]),
            BodyLength::None => {}
            BodyLength::Known(length) => lines.value(&header::CONTENT_LENGTH, &HeaderValue::from(length)),
            BodyLength::Unknown => lines.line(&header::TRANSFER_ENCODING, &[b"chunked"]),
        }
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
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
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

/// A host without its port, in lower case.
pub(crate) fn bare_host(host: &[u8]) -> Cow<'_, [u8]> {
    let bare = match host.iter().rposition(|byte| *byte == b':') {
        Some(colon) if !host.get(colon..).unwrap_or_default().contains(&b']') => host.get(..colon),
        _ => None,
    };
    let bare = bare.unwrap_or(host);
    match bare.iter().any(u8::is_ascii_uppercase) {
        true => bare.to_ascii_lowercase().into(),
        false => bare.into(),
    }
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
/// What upstreams are told in `X-Forwarded-Host` of a request that names no host, as HTTP/1.0 allows.
const NO_HOST: &[u8] = b"kong";

pub(crate) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const X_FORWARDED_PATH: HeaderName = HeaderName::from_static("x-forwarded-path");
const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");
pub(crate) const X_KONG_REQUEST_ID: HeaderName = HeaderName::from_static("x-kong-request-id");

#[cfg(test)]
mod tests;
