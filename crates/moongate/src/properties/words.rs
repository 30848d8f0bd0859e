//! Readers of the values that are words of their own.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use moongate_model::core::RouterFlavor;
use moongate_proxy::{ErrorType, HeaderTokens, RealIp};
use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::value::{Read, choice, count, each, items, name_of, show_list, size, text, wrong};
use super::{Database, LogFormat, LogLevel, Workers, suggest};

pub(super) fn read_database(value: &Value) -> Read<Database> {
    match text(value)?.as_str() {
        // YAML has it that an unquoted `off` may be a truth value.
        "off" | "false" => Ok(Database::Off),
        "auto" => Ok(Database::Auto),
        "sqlite" => Ok(Database::Sqlite),
        "postgres" => Ok(Database::Postgres),
        other => wrong(format!("`{other}` is not one of auto, off, sqlite, postgres")),
    }
}

pub(super) fn show_database(database: &Database) -> Json {
    match database {
        Database::Auto => json!("auto"),
        Database::Off => json!("off"),
        Database::Sqlite => json!("sqlite"),
        Database::Postgres => json!("postgres"),
    }
}

pub(super) fn read_flavor(value: &Value) -> Read<RouterFlavor> {
    choice(value, &FLAVORS)
}

pub(super) fn show_flavor(flavor: &RouterFlavor) -> Json {
    json!(name_of(flavor, &FLAVORS))
}

/// A port that something can listen on.
pub(super) fn read_port(value: &Value) -> Read<u16> {
    count(value, 1, 65_535).map(|port| u16::try_from(port).unwrap_or(u16::MAX))
}

/// Text that may be absent.
pub(super) fn read_optional_text(value: &Value) -> Read<Option<String>> {
    let text = text(value)?;
    Ok((!text.is_empty()).then_some(text))
}

/// JSON of a text that may be missing.
pub(super) fn show_optional_text(text: &Option<String>) -> Json {
    json!(text)
}

/// A secret is shown as stars.
pub(super) fn show_secret(secret: &Option<String>) -> Json {
    json!(secret.as_ref().map(|_| "******"))
}

pub(super) fn show_text(text: &String) -> Json {
    json!(text)
}

pub(super) fn show_port(port: &u16) -> Json {
    json!(port)
}

pub(super) fn show_milliseconds(duration: &Duration) -> Json {
    json!(duration.as_millis() as u64)
}

const FLAVORS: [(&str, RouterFlavor); 3] = [
    ("traditional_compatible", RouterFlavor::TraditionalCompatible),
    ("traditional", RouterFlavor::Traditional),
    ("expressions", RouterFlavor::Expressions),
];

pub(super) fn read_networks(value: &Value) -> Read<Vec<IpNet>> {
    each(&items(value)?, |item| {
        let address = item.parse::<IpAddr>().map(IpNet::from);
        address
            .or_else(|_| item.parse::<IpNet>())
            .or_else(|_| wrong(format!("`{item}` is no address or network, such as 10.1.2.3 or 10.0.0.0/8")))
    })
}

pub(super) fn show_networks(networks: &[IpNet]) -> Json {
    show_list(networks)
}

pub(super) fn read_real_ip(value: &Value) -> Read<RealIp> {
    let text = text(value)?;
    if text.eq_ignore_ascii_case("proxy_protocol") {
        return Ok(RealIp::ProxyProtocol);
    }
    match text.parse() {
        Ok(name) => Ok(RealIp::Header(name)),
        Err(_) => wrong(format!("`{text}` is no header name, such as X-Real-IP, and not `proxy_protocol`")),
    }
}

pub(super) fn show_real_ip(real_ip: &RealIp) -> Json {
    match real_ip {
        RealIp::Header(name) => json!(name.as_str()),
        RealIp::ProxyProtocol => json!("proxy_protocol"),
    }
}

pub(super) fn read_tokens(value: &Value) -> Read<HeaderTokens> {
    let mut tokens = NO_TOKENS;
    let mut items = items(value)?;
    // Beside other tokens it says nothing, as with Kong; YAML may have made a truth value of it.
    items.retain(|item| !item.eq_ignore_ascii_case("off") && item != "false");
    each(&items, |item| match TOKENS.iter().find(|(name, _)| name.eq_ignore_ascii_case(item)) {
        Some((_, fields)) => Ok(*fields),
        None => wrong(unknown_token(item)),
    })?
    .into_iter()
    .for_each(|fields| fields(&mut tokens).into_iter().for_each(|field| *field = true));
    Ok(tokens)
}

/// Whether upstreams are told the id of requests: the only header that there is to choose.
pub(super) fn read_upstream_tokens(value: &Value) -> Read<bool> {
    let read = read_tokens(value)?;
    let only = HeaderTokens { request_id: false, ..read };
    if only == NO_TOKENS { Ok(read.request_id) } else { wrong("may be `X-Kong-Request-Id` or `off`") }
}

pub(super) fn show_upstream_tokens(is_told: &bool) -> Json {
    if *is_told { json!(["X-Kong-Request-Id"]) } else { json!("off") }
}

