//! The state of plugins, reloads, and the endpoints that plugins declare.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::*;

fn declared(method: &str, path: &str) -> AdminRoute {
    AdminRoute { plugin: "counter".into(), method: method.into(), path: path.into(), status: false }
}

async fn with_routes(reply: Result<Reply, HookError>, routes: &[(&str, &str)]) -> Api {
    let routes = routes.iter().map(|(method, path)| declared(method, path)).collect();
    let catalog = FakeCatalog { routes: Mutex::new(routes), reply, ..FakeCatalog::default() };
    Api::with(FakeNode::default(), catalog).await
}

fn teapot() -> Result<Reply, HookError> {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    headers.append("x-a", HeaderValue::from_static("1"));
    headers.append("x-a", HeaderValue::from_static("2"));
    Ok(Reply { status: StatusCode::IM_A_TEAPOT, headers, body: Bytes::from_static(b"short and stout") })
}

#[tokio::test]
async fn every_artifact_is_listed_with_its_state() {
    let answer = Api::start().await.get("/moongate/plugins").await;
    assert_eq!(answer.status, 200);
    let data = answer.value()["data"].clone();
    assert_eq!(data.as_array().unwrap().len(), 3);
    let expected = json!({
        "name": "broken", "version": "1.2.0", "priority": 800, "digest": null, "hooks": ["request"],
        "file": "/plugins/broken.wasm", "state": "refused", "last_error": null, "generation": 0,
        "loaded_at": null, "capabilities": [], "grants": [], "statistics": null
    });
    assert_eq!(data[1], expected);
}

