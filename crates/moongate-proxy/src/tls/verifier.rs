//! Whether an upstream is who it is taken for.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// Takes an upstream's certificate if a trusted authority signed it, over no more than so many others.
#[derive(Debug)]
pub(super) struct Verifier {
    trusted: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
    /// Certificates allowed between the upstream's and the authority's.
    depth: usize,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Takes whatever certificate it is shown.
#[derive(Debug)]
pub(super) struct NoVerifier(pub(super) WebPkiSupportedAlgorithms);

impl Verifier {
    /// Trusted certificates that cannot be read are left out.
    pub(super) fn new(
        trusted: Vec<CertificateDer<'static>>,
        depth: usize,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        let anchors = trusted
            .iter()
            .filter_map(|der| Some(webpki::anchor_from_trusted_cert(der).ok()?.to_owned()))
            .collect();
        Self { trusted, anchors, depth, algorithms }
    }

    fn verify_issuer(
        &self,
        certificate: &EndEntityCert<'_>,
        der: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        if self.trusted.contains(der) {
            // Trusted by itself, as a certificate that signed itself can only be.
            return verify_period(der, now);
        }
        let within_depth = |path: &webpki::VerifiedPath<'_>| {
            if path.intermediate_certificates().count() > self.depth {
                return Err(webpki::Error::MaximumPathDepthExceeded);
            }
            Ok(())
        };
        certificate
            .verify_for_usage(
                self.algorithms.all,
                &self.anchors,
                intermediates,
                now,
                KeyUsage::server_auth(),
                None,
                Some(&within_depth),
            )
            .map(drop)
            .map_err(invalid)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = EndEntityCert::try_from(end_entity).map_err(invalid)?;
        self.verify_issuer(&certificate, end_entity, intermediates, now)?;
        match certificate.verify_is_valid_for_subject_name(server_name) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(_) if is_common_name(end_entity, server_name) => Ok(ServerCertVerified::assertion()),
            Err(error) => Err(invalid(error)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whoever shows any certificate can also show one of its own making, so its signatures prove nothing either.
impl ServerCertVerifier for NoVerifier {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

fn verify_period(der: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let validity = certificate.validity();
    if now < validity.not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

/// Whether a certificate without alternative names, as old tools make them, is for this name by its common name.
fn is_common_name(der: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let ServerName::DnsName(name) = name else { return false };
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return false };
    if !matches!(certificate.subject_alternative_name(), Ok(None)) {
        return false;
    }
    certificate.subject().iter_common_name().filter_map(|common| common.as_str().ok()).any(|common| {
        let name = name.as_ref();
        common.eq_ignore_ascii_case(name)
            || match (common.strip_prefix("*."), name.split_once('.')) {
                (Some(common), Some((_, rest))) => common.contains('.') && common.eq_ignore_ascii_case(rest),
                _ => false,
            }
    })
}

fn invalid(error: webpki::Error) -> Error {
    CertificateError::Other(OtherError(Arc::new(error))).into()
}
