//! Requests of plugins to other servers.
//!
//! Where a request may go is decided on the addresses that its host has, at the moment of connecting: a name
//! that passes and then leads to another address gains nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderValue};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use moongate_hooks::{is_public, parse_header};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::HttpGrant;
use crate::bindings::http_client::{self, ClientError, Incoming, Outgoing};
use crate::imports;
use crate::settings::bounds;
use crate::state::GuestState;

/// The client of one plugin: its connections, and where they may lead.
pub(crate) struct HttpClient {
    grant: Arc<HttpGrant>,
    /// For servers whose certificate must be good, and for any.
    clients: [OnceLock<Client<Connector, Full<Bytes>>>; 2],
    under_way: Arc<Semaphore>,
}

impl HttpClient {
    pub(crate) fn new(grant: HttpGrant) -> Self {
        Self {
            grant: Arc::new(grant),
            clients: Default::default(),
            under_way: Arc::new(Semaphore::new(bounds::HTTP_REQUESTS)),
        }
    }

    fn client(&self, verify: bool) -> Result<Client<Connector, Full<Bytes>>, ClientError> {
        let [verifying, trusting] = &self.clients;
        let place = if verify { verifying } else { trusting };
        if let Some(client) = place.get() {
            return Ok(client.clone());
        }
        let tls = tls::connector(verify).map_err(ClientError::Unreachable)?;
        let connector = Connector { grant: Arc::clone(&self.grant), tls };
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(8)
            .build(connector);
        Ok(place.get_or_init(|| client).clone())
    }

    /// Everything that can be said of a request before anything is sent.
    fn prepare(&self, outgoing: &Outgoing) -> Result<Request<Full<Bytes>>, ClientError> {
        let invalid = |what: &str| ClientError::InvalidUrl(format!("`{}` {what}", outgoing.url));
        let uri: Uri = outgoing.url.parse().map_err(|_| invalid("is not a URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(invalid("is not an http or https URL"));
        }
        let authority = uri.authority().ok_or_else(|| invalid("has no host"))?;
        let host = authority.host().trim_matches(['[', ']']);
        if !self.grant.allows_name(host) {
            return Err(ClientError::Forbidden(format!("`{host}` is not among the granted hosts")));
        }
        let mut headers = HeaderMap::with_capacity(outgoing.headers.len() + 2);
        for header in &outgoing.headers {
            let (name, value) = parse_header(header.name.as_bytes(), &header.value)
                .map_err(|error| ClientError::Broken(format!("header `{}`: {error}", header.name)))?;
            headers.append(name, value);
        }
        let mut uri = uri.clone();
        if let Some((user, address)) = authority.as_str().rsplit_once('@') {
            let user = percent_decoded(user);
            if let Ok(mut value) = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(user))) {
                value.set_sensitive(true);
                headers.entry(AUTHORIZATION).or_insert(value);
            }
            let mut parts = uri.into_parts();
            parts.authority = address.parse().ok();
            uri = Uri::from_parts(parts).map_err(|_| invalid("is not a URL"))?;
        }
        headers.remove(HOST);
        let method = Method::from_bytes(outgoing.method.as_bytes())
            .map_err(|_| ClientError::Broken(format!("`{}` is not a method", outgoing.method)))?;
        let mut request = Request::new(Full::new(Bytes::copy_from_slice(&outgoing.body)));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

impl HttpGrant {
    /// Whether a host name, or an address in its place, was granted.
    pub(crate) fn allows_name(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.hosts.iter().any(|granted| match granted.strip_prefix("*.") {
            Some(below) => {
                host.len().checked_sub(below.len() + 1).and_then(|at| host.get(at..)).is_some_and(|end| {
                    end.strip_prefix('.').is_some_and(|end| end.eq_ignore_ascii_case(below))
                })
            }
            None => granted == "*" || granted.eq_ignore_ascii_case(host),
        })
    }

