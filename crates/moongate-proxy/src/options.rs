//! What an operator decides about the proxy as a whole.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use ipnet::IpNet;

use crate::access_log::AccessLogOptions;
use crate::dns::ResolverOptions;
use crate::error::ErrorType;
use crate::tls::{TlsOptions, UpstreamTlsOptions};

/// How the proxy listens and behaves; fixed for the life of the process.
#[derive(Debug, Clone)]
pub struct ProxyOptions {
    /// Where clients connect to.
    pub listen: Vec<ListenAddress>,
    /// Where clients connect to whose streams are carried.
    pub stream_listen: Vec<StreamAddress>,
    /// How TLS connections are accepted, where an address asks for them.
    pub tls: TlsOptions,
    /// How upstreams are spoken to over TLS.
    pub upstream_tls: UpstreamTlsOptions,
    /// Number of workers, each with a thread of its own.
    pub workers: usize,
    /// Which headers the gateway adds.
    pub headers: HeaderTokens,
    /// Whether upstreams get `X-Kong-Request-Id`; what a client sends under this name they never get.
    pub upstream_request_id: bool,
    /// Peers whose forwarding headers are believed.
    pub trusted: Vec<IpNet>,
    /// Where a trusted peer names the client.
    pub real_ip: RealIp,
    /// Whether the client is the last address in a list that no trusted peer has, instead of the last one.
    pub real_ip_recursive: bool,
    /// Idle connections that a worker keeps to one upstream.
    pub keepalive_pool_size: usize,
    /// How long an idle connection to an upstream is kept.
    pub keepalive_idle_timeout: Duration,
    /// How long a client may take to send the head of a request.
    pub client_header_timeout: Duration,
    /// How long a client may pause within the body of a request.
    pub client_body_timeout: Duration,
    /// How long a client's connection may be idle between requests.
    pub client_idle_timeout: Duration,
    /// Largest head of a request, in bytes.
    pub max_header_size: usize,
    /// Largest body of a request, in bytes; any when absent.
    pub max_body_size: Option<u64>,
    /// Whether a request with the header `Kong-Debug` is told what became of it.
    pub allow_debug_header: bool,
    /// The form of error bodies for clients that do not ask for one.
    pub error_default_type: ErrorType,
    /// Where requests are logged, if anywhere.
    pub access_log: Option<AccessLogOptions>,
    /// Where streams are logged, if anywhere.
    pub stream_access_log: Option<AccessLogOptions>,
    /// Where bodies of requests are kept that do not fit into memory, in files without names.
    pub body_directory: Arc<Path>,
    /// How names of upstreams are resolved.
    pub resolver: ResolverOptions,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        Self {
            listen: vec![ListenAddress::new((Ipv4Addr::UNSPECIFIED, 8000).into())],
            stream_listen: Vec::new(),
            tls: TlsOptions::default(),
            upstream_tls: UpstreamTlsOptions::default(),
            workers: 1,
            headers: HeaderTokens::default(),
            upstream_request_id: true,
            trusted: Vec::new(),
            real_ip: RealIp::Header(HeaderName::from_static("x-real-ip")),
            real_ip_recursive: false,
            keepalive_pool_size: 512,
            keepalive_idle_timeout: Duration::from_secs(60),
            client_header_timeout: Duration::from_secs(60),
            client_body_timeout: Duration::from_secs(60),
            client_idle_timeout: Duration::from_secs(75),
            max_header_size: 32 * 1024,
            max_body_size: None,
            allow_debug_header: false,
            error_default_type: ErrorType::Plain,
            access_log: None,
            stream_access_log: None,
            body_directory: std::env::temp_dir().into(),
            resolver: ResolverOptions::default(),
        }
    }
}

impl ProxyOptions {
    /// Whether a peer is believed what it says about its clients.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        let ip = peer.to_canonical();
        self.trusted.iter().any(|network| network.contains(&ip))
    }
}

/// Where a trusted peer names the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RealIp {
    /// In a header.
    Header(HeaderName),
    /// In the PROXY protocol, on listeners that expect it.
    ProxyProtocol,
}

/// An address to listen on for streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamAddress {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Connections that the system queues while no worker accepts them.
    pub backlog: u32,
    /// Whether clients speak TLS, of which routes say who ends it.
    pub tls: bool,
    /// Whether clients send datagrams. They do not speak TLS then.
    pub udp: bool,
    /// Whether a load balancer tells about each client first.
    pub proxy_protocol: bool,
}

impl StreamAddress {
    /// Plain connections at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, backlog: 16_384, tls: false, udp: false, proxy_protocol: false }
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
    /// Whether a load balancer tells about each client first.
    pub proxy_protocol: bool,
}

impl ListenAddress {
    /// Plain HTTP/1 at `address`.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, backlog: 16_384, tls: false, http2: false, proxy_protocol: false }
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
