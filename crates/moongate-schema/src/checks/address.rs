//! Host names and addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::text;
use crate::Check;

/// A host name or an address, without a port.
pub const HOST: Check = Check { name: "host", run: host };

/// A host name or an address, which may have a port.
pub const HOST_WITH_PORT: Check = Check { name: "host_with_optional_port", run: host_with_port };

/// A host name with at most one wildcard, at one of its ends.
pub const WILDCARD_HOST: Check = Check { name: "wildcard_host", run: wildcard_host };

/// A TLS server name.
pub const SNI: Check = Check { name: "sni", run: sni };

/// An address.
pub const IP: Check = Check { name: "ip", run: ip };

/// An address or a range of addresses.
pub const IP_OR_CIDR: Check = Check { name: "ip_or_cidr", run: ip_or_cidr };

/// What a target of an upstream points to.
pub const TARGET: Check = Check { name: "target", run: target };

/// The name of an upstream, which services use as their host.
pub const UPSTREAM_NAME: Check = Check { name: "upstream_name", run: upstream_name };

/// A host name or an address, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host<'a> {
    /// The name, or the address without brackets.
    pub name: &'a str,
    /// The address, if it is one.
    pub address: Option<IpAddr>,
    /// The port, if there is one.
    pub port: Option<u16>,
}

/// Why a text is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// It looks like an IPv6 address.
    #[error("invalid ipv6 address: {0}")]
    Ipv6(String),
    /// It looks like an IPv4 address.
    #[error("invalid ipv4 address: {0}")]
    Ipv4(String),
    /// It is no host name.
    #[error("invalid hostname: {0}")]
    Name(String),
    /// The port is none.
    #[error("invalid port number")]
    Port,
}

impl<'a> Host<'a> {
    /// Takes a host name or an address apart. An IPv6 address with a port has brackets.
    ///
    /// # Errors
    /// Why it is neither.
    pub fn parse(text: &'a str) -> Result<Self, HostError> {
        let unbracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if unbracketed.is_some() || text.matches(':').count() > 1 {
            let (name, port) = unbracketed.unwrap_or((text, ""));
            let port = match port.strip_prefix(':') {
                Some(port) => Some(port_number(port)?),
                None if port.is_empty() => None,
                None => return Err(HostError::Ipv6(text.to_owned())),
            };
            let address = name.parse::<Ipv6Addr>().map_err(|_| HostError::Ipv6(text.to_owned()))?;
            return Ok(Self { name, address: Some(address.into()), port });
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port_number(port)?)),
            None => (text, None),
        };
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            let address = name.parse::<Ipv4Addr>().map_err(|_| HostError::Ipv4(text.to_owned()))?;
            return Ok(Self { name, address: Some(address.into()), port });
        }
        let labels = name.strip_suffix('.').unwrap_or(name).split('.');
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        for label in labels {
            if label.is_empty() || label.ends_with('-') || !label.bytes().all(allowed) {
                return Err(HostError::Name(text.to_owned()));
            }
        }
        Ok(Self { name, address: None, port })
    }
}

fn host(value: &Value) -> Result<(), String> {
    let text = text(value);
    match Host::parse(text) {
        Ok(Host { port: Some(_), .. }) => Err("must not have a port".to_owned()),
        Ok(_) => Ok(()),
        Err(_) => Err(format!("invalid value: {text}")),
    }
}

fn host_with_port(value: &Value) -> Result<(), String> {
    Host::parse(text(value)).map(drop).map_err(|error| error.to_string())
}

fn wildcard_host(value: &Value) -> Result<(), String> {
    let text = text(value);
    let mut stars = text.match_indices('*');
    if let Some((at, _)) = stars.next() {
        if stars.next().is_some() {
            return Err("only one wildcard must be specified".to_owned());
        }
        if at != 0 && at + 1 != text.len() {
            return Err("wildcard must be leftmost or rightmost character".to_owned());
        }
    }
    server_name(text, &text.replace('*', "any"))
}

fn sni(value: &Value) -> Result<(), String> {
    let text = text(value);
    server_name(text, text)
}

fn server_name(text: &str, name: &str) -> Result<(), String> {
    match Host::parse(name) {
        Ok(Host { address: Some(_), .. }) => Err("must not be an IP".to_owned()),
        Ok(Host { port: Some(_), .. }) => Err("must not have a port".to_owned()),
        Ok(_) => Ok(()),
        Err(_) => Err(format!("invalid value: {text}")),
    }
}

fn ip(value: &Value) -> Result<(), String> {
    let text = text(value);
    if text.parse::<IpAddr>().is_ok() { Ok(()) } else { Err(format!("not an ip address: {text}")) }
}

fn ip_or_cidr(value: &Value) -> Result<(), String> {
    let text = text(value);
    let is_valid = match text.split_once('/') {
        None => text.parse::<IpAddr>().is_ok(),
        Some((address, bits)) => {
            let longest = address.parse().map(|address: IpAddr| if address.is_ipv4() { 32 } else { 128 });
            matches!((longest, bits.parse::<u8>()), (Ok(longest), Ok(bits)) if bits <= longest)
        }
    };
    if is_valid { Ok(()) } else { Err(format!("invalid ip or cidr range: '{text}'")) }
}

fn target(value: &Value) -> Result<(), String> {
    let text = text(value);
    match Host::parse(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("Invalid target ('{text}'); not a valid hostname or ip address")),
    }
}

fn upstream_name(value: &Value) -> Result<(), String> {
    let text = text(value);
    let reason = match Host::parse(text) {
        Err(_) => "must be a valid hostname",
        Ok(Host { address: Some(_), .. }) => "no ip addresses allowed",
        Ok(Host { port: Some(_), .. }) => "no port allowed",
        Ok(_) => return Ok(()),
    };
    Err(format!("Invalid name ('{text}'); {reason}"))
}

fn port_number(text: &str) -> Result<u16, HostError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { text.parse().ok() } else { None };
    number.ok_or(HostError::Port)
}
