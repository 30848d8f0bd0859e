//! An upstream that tells what it was asked.

use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use moongate_model::pki;
use rustls::crypto::aws_lc_rs;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ConfigBuilder, RootCertStore, ServerConfig, WantsVerifier};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::certificates::{Authority, Pair};

/// How long a request for `/slow` takes.
const SLOW: Duration = Duration::from_millis(400);

/// Answers with the request line, one line for each header, and what it knows of the connection.
pub struct Upstream {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Upstream {
    pub async fn plain() -> Self {
        Self::start(None).await
    }

    pub async fn tls(config: ServerConfig) -> Self {
        Self::start(Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    /// Connections accepted so far, with a TLS session where there is to be one.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    async fn start(acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, count) = (acceptor.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    let Some(acceptor) = acceptor else {
                        count.fetch_add(1, Ordering::SeqCst);
                        return serve(stream, String::new()).await;
                    };
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    count.fetch_add(1, Ordering::SeqCst);
                    let session = stream.get_ref().1;
                    let facts = format!(
                        "tls sni={} client-certificates={}\n",
                        session.server_name().unwrap_or("-"),
                        session.peer_certificates().map_or(0, <[_]>::len),
                    );
                    serve(stream, facts).await;
                });
            }
        });
        Self { address, connections }
    }
}

/// A server with this certificate.
pub fn server(pair: &Pair) -> ServerConfig {
    builder().with_no_client_auth().with_cert_resolver(resolver(pair))
}

/// One that wants a certificate of clients, signed by `authority`.
pub fn server_for(authority: &Authority, pair: &Pair) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(pki::certificate_chain(&authority.cert).unwrap()[0].clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    builder().with_client_cert_verifier(verifier).with_cert_resolver(resolver(pair))
}

fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
}

fn resolver(pair: &Pair) -> Arc<SingleCertAndKey> {
    let chain = pki::certificate_chain(&pair.cert).unwrap();
    let key = pki::private_key(&pair.key).unwrap().into_der();
    let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).unwrap();
    Arc::new(SingleCertAndKey::from(key))
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, facts: String) {
    let service = service_fn(|request: Request<Incoming>| {
        let mut told = format!("{facts}{} {}\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            writeln!(told, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
        async move {
            if request.uri().path() == "/slow" {
                tokio::time::sleep(SLOW).await;
            }
            let body = request.into_body().collect().await.unwrap().to_bytes();
            writeln!(told, "body of {} bytes", body.len()).unwrap();
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(told))))
        }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
