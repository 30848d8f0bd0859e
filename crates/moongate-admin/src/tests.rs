//! The API over a real connection, in front of a made-up node with made-up plugins.

mod entities;
mod fakes;
mod information;
mod plugins;
mod protocol;
mod read_only;

use std::net::SocketAddr;
use std::sync::Arc;

use moongate_hooks::{AdminRoute, HookError, PluginState, Reply};
use moongate_model::Entities;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use self::fakes::{FakeCatalog, FakeNode, reference, service, status};

/// A running API and the parts behind it.
struct Api {
    address: SocketAddr,
    node: Arc<FakeNode>,
    catalog: Arc<FakeCatalog>,
}

impl Api {
    async fn start() -> Self {
        Self::with(FakeNode::default(), FakeCatalog::default()).await
    }

    async fn with(node: FakeNode, catalog: FakeCatalog) -> Self {
        let (node, catalog) = (Arc::new(node), Arc::new(catalog));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = crate::router(node.clone(), catalog.clone());
        tokio::spawn(crate::serve(listener, router, std::future::pending()));
        Self { address, node, catalog }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    async fn json(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &[("Content-Type", "application/json")], body).await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: admin.test\r\nConnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        self.raw(&format!("{head}\r\n{body}")).await
    }

    async fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        Answer::parse(&String::from_utf8(answer).unwrap())
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Self { status, headers, body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The ids of a list, as numbers.
    fn ids(&self) -> Vec<u128> {
        let value = self.value();
        let data = value["data"].as_array().unwrap();
        data.iter().map(|entity| entity["id"].as_str().unwrap().parse::<Uuid>().unwrap().as_u128()).collect()
    }

    fn assert(&self, status: u16, body: Value) {
        assert_eq!((self.status, self.value()), (status, body));
    }

    fn assert_message(&self, status: u16, message: &str) {
        self.assert(status, json!({"message": message}));
    }
}
