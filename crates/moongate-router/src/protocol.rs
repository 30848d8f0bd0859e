//! What a request must be spoken in, looked at once its route is known.

use moongate_model::{HttpsRedirectStatus, Protocol};

/// What the protocols of a route demand of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProtocolDemand {
    /// Plain requests are answered with this.
    https: Option<HttpsRedirectStatus>,
    grpc: Grpc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grpc {
    No,
    Any,
    TlsOnly,
}

/// How a request was spoken.
#[derive(Debug, Clone, Copy)]
pub struct Spoken<'r> {
    /// Whether the client used TLS, or a trusted peer says so in `X-Forwarded-Proto`.
    pub https: bool,
    /// Whether the request came over HTTP/2 or later.
    pub http2: bool,
    /// The `Content-Type` header.
    pub content_type: Option<&'r [u8]>,
}

/// Why a request is not passed on although its route was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtocolRefusal {
    /// The route is for TLS only: tell the client so, or redirect it.
    HttpsRequired(HttpsRedirectStatus),
    /// The route is for gRPC over TLS only: gRPC status 1, `gRPC request matched gRPCs route`.
    GrpcsRequired,
    /// The route is for gRPC, the request is not: 415, `Non-gRPC request matched gRPC route`.
    NotGrpc,
    /// The route is for gRPC, which needs HTTP/2: 426, `Please use HTTP2 protocol`.
    Http2Required,
}

impl ProtocolDemand {
    /// What a route with these protocols demands.
    pub fn new(protocols: &[Protocol], redirect: HttpsRedirectStatus) -> Self {
        let has = |protocol| protocols.contains(&protocol);
        let grpc = match (has(Protocol::Grpc), has(Protocol::Grpcs)) {
            (false, false) => Grpc::No,
            (false, true) => Grpc::TlsOnly,
            (true, _) => Grpc::Any,
        };
        let https = (has(Protocol::Https) && !has(Protocol::Http)).then_some(redirect);
        Self { https, grpc }
    }

    /// Why a request is refused, if it is.
    pub fn refusal(&self, spoken: &Spoken<'_>) -> Option<ProtocolRefusal> {
        if let Some(redirect) = self.https
            && !spoken.https
        {
            return Some(ProtocolRefusal::HttpsRequired(redirect));
        }
        if self.grpc == Grpc::No {
            return None;
        }
        if !spoken.content_type.is_some_and(|kind| kind.starts_with(b"application/grpc")) {
            Some(ProtocolRefusal::NotGrpc)
        } else if !spoken.http2 {
            Some(ProtocolRefusal::Http2Required)
        } else if self.grpc == Grpc::TlsOnly && !spoken.https {
            Some(ProtocolRefusal::GrpcsRequired)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Spoken<'_> = Spoken { https: false, http2: false, content_type: None };
    const GRPC: Spoken<'_> =
        Spoken { https: false, http2: true, content_type: Some(b"application/grpc+proto") };

    fn refusal(protocols: &[Protocol], spoken: Spoken<'_>) -> Option<ProtocolRefusal> {
        ProtocolDemand::new(protocols, HttpsRedirectStatus::Found).refusal(&spoken)
    }

    #[test]
    fn a_plain_request_is_sent_to_tls_only_where_the_route_knows_nothing_else() {
        let required = Some(ProtocolRefusal::HttpsRequired(HttpsRedirectStatus::Found));
        assert_eq!(refusal(&[Protocol::Https], PLAIN), required);
        assert_eq!(refusal(&[Protocol::Https], Spoken { https: true, ..PLAIN }), None);
        assert_eq!(refusal(&[Protocol::Https, Protocol::Http], PLAIN), None);
        assert_eq!(refusal(&[Protocol::Http], Spoken { https: true, ..PLAIN }), None);
    }

    #[test]
    fn a_route_for_grpc_takes_nothing_else() {
        for protocols in [&[Protocol::Grpc][..], &[Protocol::Grpcs], &[Protocol::Grpc, Protocol::Grpcs]] {
            assert_eq!(refusal(protocols, PLAIN), Some(ProtocolRefusal::NotGrpc), "{protocols:?}");
            let http1 = Spoken { http2: false, ..GRPC };
            assert_eq!(refusal(protocols, http1), Some(ProtocolRefusal::Http2Required), "{protocols:?}");
            assert_eq!(refusal(protocols, Spoken { https: true, ..GRPC }), None, "{protocols:?}");
        }
        assert_eq!(refusal(&[Protocol::Grpc], GRPC), None);
        assert_eq!(refusal(&[Protocol::Grpcs], GRPC), Some(ProtocolRefusal::GrpcsRequired));
    }
}
