//! Log level, cache, tags, and what a node of another kind than this would have.

use std::time::Duration;

use super::*;
use crate::LogLevel;

#[tokio::test]
async fn the_log_level_changes_for_a_while() {
    let api = Api::empty().await;
    api.get("/debug/node/log-level").await.assert_message(200, "log level: notice");
    let path = "/debug/node/log-level/debug?timeout=5";
    api.send("PUT", path, &[], "").await.assert_message(200, "log level changed");
    assert_eq!(*api.node.log_level.lock(), (LogLevel::Debug, Some(Duration::from_secs(5))));
    api.send("PUT", path, &[], "").await.assert_message(200, "log level is already debug");
    api.send("PUT", "/debug/cluster/log-level/warn", &[], "").await.assert_message(200, "log level changed");
    assert_eq!(*api.node.log_level.lock(), (LogLevel::Warn, Some(Duration::from_secs(60))));
}

#[tokio::test]
async fn a_log_level_that_makes_no_sense_is_refused() {
    let api = Api::empty().await;
    for (path, message) in [
        ("/debug/node/log-level/foo", "unknown log level: foo"),
        ("/debug/cluster/log-level/foo", "unknown log level: foo"),
        ("/debug/node/log-level/debug?timeout=-1", "timeout must be greater than or equal to 0"),
    ] {
        api.send("PUT", path, &[], "").await.assert_message(400, message);
    }
    let message = "cannot change log level when not using a database";
    let answer = Api::declarative().await.send("PUT", "/debug/node/log-level/debug", &[], "").await;
    answer.assert_message(405, message);
}

#[tokio::test]
async fn tags_are_listed_with_the_entities_that_have_them() {
    let api = Api::start().await;
    let row = |tag: &str, number| json!({"tag": tag, "entity_name": "services", "entity_id": id(number)});
    let all = [row("a", 1), row("a", 2), row("b", 2), row("b", 3)];
    api.get("/tags").await.assert(200, json!({"data": all, "next": null}));
    api.get("/tags/b").await.assert(200, json!({"data": [row("b", 2), row("b", 3)], "next": null}));
    api.get("/tags/zip").await.assert(200, json!({"data": [], "next": null}));
    let first = api.get("/tags?size=3").await.value();
    let next = api.get(first["next"].as_str().unwrap()).await;
    next.assert(200, json!({"data": [row("b", 3)], "next": null}));
    let message = "invalid tag 'a,b': expected printable ascii (except `,` and `/`) or valid utf-8 sequences";
    api.get("/tags/a%2Cb")
        .await
        .assert(400, json!({"code": 10, "name": "invalid unique tag", "message": message}));
    let why = "does not support insert/upsert/update/delete operations";
    let fields = json!({"tags": why});
    let message = format!("schema violation (tags: {why})");
    api.post("/tags", json!({})).await.assert_invalid(&message, fields.clone());
    api.delete("/tags/a").await.assert_invalid(&message, fields);
}

#[tokio::test]
async fn what_is_configured_is_found_in_the_cache() {
    let api = Api::start().await;
    let path = format!("/cache/services:{}:::::ws", id(1));
    api.get(&path).await.assert_entity(200, json!({"name": "one"}));
    let path = format!("/cache/plugins:limits::{}:::ws", id(1));
    api.get(&path).await.assert_entity(200, json!({"id": id(22)}));
    for key in ["services:x:::::ws", "nope", "services:", &format!("routes:{}:::::ws", id(1))] {
        api.get(&format!("/cache/{key}")).await.assert_message(404, "Not found");
    }
    for path in ["/cache", "/cache/x"] {
        assert_eq!(api.delete(path).await.status, 204);
    }
}

#[tokio::test]
async fn what_a_node_of_another_kind_would_have_is_refused_in_the_words_of_kong() {
    let api = Api::empty().await;
    let message =
        "this endpoint is only available when Kong is configured to run as Control Plane for the cluster";
    api.get("/clustering/data-planes").await.assert_message(400, message);
    api.get("/clustering/status").await.assert_message(400, message);
    api.get("/status/dns").await.assert_message(501, "not implemented with the legacy DNS client");
    assert_eq!(api.get("/timers").await.value()["worker"], json!({"id": 0, "count": 2}));
}
