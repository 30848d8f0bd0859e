//! What the protocols of a route mean for its other fields.

use crate::Protocol;

/// What the first protocol of a route asks of its other fields.
#[derive(Debug)]
pub(super) struct ProtocolRule {
    /// Fields of which one must be set.
    pub(super) one_of: &'static [&'static str],
    /// What is said when none of them is set.
    pub(super) missing: &'static str,
    /// Fields that must not be set.
    pub(super) forbidden: &'static [&'static str],
    /// The protocols of this rule, as messages list them.
    pub(super) protocols: &'static str,
}

impl ProtocolRule {
    pub(super) fn of(protocols: &[Protocol]) -> Self {
        let of_http = Self {
            one_of: &["methods", "hosts", "headers", "paths"],
            missing: "must set one of 'methods', 'hosts', 'headers', 'paths' when 'protocols' is 'http'",
            forbidden: &["sources", "destinations"],
            protocols: "'http' or 'https'",
        };
        let of_grpc = Self {
            one_of: &["hosts", "headers", "paths"],
            missing: "must set one of 'hosts', 'headers', 'paths' when 'protocols' is 'grpc'",
            forbidden: &["methods", "sources", "destinations", "strip_path"],
            protocols: "'grpc' or 'grpcs'",
        };
        let of_stream = Self {
            one_of: &["sources", "destinations", "snis"],
            missing: "must set one of 'sources', 'destinations', 'snis' when 'protocols' is 'tcp', 'tls' or 'udp'",
            forbidden: &["methods", "hosts", "paths", "headers"],
            protocols: "'tcp', 'tls', 'tls_passthrough' or 'udp'",
        };
        match protocols.first() {
            Some(Protocol::Grpc | Protocol::Grpcs) if protocols.contains(&Protocol::Grpcs) => Self {
                one_of: &["hosts", "headers", "paths", "snis"],
                missing: "must set one of 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'grpcs'",
                ..of_grpc
            },
            Some(Protocol::Grpc | Protocol::Grpcs) => of_grpc,
            Some(Protocol::Tcp | Protocol::Tls | Protocol::Udp) => of_stream,
            Some(Protocol::TlsPassthrough) => Self {
                one_of: &["snis"],
                missing: "must set snis when 'protocols' is 'tls_passthrough'",
                ..of_stream
            },
            Some(Protocol::Http | Protocol::Https) | None if protocols.contains(&Protocol::Https) => Self {
                one_of: &["methods", "hosts", "headers", "paths", "snis"],
                missing: "must set one of 'methods', 'hosts', 'headers', 'paths', 'snis' when 'protocols' is 'https'",
                ..of_http
            },
            Some(Protocol::Http | Protocol::Https) | None => of_http,
        }
    }
}

/// Sets of protocols of which a route can have one, and how messages write them.
pub(super) const EXCLUSIVE_SETS: [(&[Protocol], &str); 4] = [
    (&[Protocol::Http, Protocol::Https], "('http', 'https')"),
    (&[Protocol::Tcp, Protocol::Tls, Protocol::Udp], "('tcp', 'tls', 'udp')"),
    (&[Protocol::TlsPassthrough], "('tls_passthrough')"),
    (&[Protocol::Grpc, Protocol::Grpcs], "('grpc', 'grpcs')"),
];
