//! TLS with upstreams.

use std::collections::HashMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest::{Context, SHA256};
use http::HeaderValue;
use parking_lot::Mutex;
use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs as crypto};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::SingleCertAndKey;
use tokio_rustls::TlsConnector;

use super::identity::TlsIdentity;
use super::options::TlsVersion;
use super::verifier::{NoVerifier, Verifier};
use crate::forwarded::bare_host;

/// How upstreams are spoken to where their services do not say.
#[derive(Debug, Clone)]
pub struct UpstreamTlsOptions {
    /// Whether their certificates are verified.
    pub verify: bool,
    /// How many certificates there may be between an upstream's and the authority's.
    pub verify_depth: u16,
    /// Authorities that are trusted, in DER.
    pub trusted: Vec<Vec<u8>>,
    /// Whether those are trusted as well which the system trusts.
    pub trust_system: bool,
    /// What upstreams that ask for a certificate are shown.
    pub client_certificate: Option<TlsIdentity>,
    /// The versions that are spoken.
    pub versions: Vec<TlsVersion>,
}

impl Default for UpstreamTlsOptions {
    fn default() -> Self {
        Self {
            verify: false,
            verify_depth: 1,
            trusted: Vec::new(),
            trust_system: true,
            client_certificate: None,
            versions: vec![TlsVersion::Tls12, TlsVersion::Tls13],
        }
    }
}

/// What a service says of TLS with its upstream.
#[derive(Debug, Clone, Default)]
pub(crate) struct UpstreamTls {
    pub(crate) verify: Option<bool>,
    pub(crate) verify_depth: Option<u16>,
    pub(crate) authorities: Option<Vec<CertificateDer<'static>>>,
    pub(crate) client_certificate: Option<TlsIdentity>,
    /// Whether HTTP/2 is spoken.
    pub(crate) http2: bool,
}

/// A way to speak TLS, equal for services that say the same. Connections and sessions are used again by whoever has an equal
/// one, also in another snapshot.
#[derive(Clone)]
pub(crate) struct TlsClient {
    settings: Arc<UpstreamTls>,
    /// Digest of the settings.
    digest: Arc<str>,
}

/// An upstream as a request wants to speak to it over TLS.
pub(crate) struct Secured<'u> {
    pub(crate) client: &'u TlsClient,
    pub(crate) name: ServerName<'static>,
    /// Names the pool of the connections that are as good as a new one.
    pub(crate) pool: Arc<str>,
}

impl TlsClient {
    pub(crate) fn new(settings: UpstreamTls) -> Self {
        let digest = settings.digest().into();
        Self { settings: Arc::new(settings), digest }
    }

    /// Takes the server name from the Host header that the upstream gets; its port does not belong to it. `None` when it is
    /// no name that TLS knows.
    pub(crate) fn secure(&self, authority: &str, host: Option<&HeaderValue>) -> Option<Secured<'_>> {
        let host = bare_host(host?.as_bytes());
        let name = str::from_utf8(&host).ok()?;
        let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let pool = format!("{authority} {} {name}", self.digest).into();
        Some(Secured { client: self, name: ServerName::try_from(name.to_owned()).ok()?, pool })
    }
}

