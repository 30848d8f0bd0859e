//! A certificate chain with its private key, ready to be used.

use std::sync::Arc;

use moongate_model::pki::{self, PkiError};
use rustls::CipherSuite;
use rustls::SignatureAlgorithm;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::server::ClientHello;
use rustls::sign::CertifiedKey;

/// A certificate chain with its private key.
#[derive(Debug, Clone)]
pub struct TlsIdentity(Arc<CertifiedKey>);

/// Why a certificate and a key cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The certificate is unreadable.
    #[error("the certificate: {0}")]
    Certificate(#[source] PkiError),
    /// The key is unreadable.
    #[error("the key: {0}")]
    Key(#[source] PkiError),
    /// The key is of a kind or size that TLS connections are not made with.
    #[error("the key cannot be used for TLS; RSA of 2048 bits or more, P-256, P-384, P-521 and Ed25519 can")]
    Unusable,
    /// The key is another certificate's.
    #[error("the certificate does not match the key")]
    Mismatch,
}

impl TlsIdentity {
    /// Reads a chain, leaf first, and its key.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, IdentityError> {
        let chain = pki::certificate_chain(certificate).map_err(IdentityError::Certificate)?;
        let key = pki::private_key(key).map_err(IdentityError::Key)?;
        let leaf = pki::Certificate::from_pem(certificate).map_err(IdentityError::Certificate)?;
        if leaf.public_key() != key.public_key() {
            return Err(IdentityError::Mismatch);
        }
        let key = any_supported_type(&key.into_der()).map_err(|_| IdentityError::Unusable)?;
        Ok(Self(Arc::new(CertifiedKey::new(chain, key))))
    }

    pub(super) fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.0
    }

    /// Whether the client has cipher suites and signatures for this kind of key.
    pub(super) fn suits(&self, hello: &ClientHello<'_>) -> bool {
        let algorithm = self.0.key.algorithm();
        self.0.key.choose_scheme(hello.signature_schemes()).is_some()
            && hello.cipher_suites().iter().any(|suite| is_for(*suite, algorithm))
    }

    /// Whether small elliptic-curve signatures are made with the key.
    pub(super) fn is_elliptic(&self) -> bool {
        self.0.key.algorithm() != SignatureAlgorithm::RSA
    }
}

/// Whether a suite can be used with a key. The suites of TLS 1.3 go with all of them.
fn is_for(suite: CipherSuite, key: SignatureAlgorithm) -> bool {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256
        | CipherSuite::TLS13_AES_256_GCM_SHA384
        | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => true,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => key == SignatureAlgorithm::RSA,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => key != SignatureAlgorithm::RSA,
        _ => false,
    }
}
