//! The protocols that are served and spoken.

use serde::{Deserialize, Serialize};

/// A protocol of a service, route or plugin configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// gRPC over plain HTTP/2.
    Grpc,
    /// gRPC over TLS.
    Grpcs,
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// Plain TCP.
    Tcp,
    /// TLS terminated by the gateway.
    Tls,
    /// TLS handed through untouched.
    TlsPassthrough,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Every protocol, in the order in which messages list them.
    pub const ALL: [Self; 8] = [
        Self::Grpc,
        Self::Grpcs,
        Self::Http,
        Self::Https,
        Self::Tcp,
        Self::Tls,
        Self::TlsPassthrough,
        Self::Udp,
    ];

    /// The protocol that configurations call `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.name() == name)
    }

    /// The name that configurations use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Grpcs => "grpcs",
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::TlsPassthrough => "tls_passthrough",
            Self::Udp => "udp",
        }
    }

    /// Whether requests of this protocol are HTTP requests, and not streams of bytes.
    pub fn is_http(self) -> bool {
        matches!(self, Self::Grpc | Self::Grpcs | Self::Http | Self::Https)
    }
}