impl UpstreamTls {
    fn digest(&self) -> String {
        let mut context = Context::new(&SHA256);
        let mut add = |part: &[u8]| {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        };
        add(format!("{:?} {:?} {}", self.verify, self.verify_depth, self.http2).as_bytes());
        match &self.authorities {
            None => add(b"-"),
            Some(authorities) => authorities.iter().for_each(|der| add(der)),
        }
        add(b"client");
        if let Some(identity) = &self.client_certificate {
            identity.certified_key().cert.iter().for_each(|der| add(der));
        }
        context.finish().as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// The connectors of all workers, made when first needed.
pub(crate) struct TlsClients {
    options: UpstreamTlsOptions,
    provider: Arc<CryptoProvider>,
    system: OnceLock<Vec<CertificateDer<'static>>>,
    connectors: Mutex<HashMap<Arc<str>, TlsConnector>>,
}

impl TlsClients {
    pub(crate) fn new(options: UpstreamTlsOptions) -> Self {
        Self {
            options,
            provider: Arc::new(crypto::default_provider()),
            system: OnceLock::new(),
            connectors: Mutex::default(),
        }
    }

    /// Asked for each new connection, not for each request.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub(crate) fn connector(&self, client: &TlsClient) -> Result<TlsConnector, rustls::Error> {
        if let Some(known) = self.connectors.lock().get(&client.digest) {
            return Ok(known.clone());
        }
        let connector = TlsConnector::from(Arc::new(self.config(&client.settings)?));
        let mut connectors = self.connectors.lock();
        if connectors.len() >= MAX_CONNECTORS {
            connectors.clear();
        }
        // Another worker may have been faster; sessions are resumed best when all use the same.
        Ok(connectors.entry(Arc::clone(&client.digest)).or_insert(connector).clone())
    }

    fn config(&self, settings: &UpstreamTls) -> Result<ClientConfig, rustls::Error> {
        let versions: Vec<_> = self.options.versions.iter().map(|version| version.supported()).collect();
        let algorithms = self.provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&versions)?
            .dangerous();
        let builder = if settings.verify.unwrap_or(self.options.verify) {
            let trusted = settings.authorities.clone().unwrap_or_else(|| self.trusted());
            let depth = settings.verify_depth.unwrap_or(self.options.verify_depth);
            let verifier = Verifier::new(trusted, depth.into(), algorithms);
            builder.with_custom_certificate_verifier(Arc::new(verifier))
        } else {
            builder.with_custom_certificate_verifier(Arc::new(NoVerifier(algorithms)))
        };
        let identity = settings.client_certificate.as_ref().or(self.options.client_certificate.as_ref());
        let mut config = match identity {
            Some(identity) => {
                let key = Arc::clone(identity.certified_key());
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
            }
            None => builder.with_no_client_auth(),
        };
        if settings.http2 {
            config.alpn_protocols = vec![b"h2".to_vec()];
        }
        Ok(config)
    }

    fn trusted(&self) -> Vec<CertificateDer<'static>> {
        let mut trusted: Vec<_> =
            self.options.trusted.iter().map(|der| CertificateDer::from(der.clone())).collect();
        if !self.options.trust_system {
            return trusted;
        }
        let system = self.system.get_or_init(|| {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::warn!(%error, "a certificate that the system trusts cannot be read");
            }
            found.certs
        });
        trusted.extend_from_slice(system);
        trusted
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsClient").field(&self.digest).finish()
    }
}

/// More than a configuration has different ways to speak TLS; those of earlier ones go.
const MAX_CONNECTORS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::self_signed;

    fn pool(settings: UpstreamTls, authority: &str, host: &str) -> Option<String> {
        let client = TlsClient::new(settings);
        let host = HeaderValue::from_str(host).unwrap();
        Some(client.secure(authority, Some(&host))?.pool.to_string())
    }

    #[test]
    fn connections_are_shared_by_equal_settings_and_no_others() {
        let (cert, key) = self_signed().unwrap();
        let identity = TlsIdentity::from_pem(&cert, &key).unwrap();
        let authority = identity.certified_key().cert.clone();
        let all = [
            UpstreamTls::default(),
            UpstreamTls { verify: Some(true), ..Default::default() },
            UpstreamTls { verify: Some(false), ..Default::default() },
            UpstreamTls { verify_depth: Some(1), ..Default::default() },
            UpstreamTls { authorities: Some(Vec::new()), ..Default::default() },
            UpstreamTls { authorities: Some(authority), ..Default::default() },
            UpstreamTls { client_certificate: Some(identity), ..Default::default() },
            UpstreamTls { http2: true, ..Default::default() },
        ];
        let names = |settings: &UpstreamTls| pool(settings.clone(), "a:443", "a.test").unwrap();
        for (at, one) in all.iter().enumerate() {
            assert_eq!(names(one), names(one));
            for other in &all[at + 1..] {
                assert_ne!(names(one), names(other));
            }
        }
        assert_ne!(names(&all[0]), pool(all[0].clone(), "a:444", "a.test").unwrap());
        assert_ne!(names(&all[0]), pool(all[0].clone(), "a:443", "b.test").unwrap());
        assert_eq!(names(&all[0]), pool(all[0].clone(), "a:443", "A.test:8443").unwrap());
    }

    #[test]
    fn a_host_that_is_no_name_has_no_tls() {
        assert!(pool(UpstreamTls::default(), "a:443", "[::1]:8443").is_some());
        assert!(pool(UpstreamTls::default(), "a:443", "a..b").is_none());
        assert!(TlsClient::new(UpstreamTls::default()).secure("a:443", None).is_none());
    }
}
