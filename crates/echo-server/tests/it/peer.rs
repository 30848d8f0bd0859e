//! A server to talk to and a client that sends exactly the bytes it is given.

use std::net::SocketAddr;
use std::time::Duration;

use echo_server::{Options, Server};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A server that runs until the test ends or stops it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<usize>,
}

impl Running {
    pub(crate) async fn start(options: Options) -> Self {
        let server = Server::bind(options).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
        Self { address, stop: Some(stop), serving }
    }

    pub(crate) fn begin_shutdown(&mut self) {
        drop(self.stop.take());
    }

    /// How many connections the server had to cut off.
    pub(crate) async fn ended(self) -> usize {
        soon(self.serving).await.unwrap()
    }

    pub(crate) async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), pending: Vec::new() }
    }

    /// One GET of `target` with these header lines, on a connection of its own.
    pub(crate) async fn get(&self, target: &str, headers: &[&str]) -> Reply {
        let mut client = self.connect().await;
        client.send(&request("GET", target, headers, b"")).await;
        client.reply().await
    }

    pub(crate) async fn post(&self, headers: &[&str], body: &[u8]) -> Reply {
        let mut client = self.connect().await;
        let length = format!("content-length: {}", body.len());
        let headers: Vec<&str> = headers.iter().copied().chain([length.as_str()]).collect();
        client.send(&request("POST", "/", &headers, body)).await;
        client.reply().await
    }
}

pub(crate) fn request(method: &str, target: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: echo.test:3000\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

pub(crate) struct Client {
    stream: TcpStream,
    pending: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// The next answer; panics when the server closes before it is whole.
    pub(crate) async fn reply(&mut self) -> Reply {
        self.reply_to("GET").await
    }

    /// As [`Client::reply`], for a method whose answers may have no body whatever their length says.
    pub(crate) async fn reply_to(&mut self, method: &str) -> Reply {
        let head = loop {
            if let Some(end) = self.pending.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break self.pending.drain(..end + 4).collect::<Vec<u8>>();
            }
            assert!(self.read().await, "closed in the middle of a head: {:?}", self.pending);
        };
        let mut reply = Reply::from_head(&String::from_utf8(head).unwrap());
        let bodiless = method == "HEAD" || matches!(reply.status, 100 | 204 | 304);
        let length = reply.header("content-length").filter(|_| !bodiless).map_or(0, |n| n.parse().unwrap());
        while self.pending.len() < length {
            assert!(self.read().await, "closed in the middle of a body");
        }
        reply.body = self.pending.drain(..length).collect();
        reply
    }

    /// Waits until the server has closed the connection, having sent nothing more.
    pub(crate) async fn closed(&mut self) {
        assert!(!self.read().await, "more came: {:?}", self.pending);
    }

    async fn read(&mut self) -> bool {
        soon(self.stream.read_buf(&mut self.pending)).await.unwrap() > 0
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn from_head(head: &str) -> Self {
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Self { status, headers, body: Vec::new() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// Bounds what would otherwise hang the suite.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.unwrap_or_else(|_| panic!("nothing happened for 20 s"))
}
