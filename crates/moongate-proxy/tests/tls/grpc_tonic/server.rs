//! A gRPC server with one method of each kind, and some that do not end by themselves.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, iter, once, repeat, unfold};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::server::Grpc;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server as Transport, ServerTlsConfig};
use tonic::{Code, Request, Response, Status, Streaming};
use tower::service_fn;

use crate::certificates::Pair;
use crate::grpc_tonic::codec::Plain;

type Messages = BoxStream<'static, Result<Bytes, Status>>;

/// Tells what becomes of the calls that do not end by themselves.
pub struct Server {
    pub address: SocketAddr,
    told: UnboundedReceiver<String>,
}

impl Server {
    /// Over TLS if there is a certificate.
    pub fn start(pair: Option<&Pair>) -> Self {
        let incoming = TcpIncoming::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = incoming.local_addr().unwrap();
        let (teller, told) = mpsc::unbounded_channel();
        let mut transport = Transport::builder();
        if let Some(pair) = pair {
            let identity = Identity::from_pem(&pair.cert, &pair.key);
            transport = transport.tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
        }
        let service = service_fn(move |request| {
            let teller = teller.clone();
            async move { Ok::<_, Infallible>(answer(request, teller).await) }
        });
        tokio::spawn(transport.serve_with_incoming(service, incoming));
        Self { address, told }
    }

    /// The next thing that it tells.
    pub async fn told(&mut self) -> String {
        self.told.recv().await.unwrap()
    }
}

async fn answer(request: http::Request<Body>, teller: UnboundedSender<String>) -> http::Response<Body> {
    let mut grpc = Grpc::new(Plain);
    match request.uri().path() {
        "/test.Calls/Greet" => grpc.unary(service_fn(greet), request).await,
        "/test.Calls/Refuse" => grpc.unary(service_fn(refuse), request).await,
        "/test.Calls/Wait" => {
            let wait = move |call| wait(call, teller.clone());
            grpc.unary(service_fn(wait), request).await
        }
        "/test.Calls/Count" => grpc.server_streaming(service_fn(count), request).await,
        "/test.Calls/Pour" => {
            let pour = move |call| pour(call, teller.clone());
            grpc.server_streaming(service_fn(pour), request).await
        }
        "/test.Calls/Collect" => grpc.client_streaming(service_fn(collect), request).await,
        "/test.Calls/Listen" => {
            let listen = move |call| listen(call, teller.clone());
            grpc.streaming(service_fn(listen), request).await
        }
        "/test.Calls/Chat" => grpc.streaming(service_fn(chat), request).await,
        other => panic!("no method {other}"),
    }
}

/// Sends the message back, and under other names the metadata.
async fn greet(call: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    let (asked, message) = (call.metadata().clone(), call.into_inner());
    let mut response = Response::new(message);
    let answered = response.metadata_mut();
    for value in asked.get_all("asked") {
        answered.append("answered", value.clone());
    }
    answered.insert_bin("answered-bin", asked.get_bin("asked-bin").unwrap().clone());
    Ok(response)
}

async fn refuse(_: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    Err(refusal())
}

/// What cannot be told in a header as it is.
pub fn refusal() -> Status {
    let mut metadata = MetadataMap::new();
    metadata.insert("reason", "closed".parse().unwrap());
    let details = Bytes::from_static(&[0, 255, 10]);
    Status::with_details_and_metadata(
        Code::FailedPrecondition,
        "geschlossen: 100 % für\nheute",
        details,
        metadata,
    )
}

async fn wait(call: Request<Bytes>, teller: UnboundedSender<String>) -> Result<Response<Bytes>, Status> {
    let timeout = call.metadata().get("grpc-timeout").map_or("none", |value| value.to_str().unwrap());
    teller.send(format!("called, with the timeout {timeout}")).unwrap();
    let _leaving = Leaving(teller);
    std::future::pending().await
}

/// As many messages as the request says, each longer than the one before, and a refusal behind them.
async fn count(call: Request<Bytes>) -> Result<Response<Messages>, Status> {
    let end = std::str::from_utf8(call.get_ref()).unwrap().parse().unwrap();
    let messages = (0..end).map(|number| Ok(numbered(number))).chain([Err(refusal())]);
    Ok(Response::new(iter(messages.collect::<Vec<_>>()).boxed()))
}

/// A message of a series. Some are longer than what HTTP/2 lets pass at once.
pub fn numbered(number: usize) -> Bytes {
    vec![number as u8; number * 20_000].into()
}

/// Without end.
async fn pour(_: Request<Bytes>, teller: UnboundedSender<String>) -> Result<Response<Messages>, Status> {
    let leaving = Leaving(teller);
    let messages = repeat(Bytes::from(vec![b'x'; 1000])).map(move |message| {
        let _ = &leaving;
        Ok(message)
    });
    Ok(Response::new(messages.boxed()))
}

/// Tells how many messages came and how long they were together.
async fn collect(call: Request<Streaming<Bytes>>) -> Result<Response<Bytes>, Status> {
    let mut messages = call.into_inner();
    let (mut count, mut length) = (0, 0);
    while let Some(message) = messages.message().await? {
        if message == "enough" {
            return Err(refusal());
        }
        count += 1;
        length += message.len();
    }
    Ok(Response::new(format!("{count} messages of {length} bytes").into()))
}

/// Says nothing, also when the client has said all it wants to.
async fn listen(
    call: Request<Streaming<Bytes>>,
    teller: UnboundedSender<String>,
) -> Result<Response<Messages>, Status> {
    let mut messages = call.into_inner();
    let answer = async move {
        let leaving = Leaving(teller);
        // tonic takes a cancelled stream for one that ended: only then is the answer not wanted any more.
        while messages.message().await.inspect_err(|status| leaving.tell(status.message()))?.is_some() {}
        std::future::pending().await
    };
    Ok(Response::new(once(answer).boxed()))
}

/// Says the first word, sends every message back, and says the last word.
async fn chat(call: Request<Streaming<Bytes>>) -> Result<Response<Messages>, Status> {
    enum Turn {
        First(Streaming<Bytes>),
        Next(Streaming<Bytes>),
        Over,
    }
    let turns = unfold(Turn::First(call.into_inner()), |turn| async {
        match turn {
            Turn::First(messages) => Some((Ok("welcome".into()), Turn::Next(messages))),
            Turn::Next(mut messages) => match messages.message().await {
                Ok(Some(message)) => Some((Ok(message), Turn::Next(messages))),
                Ok(None) => Some((Ok("goodbye".into()), Turn::Over)),
                Err(status) => Some((Err(status), Turn::Over)),
            },
            Turn::Over => None,
        }
    });
    Ok(Response::new(turns.boxed()))
}

/// Tells when a call is over.
struct Leaving(UnboundedSender<String>);

impl Leaving {
    /// Unless the test is over as well.
    fn tell(&self, what: &str) {
        let _ = self.0.send(what.to_owned());
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.tell("given up");
    }
}
