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
        let resolver = Resolver { published: Arc::clone(published), default: options.default_choice()? };
        let config = options.config(Arc::new(resolver))?;
        let acceptor = |protocols| TlsAcceptor::from(Arc::new(offering(config.clone(), protocols)));
        Ok(Self { http1: acceptor(HTTP1), http2: acceptor(HTTP2), streams: acceptor(&[]) })
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

impl TlsOptions {
    /// For a listener whose clients see the default certificates, whatever name they ask for.
    ///
    /// # Errors
    /// When the options contradict each other, or there is no default certificate.
    pub fn server_config(&self, http2: bool) -> Result<Arc<ServerConfig>, rustls::Error> {
        let config = self.config(Arc::new(SameForAll(self.default_choice()?)))?;
        Ok(Arc::new(offering(config, if http2 { HTTP2 } else { HTTP1 })))
    }

    fn default_choice(&self) -> Result<Choice, rustls::Error> {
        Choice::new(self.default_certificates.iter().cloned())
            .ok_or_else(|| rustls::Error::General("there is no default certificate".to_owned()))
    }

    fn config(&self, resolver: Arc<dyn ResolvesServerCert>) -> Result<ServerConfig, rustls::Error> {
        let versions: Vec<_> = self.versions.iter().map(|version| version.supported()).collect();
        let mut config = ServerConfig::builder_with_provider(self.cipher_suites.provider())
            .with_protocol_versions(&versions)?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        if self.session_tickets {
            config.ticketer = ticketer(self.session_timeout)?;
        }
        config.session_storage = ServerSessionMemoryCache::new(self.session_cache_size);
        Ok(config)
    }
}

const HTTP1: &[&[u8]] = &[b"http/1.1"];
const HTTP2: &[&[u8]] = &[b"h2", b"http/1.1"];

fn offering(mut config: ServerConfig, protocols: &[&[u8]]) -> ServerConfig {
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    config
}

/// Has the same certificates for all names.
#[derive(Debug)]
struct SameForAll(Choice);

impl ResolvesServerCert for SameForAll {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.choose(&hello)
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
