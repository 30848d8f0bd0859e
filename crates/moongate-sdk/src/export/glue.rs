//! Between the types of the bindings and those of the SDK.

use crate::bindings::moongate::plugin::{counters, crypto, entities, http, http_client, log, metrics};
use crate::http_client::{ClientError, Incoming, Outgoing};
use crate::{
    BodyError, BodyView, Captures, Consumer, Credential, Decision, Failure, HeaderError, Met, Reply, Source,
    TlsInfo,
};

/// Conversions of enums whose variants have the same names.
macro_rules! same_names {
    ($from:ty => $to:ty: $($variant:ident),+) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                match value {
                    $(<$from>::$variant => Self::$variant,)+
                }
            }
        }
    };
}

same_names!(http::HeaderError => HeaderError: InvalidName, InvalidValue, Forbidden, TooLarge);
same_names!(http::BodyError => BodyError: TooLarge, Broken, Gone);
same_names!(http::Source => Source: Upstream, Plugin, Gateway);
same_names!(Met => http::Met: Route, Service, Consumer);
same_names!(crate::log::Level => log::Level: Trace, Debug, Info, Warn, Error);
same_names!(crate::crypto::Hash => crypto::Hash: Sha1, Sha256, Sha384, Sha512);

impl From<crate::crypto::Algorithm> for crypto::Algorithm {
    fn from(algorithm: crate::crypto::Algorithm) -> Self {
        use crate::crypto::Algorithm as From;
        match algorithm {
            From::Hs256 => Self::Hs256,
            From::Hs384 => Self::Hs384,
            From::Hs512 => Self::Hs512,
            From::Rs256 => Self::Rs256,
            From::Rs384 => Self::Rs384,
            From::Rs512 => Self::Rs512,
            From::Ps256 => Self::Ps256,
            From::Ps384 => Self::Ps384,
            From::Ps512 => Self::Ps512,
            From::Es256 => Self::Es256,
            From::Es384 => Self::Es384,
            From::Es512 => Self::Es512,
            From::EdDsa => Self::Eddsa,
        }
    }
}

impl From<BodyView> for http::BodyView {
    fn from(view: BodyView) -> Self {
        match view {
            BodyView::Chunks => Self::Chunks,
            BodyView::Whole(limit) => Self::Whole(limit),
        }
    }
}

impl From<Reply> for http::Reply {
    fn from(reply: Reply) -> Self {
        Self { status: reply.status, headers: lower(reply.headers), body: reply.body }
    }
}

impl From<Failure> for http::Failure {
    fn from(failure: Failure) -> Self {
        Self { status: failure.status, message: failure.message, headers: lower(failure.headers) }
    }
}

impl From<Decision> for http::Decision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Continue => Self::Continue,
            Decision::Respond(reply) => Self::Respond(reply.into()),
            Decision::Fail(failure) => Self::Fail(failure.into()),
        }
    }
}

impl From<http::Consumer> for Consumer {
    fn from(consumer: http::Consumer) -> Self {
        Self { id: consumer.id, username: consumer.username, custom_id: consumer.custom_id }
    }
}

impl From<Consumer> for http::Consumer {
    fn from(consumer: Consumer) -> Self {
        Self { id: consumer.id, username: consumer.username, custom_id: consumer.custom_id }
    }
}

impl From<http::Credential> for Credential {
    fn from(credential: http::Credential) -> Self {
        Self { id: credential.id, identifier: credential.identifier }
    }
}

impl From<Credential> for http::Credential {
    fn from(credential: Credential) -> Self {
        Self { id: credential.id, identifier: credential.identifier }
    }
}

impl From<http::Captures> for Captures {
    fn from(captures: http::Captures) -> Self {
        Self { positional: captures.positional, named: captures.named }
    }
}

impl From<http::TlsInfo> for TlsInfo {
    fn from(tls: http::TlsInfo) -> Self {
        Self {
            version: tls.version,
            cipher: tls.cipher,
            server_name: tls.server_name,
            client_certificates: tls.client_certificates,
        }
    }
}

impl From<entities::LookupError> for crate::entities::LookupError {
    fn from(error: entities::LookupError) -> Self {
        match error {
            entities::LookupError::UnknownEntity => Self::UnknownEntity,
            entities::LookupError::UnknownField => Self::UnknownField,
        }
    }
}

impl From<crate::counters::Allowance> for counters::Allowance {
    fn from(allowance: crate::counters::Allowance) -> Self {
        Self { name: allowance.name, ends: allowance.ends, limit: allowance.limit }
    }
}

impl From<crate::counters::Counter> for counters::Counter {
    fn from(counter: crate::counters::Counter) -> Self {
        Self { name: counter.name, ends: counter.ends }
    }
}

impl From<crate::counters::RedisSettings> for counters::RedisSettings {
    fn from(settings: crate::counters::RedisSettings) -> Self {
        Self {
            host: settings.host,
            port: settings.port,
            username: settings.username,
            password: settings.password,
            database: settings.database,
            timeout: u32::try_from(settings.timeout.as_millis()).unwrap_or(u32::MAX),
            tls: settings.tls,
            tls_verify: settings.tls_verify,
            server_name: settings.server_name,
        }
    }
}

impl From<Outgoing> for http_client::Outgoing {
    fn from(request: Outgoing) -> Self {
        Self {
            method: request.method,
            url: request.url,
            headers: lower(request.headers),
            body: request.body,
            timeout: u32::try_from(request.timeout.as_millis()).unwrap_or(u32::MAX),
            tls_verify: request.tls_verify,
        }
    }
}

impl From<http_client::Incoming> for Incoming {
    fn from(response: http_client::Incoming) -> Self {
        Self { status: response.status, headers: lift(response.headers), body: response.body }
    }
}

impl From<http_client::ClientError> for ClientError {
    fn from(error: http_client::ClientError) -> Self {
        use http_client::ClientError as From;
        match error {
            From::InvalidUrl(text) => Self::InvalidUrl(text),
            From::Forbidden(text) => Self::Forbidden(text),
            From::Unreachable(text) => Self::Unreachable(text),
            From::Timeout => Self::Timeout,
            From::TooLarge => Self::TooLarge,
            From::Broken(text) => Self::Broken(text),
        }
    }
}

impl From<crate::metrics::Kind> for metrics::Kind {
    fn from(kind: crate::metrics::Kind) -> Self {
        match kind {
            crate::metrics::Kind::Counter => Self::Counter,
            crate::metrics::Kind::Gauge => Self::Gauge,
            crate::metrics::Kind::Histogram(bounds) => Self::Histogram(bounds),
        }
    }
}

fn lower(headers: Vec<(String, Vec<u8>)>) -> Vec<http::Header> {
    headers.into_iter().map(|(name, value)| http::Header { name, value }).collect()
}

fn lift(headers: Vec<http::Header>) -> Vec<(String, Vec<u8>)> {
    headers.into_iter().map(|header| (header.name, header.value)).collect()
}
