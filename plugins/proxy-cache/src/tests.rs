//! What clients see of the cache.

use moongate_sdk::Consumer;
use moongate_sdk::export::configure;
use moongate_sdk::testing::{Gateway, RawRequest, RawResponse};
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> ProxyCache {
    let mut config = config.clone();
    config["strategy"] = json!("memory");
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

/// A gateway at a time.
fn gateway() -> Gateway {
    let gateway = Gateway::new();
    gateway.set_time(Duration::from_secs(1_709_210_096));
    gateway
}

fn json_response() -> Vec<(&'static str, &'static str)> {
    vec![("content-type", "application/json")]
}

/// What the client is told of the cache, after the upstream answered with these headers if it was asked.
fn status(plugin: &ProxyCache, request: &RawRequest, upstream: &[(&str, &str)]) -> String {
    let _forgotten = [KEY, IS_ASKED, TTL].map(context::remove);
    match plugin.on_request(&request.as_request()).unwrap() {
        Decision::Respond(reply) => {
            let header = reply.headers.iter().find(|(name, _)| name == "x-cache-status");
            String::from_utf8(header.map(|(_, value)| value.clone()).unwrap_or_default()).unwrap()
        }
        Decision::Fail(failure) => failure.message,
        Decision::Continue => {
            let told = request.response_header("x-cache-status").unwrap_or_default();
            let response = upstream
                .iter()
                .fold(RawResponse::to(request, 200), |response, (name, value)| {
                    response.with_header(name, value)
                })
                .with_header("x-cache-status", told);
            plugin.on_response(&response.as_response()).unwrap();
            if response.watched_body().is_some() {
                plugin.on_response_body(&response.as_response(), b"body".to_vec(), true).unwrap();
            }
            response.as_response().header_text("x-cache-status").unwrap()
        }
    }
}

#[test]
fn a_response_is_kept_and_answered_with() {
    let gateway = gateway();
    let plugin = plugin(&json!({}));
    let request = || RawRequest::get("/x?q=1");
    assert_eq!(status(&plugin, &request(), &json_response()), "Miss");
    gateway.advance(Duration::from_secs(7));
    let Decision::Respond(reply) = plugin.on_request(&request().as_request()).unwrap() else {
        panic!("not kept")
    };
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"body".as_slice()));
    let headers = [
        ("content-type", "application/json"),
        ("x-kong-upstream-latency", "0"),
        ("age", "7"),
        ("x-cache-status", "Hit"),
    ];
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).into();
    assert_eq!(reply.headers, headers);
    assert_eq!(status(&plugin, &RawRequest::get("/y?q=1"), &json_response()), "Miss");
}

#[test]
fn requests_and_responses_of_other_kinds_go_past_the_cache() {
    let _gateway = gateway();
    let cache = plugin(&json!({}));
    assert_eq!(status(&cache, &RawRequest::new("POST", "/x"), &json_response()), "Bypass");
    for content_type in ["text/html", "application/json; charset=utf-8"] {
        assert_eq!(status(&cache, &RawRequest::get("/x"), &[("content-type", content_type)]), "Bypass");
    }
    assert_eq!(status(&cache, &RawRequest::get("/x"), &[]), "Bypass");
    let any = plugin(&json!({"content_type": ["*/*"]}));
    let image = [("content-type", "image/png; x=y")];
    assert_eq!(status(&any, &RawRequest::get("/z"), &image), "Miss");
    assert_eq!(status(&any, &RawRequest::get("/z"), &image), "Hit");
}

#[test]
fn a_head_request_is_never_kept() {
    let _gateway = gateway();
    let plugin = plugin(&json!({}));
    for _ in 0..2 {
        assert_eq!(status(&plugin, &RawRequest::new("HEAD", "/x"), &json_response()), "Miss");
    }
}