#[tokio::test]
async fn a_plugin_is_found_by_name_and_the_version_in_use_comes_first() {
    let mut twin = status("add-header", PluginState::Refused, 0);
    twin.file = "/other/add-header.wasm".to_owned();
    let plugins = vec![twin, status("add-header", PluginState::Ready, 1)];
    let catalog = FakeCatalog { plugins, ..FakeCatalog::default() };
    let api = Api::with(FakeNode::default(), catalog).await;
    assert_eq!(api.get("/moongate/plugins/add-header").await.value()["state"], "ready");
    assert_eq!(api.get("/moongate/plugins/add%2Dheader/").await.status, 200);
    api.get("/moongate/plugins/nope").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn a_reload_says_whether_it_worked_and_why_not() {
    let api = Api::start().await;
    api.send("POST", "/moongate/reload", &[], "").await.assert_message(200, "reloaded");
    let node = FakeNode { reload: Err("services.0.host: required".to_owned()), ..FakeNode::default() };
    let api = Api::with(node, FakeCatalog::default()).await;
    let answer = api.send("POST", "/moongate/reload", &[("Content-Type", "text/plain")], "x").await;
    answer.assert_message(400, "services.0.host: required");
}

#[tokio::test]
async fn a_reload_goes_on_when_the_client_goes_away() {
    let node = FakeNode { slow_reload: Some(Default::default()), ..FakeNode::default() };
    let api = Api::with(node, FakeCatalog::default()).await;
    let [began, go_on, ended] = api.node.slow_reload.as_ref().unwrap();

    let mut stream = TcpStream::connect(api.address).await.unwrap();
    stream.write_all(b"POST /moongate/reload HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    began.notified().await;
    drop(stream);
    // Two further requests give the server time to notice.
    api.get("/").await;
    api.get("/").await;
    go_on.notify_one();
    tokio::time::timeout(Duration::from_secs(5), ended.notified()).await.unwrap();
}

#[tokio::test]
async fn a_plugin_gets_the_whole_request_and_its_reply_is_passed_on() {
    let api = with_routes(teapot(), &[("POST", "/counter/reset")]).await;
    let answer = api.send("POST", "/counter/re%73et/?a=%20b&c", &[("X-Who", "me")], "now").await;
    assert_eq!((answer.status, answer.body.as_str()), (418, "short and stout"));
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(answer.header("server"), Some("moongate/0.1.0"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.headers.iter().filter(|(name, _)| name == "x-a").count(), 2);

    let seen = api.catalog.seen.lock();
    let [(plugin, request)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((plugin.as_str(), request.method.as_str()), ("counter", "POST"));
    assert_eq!((request.path.as_str(), request.query.as_deref()), ("/counter/reset", Some("a=%20b&c")));
    assert_eq!((request.headers["x-who"].as_bytes(), &request.body[..]), (&b"me"[..], &b"now"[..]));
}

#[tokio::test]
async fn an_endpoint_answers_from_the_moment_in_which_its_plugin_declares_it() {
    let api = with_routes(teapot(), &[]).await;
    api.get("/counter").await.assert_message(404, "Not found");
    api.catalog.routes.lock().push(declared("GET", "/counter"));
    assert_eq!(api.get("/counter").await.status, 418);
    api.catalog.routes.lock().clear();
    api.get("/counter").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn a_declared_path_takes_the_declared_methods_head_and_options() {
    let api = with_routes(teapot(), &[("POST", "/counter"), ("GET", "/counter"), ("GET", "/other")]).await;
    api.send("DELETE", "/counter", &[], "").await.assert_message(405, "Method not allowed");
    api.send("POST", "/other", &[], "").await.assert_message(405, "Method not allowed");

    let head = api.send("HEAD", "/counter", &[], "").await;
    assert_eq!((head.status, head.body.as_str()), (418, ""));
    assert_eq!(api.catalog.seen.lock()[0].1.method, "GET");

    let options = api.send("OPTIONS", "/counter", &[], "").await;
    assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD, OPTIONS, POST")));
    let options = api.send("OPTIONS", "/other", &[], "").await;
    assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(api.catalog.seen.lock().len(), 1);
}

#[tokio::test]
async fn a_segment_in_braces_stands_for_any_and_the_path_itself_goes_first() {
    let routes = [("GET", "/things/{key}"), ("DELETE", "/things/all"), ("GET", "/things/{key}/parts/{part}")];
    let api = with_routes(teapot(), &routes).await;
    assert_eq!(api.get("/things/a%2Fb").await.status, 418);
    assert_eq!(api.get("/things/x/parts/y/").await.status, 418);
    api.get("/things/all").await.assert_message(405, "Method not allowed");
    assert_eq!(api.delete("/things/all").await.status, 418);
    api.get("/things").await.assert_message(404, "Not found");
    api.get("/things/x/parts").await.assert_message(404, "Not found");
    let paths: Vec<String> =
        api.catalog.seen.lock().iter().map(|(_, request)| request.path.clone()).collect();
    assert_eq!(paths, ["/things/a%2Fb", "/things/x/parts/y", "/things/all"]);
}

#[tokio::test]
async fn a_plugin_cannot_take_over_a_path_of_the_api() {
    let api = with_routes(teapot(), &[("GET", "/services"), ("TRACE", "/status")]).await;
    assert_eq!(api.get("/services").await.status, 200);
    api.send("TRACE", "/status", &[], "").await.assert_message(405, "Method not allowed");
    assert!(api.catalog.seen.lock().is_empty());
}

#[tokio::test]
async fn a_plugin_that_fails_is_answered_with_500() {
    for error in [HookError::Trap { message: "unreachable".into() }, HookError::NotExported] {
        let api = with_routes(Err(error), &[("GET", "/counter")]).await;
        api.get("/counter").await.assert_message(500, "An unexpected error occurred");
    }
}

#[tokio::test]
async fn an_interim_status_is_no_answer() {
    let reply = teapot().map(|reply| Reply { status: StatusCode::SWITCHING_PROTOCOLS, ..reply });
    let api = with_routes(reply, &[("GET", "/counter")]).await;
    api.get("/counter").await.assert_message(500, "An unexpected error occurred");
}

#[tokio::test]
async fn a_body_over_the_limit_does_not_reach_the_plugin() {
    let api = with_routes(teapot(), &[("PUT", "/counter")]).await;
    let announced =
        "PUT /counter HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10485761\r\n\r\n";
    api.raw(announced).await.assert_message(413, "Request body is larger than 10 MiB");
    assert!(api.catalog.seen.lock().is_empty());
}
