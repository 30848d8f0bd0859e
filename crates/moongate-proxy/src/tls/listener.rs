//! What listeners need to accept TLS connections.

use std::fmt;
use std::sync::Arc;

use moongate_hooks::PluginRuntime;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert, ServerSessionMemoryCache};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use super::certificates::Choice;
use super::options::TlsOptions;
use super::ticketer::ticketer;
use crate::proxy::Published;

/// The TLS side of all listeners. They share the sessions that clients resume, so it does not matter which worker a client
/// comes back to.
#[derive(Clone)]
pub(crate) struct TlsListeners {
    http1: TlsAcceptor,
    streams: TlsAcceptor,
    http2: TlsAcceptor,
}

impl TlsListeners {
    /// # Errors
    /// When the options contradict each other, for example cipher suites that none of the versions has, or there is no
    /// default certificate.
    pub(crate) fn new<R: PluginRuntime>(
        options: &TlsOptions,
        published: &Arc<Published<R>>,
    ) -> Result<Self, rustls::Error> {
        let versions: Vec<_> = options.versions.iter().map(|version| version.supported()).collect();
        let default = Choice::new(options.default_certificates.iter().cloned())
            .ok_or_else(|| rustls::Error::General("there is no default certificate".to_owned()))?;
        let resolver = Resolver { published: Arc::clone(published), default };
        let mut config = ServerConfig::builder_with_provider(options.cipher_suites.provider())
            .with_protocol_versions(&versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        if options.session_tickets {
            config.ticketer = ticketer(options.session_timeout)?;
        }
        config.session_storage = ServerSessionMemoryCache::new(options.session_cache_size);
        let offering = |protocols: &[&[u8]]| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
            TlsAcceptor::from(Arc::new(config))
        };
        Ok(Self {
            http1: offering(&[b"http/1.1"]),
            http2: offering(&[b"h2", b"http/1.1"]),
            streams: offering(&[]),
        })
    }

    /// Accepts connections of a listener that offers HTTP/2 or not.
    pub(crate) fn acceptor(&self, http2: bool) -> &TlsAcceptor {
        if http2 { &self.http2 } else { &self.http1 }
    }

    /// Accepts connections that carry streams, whatever protocol is spoken in them.
    pub(crate) fn stream_acceptor(&self) -> &TlsAcceptor {
        &self.streams
    }
}

/// Chooses the certificate for a client from the snapshot of the moment.
struct Resolver<R: PluginRuntime> {
    published: Arc<Published<R>>,
    default: Choice,
}

impl<R: PluginRuntime> ResolvesServerCert for Resolver<R> {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let (_, snapshot) = self.published.load();
        let named = hello.server_name().and_then(|name| snapshot.certificates.find(name));
        named.unwrap_or(&self.default).choose(&hello)
    }
}

impl<R: PluginRuntime> fmt::Debug for Resolver<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("default", &self.default).finish_non_exhaustive()
    }
}
