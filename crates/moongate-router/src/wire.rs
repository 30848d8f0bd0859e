//! What is spoken on a connection, and which routes that is for.

use moongate_model::Protocol;

use crate::Flavour;

/// What is spoken on a connection, as far as it is known when a route is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Http = 1,
    Https = 2,
    Tcp = 4,
    Tls = 8,
    Udp = 16,
}

impl Wire {
    /// The value of the expression language's `net.protocol`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Udp => "udp",
        }
    }

    /// Whether the client sends the name of a server, if it knows TLS at all.
    pub(crate) fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Tls)
    }
}

/// A set of [`Wire`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wires(u8);

impl Wires {
    const HTTP: Self = Self(Wire::Http as u8 | Wire::Https as u8);
    const CONNECTIONS: Self = Self(Wire::Tcp as u8 | Wire::Tls as u8);

    /// What a route with these protocols is matched on.
    ///
    /// Fields and protocols are separate matters for HTTP: an https-only route matches a plain request too, so
    /// that the client can be told to come back with TLS. The expressions flavour does so only for a route that
    /// has no other protocol. A stream that speaks TLS can belong to a route for any connection, because the
    /// bytes can be passed on as they are; a plain stream does not belong to a route for TLS.
    pub(crate) fn of_route(flavour: Flavour, protocols: &[Protocol]) -> Self {
        let is_http = protocols.iter().copied().any(Protocol::is_http);
        match (flavour, protocols) {
            (Flavour::Expressions, [Protocol::Https]) => Self::HTTP,
            (Flavour::Expressions, [Protocol::Tls | Protocol::TlsPassthrough]) => Self::CONNECTIONS,
            (Flavour::Expressions, protocols) => Self::all(protocols, |protocol| match protocol {
                Protocol::Http | Protocol::Grpc => Self(Wire::Http as u8),
                Protocol::Https | Protocol::Grpcs => Self(Wire::Https as u8),
                Protocol::Tcp | Protocol::TlsPassthrough => Self(Wire::Tcp as u8),
                Protocol::Tls => Self(Wire::Tls as u8),
                Protocol::Udp => Self(Wire::Udp as u8),
            }),
            _ if is_http => Self::HTTP,
            (_, protocols) => Self::all(protocols, |protocol| match protocol {
                Protocol::Tcp => Self::CONNECTIONS,
                Protocol::Udp => Self(Wire::Udp as u8),
                _ => Self(Wire::Tls as u8),
            }),
        }
    }

    pub(crate) fn contains(self, wire: Wire) -> bool {
        self.0 & wire as u8 != 0
    }

    fn all(protocols: &[Protocol], wires: impl Fn(&Protocol) -> Self) -> Self {
        Self(protocols.iter().fold(0, |all, protocol| all | wires(protocol).0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wires(flavour: Flavour, protocols: &[Protocol]) -> Vec<&'static str> {
        let wires = Wires::of_route(flavour, protocols);
        let all = [Wire::Http, Wire::Https, Wire::Tcp, Wire::Tls, Wire::Udp];
        all.into_iter().filter(|wire| wires.contains(*wire)).map(Wire::name).collect()
    }

    #[test]
    fn protocols_are_no_condition_for_http_where_routes_have_fields() {
        for flavour in [Flavour::TraditionalCompatible, Flavour::Traditional] {
            for protocols in [&[Protocol::Http][..], &[Protocol::Https], &[Protocol::Grpcs, Protocol::Grpc]] {
                assert_eq!(wires(flavour, protocols), ["http", "https"], "{flavour:?} {protocols:?}");
            }
        }
    }

    #[test]
    fn protocols_are_a_condition_for_expressions_unless_tls_is_the_only_one() {
        for (protocols, wanted) in [
            (&[Protocol::Http][..], &["http"][..]),
            (&[Protocol::Grpc], &["http"]),
            (&[Protocol::Grpcs], &["https"]),
            (&[Protocol::Http, Protocol::Https], &["http", "https"]),
            (&[Protocol::Https], &["http", "https"]),
            (&[Protocol::Tcp], &["tcp"]),
            (&[Protocol::Tcp, Protocol::Udp], &["tcp", "udp"]),
            (&[Protocol::Tls], &["tcp", "tls"]),
            (&[Protocol::TlsPassthrough], &["tcp", "tls"]),
        ] {
            assert_eq!(wires(Flavour::Expressions, protocols), wanted, "{protocols:?}");
        }
    }

    #[test]
    fn datagrams_and_connections_do_not_meet() {
        for (protocols, wanted) in [
            (&[Protocol::Udp][..], &["udp"][..]),
            (&[Protocol::Tcp], &["tcp", "tls"]),
            (&[Protocol::Tls], &["tls"]),
            (&[Protocol::TlsPassthrough], &["tls"]),
            (&[Protocol::Tls, Protocol::Udp], &["tls", "udp"]),
        ] {
            assert_eq!(wires(Flavour::default(), protocols), wanted, "{protocols:?}");
        }
    }
}
