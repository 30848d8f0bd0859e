//! Which addresses strangers may send requests to.

use std::net::IpAddr;

/// Whether an address is one of the internet at large: not of this machine, a private network, a link, a group, or
/// one that stands for such an address in another form.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_unspecified()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            let [.., a, b] = v6.segments();
            let embedded = || std::net::Ipv4Addr::from((u32::from(a) << 16) | u32::from(b));
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_public(v4.into());
            }
            // Translated to IPv4 somewhere on the way: 64:ff9b::/96 and 2002::/16, and the old compatible form.
            if first == 0x64 && second == 0xff9b {
                return is_public(embedded().into());
            }
            if first == 0x2002 {
                let [_, high, low, ..] = v6.segments();
                return is_public(std::net::Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)).into());
            }
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.to_ipv4().is_some()
                || (first & 0xfe00) == 0xfc00
                || (first & 0xffc0) == 0xfe80
                || (first & 0xffc0) == 0xfec0
                || (first == 0x2001 && second == 0xdb8)
                || first == 0x100)
        }
    }
}
