//! X.509 certificates.

use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{self, PemObject};
use x509_parser::parse_x509_certificate;

use super::PkiError;
use super::key::{PublicKey, public_key_of_spki};

/// What the gateway wants to know of a certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// SHA-256 of the DER form.
    digest: String,
    not_after: i64,
    authority: bool,
    public_key: PublicKey,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// When the text has no certificate, or its first one, or the armour of a later one, is malformed.
    pub fn from_pem(pem: &str) -> Result<Self, PkiError> {
        let chain = certificate_chain(pem)?;
        let first = chain.first().ok_or(PkiError::Missing("certificate"))?;
        Self::from_der(first)
    }

    /// Reads a certificate's DER form.
    ///
    /// # Errors
    /// When the bytes are no X.509 certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, PkiError> {
        let malformed = PkiError::Malformed("certificate");
        let (_, parsed) = parse_x509_certificate(der).map_err(|_| malformed.clone())?;
        let authority = match parsed.basic_constraints() {
            Ok(constraints) => constraints.is_some_and(|constraints| constraints.value.ca),
            Err(_) => return Err(malformed),
        };
        let public_key = public_key_of_spki(parsed.public_key().raw).ok_or(malformed)?;
        Ok(Self {
            digest: hex::encode(digest(&SHA256, der)),
            not_after: parsed.validity().not_after.timestamp(),
            authority,
            public_key,
        })
    }

    /// SHA-256 of the DER form, in lower-case hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The end of the certificate's validity, in seconds since 1970.
    #[must_use]
    pub const fn not_after(&self) -> i64 {
        self.not_after
    }

    /// Whether the basic constraints say that it may sign other certificates.
    #[must_use]
    pub const fn is_authority(&self) -> bool {
        self.authority
    }

    /// The key that the certificate speaks for.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// The certificates of a PEM text in their order, leaf first; other sections are skipped.
///
/// # Errors
/// When there is none, or the PEM armour is broken.
pub fn certificate_chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, PkiError> {
    let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<Vec<_>, pem::Error>>()
        .map_err(|error| PkiError::Pem(error.to_string()))?;
    if chain.is_empty() {
        return Err(PkiError::Missing("certificate"));
    }
    Ok(chain)
}
