//! What an operator decides about the proxy as a whole.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::HeaderName;
use ipnet::IpNet;

use crate::dns::ResolverOptions;
use crate::error::ErrorType;
use crate::tls::{TlsOptions, UpstreamTlsOptions};

/// How the proxy listens and behaves; fixed for the life of the process.
#[derive(Debug, Clone)]
pub struct ProxyOptions {
    /// Where clients connect to.
    pub listen: Vec<ListenAddress>,
    /// How TLS connections are accepted, where an address asks for them.
    pub tls: TlsOptions,
    /// How upstreams are spoken to over TLS.
    pub upstream_tls: UpstreamTlsOptions,
    /// Number of workers, each with a thread of its own.
    pub workers: usize,
    /// Which headers the gateway adds.
    pub headers: HeaderTokens,
    /// Peers whose forwarding headers are believed.
    pub trusted: Vec<IpNet>,
    /// The header in which a trusted peer names the client.
    pub real_ip_header: Option<HeaderName>,
    /// Idle connections that a worker keeps to one upstream.
    pub keepalive_pool_size: usize,
    /// How long an idle connection to an upstream is kept.
    pub keepalive_idle_timeout: Duration,
    /// How long a client may take to send the head of a request.
    pub client_header_timeout: Duration,
    /// How long a client's connection may be idle between requests.
    pub client_idle_timeout: Duration,
    /// Largest head of a request, in bytes.
    pub max_header_size: usize,
    /// The form of error bodies for clients that do not ask for one.
    pub error_default_type: ErrorType,
    /// How names of upstreams are resolved.
    pub resolver: ResolverOptions,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        Self {
            listen: vec![ListenAddress::new((Ipv4Addr::UNSPECIFIED, 8000).into())],
            tls: TlsOptions::default(),
            upstream_tls: UpstreamTlsOptions::default(),
            workers: 1,
            headers: HeaderTokens::default(),
            trusted: Vec::new(),
            real_ip_header: Some(HeaderName::from_static("x-real-ip")),
            keepalive_pool_size: 512,
            keepalive_idle_timeout: Duration::from_secs(60),
            client_header_timeout: Duration::from_secs(60),
            client_idle_timeout: Duration::from_secs(75),
            max_header_size: 32 * 1024,
            error_default_type: ErrorType::Plain,
            resolver: ResolverOptions::default(),
        }
    }
}

/// An address to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Connections that the system queues while no worker accepts them.
    pub backlog: u32,
    /// Whether clients speak TLS.
    pub tls: bool,
    /// Whether clients may speak HTTP/2.
    pub http2: bool,
}

impl ListenAddress {
    /// Plain HTTP/1 at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, backlog: 16_384, tls: false, http2: false }
    }
}

/// The headers that the gateway adds to responses and requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderTokens {
    /// `Server` on responses that have none.
    pub server: bool,
    /// `Via` on proxied responses. Requests to upstreams always have one.
    pub via: bool,
    /// `X-Kong-Proxy-Latency`.
    pub proxy_latency: bool,
    /// `X-Kong-Upstream-Latency`.
    pub upstream_latency: bool,
    /// `X-Kong-Response-Latency`, on responses that the gateway made.
    pub response_latency: bool,
    /// `X-Kong-Request-Id`.
    pub request_id: bool,
    /// `X-Kong-Upstream-Status`.
    pub upstream_status: bool,
}

impl Default for HeaderTokens {
    fn default() -> Self {
        Self {
            server: true,
            via: true,
            proxy_latency: true,
            upstream_latency: true,
            response_latency: true,
            request_id: true,
            upstream_status: false,
        }
    }
}
