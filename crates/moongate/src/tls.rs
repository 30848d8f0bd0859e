//! What the properties make of TLS.

use moongate_model::pki;
use moongate_proxy::{CipherSuites, IdentityError, TlsIdentity, TlsOptions, UpstreamTlsOptions};

use crate::prefix::{Claim, PrefixError};
use crate::properties::{CipherSuite, Pem, Properties};

/// Why TLS cannot be spoken as the properties say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A property does not fit.
    #[error("{property}: {message}")]
    Property {
        /// Its name.
        property: &'static str,
        /// What does not fit, and what would.
        message: String,
    },
    /// The certificate that the gateway made for itself cannot be read or written.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
}

impl TlsError {
    fn new(property: &'static str, message: impl Into<String>) -> Self {
        Self::Property { property, message: message.into() }
    }
}

/// How TLS connections of clients are accepted. Without a certificate in the properties, the gateway makes its own, once.
pub(crate) fn client_options(properties: &Properties, claim: &Claim) -> Result<TlsOptions, TlsError> {
    let mut listeners = properties.proxy_listen.iter().chain(&properties.stream_listen);
    if !listeners.any(|listener| listener.tls) {
        return Ok(TlsOptions::default());
    }
    let certificates =
        identities("ssl_cert", &properties.ssl_cert, "ssl_cert_key", &properties.ssl_cert_key)?;
    options(properties, claim, certificates)
}

/// How TLS connections to the Admin API are accepted.
pub(crate) fn admin_options(properties: &Properties, claim: &Claim) -> Result<TlsOptions, TlsError> {
    if !properties.admin_listen.iter().any(|listener| listener.tls) {
        return Ok(TlsOptions::default());
    }
    let (certs, keys) = (&properties.admin_ssl_cert, &properties.admin_ssl_cert_key);
    options(properties, claim, identities("admin_ssl_cert", certs, "admin_ssl_cert_key", keys)?)
}

/// How TLS connections to the status API are accepted.
pub(crate) fn status_options(properties: &Properties, claim: &Claim) -> Result<TlsOptions, TlsError> {
    if !properties.status_listen.iter().any(|listener| listener.tls) {
        return Ok(TlsOptions::default());
    }
    let (certs, keys) = (&properties.status_ssl_cert, &properties.status_ssl_cert_key);
    options(properties, claim, identities("status_ssl_cert", certs, "status_ssl_cert_key", keys)?)
}

fn options(
    properties: &Properties,
    claim: &Claim,
    mut default_certificates: Vec<TlsIdentity>,
) -> Result<TlsOptions, TlsError> {
    if default_certificates.is_empty() {
        default_certificates.push(own_certificate(claim)?);
    }
    Ok(TlsOptions {
        versions: properties.ssl_protocols.clone(),
        cipher_suites: cipher_suites(properties)?,
        default_certificates,
        session_tickets: properties.ssl_session_tickets,
        session_timeout: properties.ssl_session_timeout,
        session_cache_size: (properties.ssl_session_cache_size / SESSION_SIZE).max(1),
    })
}

/// How upstreams are spoken to over TLS.
pub(crate) fn upstream_options(properties: &Properties) -> Result<UpstreamTlsOptions, TlsError> {
    let trust = &properties.lua_ssl_trusted_certificate;
    let mut trusted = Vec::new();
    for pem in &trust.certificates {
        let failed = |message: String| TlsError::new("lua_ssl_trusted_certificate", message);
        let text = pem.read().map_err(failed)?;
        let chain = pki::certificate_chain(&text).map_err(|error| failed(error.to_string()))?;
        trusted.extend(chain.iter().map(|der| der.to_vec()));
    }
    let client_certificate = match (&properties.client_ssl, &properties.client_ssl_cert) {
        (false, _) => None,
        (true, None) => {
            return Err(TlsError::new("client_ssl", "needs client_ssl_cert and client_ssl_cert_key"));
        }
        (true, Some(cert)) => {
            let keys = properties.client_ssl_cert_key.as_slice();
            let pairs =
                identities("client_ssl_cert", std::slice::from_ref(cert), "client_ssl_cert_key", keys)?;
            pairs.into_iter().next()
        }
    };
    Ok(UpstreamTlsOptions {
        verify: properties.upstream_tls_verify,
        verify_depth: properties.lua_ssl_verify_depth,
        trusted,
        trust_system: trust.system,
        client_certificate,
        versions: properties.ssl_protocols.clone(),
    })
}

fn identities(
    property: &'static str,
    certs: &[Pem],
    key_property: &'static str,
    keys: &[Pem],
) -> Result<Vec<TlsIdentity>, TlsError> {
    if certs.len() != keys.len() {
        let message = format!("names {} certificates, but {key_property} {} keys", certs.len(), keys.len());
        return Err(TlsError::new(property, message));
    }
    let read = |property, pem: &Pem| pem.read().map_err(|message| TlsError::new(property, message));
    certs
        .iter()
        .zip(keys)
        .map(|(cert, key)| {
            let (cert, key) = (read(property, cert)?, read(key_property, key)?);
            TlsIdentity::from_pem(&cert, &key).map_err(|error| {
                let property =
                    if matches!(error, IdentityError::Certificate(_)) { property } else { key_property };
                TlsError::new(property, error.to_string())
            })
        })
        .collect()
}

fn own_certificate(claim: &Claim) -> Result<TlsIdentity, TlsError> {
    let (cert, key) = claim.own_certificate()?;
    TlsIdentity::from_pem(&cert, &key).map_err(|error| {
        TlsError::new(
            "prefix",
            format!("the certificate in its directory `ssl` is unusable, {error}; remove it"),
        )
    })
}

fn cipher_suites(properties: &Properties) -> Result<CipherSuites, TlsError> {
    Ok(match properties.ssl_cipher_suite {
        CipherSuite::Modern => CipherSuites::modern(),
        CipherSuite::Intermediate | CipherSuite::Old => CipherSuites::intermediate(),
        CipherSuite::Fips => CipherSuites::fips(),
        CipherSuite::Custom => {
            let names = properties.ssl_ciphers.as_deref().unwrap_or_default();
            let (suites, unknown) = CipherSuites::named(names)
                .map_err(|error| TlsError::new("ssl_ciphers", error.to_string()))?;
            if !unknown.is_empty() {
                tracing::warn!("ssl_ciphers: not supported and left out: {}", unknown.join(", "));
            }
            suites
        }
    })
}

/// Bytes that one session takes in the cache whose size the property gives.
const SESSION_SIZE: usize = 256;

#[cfg(test)]
mod tests;
