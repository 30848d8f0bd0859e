//! Addresses to listen on.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::value::{Read, each, items, wrong};

/// An address to listen on, with what was said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// Connections that the system queues while none is accepted. The system has a limit of its own.
    pub backlog: u32,
    /// Whether clients speak TLS.
    pub tls: bool,
    /// Whether clients may speak HTTP/2.
    pub http2: bool,
    /// Whether clients send datagrams.
    pub udp: bool,
    /// Whether a load balancer tells about each client first, in the PROXY protocol.
    pub proxy_protocol: bool,
    /// Flags that are known and change nothing in this version.
    pub without_effect: Vec<String>,
}

impl Listener {
    /// Listens on `port` of `address`, with the default of everything else.
    pub fn new(address: impl Into<IpAddr>, port: u16) -> Self {
        Self {
            address: SocketAddr::new(address.into(), port),
            backlog: BACKLOG,
            tls: false,
            http2: false,
            udp: false,
            proxy_protocol: false,
            without_effect: Vec::new(),
        }
    }

    /// The same for clients that speak TLS, and HTTP/2 where they can.
    pub fn over_tls(self) -> Self {
        Self { tls: true, http2: true, ..self }
    }
}

/// Reads addresses where requests are served.
pub(super) fn read_http(value: &Value) -> Read<Vec<Listener>> {
    without(read(value)?, &[("udp", |listener| listener.udp)])
}

/// Reads addresses where streams are carried.
pub(super) fn read_streams(value: &Value) -> Read<Vec<Listener>> {
    let flags: [Flag; 3] = [
        ("http2", |listener| listener.http2),
        ("udp ssl", |listener| listener.udp && listener.tls),
        ("udp proxy_protocol", |listener| listener.udp && listener.proxy_protocol),
    ];
    without(read(value)?, &flags)
}

/// Reads addresses of the gateway's own interfaces.
pub(super) fn read_own(value: &Value) -> Read<Vec<Listener>> {
    let flags: [Flag; 2] =
        [("udp", |listener| listener.udp), ("proxy_protocol", |listener| listener.proxy_protocol)];
    without(read(value)?, &flags)
}

/// A flag, and whether a listener has it.
type Flag = (&'static str, fn(&Listener) -> bool);

/// Refuses listeners that ask for what is not served where they are.
fn without(listeners: Vec<Listener>, flags: &[Flag]) -> Read<Vec<Listener>> {
    for listener in &listeners {
        if let Some((flag, _)) = flags.iter().find(|(_, is_asked)| is_asked(listener)) {
            return wrong(format!(
                "{} asks for `{flag}`, which this version does not serve here; remove the flag or the address",
                listener.address
            ));
        }
    }
    Ok(listeners)
}

/// Reads `address:port` with flags behind it, several of them as a list, or `off`.
fn read(value: &Value) -> Read<Vec<Listener>> {
    let items = items(value)?;
    match items.as_slice() {
        [] => return wrong("names no address; write `off` to listen on none"),
        // YAML has it that an unquoted `off` may be a truth value.
        [off] if off == "off" || off == "false" => return Ok(Vec::new()),
        _ => {}
    }
    let listeners = each(&items, |item| listener(item))?;
    for (at, listener) in listeners.iter().enumerate() {
        let fixed = listener.address.port() != 0;
        let is_same = |other: &Listener| other.address == listener.address && other.udp == listener.udp;
        if fixed && listeners.iter().skip(at + 1).any(is_same) {
            return wrong(format!("names {} twice", listener.address));
        }
    }
    Ok(listeners)
}

/// In the form that [`read`] takes.
pub(super) fn show(listeners: &[Listener]) -> Json {
    if listeners.is_empty() {
        return json!(["off"]);
    }
    let show = |listener: &Listener| {
        let flag = |set, name| if set { name } else { "" };
        let (http2, tls) = (flag(listener.http2, " http2"), flag(listener.tls, " ssl"));
        let (udp, proxied) = (flag(listener.udp, " udp"), flag(listener.proxy_protocol, " proxy_protocol"));
        format!("{}{http2}{tls}{udp}{proxied} backlog={}", listener.address, listener.backlog)
    };
    listeners.iter().map(show).collect()
}

fn listener(text: &str) -> Read<Listener> {
    let mut words = text.split_whitespace();
    let address = words.next().unwrap_or_default();
    if address == "off" {
        return wrong("`off` stands alone, without addresses beside it");
    }
    let Ok(address) = address.parse::<SocketAddr>() else {
        return wrong(not_an_address(address));
    };
    let mut listener = Listener::new(address.ip(), address.port());
    for flag in words {
        let (name, argument) = flag.split_once('=').unwrap_or((flag, ""));
        match name {
            // Each worker has a socket of its own, and each address is bound by itself, in any case.
            "reuseport" | "bind" => {}
            "backlog" => match argument.parse() {
                Ok(backlog) if (1..=i32::MAX as u32).contains(&backlog) => listener.backlog = backlog,
                _ => return wrong(format!("`{flag}` needs a number of connections, such as backlog=16384")),
            },
            "so_keepalive" | "deferred" | "ipv6only" => listener.without_effect.push(flag.to_owned()),
            "ssl" => listener.tls = true,
            "http2" => listener.http2 = true,
            "udp" => listener.udp = true,
            "proxy_protocol" => listener.proxy_protocol = true,
            "quic" => {
                return wrong(format!(
                    "`{text}` asks for `{name}`, which this version does not serve; remove the flag or the address"
                ));
            }
            _ => {
                return wrong(format!(
                    "`{flag}` is no flag of an address; `ssl`, `http2`, `proxy_protocol`, `udp`, `reuseport` and \
                     `backlog=N` are"
                ));
            }
        }
    }
    Ok(listener)
}

fn not_an_address(text: &str) -> String {
    let meant = match text.rsplit_once(':') {
        Some(("localhost", port)) => Some(format!("127.0.0.1:{port}")),
        Some(("" | "*", port)) => Some(format!("0.0.0.0:{port}")),
        Some(_) => None,
        None if text.parse::<u16>().is_ok() => Some(format!("0.0.0.0:{text}")),
        None => None,
    };
    match meant.filter(|meant| meant.parse::<SocketAddr>().is_ok()) {
        Some(meant) => format!("`{text}` is no address with a port; did you mean `{meant}`?"),
        None => format!("`{text}` is no address with a port, such as 0.0.0.0:8000 or [::]:8000"),
    }
}

/// What the system makes of it is its own limit, `net.core.somaxconn` on Linux.
const BACKLOG: u32 = 16_384;
