//! An upstream that tells what it was asked.

use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

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

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, facts: String) {
    let service = service_fn(|request: Request<Incoming>| {
        let mut told = format!("{facts}{} {}\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            writeln!(told, "{name}: {}", value.to_str().unwrap()).unwrap();
        }
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(told)))))
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
