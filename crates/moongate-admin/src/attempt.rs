//! `POST /moongate/try`: sends a request through the proxy and shows what comes back.
//!
//! For people who look at the gateway in a browser, which cannot send any header to any host. The request goes to one of
//! the node's own listeners, as a client's would, and to nobody else.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use moongate_schema::Object;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::access::Access;
use crate::error::ApiError;
use crate::explain::{Asked, wrong};

/// `POST /moongate/try`
pub(crate) async fn attempt(access: &Access, fields: &Object) -> Result<Value, ApiError> {
    let asked = Asked::read(fields)?;
    if asked.tls {
        return Err(wrong("url: only http can be tried from here"));
    }
    let body = match fields.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(value) => Bytes::from(value.to_string()),
    };
    let address = access.node().plain_listener().ok_or_else(|| {
        ApiError::Message(StatusCode::NOT_IMPLEMENTED, "this node has no listener for plain HTTP".into())
    })?;
    let debug = access.node().configuration().get("allow_debug_header").is_some_and(|value| value == "on");
    let began = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, send(reachable(address), asked, body, debug)).await;
    match answer {
        Ok(Ok(answer)) => Ok(answer.show(began.elapsed())),
        Ok(Err(error)) => Err(failed(&format!("no answer from {address}: {error}"))),
        Err(_) => Err(failed(&format!("no answer from {address} within {} s", PATIENCE.as_secs()))),
    }
}

struct Answer {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: String,
    truncated: bool,
    trace: Option<Value>,
}

impl Answer {
    fn show(self, took: Duration) -> Value {
        json!({
            "status": self.status.as_u16(),
            "headers": self.headers,
            "body": self.body,
            "truncated": self.truncated,
            "took": (took.as_secs_f64() * 1e6).round() / 1e3,
            "trace": self.trace,
        })
    }
}

async fn send(address: SocketAddr, asked: Asked, body: Bytes, debug: bool) -> io::Result<Answer> {
    let Asked { method, target, headers, .. } = asked;
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let _driver = Driver(tokio::spawn(async move {
        let _ = connection.await;
    }));
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = target;
    *request.headers_mut() = headers;
    // It is made by whoever sends the body.
    request.headers_mut().remove(CONTENT_LENGTH);
    request.headers_mut().remove(TRANSFER_ENCODING);
    if debug {
        request.headers_mut().insert(DEBUG, HeaderValue::from_static("1"));
    }
    let response = sender.send_request(request).await.map_err(io::Error::other)?;
    let (mut head, body) = response.into_parts();
    let trace = head.headers.remove(TRACE).and_then(|value| serde_json::from_slice(value.as_bytes()).ok());
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let (bytes, truncated) = read(body).await;
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Answer { status: head.status, headers, body, truncated, trace })
}

/// Ends a connection with the request that it was made for.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The beginning of a body, and whether there is more.
async fn read(mut body: Incoming) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            let room = MOST_SHOWN - bytes.len();
            bytes.extend(data.iter().take(room));
            if data.len() > room {
                return (bytes, true);
            }
        }
    }
    (bytes, false)
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
