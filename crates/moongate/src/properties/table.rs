//! Every property, once.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderName;
use ipnet::IpNet;
use moongate_model::core::RouterFlavor;
use moongate_plugin_host::{Grants, PluginSettings};
use moongate_proxy::{
    AccessLogFormat, ErrorType, HeaderTokens, LogTarget, Query, RealIp, ResolverOptions, TlsVersion,
};
use serde_json::Value as Json;
use serde_yaml::Value;

use super::value::{self, Read};
use super::{
    CipherSuite, Database, Listener, LogFormat, LogLevel, Pem, Trust, Workers, dns, grants, listen, logs,
    plugins, tls, words,
};

/// One property: what it is called, what it is for, and how it is read and shown.
pub(crate) struct Property {
    pub(crate) name: &'static str,
    /// Sentences for an operator, one line after the other.
    pub(crate) doc: &'static str,
    /// Reads a value, or says what is wrong with it.
    pub(super) read: fn(&mut Properties, &Value) -> Read<()>,
    /// The value as the Admin API shows it.
    pub(crate) show: fn(&Properties) -> Json,
}

/// Makes the struct, its default and the table of the same list.
macro_rules! properties {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr, $read:path, $show:path;)+) => {
        /// How a gateway runs. The default is what a gateway does that is told nothing.
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        pub struct Properties {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Properties {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        pub(crate) const TABLE: &[Property] = &[$(Property {
            name: stringify!($name),
            doc: concat!($($doc, "\n"),+),
            read: |properties, value| $read(value).map(|value| properties.$name = value),
            show: |properties| $show(&properties.$name),
        },)+];
    };
}

properties! {
    /// Where entities are kept: `off`, in memory, read from `declarative_config` or posted to /config; `sqlite`, in
    /// one file; `postgres`, for several nodes; `auto`, which is off with a `declarative_config` and else sqlite.
    database: Database = Database::Auto, words::read_database, words::show_database;

    /// The file of the `sqlite` database; without it moongate.sqlite in the `prefix`.
    sqlite_path: Option<PathBuf> = None, value::optional_path, value::show_optional_path;

    /// Name or address of the Postgres server, or the directory of its socket.
    pg_host: String = "127.0.0.1".to_owned(), value::text, words::show_text;

    /// Port of the Postgres server.
    pg_port: u16 = 5432, words::read_port, words::show_port;

    /// User of the Postgres database.
    pg_user: String = "moongate".to_owned(), value::text, words::show_text;

    /// Password of that user.
    pg_password: Option<String> = None, words::read_optional_text, words::show_secret;

    /// Name of the Postgres database.
    pg_database: String = "moongate".to_owned(), value::text, words::show_text;

    /// Schema of the Postgres database that has the tables.
    pg_schema: String = "public".to_owned(), value::text, words::show_text;

    /// Milliseconds to wait for a connection to Postgres, and for an answer.
    pg_timeout: Duration = Duration::from_secs(5), value::milliseconds, words::show_milliseconds;

    /// Connections to Postgres at most, beside one that listens for changes.
    pg_pool_size: usize = 10, words::read_pool_size, value::show_number;

    /// Whether connections to Postgres are encrypted.
    pg_ssl: bool = false, tls::read_flag, tls::show_flag;

    /// Whether the certificate of the Postgres server is verified, with `lua_ssl_trusted_certificate`. Needs `pg_ssl`.
    pg_ssl_verify: bool = false, tls::read_flag, tls::show_flag;

    /// How routes are matched: traditional_compatible, traditional or expressions.
    router_flavor: RouterFlavor = RouterFlavor::default(), words::read_flavor, words::show_flavor;

    /// The secret that requests to the Admin API have to show, as `Authorization: Bearer` or `Kong-Admin-Token`.
    admin_token: Option<String> = None, words::read_optional_text, words::show_secret;

    /// The file with services, routes and plugins. A relative path starts where the gateway was started.
    declarative_config: Option<PathBuf> = None, value::optional_path, value::show_optional_path;

    /// Where clients send their requests: `address:port`, several separated by commas, or `off`.
    /// Behind an address, `ssl` asks for TLS, `http2` lets clients speak HTTP/2 as well, `proxy_protocol` says that a load
    /// balancer tells about each client first, and `backlog=N` sets how many connections may wait to be accepted.
    proxy_listen: Vec<Listener> = default_listeners(), listen::read_http, listen::show;

    /// Where clients connect to whose streams are carried, in the form of `proxy_listen`, with `udp` for datagrams.
    stream_listen: Vec<Listener> = Vec::new(), listen::read_streams, listen::show;

    /// Where the Admin API listens, in the form of `proxy_listen`. Whoever reaches it owns the gateway.
    admin_listen: Vec<Listener> = vec![Listener::new(Ipv4Addr::LOCALHOST, 8001)], listen::read_own, listen::show;

    /// The certificates of listeners of the Admin API with `ssl`, in the form of `ssl_cert`.
    admin_ssl_cert: Vec<Pem> = Vec::new(), tls::read_pems, tls::show_pems;

    /// The keys of `admin_ssl_cert`.
    admin_ssl_cert_key: Vec<Pem> = Vec::new(), tls::read_pems, tls::show_pems;

    /// Where probes and scrapers ask how the gateway is, in the form of `proxy_listen`: /status, /status/ready and
    /// /metrics. The default is left out with a warning where another gateway has it.
    status_listen: Vec<Listener> = default_status_listeners(), listen::read_own, listen::show;

    /// The certificates of listeners of `status_listen` with `ssl`, in the form of `ssl_cert`.
    status_ssl_cert: Vec<Pem> = Vec::new(), tls::read_pems, tls::show_pems;

    /// The keys of `status_ssl_cert`.
    status_ssl_cert_key: Vec<Pem> = Vec::new(), tls::read_pems, tls::show_pems;

    /// Where the console listens, in the form of `proxy_listen`, or `off`: pages for a browser that talk to the Admin API.
    admin_gui_listen: Vec<Listener> = vec![Listener::new(Ipv4Addr::LOCALHOST, 8002)], listen::read_own, listen::show;

    /// The directory of another build of pages, such as Kong Manager, that is served instead of the console.
    admin_gui_dir: Option<PathBuf> = None, value::optional_path, value::show_optional_path;

    /// Where browsers find the Admin API, as a URL; without it at its port on the host that the console was asked of.
    admin_gui_api_url: Option<String> = None, words::read_optional_text, words::show_optional_text;

    /// The origins whose pages may use the Admin API in a browser, separated by commas; without any, all may.
    admin_gui_url: Option<String> = None, words::read_optional_text, words::show_optional_text;

    /// Whether a request with the header `Kong-Debug` is told the route and service that it took, and what each plugin
    /// did: on or off. Whoever may send requests may ask.
    allow_debug_header: bool = false, tls::read_flag, tls::show_flag;

    /// The certificates that TLS clients see whose server name has none of its own: files in PEM, or the texts, with the
    /// keys in `ssl_cert_key` in the same order. Several are of different kinds, such as RSA and ECDSA. Without any, the
    /// gateway makes one for itself and keeps it in `prefix`.
    ssl_cert: Vec<Pem> = Vec::new(), tls::read_pems, tls::show_pems;

    /// The keys of `ssl_cert`.
    ssl_cert_key: Vec<Pem> = Vec::new(), tls::read_pems, tls::show_pems;

    /// The versions of TLS that are spoken with clients and upstreams: TLSv1.2 and TLSv1.3.
    ssl_protocols: Vec<TlsVersion> = vec![TlsVersion::Tls12, TlsVersion::Tls13], tls::read_versions, tls::show_versions;

    /// The cipher suites that are spoken with clients: modern, intermediate, old, fips, or custom, which are those of
    /// `ssl_ciphers`.
    ssl_cipher_suite: CipherSuite = CipherSuite::Intermediate, tls::read_cipher_suite, tls::show_cipher_suite;

    /// Cipher suites by OpenSSL's names, separated by colons, for `ssl_cipher_suite: custom`.
    ssl_ciphers: Option<String> = None, tls::read_ciphers, tls::show_ciphers;

    /// Whether TLS clients may keep their sessions in tickets: on or off.
    ssl_session_tickets: bool = true, tls::read_flag, tls::show_flag;

    /// How long a TLS session can be resumed: seconds, or with a unit, such as 10m or 1d.
    ssl_session_timeout: Duration = Duration::from_secs(24 * 60 * 60), tls::read_time, value::show_seconds;

    /// Memory for the sessions of TLS clients without tickets, such as 10m.
    ssl_session_cache_size: usize = 10 * 1024 * 1024, tls::read_cache_size, value::show_number;

    /// Whether the certificates of upstreams are verified whose services do not say: on or off.
    upstream_tls_verify: bool = false, tls::read_flag, tls::show_flag;

    /// The authorities that certificates of upstreams are verified with where a service names none, and those of
    /// Postgres: files in PEM, or `system` for those that the system trusts.
    lua_ssl_trusted_certificate: Trust = Trust { system: true, ..Trust::default() }, tls::read_trust, tls::show_trust;

    /// How many certificates there may be between an upstream's and the authority's where a service does not say.
    lua_ssl_verify_depth: u16 = 1, tls::read_depth, tls::show_depth;

    /// Whether upstreams that ask for a certificate are shown `client_ssl_cert`: on or off.
    client_ssl: bool = false, tls::read_flag, tls::show_flag;

    /// A certificate for upstreams, where neither service nor upstream names one: a file in PEM, or the text.
    client_ssl_cert: Option<Pem> = None, tls::read_optional_pem, tls::show_optional_pem;

    /// The key of `client_ssl_cert`.
    client_ssl_cert_key: Option<Pem> = None, tls::read_optional_pem, tls::show_optional_pem;

    /// Directories in which every .wasm file is a plugin. They are watched.
    plugin_dirs: Vec<PathBuf> = Vec::new(), value::paths, value::show_paths;

    /// What a plugin may use and what its failure means, by the plugin's name: `on_failure` closed or open,
    /// `cpu_budget` and `wall_budget` of a hook in milliseconds, `memory_limit` of an instance.
    plugin_settings: BTreeMap<String, PluginSettings> = BTreeMap::new(), plugins::read, plugins::show;

    /// What a plugin may do beyond looking at the request at hand, by the plugin's name: a list of consumers, counters,
    /// crypto, entities, kv, metrics, secrets, and {http-client: {hosts: [api.example.com], private: off}}. Plugins that
    /// come with the gateway have what they need; a list here takes the place of it.
    plugin_grants: BTreeMap<String, Grants> = grants::bundled(), grants::read, grants::show;

    /// Addresses and networks of the load balancers whose X-Forwarded-* headers are believed.
    trusted_ips: Vec<IpNet> = Vec::new(), words::read_networks, words::show_networks;

    /// The header in which a trusted load balancer names the client, or `proxy_protocol`.
    real_ip_header: RealIp = RealIp::Header(HeaderName::from_static("x-real-ip")), words::read_real_ip, words::show_real_ip;

    /// Whether load balancers behind load balancers are believed: of a list, the client is the last one that is in none of
    /// `trusted_ips`.
    real_ip_recursive: bool = false, tls::read_flag, tls::show_flag;

    /// Headers that the gateway adds to responses: server_tokens, latency_tokens, X-Kong-Request-Id,
    /// X-Kong-Upstream-Status, single ones of the first two, or `off`.
    headers: HeaderTokens = HeaderTokens::default(), words::read_tokens, words::show_tokens;

    /// Headers that the gateway adds to requests to upstreams: X-Kong-Request-Id, or `off`.
    headers_upstream: bool = true, words::read_upstream_tokens, words::show_upstream_tokens;

    /// The form of error bodies for clients that ask for none: text/plain, application/json, text/html or
    /// application/xml.
    error_default_type: ErrorType = ErrorType::Plain, words::read_error_type, words::show_error_type;

    /// Idle connections that a worker keeps to one upstream.
    upstream_keepalive_pool_size: usize = 512, words::read_pool_size, value::show_number;

    /// Seconds after which an idle connection to an upstream is given up.
    upstream_keepalive_idle_timeout: Duration = Duration::from_secs(60), value::seconds, value::show_seconds;

    /// Name servers that names of upstreams are asked of, with or without a port; without any, those of /etc/resolv.conf.
    /// `resolver_address` is the same.
    dns_resolver: Vec<SocketAddr> = Vec::new(), dns::read_servers, dns::show_servers;

    /// The file with names and addresses that goes before name servers; empty for none. `resolver_hosts_file` is
    /// the same.
    dns_hostsfile: Option<PathBuf> = Some(PathBuf::from("/etc/hosts")), value::optional_path, value::show_optional_path;

    /// Which records name servers are asked for, in order: SRV, A, AAAA, and LAST for those that a name had the last time.
    /// The first that exist count. CNAME is followed wherever it stands. `resolver_family` is such a list without order,
    /// of SRV, A and AAAA.
    dns_order: Vec<Query> = ResolverOptions::default().order, dns::read_order, dns::show_order;

    /// Seconds that records are good, instead of what they say themselves. `resolver_valid_ttl` is the same.
    dns_valid_ttl: Option<Duration> = None, dns::read_optional_seconds, dns::show_optional_seconds;

    /// Seconds after which records that were good before are used no more while no name server answers.
    /// `resolver_stale_ttl` is the same.
    dns_stale_ttl: Duration = Duration::from_secs(3600), value::seconds_or_zero, value::show_seconds;

    /// Seconds for which a name that does not exist is not asked for again. `resolver_error_ttl` is this and `dns_error_ttl`.
    dns_not_found_ttl: Duration = Duration::from_secs(30), value::seconds_or_zero, value::show_seconds;

    /// Seconds for which a name is not asked for again when no name server answered.
    dns_error_ttl: Duration = Duration::from_secs(1), value::seconds_or_zero, value::show_seconds;

    /// Names that are remembered. `resolver_lru_cache_size` is the same.
    dns_cache_size: usize = 10_000, dns::read_cache_size, dns::show_cache_size;

    /// Seconds that a client may take to send the head of a request.
    client_header_timeout: Duration = Duration::from_secs(60), value::seconds, value::show_seconds;

    /// Seconds that a client may pause within the body of a request.
    client_body_timeout: Duration = Duration::from_secs(60), value::seconds, value::show_seconds;

    /// Seconds that a client's connection may be idle between requests.
    client_idle_timeout: Duration = Duration::from_secs(75), value::seconds, value::show_seconds;

    /// Largest head of a request, such as 32KiB. A line of it may take up to a quarter of that.
    max_header_size: usize = 32 * 1024, words::read_header_size, value::show_number;

    /// Largest body of a request, such as 10m; 0 for any. `nginx_http_client_max_body_size` is the same.
    client_max_body_size: Option<u64> = None, words::read_body_size, words::show_body_size;

    /// Threads that serve requests: a number, or `auto` for one per CPU.
    workers: Workers = Workers::Auto, words::read_workers, words::show_workers;

    /// Seconds that requests may take to finish when the gateway stops.
    shutdown_timeout: Duration = Duration::from_secs(30), value::seconds_or_zero, value::show_seconds;

    /// The least important messages to log: debug, info, notice, warn, error or crit.
    log_level: LogLevel = LogLevel::Info, words::read_log_level, words::show_log_level;

    /// How log lines look: text or json.
    log_format: LogFormat = LogFormat::Text, words::read_log_format, words::show_log_format;

    /// Where requests are logged: a file, of which a relative path starts at `prefix`, /dev/stdout, /dev/stderr, or `off`.
    /// SIGUSR1 has the file begun anew, and so has moving it away.
    proxy_access_log: Option<LogTarget> = default_access_log(), logs::read_target, logs::show_target;

    /// Where streams are logged, in the form of `proxy_access_log`.
    proxy_stream_access_log: Option<LogTarget> = default_access_log(), logs::read_stream_target, logs::show_target;

    /// How the lines of requests look: combined, with the request's id behind it, or json.
    access_log_format: AccessLogFormat = AccessLogFormat::Combined, logs::read_format, logs::show_format;

    /// Directory for the process's own files. Commands such as `moongate reload` find the gateway by it.
    prefix: PathBuf = PathBuf::from(".moongate"), value::path, value::show_path;
}

fn default_access_log() -> Option<LogTarget> {
    Some(LogTarget::File(PathBuf::from("logs/access.log")))
}

fn default_listeners() -> Vec<Listener> {
    vec![Listener::new(Ipv4Addr::UNSPECIFIED, 8000), Listener::new(Ipv4Addr::UNSPECIFIED, 8443).over_tls()]
}

pub(crate) fn default_status_listeners() -> Vec<Listener> {
    vec![Listener::new(Ipv4Addr::LOCALHOST, 8100)]
}
