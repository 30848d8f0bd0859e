//! Typed views of the core entities, in the shape in which the Admin API shows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Every entity of one configuration, each collection ordered by id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entities {
    /// The services, by ascending id.
    pub services: Vec<Service>,
    /// The routes, by ascending id.
    pub routes: Vec<Route>,
    /// The plugin configurations, by ascending id.
    pub plugins: Vec<Plugin>,
}

impl Entities {
    /// The service with this id.
    pub fn service(&self, id: Uuid) -> Option<&Service> {
        self.services
            .binary_search_by_key(&id, |service| service.id)
            .ok()
            .and_then(|at| self.services.get(at))
    }

    /// The route with this id.
    pub fn route(&self, id: Uuid) -> Option<&Route> {
        self.routes.binary_search_by_key(&id, |route| route.id).ok().and_then(|at| self.routes.get(at))
    }

    /// The plugin configuration with this id.
    pub fn plugin(&self, id: Uuid) -> Option<&Plugin> {
        self.plugins.binary_search_by_key(&id, |plugin| plugin.id).ok().and_then(|at| self.plugins.get(at))
    }
}

/// An upstream application that requests are forwarded to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Service {
    /// Primary key.
    pub id: Uuid,
    /// Unique name, usable instead of the id in URLs.
    pub name: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// How often a failed try is repeated, 0 to 32767.
    pub retries: u16,
    /// The protocol spoken to the upstream.
    pub protocol: Protocol,
    /// Host name, address, or the name of an upstream entity.
    pub host: String,
    /// TCP or UDP port.
    pub port: u16,
    /// Prefix of the path sent upstream.
    pub path: Option<String>,
    /// Milliseconds to establish a connection.
    pub connect_timeout: u32,
    /// Milliseconds between two successive writes.
    pub write_timeout: u32,
    /// Milliseconds between two successive reads.
    pub read_timeout: u32,
    /// Free labels.
    pub tags: Option<Vec<String>>,
    /// Certificate presented to the upstream.
    pub client_certificate: Option<Reference>,
    /// Whether the upstream's certificate is verified; unset follows the gateway's default.
    pub tls_verify: Option<bool>,
    /// Longest accepted certificate chain.
    pub tls_verify_depth: Option<u16>,
    /// Ids of the CA certificates that the upstream is verified with.
    pub ca_certificates: Option<Vec<Uuid>>,
    /// A disabled service and its routes drop out of the router.
    pub enabled: bool,
}

/// What requests are matched by, and which service they go to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Route {
    /// Primary key.
    pub id: Uuid,
    /// Unique name, usable instead of the id in URLs.
    pub name: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Protocols that the route serves.
    pub protocols: Vec<Protocol>,
    /// HTTP methods.
    pub methods: Option<Vec<String>>,
    /// Host names, with at most one leading or trailing wildcard label, and optionally a port.
    pub hosts: Option<Vec<String>>,
    /// Path prefixes, or regular expressions behind a `~`.
    pub paths: Option<Vec<String>>,
    /// Header names with the values of which one must be present.
    pub headers: Option<BTreeMap<String, Vec<String>>>,
    /// TLS server names.
    pub snis: Option<Vec<String>>,
    /// Client addresses of a stream route.
    pub sources: Option<Vec<SourceOrDestination>>,
    /// Listener addresses of a stream route.
    pub destinations: Option<Vec<SourceOrDestination>>,
    /// What a plain-HTTP request to an https-only route is answered with.
    pub https_redirect_status_code: HttpsRedirectStatus,
    /// Order among regular expressions, higher first.
    pub regex_priority: i64,
    /// Whether the matched prefix is removed before forwarding.
    pub strip_path: bool,
    /// How service path, matched path and rest are joined.
    pub path_handling: PathHandling,
    /// Whether the client's Host header is kept.
    pub preserve_host: bool,
    /// Whether request bodies may be buffered.
    pub request_buffering: bool,
    /// Whether response bodies may be buffered.
    pub response_buffering: bool,
    /// Free labels.
    pub tags: Option<Vec<String>>,
    /// The service that matching requests go to.
    pub service: Option<Reference>,
}

/// A plugin configuration: a plugin applied globally or to a service, route or consumer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plugin {
    /// Primary key.
    pub id: Uuid,
    /// Name of the plugin, as its manifest has it.
    pub name: String,
    /// Unique name of this configuration, usable instead of the id in URLs.
    pub instance_name: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Limits the configuration to one route.
    pub route: Option<Reference>,
    /// Limits the configuration to one service.
    pub service: Option<Reference>,
    /// Limits the configuration to one consumer.
    pub consumer: Option<Reference>,
    /// The settings, as the plugin's schema defines them.
    pub config: serde_json::Map<String, serde_json::Value>,
    /// Protocols that the configuration applies to.
    pub protocols: Vec<Protocol>,
    /// A disabled configuration is ignored, as if it were not there.
    pub enabled: bool,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}

/// A foreign key, written and read as `{"id": "<uuid>"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Primary key of the referenced entity.
    pub id: Uuid,
}

/// One element of `sources` or `destinations`; at least one member is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceOrDestination {
    /// Address or CIDR range.
    pub ip: Option<String>,
    /// Port.
    pub port: Option<u16>,
}

/// A protocol of a service, route or plugin configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
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

/// How a service's path, the matched path and the rest of a request's path are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PathHandling {
    /// Joins with exactly one slash; the default.
    #[default]
    V0,
    /// Joins the texts as they are.
    V1,
}

/// The status with which a plain-HTTP request to an https-only route is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HttpsRedirectStatus {
    /// 426 Upgrade Required; the default.
    #[default]
    UpgradeRequired,
    /// 301 Moved Permanently.
    MovedPermanently,
    /// 302 Found.
    Found,
    /// 307 Temporary Redirect.
    TemporaryRedirect,
    /// 308 Permanent Redirect.
    PermanentRedirect,
}

impl HttpsRedirectStatus {
    /// The status code.
    pub fn code(self) -> u16 {
        match self {
            Self::UpgradeRequired => 426,
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::TemporaryRedirect => 307,
            Self::PermanentRedirect => 308,
        }
    }
}

impl Serialize for HttpsRedirectStatus {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.code())
    }
}
