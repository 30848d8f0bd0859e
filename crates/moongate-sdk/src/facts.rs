//! What there is to know of requests and responses.

use std::fmt;

/// A consumer, as far as requests are concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consumer {
    /// Id, a UUID.
    pub id: String,
    /// Unique name.
    pub username: Option<String>,
    /// The operator's own id.
    pub custom_id: Option<String>,
}

/// What a client proved to be somebody with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credential {
    /// Id of the credential.
    pub id: String,
    /// What upstreams get to see of it in `X-Credential-Identifier`.
    pub identifier: Option<String>,
}

/// What a route's path expression captured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captures {
    /// By position, from the first group on.
    pub positional: Vec<String>,
    /// By name.
    pub named: Vec<(String, String)>,
}

impl Captures {
    /// What the group of this name captured.
    pub fn name(&self, name: &str) -> Option<&str> {
        self.named.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What the group at this position captured, counted from 1.
    pub fn position(&self, position: usize) -> Option<&str> {
        self.positional.get(position.checked_sub(1)?).map(String::as_str)
    }
}

/// The TLS session of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// Such as `TLSv1.3`.
    pub version: String,
    /// Cipher suite by its IANA name.
    pub cipher: String,
    /// Server name that the client asked for.
    pub server_name: Option<String>,
    /// Certificates that the client showed, the leaf first, in DER.
    pub client_certificates: Vec<Vec<u8>>,
}

/// Where the client sent its request, as far as a trusted peer says: else as the connection says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// `http` or `https`.
    pub scheme: String,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// An entity that a request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Met {
    /// The matched route.
    Route,
    /// The route's service.
    Service,
    /// Who sent the request, once a plugin has found out.
    Consumer,
}

/// Where the head of a response came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Source {
    /// The upstream.
    #[default]
    Upstream,
    /// A plugin that answered.
    Plugin,
    /// The gateway itself: an error, a request without a route.
    Gateway,
}

impl Source {
    /// `upstream`, `plugin` or `gateway`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Plugin => "plugin",
            Self::Gateway => "gateway",
        }
    }
}

/// How a plugin wants to see the body of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyView {
    /// Chunk by chunk, as it comes.
    Chunks,
    /// In one piece, if it has at most so many bytes; a longer one streams on and is not shown.
    Whole(u64),
}

/// Why there is no body to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It is longer than the limit. What was read so far goes upstream with the rest.
    TooLarge,
    /// The client went away, was too slow, or broke the rules of HTTP in the middle of it.
    Broken,
    /// It cannot be read any more, because it is on its way upstream or was dropped.
    Gone,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "body is too large",
            Self::Broken => "body is broken off",
            Self::Gone => "body is gone already",
        })
    }
}

impl std::error::Error for BodyError {}
