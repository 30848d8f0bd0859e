//! What all answers have in common: headers, methods, preflights, limits.

use super::*;

#[tokio::test]
async fn every_answer_has_the_headers_that_clients_expect() {
    let api = Api::start().await;
    for (path, status) in [("/", 200), ("/services", 200), ("/nope", 404), ("/services?size=0", 400)] {
        let answer = api.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        assert_eq!(answer.header("server"), Some("moongate/0.1.0"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert!(answer.header("x-kong-admin-latency").unwrap().parse::<u64>().is_ok());
        assert_eq!((answer.header("via"), answer.header("x-kong-request-id")), (None, None));
    }
}

#[tokio::test]
async fn the_origin_of_a_browser_is_allowed_by_name() {
    let api = Api::start().await;
    let answer = api.send("GET", "/services", &[("Origin", "http://gui.test")], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("http://gui.test"));
    let answer = api.send("GET", "/nope", &[("Origin", "null")], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("null"));
}

#[tokio::test]
async fn only_the_configured_origins_are_allowed_when_there_are_some() {
    let origins = vec!["http://gui.test".to_owned(), "http://other.test".to_owned()];
    let api = Api::with(FakeNode { origins, ..FakeNode::default() }, FakeCatalog::default()).await;
    for (origin, allowed) in
        [("http://other.test", "http://other.test"), ("http://evil.test", "http://gui.test")]
    {
        let answer = api.send("GET", "/", &[("Origin", origin)], "").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(allowed));
    }
    assert_eq!(api.get("/").await.header("access-control-allow-origin"), Some("http://gui.test"));
}

#[tokio::test]
async fn robots_are_kept_away() {
    let answer = Api::start().await.get("/robots.txt").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "User-agent: *\nDisallow: /"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn options_lists_the_methods_of_a_path() {
    let api = Api::start().await;
    let entity = "DELETE, GET, HEAD, OPTIONS, PATCH, PUT";
    for (path, methods) in [
        ("/", "GET, HEAD, OPTIONS"),
        ("/status", "GET, HEAD, OPTIONS"),
        ("/plugins/enabled", "GET, HEAD, OPTIONS"),
        ("/services", "GET, HEAD, OPTIONS, POST"),
        ("/services/nope/routes", "GET, HEAD, OPTIONS, POST"),
        ("/services/nope", entity),
        ("/routes/nope/plugins/nope", entity),
        ("/routes/nope/service", entity),
        ("/moongate/reload", "OPTIONS, POST"),
        ("/cache", "DELETE, OPTIONS"),
        ("/cache/x", "DELETE, GET, HEAD, OPTIONS"),
        ("/config", "GET, HEAD, OPTIONS, POST"),
        ("/schemas/services/validate", "OPTIONS, POST"),
        ("/debug/node/log-level/debug", "OPTIONS, PUT"),
        ("/upstreams/nope/health", "GET, HEAD, OPTIONS"),
        ("/upstreams/nope/targets/nope/healthy", "OPTIONS, PUT"),
        ("/upstreams/nope/targets/nope/1.2.3.4/unhealthy", "OPTIONS, PUT"),
        ("/consumers/nope/key-auth", "GET, HEAD, OPTIONS, POST"),
    ] {
        let answer = api.send("OPTIONS", path, &[], "").await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
        assert_eq!(answer.header("allow"), Some(methods), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), Some(methods), "{path}");
        assert_eq!(answer.header("access-control-allow-headers"), Some("Content-Type"));
    }
    let wanted = [("Access-Control-Request-Headers", "X-Foo")];
    let answer = api.send("OPTIONS", "/services", &wanted, "").await;
    assert_eq!(answer.header("access-control-allow-headers"), Some("X-Foo"));
    for path in ["/nope", "*", "/consumers/nope/nope"] {
        api.send("OPTIONS", path, &[], "").await.assert_message(404, "Not found");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_refused() {
    let api = Api::start().await;
    for (method, path) in [
        ("POST", "/"),
        ("DELETE", "/services"),
        ("PUT", "/plugins"),
        ("POST", "/services/one"),
        ("POST", "/status"),
        ("GEEEET", "/services"),
        ("TRACE", "/services"),
        ("GET", "/moongate/reload"),
        ("HEAD", "/moongate/reload/"),
    ] {
        let answer = api.send(method, path, &[("Content-Type", "application/json")], "{}").await;
        assert_eq!(answer.status, 405, "{method} {path}");
        if method != "HEAD" {
            answer.assert_message(405, "Method not allowed");
        }
    }
    api.json("POST", "/nope", "{}").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn head_answers_like_get_without_the_body() {
    let api = Api::start().await;
    for (path, status) in [("/", 200), ("/services", 200), ("/services/one", 200), ("/services/nope", 404)] {
        let (get, head) = (api.get(path).await, api.send("HEAD", path, &[], "").await);
        assert_eq!((head.status, head.body.as_str()), (status, ""), "{path}");
        assert_eq!(head.header("content-length"), get.header("content-length"), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_413() {
    let api = Api::start().await;
    let headers = [("Content-Type", "application/json")];
    let answer = api.send("POST", "/services", &headers, &" ".repeat(10 << 20)).await;
    answer.assert_message(400, "Cannot parse JSON body");
    let announced = "POST /services HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                     Connection: close\r\nContent-Length: 10485761\r\n\r\n";
    let answer = api.raw(announced).await;
    answer.assert_message(413, "Request body is larger than 10 MiB");
    let unannounced = format!(
        "POST /services HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\nA00001\r\n{}",
        " ".repeat((10 << 20) + 1)
    );
    let answer = api.raw(&unannounced).await;
    answer.assert_message(413, "Request body is larger than 10 MiB");
}

#[tokio::test]
async fn connections_are_kept_and_a_shutdown_ends_them() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = crate::router(Arc::new(FakeNode::default()), Arc::new(FakeCatalog::default()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async move { stopped.await.unwrap() };
    let serving = tokio::spawn(crate::serve(listener, router, shutdown));

    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        stream.write_all(b"GET /services/nope HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
        }
    }
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}
