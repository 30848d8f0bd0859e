//! The document.

use echo_server::Options;
use serde_json::json;

use crate::peer::{Running, request};

#[tokio::test]
async fn the_document_shows_the_request() {
    let environment = Some([("COLOUR".to_owned(), "green".to_owned())].into());
    let server = Running::start(Options { environment, ..Options::default() }).await;

    let reply = server
        .get("/a%20b/c?one=1&two=x+y&one=2", &["Cookie: session=abc; theme=dark", "X-Thing: a", "x-thing: b"])
        .await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(
        reply.json(),
        json!({
            "host": {"hostname": "echo.test", "ip": "127.0.0.1", "ips": []},
            "http": {
                "method": "GET",
                "baseUrl": "",
                "originalUrl": "/a%20b/c?one=1&two=x+y&one=2",
                "protocol": "http",
            },
            "request": {
                "params": {"0": "/a b/c"},
                "query": {"one": ["1", "2"], "two": "x y"},
                "cookies": {"session": "abc", "theme": "dark"},
                "body": {},
                "headers": {
                    "host": "echo.test:3000",
                    "cookie": "session=abc; theme=dark",
                    "x-thing": "a, b",
                },
            },
            "environment": {"COLOUR": "green"},
        })
    );
}

#[tokio::test]
async fn sections_come_in_the_order_that_people_expect() {
    let environment = Some([].into());
    let server = Running::start(Options { environment, ..Options::default() }).await;
    let text = String::from_utf8(server.get("/", &[]).await.body).unwrap();
    let places = ["\"host\":{", "\"http\":{", "\"request\":{", "\"environment\":{"].map(|key| text.find(key));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{text}");
}

#[tokio::test]
async fn a_hidden_environment_is_not_even_a_key() {
    let server = Running::start(Options::default()).await;
    let document = server.get("/", &[]).await.json();
    assert!(document.get("environment").is_none());
    assert!(document.get("request").is_some());
}

#[tokio::test]
async fn every_method_is_answered() {
    let server = Running::start(Options::default()).await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
        let mut client = server.connect().await;
        client.send(&request(method, "/", &[], b"")).await;
        assert_eq!(client.reply().await.json()["http"]["method"], method);
    }
}

#[tokio::test]
async fn bodies_are_shown_as_what_they_say_they_are() {
    let server = Running::start(Options::default()).await;
    let shown = async |content_type: &str, body: &[u8]| {
        let reply = server.post(&[&format!("content-type: {content_type}")], body).await;
        reply.json()["request"]["body"].clone()
    };
    assert_eq!(shown("application/json", br#"{"n":[1,null]}"#).await, json!({"n": [1, null]}));
    assert_eq!(shown("application/x-www-form-urlencoded", b"a=1&b=%26").await, json!({"a": "1", "b": "&"}));
    assert_eq!(shown("text/plain", b"plain").await, json!("plain"));
    assert_eq!(shown("application/octet-stream", b"\x00\xfe").await, json!("\u{0}\u{fe}"));
}

#[tokio::test]
async fn a_chunked_body_is_put_together() {
    let server = Running::start(Options::default()).await;
    let mut client = server.connect().await;
    let headers = ["transfer-encoding: chunked", "content-type: application/json"];
    client.send(&request("POST", "/", &headers, b"3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")).await;
    assert_eq!(client.reply().await.json()["request"]["body"], json!([1, 2]));
}

#[tokio::test]
async fn header_values_that_are_not_utf8_are_shown_all_the_same() {
    let server = Running::start(Options::default()).await;
    let mut client = server.connect().await;
    client.send(b"GET / HTTP/1.1\r\nhost: x\r\nx-name: caf\xe9\r\nx-other: caf\xc3\xa9\r\n\r\n").await;
    let document = client.reply().await.json();
    assert_eq!(document["request"]["headers"]["x-name"], "café");
    assert_eq!(document["request"]["headers"]["x-other"], "café");
}

#[tokio::test]
async fn an_ipv6_host_loses_its_port_alone() {
    let server = Running::start(Options::default()).await;
    let mut client = server.connect().await;
    client.send(b"GET / HTTP/1.1\r\nhost: [::1]:3000\r\n\r\nGET / HTTP/1.1\r\nhost: [::1]\r\n\r\n").await;
    for _ in 0..2 {
        assert_eq!(client.reply().await.json()["host"]["hostname"], "[::1]");
    }
}

#[tokio::test]
async fn a_tunnel_is_refused() {
    let server = Running::start(Options::default()).await;
    let mut client = server.connect().await;
    client.send(b"CONNECT example.test:443 HTTP/1.1\r\nhost: example.test:443\r\n\r\n").await;
    assert_eq!(client.reply().await.status, 405);
}
