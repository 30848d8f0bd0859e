//! What an operator decides about TLS with clients.

use std::time::Duration;

use super::cipher::CipherSuites;
use super::identity::TlsIdentity;

/// How TLS connections of clients are accepted.
#[derive(Debug, Clone)]
pub struct TlsOptions {
    /// The versions that are spoken.
    pub versions: Vec<TlsVersion>,
    /// The cipher suites that are spoken, the preferred one first. The client's order counts.
    pub cipher_suites: CipherSuites,
    /// What clients see whose server name has no certificate of its own. Several are tried in order, for clients that cannot
    /// use the first one's kind of key. A proxy that listens for TLS needs at least one.
    pub default_certificates: Vec<TlsIdentity>,
    /// Whether clients may keep their sessions in tickets; without, the gateway keeps them.
    pub session_tickets: bool,
    /// How long a session can be resumed.
    pub session_timeout: Duration,
    /// Number of sessions that the gateway keeps, for clients without tickets.
    pub session_cache_size: usize,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            versions: vec![TlsVersion::Tls12, TlsVersion::Tls13],
            cipher_suites: CipherSuites::intermediate(),
            default_certificates: Vec::new(),
            session_tickets: true,
            session_timeout: Duration::from_secs(24 * 60 * 60),
            session_cache_size: 40_000,
        }
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl TlsVersion {
    /// The version that properties call `name`, for example `TLSv1.3`. Older versions than 1.2 are not spoken.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "TLSv1.2" => Some(Self::Tls12),
            "TLSv1.3" => Some(Self::Tls13),
            _ => None,
        }
    }

    /// The name that properties use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "TLSv1.2",
            Self::Tls13 => "TLSv1.3",
        }
    }

    pub(super) fn supported(self) -> &'static rustls::SupportedProtocolVersion {
        match self {
            Self::Tls12 => &rustls::version::TLS12,
            Self::Tls13 => &rustls::version::TLS13,
        }
    }
}
