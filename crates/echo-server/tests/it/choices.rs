//! Answers that the request chose.

use std::collections::BTreeSet;
use std::time::Duration;

use echo_server::Options;
use serde_json::json;
use tokio::time::Instant;

use crate::peer::Running;

#[tokio::test]
async fn the_status_can_be_chosen_by_query_and_by_header() {
    let server = Running::start(Options::default()).await;
    assert_eq!(server.get("/?echo_code=418", &[]).await.status, 418);
    assert_eq!(server.get("/", &["X-ECHO-CODE: 503"]).await.status, 503);
    assert_eq!(server.get("/?echo_code=700", &[]).await.status, 200);
}

#[tokio::test]
async fn the_header_counts_when_the_query_says_something_else() {
    let server = Running::start(Options::default()).await;
    let reply =
        server.get("/?echo_code=418&echo_body=query", &["x-echo-code: 503", "x-echo-body: header"]).await;
    assert_eq!((reply.status, reply.json()), (503, json!("header")));
}

#[tokio::test]
async fn a_status_list_gives_each_of_its_statuses_and_no_other() {
    let server = Running::start(Options::default()).await;
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        seen.insert(server.get("/?echo_code=200-404-500", &[]).await.status);
    }
    assert_eq!(seen, [200, 404, 500].into());
}

#[tokio::test]
async fn a_status_without_a_body_leaves_the_connection_usable() {
    let server = Running::start(Options::default()).await;
    let mut client = server.connect().await;
    for (code, expected) in [("204", 204), ("304", 304), ("200", 200)] {
        let wanted = format!("GET /?echo_code={code} HTTP/1.1\r\nhost: x\r\n\r\n");
        client.send(wanted.as_bytes()).await;
        assert_eq!(client.reply().await.status, expected);
    }
}

#[tokio::test]
async fn a_chosen_body_replaces_the_document() {
    let server = Running::start(Options::default()).await;
    assert_eq!(server.get("/?echo_body=amazing", &[]).await.json(), json!("amazing"));
    assert_eq!(server.get("/", &[r#"X-ECHO-BODY: {"ok":[1]}"#]).await.json(), json!({"ok": [1]}));
}

#[tokio::test]
async fn an_environment_variable_can_be_the_body() {
    let environment = Some([("COLOUR".to_owned(), "green".to_owned())].into());
    let server = Running::start(Options { environment, ..Options::default() }).await;
    assert_eq!(server.get("/?echo_env_body=COLOUR", &[]).await.json(), json!("green"));
    assert_eq!(server.get("/", &["X-ECHO-ENV-BODY: COLOUR"]).await.json(), json!("green"));
    assert_eq!(server.get("/?echo_env_body=ABSENT", &[]).await.json(), json!(null));
}

#[tokio::test]
async fn a_hidden_environment_cannot_be_asked_for() {
    let server = Running::start(Options::default()).await;
    let document = server.get("/?echo_env_body=PATH", &[]).await.json();
    assert_eq!(document["request"]["query"]["echo_env_body"], "PATH");
}

#[tokio::test]
async fn response_headers_can_be_chosen() {
    let server = Running::start(Options::default()).await;
    for reply in [
        server.get("/?echo_header=One:1,%20Two:2,%20Content-Type:text/csv", &[]).await,
        server.get("/", &["X-ECHO-HEADER: One:1, Two: 2, Content-Type: text/csv"]).await,
    ] {
        assert_eq!(reply.header("one"), Some("1"));
        assert_eq!(reply.header("two"), Some("2"));
        assert_eq!(reply.header("content-type"), Some("text/csv"));
        assert_eq!(reply.headers.iter().filter(|(name, _)| name == "content-type").count(), 1);
    }
}

#[tokio::test]
async fn several_cookies_can_be_set_at_once() {
    let server = Running::start(Options::default()).await;
    let reply = server.get("/", &["X-ECHO-HEADER: Set-Cookie:a=1, Set-Cookie:b=2"]).await;
    let cookies: Vec<_> =
        reply.headers.iter().filter(|(n, _)| n == "set-cookie").map(|(_, v)| v.as_str()).collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
}

#[tokio::test]
async fn a_chosen_content_length_is_ignored() {
    let server = Running::start(Options::default()).await;
    let reply = server.get("/?echo_body=amazing&echo_header=Content-Length:1,%20A:1", &[]).await;
    assert_eq!(reply.json(), json!("amazing"));
    assert_eq!(reply.header("a"), Some("1"));
}

#[tokio::test]
async fn an_answer_can_be_delayed() {
    let server = Running::start(Options::default()).await;
    for (target, header) in [("/?echo_time=150", "a: b"), ("/", "X-ECHO-TIME: 150")] {
        let asked = Instant::now();
        assert_eq!(server.get(target, &[header]).await.status, 200);
        assert!(asked.elapsed() >= Duration::from_millis(150), "{:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn a_delay_is_capped() {
    let max_delay = Duration::from_millis(20);
    let server = Running::start(Options { max_delay, ..Options::default() }).await;
    let asked = Instant::now();
    assert_eq!(server.get("/?echo_time=60000", &[]).await.status, 200);
    assert!(asked.elapsed() >= max_delay);
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn one_delayed_answer_does_not_hold_up_another() {
    let server = Running::start(Options::default()).await;
    let asked = Instant::now();
    tokio::join!(
        server.get("/?echo_time=400", &[]),
        server.get("/?echo_time=400", &[]),
        server.get("/?echo_time=400", &[]),
    );
    assert!(asked.elapsed() < Duration::from_millis(1100), "{:?}", asked.elapsed());
}
