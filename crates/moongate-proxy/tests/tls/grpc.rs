//! gRPC services: requests over HTTP/2, with trailers behind the response.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use moongate_model::Protocol;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::certificates::self_signed;
use crate::client::get;
use crate::entities::all_to;
use crate::gateway::Gateway;
use crate::http2::open;
use crate::upstream::{Upstream, server};

/// Sends the body back, and what it was asked in the trailers.
async fn start(acceptor: Option<TlsAcceptor>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                match acceptor {
                    None => serve(stream).await,
                    Some(acceptor) => {
                        let stream = acceptor.accept(stream).await.unwrap();
                        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
                        serve(stream).await;
                    }
                }
            });
        }
    });
    (address, connections)
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let service = service_fn(|request: Request<Incoming>| async move {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        trailers.insert("asked", HeaderValue::from_str(&request.uri().to_string()).unwrap());
        for (name, told) in [("te", "told-te"), ("via", "told-via"), ("connection", "told-connection")] {
            if let Some(value) = request.headers().get(name) {
                trailers.insert(told, value.clone());
            }
        }
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let body = Full::new(body).with_trailers(std::future::ready(Some(Ok::<_, Infallible>(trailers))));
        Ok::<_, Infallible>(
            Response::builder().header("content-type", "application/grpc").body(body).unwrap(),
        )
    });
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

#[tokio::test]
async fn calls_go_over_one_connection_and_bring_their_trailers() {
    let mut config = server(&self_signed(&["localhost"]));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    for (acceptor, protocol, scheme) in
        [(None, Protocol::Grpc, "http"), (Some(acceptor), Protocol::Grpcs, "https")]
    {
        let (address, connections) = start(acceptor).await;
        let gateway =
            Gateway::start_with(all_to(address, protocol, |_, _| {}), |options| options.workers = 1);
        let mut sender = open(TcpStream::connect(gateway.plain_http2()).await.unwrap()).await;
        let calls = (0..5).map(|length| {
            let request = Request::post("http://gw.test/pkg.Service/Method")
                .header("te", "trailers")
                .header("content-type", "application/grpc")
                .body(Full::new(Bytes::from(vec![b'x'; length * 50_000])))
                .unwrap();
            sender.send_request(request)
        });
        for (length, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
            let response = call.await.unwrap();
            assert_eq!(response.status(), StatusCode::OK);
            let body = response.into_body().collect().await.unwrap();
            let trailers = body.trailers().unwrap().clone();
            assert_eq!(body.to_bytes().len(), length * 50_000);
            assert_eq!(trailers["grpc-status"], "0");
            assert_eq!(trailers["asked"], format!("{scheme}://{address}/pkg.Service/Method"));
            assert_eq!(trailers["told-te"], "trailers");
            assert!(trailers["told-via"].to_str().unwrap().starts_with("2 moongate/"));
            assert!(!trailers.contains_key("told-connection"));
        }
        // Calls that began together may have met no connection yet.
        assert!(connections.load(Ordering::SeqCst) <= 5);
        let before = connections.load(Ordering::SeqCst);
        assert_eq!(get(gateway.plain(), "/x", &[]).await.status, StatusCode::OK);
        assert_eq!(connections.load(Ordering::SeqCst), before);
    }
}

#[tokio::test]
async fn a_grpc_service_that_speaks_http1_is_a_bad_gateway() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Grpc, |_, _| {}));
    assert_eq!(get(gateway.plain(), "/", &[]).await.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn what_goes_wrong_is_told_to_clients_of_grpc_in_headers() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = Gateway::start(all_to(nobody, Protocol::Grpc, |_, route| {
        route.paths = Some(vec!["/pkg.".to_owned()]);
    }));
    let mut sender = open(TcpStream::connect(gateway.plain_http2()).await.unwrap()).await;
    for (path, status, code, message) in [
        ("/none", 404, "5", "no Route matched with those values"),
        ("/pkg.Service/Method", 502, "13", "An invalid response was received from the upstream server"),
    ] {
        let request =
            Request::post(format!("http://gw.test{path}")).header("content-type", "application/grpc");
        let response = sender.send_request(request.body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        for (name, value) in
            [("content-type", "application/grpc"), ("grpc-status", code), ("grpc-message", message)]
        {
            assert_eq!(response.headers()[name], value, "{path}");
        }
        assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
}

#[tokio::test]
async fn a_route_for_grpc_takes_nothing_else() {
    let (address, _) = start(None).await;
    let gateway = Gateway::start(all_to(address, Protocol::Grpc, |_, route| {
        route.protocols = vec![Protocol::Grpcs];
    }));
    assert_eq!(get(gateway.plain(), "/", &[]).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let grpc = [("content-type", "application/grpc")];
    let reply = get(gateway.plain(), "/", &grpc).await;
    assert_eq!(reply.status, StatusCode::UPGRADE_REQUIRED);
    assert_eq!(reply.headers["upgrade"], "HTTP/2");

    let mut sender = open(TcpStream::connect(gateway.plain_http2()).await.unwrap()).await;
    let request = Request::post("http://gw.test/").header("content-type", "application/grpc");
    let response = sender.send_request(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["grpc-status"], "1");
    assert_eq!(response.headers()["grpc-message"], "gRPC request matched gRPCs route");
}