/// The shortest list that [`read_tokens`] makes the same of.
pub(super) fn show_tokens(tokens: &HeaderTokens) -> Json {
    let mut left = *tokens;
    let mut shown = Vec::new();
    for (name, fields) in TOKENS {
        let mut fields = fields(&mut left);
        if !fields.is_empty() && fields.iter().all(|field| **field) {
            fields.iter_mut().for_each(|field| **field = false);
            shown.push(*name);
        }
    }
    json!(shown)
}

pub(super) fn read_error_type(value: &Value) -> Read<ErrorType> {
    choice(value, &ERROR_TYPES)
}

pub(super) fn show_error_type(kind: &ErrorType) -> Json {
    json!(name_of(kind, &ERROR_TYPES))
}

pub(super) fn read_pool_size(value: &Value) -> Read<usize> {
    count(value, 0, 1_000_000)
}

/// Below the least, the HTTP parser has no room to work; above the most, a client could fill the memory.
pub(super) fn read_header_size(value: &Value) -> Read<usize> {
    size(value, 8 * 1024, 16 * 1024 * 1024)
}

/// Bytes; none is any number.
pub(super) fn read_body_size(value: &Value) -> Read<Option<u64>> {
    size(value, 0, usize::MAX).map(|bytes| Some(bytes as u64).filter(|bytes| *bytes > 0))
}

pub(super) fn show_body_size(bytes: &Option<u64>) -> Json {
    json!(bytes.unwrap_or(0))
}

pub(super) fn read_workers(value: &Value) -> Read<Workers> {
    match text(value)?.as_str() {
        "auto" => Ok(Workers::Auto),
        _ => count(value, 1, MOST_WORKERS).map(Workers::Fixed).map_err(|mut wrong| {
            wrong.iter_mut().for_each(|wrong| wrong.message.push_str(", and not `auto`"));
            wrong
        }),
    }
}

pub(super) fn show_workers(workers: &Workers) -> Json {
    match workers {
        Workers::Auto => json!("auto"),
        Workers::Fixed(number) => json!(number),
    }
}

pub(super) fn read_log_level(value: &Value) -> Read<LogLevel> {
    choice(value, &LOG_LEVELS)
}

pub(super) fn show_log_level(level: &LogLevel) -> Json {
    json!(name_of(level, &LOG_LEVELS))
}

pub(super) fn read_log_format(value: &Value) -> Read<LogFormat> {
    choice(value, &LOG_FORMATS)
}

pub(super) fn show_log_format(format: &LogFormat) -> Json {
    json!(name_of(format, &LOG_FORMATS))
}

fn unknown_token(token: &str) -> String {
    let names = || TOKENS.iter().map(|(name, _)| *name);
    match suggest::closest(token, names()) {
        Some(meant) => format!("`{token}` is no header that the gateway adds; did you mean `{meant}`?"),
        None => {
            let names = names().collect::<Vec<_>>().join(", ");
            format!("`{token}` is no header that the gateway adds; there are {names}, and off")
        }
    }
}

type Fields = fn(&mut HeaderTokens) -> Vec<&mut bool>;

/// Collective names first, so that they are preferred where a value is shown.
const TOKENS: &[(&str, Fields)] = &[
    ("server_tokens", |tokens| vec![&mut tokens.server, &mut tokens.via]),
    ("latency_tokens", |tokens| {
        vec![&mut tokens.proxy_latency, &mut tokens.upstream_latency, &mut tokens.response_latency]
    }),
    ("Server", |tokens| vec![&mut tokens.server]),
    ("Via", |tokens| vec![&mut tokens.via]),
    ("X-Kong-Proxy-Latency", |tokens| vec![&mut tokens.proxy_latency]),
    ("X-Kong-Upstream-Latency", |tokens| vec![&mut tokens.upstream_latency]),
    ("X-Kong-Response-Latency", |tokens| vec![&mut tokens.response_latency]),
    ("X-Kong-Request-Id", |tokens| vec![&mut tokens.request_id]),
    ("X-Kong-Upstream-Status", |tokens| vec![&mut tokens.upstream_status]),
    // The Admin API always sends it.
    ("X-Kong-Admin-Latency", |_| Vec::new()),
];

const NO_TOKENS: HeaderTokens = HeaderTokens {
    server: false,
    via: false,
    proxy_latency: false,
    upstream_latency: false,
    response_latency: false,
    request_id: false,
    upstream_status: false,
};

const ERROR_TYPES: [(&str, ErrorType); 4] = [
    ("text/plain", ErrorType::Plain),
    ("application/json", ErrorType::Json),
    ("text/html", ErrorType::Html),
    ("application/xml", ErrorType::Xml),
];

const LOG_LEVELS: [(&str, LogLevel); 8] = [
    ("debug", LogLevel::Debug),
    ("info", LogLevel::Info),
    ("notice", LogLevel::Notice),
    ("warn", LogLevel::Warn),
    ("error", LogLevel::Error),
    ("crit", LogLevel::Crit),
    ("alert", LogLevel::Alert),
    ("emerg", LogLevel::Emerg),
];

const LOG_FORMATS: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];

/// A thread each; more than any machine has CPUs for.
const MOST_WORKERS: usize = 1024;
