//! A target, as an operator wrote it.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// The port of a target that names none.
const DEFAULT_PORT: u16 = 8000;

/// A target, as an operator wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Host name or address, an IPv6 address in brackets.
    pub host: Arc<str>,
    /// The port, unless an SRV record says another.
    pub port: u16,
    /// Its part of the requests, in relation to the others; none for 0.
    pub weight: u32,
    /// The address, when `host` is one.
    pub(crate) address: Option<IpAddr>,
}

impl Target {
    /// Reads `host`, `host:port`, `address`, `address:port` or `[ipv6]:port`.
    pub fn parse(text: &str, weight: u32) -> Self {
        let (host, port) = split(text);
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let address: Option<IpAddr> = bare.parse().ok();
        let host = match address {
            Some(IpAddr::V6(_)) => format!("[{bare}]").into(),
            _ => host.into(),
        };
        Self { host, port: port.unwrap_or(DEFAULT_PORT), weight, address }
    }

    /// Whether `text` names this target, in whichever of the forms that [`Target::parse`] reads.
    pub(crate) fn is_named(&self, text: &str) -> bool {
        let other = Self::parse(text, 0);
        let same_host = match (self.address, other.address) {
            (Some(own), Some(other)) => own == other,
            _ => self.host.eq_ignore_ascii_case(&other.host),
        };
        same_host && self.port == other.port
    }
}

/// The host of a target's text, and the port if it has one.
fn split(text: &str) -> (&str, Option<u16>) {
    if text.parse::<Ipv6Addr>().is_ok() {
        return (text, None);
    }
    match text.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_in_all_its_forms() {
        for (text, host, port, is_address) in [
            ("a.test", "a.test", 8000, false),
            ("a.test:80", "a.test", 80, false),
            ("127.0.0.1", "127.0.0.1", 8000, true),
            ("127.0.0.1:19101", "127.0.0.1", 19101, true),
            ("::1", "[::1]", 8000, true),
            ("[::1]", "[::1]", 8000, true),
            (
                "[0000:0000:0000:0000:0000:0000:0000:0001]:81",
                "[0000:0000:0000:0000:0000:0000:0000:0001]",
                81,
                true,
            ),
        ] {
            let target = Target::parse(text, 100);
            assert_eq!((&*target.host, target.port), (host, port), "{text}");
            assert_eq!(target.address.is_some(), is_address, "{text}");
        }
    }

    #[test]
    fn a_target_answers_to_every_way_to_write_it() {
        let target = Target::parse("[::1]:8000", 1);
        assert!(target.is_named("::1"));
        assert!(target.is_named("[0:0:0:0:0:0:0:1]:8000"));
        assert!(!target.is_named("[::1]:8001"));
        assert!(Target::parse("a.test", 1).is_named("A.test:8000"));
        assert!(!Target::parse("a.test", 1).is_named("b.test:8000"));
    }
}
