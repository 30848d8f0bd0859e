//! `POST /moongate/try`: sends a request through the proxy and shows what comes back.
//!
//! For people who look at the gateway in a browser, which cannot send any header to any host. The request goes to one of
//! the node's own listeners, as a client's would, and to nobody else.

mod tls;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use moongate_schema::Object;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::access::Access;
use crate::error::ApiError;
use crate::explain::{Asked, wrong};

/// `POST /moongate/try`
pub(crate) async fn attempt(access: &Access, fields: &Object) -> Result<Value, ApiError> {
    let asked = Asked::read(fields)?;
    let body = read_body(fields)?;
    let listener = access.node().proxy_listener(asked.tls, asked.http2);
    let address = listener.map(reachable).ok_or_else(|| no_listener(&asked))?;
    let debug = access.node().configuration().get("allow_debug_header").is_some_and(|value| value == "on");
    let began = Instant::now();
    match tokio::time::timeout(PATIENCE, send(address, asked, body, debug)).await {
        Ok(Ok(answer)) => Ok(answer.show(began.elapsed())),
        Ok(Err(error)) => Err(failed(&format!("no answer from {address}: {error}"))),
        Err(_) => Err(failed(&format!("no answer from {address} within {} s", PATIENCE.as_secs()))),
    }
}

/// The body to send: `body` as text, or `body_base64` for what is none, as messages of gRPC.
fn read_body(fields: &Object) -> Result<Bytes, ApiError> {
    match (fields.get("body"), fields.get("body_base64")) {
        (None | Some(Value::Null), None | Some(Value::Null)) => Ok(Bytes::new()),
        (None | Some(Value::Null), Some(Value::String(text))) => match STANDARD.decode(text) {
            Ok(bytes) => Ok(bytes.into()),
            Err(_) => Err(wrong("body_base64: is no base64")),
        },
        (None | Some(Value::Null), Some(_)) => Err(wrong("body_base64: must be a text")),
        (Some(_), Some(_)) => Err(wrong("body_base64: there is a body already")),
        (Some(Value::String(text)), None) => Ok(text.clone().into()),
        (Some(value), None) => Ok(value.to_string().into()),
    }
}

fn no_listener(asked: &Asked) -> ApiError {
    let message = match (asked.tls, asked.http2) {
        (false, false) => "this node has no listener that takes plain HTTP from clients",
        (true, false) => "this node has no listener that takes TLS from clients",
        (_, true) => {
            "this node has no such listener for HTTP/2; `http2` behind an address in `proxy_listen` makes it one"
        }
    };
    ApiError::Message(StatusCode::NOT_IMPLEMENTED, message.into())
}

struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    truncated: bool,
    trailers: Vec<(String, String)>,
    trace: Option<Value>,
}

impl Answer {
    fn show(self, took: Duration) -> Value {
        // Where it was cut, the last letter may be half there.
        let is_text = std::str::from_utf8(&self.body)
            .map_or_else(|error| self.truncated && error.error_len().is_none(), |_| true);
        json!({
            "status": self.status.as_u16(),
            "headers": self.headers,
            "body": String::from_utf8_lossy(&self.body),
            "body_base64": (!is_text).then(|| STANDARD.encode(&self.body)),
            "truncated": self.truncated,
            "trailers": self.trailers,
            "took": (took.as_secs_f64() * 1e6).round() / 1e3,
            "trace": self.trace,
        })
    }
}

async fn send(address: SocketAddr, asked: Asked, body: Bytes, debug: bool) -> io::Result<Answer> {
    let stream = TcpStream::connect(address).await?;
    let (response, _driver) = match asked.tls {
        false => exchange(stream, asked, body, debug).await?,
        true => {
            let protocol: &[u8] = if asked.http2 { b"h2" } else { b"http/1.1" };
            let stream = tls::secure(stream, address, asked.server_name.as_deref(), protocol).await?;
            exchange(stream, asked, body, debug).await?
        }
    };
    let (mut head, body) = response.into_parts();
    let trace = head.headers.remove(TRACE).and_then(|value| serde_json::from_slice(value.as_bytes()).ok());
    let read = read(body).await;
    Ok(Answer {
        status: head.status,
        headers: pairs(&head.headers),
        body: read.bytes,
        truncated: read.truncated,
        trailers: pairs(&read.trailers),
        trace,
    })
}

/// Sends the request, and gives the head of the response with what goes on reading its body.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    asked: Asked,
    body: Bytes,
    debug: bool,
) -> io::Result<(Response<Incoming>, Driver)> {
    let Asked { method, target, mut headers, http2, tls, .. } = asked;
    // They are made by whoever sends the body.
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    if debug {
        headers.insert(DEBUG, HeaderValue::from_static("1"));
    }
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    if http2 {
        *request.uri_mut() = with_authority(target, headers.remove(HOST), tls)?;
        *request.headers_mut() = headers;
        let shake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (mut sender, connection) = shake.await.map_err(io::Error::other)?;
        let driver = Driver::of(connection);
        return Ok((sender.send_request(request).await.map_err(io::Error::other)?, driver));
    }
    *request.uri_mut() = target;
    *request.headers_mut() = headers;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let driver = Driver::of(connection);
    Ok((sender.send_request(request).await.map_err(io::Error::other)?, driver))
}

/// A target as HTTP/2 has it, with the host in it rather than among the headers.
fn with_authority(target: Uri, host: Option<HeaderValue>, tls: bool) -> io::Result<Uri> {
    let authority = host.and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut parts = target.into_parts();
    parts.authority = Some(authority.ok_or_else(|| io::Error::other("HTTP/2 needs a usable host"))?);
    parts.scheme = Some(if tls { Scheme::HTTPS } else { Scheme::HTTP });
    Uri::from_parts(parts).map_err(io::Error::other)
}

/// Ends a connection with the request that it was made for.
struct Driver(JoinHandle<()>);

impl Driver {
    fn of<E>(connection: impl Future<Output = Result<(), E>> + Send + 'static) -> Self {
        // What goes wrong with it is told by the request.
        Self(tokio::spawn(async move {
            let _ = connection.await;
        }))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What is shown of a body.
#[derive(Default)]
struct Shown {
    bytes: Vec<u8>,
    /// Whether there is more.
    truncated: bool,
    trailers: HeaderMap,
}

async fn read(mut body: Incoming) -> Shown {
    let mut shown = Shown::default();
    while let Some(Ok(frame)) = body.frame().await {
        match frame.into_data() {
            Ok(data) => {
                let room = MOST_SHOWN - shown.bytes.len();
                shown.bytes.extend(data.iter().take(room));
                if data.len() > room {
                    shown.truncated = true;
                    break;
                }
            }
            Err(frame) => shown.trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    shown
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// Where a client on this machine finds a listener.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn failed(message: &str) -> ApiError {
    ApiError::Message(StatusCode::BAD_GATEWAY, message.to_owned().into())
}

const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of a body.
const MOST_SHOWN: usize = 64 * 1024;

/// Asks the proxy to tell what it did, which it does where a property allows it.
const DEBUG: HeaderName = HeaderName::from_static("kong-debug");
const TRACE: HeaderName = HeaderName::from_static("moongate-trace");
