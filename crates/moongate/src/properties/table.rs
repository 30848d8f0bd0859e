//! Every property, once.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderName;
use ipnet::IpNet;
use moongate_plugin_host::PluginSettings;
use moongate_proxy::{ErrorType, HeaderTokens};
use serde_json::Value as Json;
use serde_yaml::Value;

use super::value::{self, Read};
use super::{Database, Listener, LogFormat, LogLevel, Workers, listen, plugins, words};

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
    /// Where entities are kept: `off`, in memory, read from `declarative_config`.
    database: Database = Database::Off, words::read_database, words::show_database;

    /// The file with services, routes and plugins. A relative path starts where the gateway was started.
    declarative_config: Option<PathBuf> = None, value::optional_path, value::show_optional_path;

    /// Where clients send their requests: `address:port`, several separated by commas, or `off`.
    /// `backlog=N` behind an address sets how many connections may wait to be accepted.
    proxy_listen: Vec<Listener> = vec![Listener::new(Ipv4Addr::UNSPECIFIED, 8000)], listen::read, listen::show;

    /// Where the Admin API listens, in the form of `proxy_listen`. Whoever reaches it owns the gateway.
    admin_listen: Vec<Listener> = vec![Listener::new(Ipv4Addr::LOCALHOST, 8001)], listen::read, listen::show;

    /// Directories in which every .wasm file is a plugin. They are watched.
    plugin_dirs: Vec<PathBuf> = Vec::new(), value::paths, value::show_paths;

    /// What a plugin may use and what its failure means, by the plugin's name: `on_failure` closed or open,
    /// `cpu_budget` and `wall_budget` of a hook in milliseconds, `memory_limit` of an instance.
    plugin_settings: BTreeMap<String, PluginSettings> = BTreeMap::new(), plugins::read, plugins::show;

    /// Addresses and networks of the load balancers whose X-Forwarded-* headers are believed.
    trusted_ips: Vec<IpNet> = Vec::new(), words::read_networks, words::show_networks;

    /// The header in which a trusted load balancer names the client.
    real_ip_header: HeaderName = HeaderName::from_static("x-real-ip"), words::read_header, words::show_header;

    /// Headers that the gateway adds to responses: server_tokens, latency_tokens, X-Kong-Request-Id,
    /// X-Kong-Upstream-Status, single ones of the first two, or `off`.
    headers: HeaderTokens = HeaderTokens::default(), words::read_tokens, words::show_tokens;

    /// The form of error bodies for clients that ask for none: text/plain, application/json, text/html or
    /// application/xml.
    error_default_type: ErrorType = ErrorType::Plain, words::read_error_type, words::show_error_type;

    /// Idle connections that a worker keeps to one upstream.
    upstream_keepalive_pool_size: usize = 512, words::read_pool_size, value::show_number;

    /// Seconds after which an idle connection to an upstream is given up.
    upstream_keepalive_idle_timeout: Duration = Duration::from_secs(60), value::seconds, value::show_seconds;

    /// Seconds that a client may take to send the head of a request.
    client_header_timeout: Duration = Duration::from_secs(60), value::seconds, value::show_seconds;

    /// Seconds that a client's connection may be idle between requests.
    client_idle_timeout: Duration = Duration::from_secs(75), value::seconds, value::show_seconds;

    /// Largest head of a request, such as 32KiB.
    max_header_size: usize = 32 * 1024, words::read_header_size, value::show_number;

    /// Threads that serve requests: a number, or `auto` for one per CPU.
    workers: Workers = Workers::Auto, words::read_workers, words::show_workers;

    /// Seconds that requests may take to finish when the gateway stops.
    shutdown_timeout: Duration = Duration::from_secs(30), value::seconds_or_zero, value::show_seconds;

    /// The least important messages to log: debug, info, notice, warn, error or crit.
    log_level: LogLevel = LogLevel::Info, words::read_log_level, words::show_log_level;

    /// How log lines look: text or json.
    log_format: LogFormat = LogFormat::Text, words::read_log_format, words::show_log_format;

    /// Directory for the process's own files. Commands such as `moongate reload` find the gateway by it.
    prefix: PathBuf = PathBuf::from(".moongate"), value::path, value::show_path;
}