#[test]
fn responses_are_told_apart_by_what_the_configuration_says() {
    let get = RawRequest::get;
    let ann = Consumer { id: "1".into(), username: None, custom_id: None };
    for (config, first, second, expected) in [
        (json!({}), get("/x?a=1&b=2"), get("/x?b=2&a=1"), "Hit"),
        (json!({}), get("/x?a=1"), get("/x?a=2"), "Miss"),
        (json!({"vary_query_params": ["a"]}), get("/x?a=1&b=1"), get("/x?a=1&b=2"), "Hit"),
        (json!({"vary_query_params": ["a"]}), get("/x?a=1"), get("/x?a=2"), "Miss"),
        (json!({}), get("/x").with_header("x-a", "1"), get("/x").with_header("x-a", "2"), "Hit"),
        (
            json!({"vary_headers": ["X-A"]}),
            get("/x").with_header("x-a", "1"),
            get("/x").with_header("x-a", "2"),
            "Miss",
        ),
        (json!({}), get("/Xy"), get("/xY"), "Miss"),
        (json!({"ignore_uri_case": true}), get("/Xy"), get("/xY"), "Hit"),
        (json!({}), get("/x"), get("/x").with_client(Some(ann), None), "Miss"),
        (json!({}), get("/x"), get("/x").with_route(Some("r"), Some("s")), "Miss"),
    ] {
        let _gateway = gateway();
        let plugin = plugin(&config);
        assert_eq!(status(&plugin, &first, &json_response()), "Miss");
        assert_eq!(status(&plugin, &second, &json_response()), expected, "{config}");
    }
}

#[test]
fn a_response_that_is_too_old_is_fetched_again() {
    let gateway = gateway();
    let plugin = plugin(&json!({"cache_ttl": 10, "storage_ttl": 100}));
    for (wait, expected) in [(0, "Miss"), (10, "Hit"), (1, "Refresh"), (10, "Hit")] {
        gateway.advance(Duration::from_secs(wait));
        assert_eq!(status(&plugin, &RawRequest::get("/"), &json_response()), expected);
    }
}

#[test]
fn clients_and_upstreams_can_say_what_is_kept() {
    let kept = "max-age=60";
    for (response_says, request_says, expected) in [
        (kept, "", "Hit"),
        (kept, "no-cache", "Bypass"),
        (kept, "no-store", "Bypass"),
        (kept, "max-age=4", "Refresh"),
        (kept, "max-age=5", "Hit"),
        (kept, "min-fresh=56", "Refresh"),
        (kept, "min-fresh=55", "Hit"),
        ("max-age=60, private", "", "Bypass"),
        ("no-store", "", "Bypass"),
        ("max-age=0", "", "Bypass"),
        ("max-age=0, s-maxage=9", "", "Hit"),
        ("", "", "Bypass"),
    ] {
        let gateway = gateway();
        let plugin = plugin(&json!({"cache_control": true, "storage_ttl": 1000}));
        let upstream = [("content-type", "application/json"), ("cache-control", response_says)];
        status(&plugin, &RawRequest::get("/"), &upstream);
        gateway.advance(Duration::from_secs(5));
        let request = RawRequest::get("/").with_header("cache-control", request_says);
        assert_eq!(status(&plugin, &request, &upstream), expected, "{response_says} {request_says}");
    }
}

#[test]
fn a_client_can_ask_for_what_is_kept_only() {
    let _gateway = gateway();
    let plugin = plugin(&json!({"cache_control": true}));
    let request =
        RawRequest::get("/").with_header("cache-control", "only-if-cached").with_header("accept", "a/b");
    assert_eq!(status(&plugin, &request, &json_response()), "The upstream server is timing out");
}

#[test]
fn what_is_kept_can_be_looked_at_and_forgotten() {
    let gateway = gateway();
    let plugin = plugin(&json!({}));
    let get = RawRequest::get("/");
    let ask = |method: &str, path: &str| {
        let path = path.to_owned();
        let request =
            AdminRequest { method: method.into(), path, query: None, headers: vec![], body: vec![] };
        ProxyCache::on_admin(&request).unwrap()
    };
    let fill = || {
        assert_eq!(status(&plugin, &get, &json_response()), "Miss");
        assert_eq!(status(&plugin, &get, &json_response()), "Hit");
    };
    fill();
    let key = String::from_utf8(get.response_header("x-cache-key").unwrap()).unwrap();
    let one = format!("/proxy-cache/{key}");
    let of_plugin = format!("/proxy-cache/0a0b0c0d-0000-4000-8000-000000000001/caches/{key}");
    gateway.advance(Duration::from_secs(1));
    for path in [&one, &of_plugin] {
        let shown = ask("GET", path);
        let shown: Value = serde_json::from_slice(&shown.body).unwrap();
        assert_eq!((&shown["status"], &shown["ttl"]), (&json!(200), &json!(300)));
        assert_eq!(shown["headers"]["content-type"], "application/json");
        assert_eq!(shown["timestamp"], 1_709_210_096);
    }
    for path in [one.as_str(), &of_plugin, "/proxy-cache"] {
        assert_eq!(ask("DELETE", path).status, 204);
        assert_eq!((ask("GET", &one).status, ask("DELETE", &one).status), (404, 404));
        fill();
    }
}