    pub(crate) fn allows_address(&self, address: IpAddr) -> bool {
        self.private || is_public(address)
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    percent_encoding::percent_decode_str(text).collect()
}

impl http_client::Host for GuestState {
    async fn send(&mut self, outgoing: Outgoing) -> wasmtime::Result<Result<Incoming, ClientError>> {
        let space = Arc::clone(self.space()?);
        let request = match space.http.prepare(&outgoing) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        let client = match space.http.client(outgoing.tls_verify) {
            Ok(client) => client,
            Err(error) => return Ok(Err(error)),
        };
        let under_way = Arc::clone(&space.http.under_way);
        let timeout = Duration::from_millis(u64::from(outgoing.timeout).clamp(1, 60_000));
        // On the host's own thread, where connections live on when this worker has other things to do.
        let task = space.surroundings.runtime.spawn(async move {
            let exchange = async {
                let _turn = under_way.acquire_owned().await;
                send(&client, request).await
            };
            tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(ClientError::Timeout))
        });
        let answer = self.waiting(task).await;
        Ok(answer.unwrap_or_else(|error| Err(ClientError::Broken(error.to_string()))))
    }
}

async fn send(
    client: &Client<Connector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Incoming, ClientError> {
    let response = client.request(request).await.map_err(|error| explained(&error))?;
    let (head, mut body) = response.into_parts();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ClientError::Broken(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            if whole.len() + data.len() > bounds::HTTP_RESPONSE {
                return Err(ClientError::TooLarge);
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(Incoming { status: head.status.as_u16(), headers: imports::list(&head.headers), body: whole.to_vec() })
}

/// An error of the client, with what caused it.
fn explained(error: &hyper_util::client::legacy::Error) -> ClientError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    let mut text = error.to_string();
    while let Some(at) = cause {
        if let Some(forbidden) = at.downcast_ref::<Forbidden>() {
            return ClientError::Forbidden(forbidden.to_string());
        }
        text = at.to_string();
        // An I/O error keeps what it wraps to itself.
        let inner = at.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        cause = match inner {
            Some(inner) => Some(inner),
            None => at.source(),
        };
    }
    if error.is_connect() { ClientError::Unreachable(text) } else { ClientError::Broken(text) }
}

/// An address that the plugin may not reach.
#[derive(Debug, thiserror::Error)]
#[error("`{host}` leads to {address}, and addresses of private networks are not granted")]
struct Forbidden {
    host: String,
    address: IpAddr,
}

/// Connects to granted addresses.
#[derive(Clone)]
struct Connector {
    grant: Arc<HttpGrant>,
    tls: TlsConnector,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Stream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.connect(&uri).await.map(TokioIo::new) })
    }
}

impl Connector {
    async fn connect(&self, uri: &Uri) -> io::Result<Stream> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
        // One bad address spoils a name: it would be reached at the next try.
        if let Some(bad) = addresses.iter().find(|address| !self.grant.allows_address(address.ip())) {
            return Err(io::Error::other(Forbidden { host: host.to_owned(), address: bad.ip() }));
        }
        let stream = TcpStream::connect(addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        if !https {
            return Ok(Stream::Plain(stream));
        }
        let name = rustls_pki_types::ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok(Stream::Tls(Box::new(self.tls.connect(name, stream).await?)))
    }
}

/// A connection, with or without TLS.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

mod tls {
    //! TLS with servers.

    use std::sync::Arc;

    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
    use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
    use tokio_rustls::TlsConnector;

    /// Speaks TLS with servers whose certificate the system's authorities vouch for, or with any.
    pub(super) fn connector(verify: bool) -> Result<TlsConnector, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let config = if verify {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            builder.with_root_certificates(roots).with_no_client_auth()
        } else {
            let any = Arc::new(Any(provider));
            builder.dangerous().with_custom_certificate_verifier(any).with_no_client_auth()
        };
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// Takes any certificate, but not a signature that was not made with its key.
    #[derive(Debug)]
    struct Any(Arc<CryptoProvider>);

    impl ServerCertVerifier for Any {
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
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granted_names_are_exact_or_below_a_domain() {
        let grant = HttpGrant { hosts: vec!["a.example".into(), "*.b.example".into()], private: false };
        for host in ["a.example", "A.Example.", "x.b.example", "x.y.B.example"] {
            assert!(grant.allows_name(host), "{host}");
        }
        for host in ["b.example", "xb.example", "a.example.evil", "10.0.0.1", ""] {
            assert!(!grant.allows_name(host), "{host}");
        }
        assert!(HttpGrant { hosts: vec!["*".into()], private: false }.allows_name("anything"));
    }

    #[test]
    fn addresses_of_private_networks_are_recognised_in_every_form() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "198.18.0.1",
            "192.0.0.1",
            "::1",
            "::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in
            ["1.1.1.1", "8.8.8.8", "172.15.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_request_is_refused_before_anything_is_sent() {
        let client = HttpClient::new(HttpGrant { hosts: vec!["a.example".into()], private: false });
        let outgoing = |url: &str| Outgoing {
            method: "GET".into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: 1,
            tls_verify: true,
        };
        let refusal = |url: &str| client.prepare(&outgoing(url)).unwrap_err();
        assert!(matches!(refusal("ftp://a.example/"), ClientError::InvalidUrl(_)));
        assert!(matches!(refusal("/path"), ClientError::InvalidUrl(_)));
        assert!(matches!(refusal("http://b.example/"), ClientError::Forbidden(_)));
        assert!(matches!(refusal("http://a.example@b.example/"), ClientError::Forbidden(_)));
        let request = client.prepare(&outgoing("https://user:p%40ss@a.example:8443/x")).unwrap();
        assert_eq!(request.uri(), "https://a.example:8443/x");
        assert_eq!(request.headers()[AUTHORIZATION], format!("Basic {}", STANDARD.encode("user:p@ss")));
    }
}
