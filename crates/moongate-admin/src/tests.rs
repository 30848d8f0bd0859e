//! The API over a real connection, in front of a made-up node with made-up plugins.

mod access;
mod below;
mod certificates;
mod config;
mod entities;
mod fakes;
mod information;
mod node;
mod plugins;
mod protocol;
mod read_only;
mod schemas;
mod stores;
mod upstreams;
mod writes;

use std::net::SocketAddr;
use std::sync::Arc;

use moongate_hooks::{AdminRoute, HookError, PluginState, Reply};
use moongate_schema::{Context, Object, Operation, SystemRandomness};
use moongate_store::Change;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use self::fakes::{FakeCatalog, FakeNode, status};
use crate::Node;

/// A running API and the parts behind it.
struct Api {
    address: SocketAddr,
    node: Arc<FakeNode>,
    catalog: Arc<FakeCatalog>,
}

impl Api {
    /// A node with a few entities.
    async fn start() -> Self {
        let node = FakeNode::default();
        fill(&node).await;
        Self::with(node, FakeCatalog::default()).await
    }

    /// A node with the same entities from a declarative configuration.
    async fn declarative() -> Self {
        let node = FakeNode::default();
        fill(&node).await;
        Self::with(node.declarative(), FakeCatalog::default()).await
    }

    /// A node without an entity.
    async fn empty() -> Self {
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

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, &body.to_string()).await
    }

    async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json("PATCH", path, &body.to_string()).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        self.json("PUT", path, &body.to_string()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], "").await
    }

    async fn form(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(method, path, &[("Content-Type", "application/x-www-form-urlencoded")], body).await
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

    /// That the schema refuses the request, with these problems.
    fn assert_invalid(&self, message: &str, fields: Value) {
        let body = json!({"code": 2, "name": "schema violation", "message": message, "fields": fields});
        self.assert(400, body);
    }

    /// That the answer is an entity with at least these fields.
    fn assert_entity(&self, status: u16, fields: Value) -> Value {
        let value = self.value();
        assert_eq!(self.status, status, "{value}");
        for (name, expected) in fields.as_object().unwrap() {
            assert_eq!(&value[name], expected, "{name} of {value}");
        }
        value
    }

    fn assert(&self, status: u16, body: Value) {
        assert_eq!((self.status, self.value()), (status, body));
    }

    fn assert_message(&self, status: u16, message: &str) {
        self.assert(status, json!({"message": message}));
    }
}

fn id(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

fn reference(number: u128) -> Value {
    json!({"id": id(number)})
}

/// Puts entities into a node without asking the API.
async fn put(node: &FakeNode, entity: &str, fields: Value) {
    let Value::Object(fields) = fields else { panic!("no fields") };
    let context = Context::new(1_700_000_000_000, &SystemRandomness);
    let schema = node.catalog().entity(entity).unwrap().clone();
    let mut row: Object = schema.complete(fields, Operation::Insert, &context).unwrap();
    row.retain(|name, _| !schema.field_named(name).is_some_and(|field| field.transient));
    node.store().write(vec![Change::insert(entity, row)]).await.unwrap();
}

async fn fill(node: &FakeNode) {
    for (number, name, tags) in
        [(1, "one", json!(["a"])), (2, "two", json!(["a", "b"])), (3, "three", json!(["b"]))]
    {
        let fields = json!({"id": id(number), "name": name, "host": "upstream.test", "tags": tags});
        put(node, "services", fields).await;
    }
    for (number, name, service) in [
        (11, json!("r1"), reference(1)),
        (12, json!(null), reference(1)),
        (13, json!("r3"), reference(2)),
        (14, json!("lonely"), json!(null)),
    ] {
        put(node, "routes", json!({"id": id(number), "name": name, "service": service, "paths": ["/x"]}))
            .await;
    }
    put(node, "consumers", json!({"id": id(31), "username": "bob", "custom_id": "c1"})).await;
    put(node, "plugins", json!({"id": id(21), "name": "limits"})).await;
    let second = json!({"id": id(22), "name": "limits", "instance_name": "second", "service": reference(1)});
    put(node, "plugins", second).await;
    put(node, "plugins", json!({"id": id(23), "name": "key-auth"})).await;
}
