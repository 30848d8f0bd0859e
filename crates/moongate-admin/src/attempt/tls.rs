//! TLS to the node's own listeners.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Shakes hands as a client that asks for the server `name`, or for none, and wants to speak `protocol`.
///
/// # Errors
/// A name that cannot be asked for, a handshake that fails, and a listener that does not speak the protocol.
pub(super) async fn secure(
    stream: TcpStream,
    address: SocketAddr,
    name: Option<&str>,
    protocol: &'static [u8],
) -> io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?;
    let mut config =
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Own(provider))).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    // A client does not send an address as the name.
    let name = match name {
        None => ServerName::from(address.ip()),
        Some(name) => ServerName::try_from(name.to_owned())
            .map_err(|_| io::Error::other(format!("{name:?} cannot be the name in a TLS handshake")))?,
    };
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let agreed = stream.get_ref().1.alpn_protocol();
    if agreed.is_some_and(|agreed| agreed != protocol) {
        return Err(io::Error::other("the listener chose another protocol"));
    }
    Ok(stream)
}

/// Takes every certificate, for the listener is the node's own, at an address that the node knows: the certificate is part
/// of what is tried, not what makes it safe.
#[derive(Debug)]
struct Own(Arc<CryptoProvider>);

impl ServerCertVerifier for Own {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
