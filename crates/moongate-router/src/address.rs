//! Addresses and ports of clients and listeners.

use std::net::IpAddr;

use ipnet::IpNet;
use moongate_model::SourceOrDestination;

/// An element of a route's `sources` or `destinations`.
#[derive(Debug)]
pub(crate) struct AddressPattern {
    net: Option<IpNet>,
    port: Option<u16>,
}

impl AddressPattern {
    /// The elements of a list.
    ///
    /// # Errors
    /// Returns what is wrong with the first address that is none.
    pub(crate) fn list(configured: &[SourceOrDestination]) -> Result<Vec<Self>, String> {
        configured
            .iter()
            .map(|element| {
                let net = element.ip.as_deref().map(network).transpose()?;
                Ok(Self { net, port: element.port })
            })
            .collect()
    }

    /// Whether both the address and the port are as configured. What is not known matches nothing but
    /// an element that leaves it out.
    pub(crate) fn matches(&self, address: Option<IpAddr>, port: Option<u16>) -> bool {
        self.net.is_none_or(|net| address.is_some_and(|address| net.contains(&address.to_canonical())))
            && self.port.is_none_or(|wanted| port == Some(wanted))
    }
}

/// The network of an address with or without the length of a prefix.
fn network(text: &str) -> Result<IpNet, String> {
    let parsed = match text.contains('/') {
        true => text.parse::<IpNet>().ok(),
        false => text.parse::<IpAddr>().ok().map(IpNet::from),
    };
    parsed.ok_or_else(|| format!("invalid ip or cidr range: '{text}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(ip: Option<&str>, port: Option<u16>) -> AddressPattern {
        let element = SourceOrDestination { ip: ip.map(str::to_owned), port };
        AddressPattern::list(&[element]).unwrap().remove(0)
    }

    #[test]
    fn address_and_port_must_both_match() {
        let both = pattern(Some("10.1.0.0/16"), Some(53));
        for (address, port, matches) in [
            ("10.1.2.3", 53, true),
            ("::ffff:10.1.2.3", 53, true),
            ("10.1.2.3", 54, false),
            ("10.2.2.3", 53, false),
            ("::1", 53, false),
        ] {
            assert_eq!(both.matches(address.parse().ok(), Some(port)), matches, "{address}:{port}");
        }
        assert!(!both.matches(None, Some(53)));
        assert!(!both.matches("10.1.2.3".parse().ok(), None));
    }

    #[test]
    fn what_is_left_out_is_no_condition() {
        assert!(pattern(None, Some(53)).matches("192.0.2.1".parse().ok(), Some(53)));
        assert!(pattern(Some("192.0.2.1"), None).matches("192.0.2.1".parse().ok(), Some(1)));
        assert!(!pattern(Some("192.0.2.1"), None).matches("192.0.2.2".parse().ok(), Some(1)));
        assert!(pattern(Some("2001:db8::/32"), None).matches("2001:db8::7".parse().ok(), None));
    }

    #[test]
    fn a_prefix_may_be_written_with_bits_behind_its_end() {
        assert!(pattern(Some("10.1.2.3/8"), None).matches("10.9.9.9".parse().ok(), None));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let element = SourceOrDestination { ip: Some("10.1.2".to_owned()), port: None };
        let refused = AddressPattern::list(&[element]).unwrap_err();
        assert_eq!(refused, "invalid ip or cidr range: '10.1.2'");
    }
}
