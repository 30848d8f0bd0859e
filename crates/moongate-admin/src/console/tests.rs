use axum::body::to_bytes;
use tower_service::Service;

use super::*;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

async fn ask(options: ConsoleOptions, path: &str, headers: &[(&'static str, &str)]) -> Answer {
    let mut request = http::Request::builder().uri(path).header("host", "box.test:8002");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = console(options).call(request.body(Body::empty()).unwrap()).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: head.status, headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() }
}

/// Another build, as `admin_gui_dir` names one.
fn other_build() -> (tempfile::TempDir, ConsoleOptions) {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    std::fs::create_dir(directory.path().join("assets")).unwrap();
    write("index.html", "<script src=\"/__km_base__/assets/a.js\"></script>");
    write("assets/a.js", "plain");
    write("assets/a.js.br", "brotli");
    write("assets/a.js.gz", "gzip");
    std::os::unix::fs::symlink("/etc/hostname", directory.path().join("out.txt")).unwrap();
    let options = ConsoleOptions { directory: Some(directory.path().to_owned()), ..Default::default() };
    (directory, options)
}

#[tokio::test]
async fn another_build_is_served_with_its_base_path_put_in() {
    let (_directory, options) = other_build();
    for path in ["/", "/index.html", "/services/some.name", "/a/b/c"] {
        let answer = ask(options.clone(), path, &[]).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::OK, "<script src=\"/assets/a.js\"></script>")
        );
        assert_eq!(answer.headers[CACHE_CONTROL], "no-cache");
    }
    assert_eq!(ask(options, "/assets/gone.js", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_is_sent_in_the_best_coding_that_the_client_takes() {
    let (_directory, options) = other_build();
    for (accepted, coding, body) in [
        ("gzip, deflate, br", Some("br"), "brotli"),
        ("gzip", Some("gzip"), "gzip"),
        ("br;q=0, gzip;q=0.5", Some("gzip"), "gzip"),
        ("identity", None, "plain"),
        ("", None, "plain"),
    ] {
        let answer = ask(options.clone(), "/assets/a.js", &[("accept-encoding", accepted)]).await;
        let sent = answer.headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap());
        assert_eq!((sent, answer.body.as_str()), (coding, body), "{accepted}");
        assert_eq!(answer.headers[CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(answer.headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
    }
}

#[tokio::test]
async fn what_the_client_has_already_is_not_sent_again() {
    let (_directory, options) = other_build();
    let first = ask(options.clone(), "/index.html", &[]).await;
    let tag = first.headers[ETAG].to_str().unwrap();
    let second = ask(options.clone(), "/index.html", &[("if-none-match", tag)]).await;
    assert_eq!((second.status, second.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let other = ask(options, "/index.html", &[("if-none-match", "\"other\"")]).await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test]
async fn no_path_leads_out_of_the_directory() {
    let (_directory, options) = other_build();
    for path in [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/.git/config",
        "/a%00b",
    ] {
        let answer = ask(options.clone(), path, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    // A link to elsewhere is no file of the build, so the path is one of the page's own.
    assert!(ask(options, "/out.txt", &[]).await.body.starts_with("<script"));
}

#[tokio::test]
async fn the_pages_are_told_where_the_admin_api_is() {
    let options = ConsoleOptions { admin_port: Some(9001), admin_tls_port: Some(9444), ..Default::default() };
    let answer = ask(options, "/kconfig.js", &[]).await;
    assert_eq!(answer.headers[CONTENT_TYPE], "application/javascript");
    assert_eq!(
        answer.body,
        "window.K_CONFIG = {\n  'ADMIN_GUI_PATH': '/',\n  'ADMIN_API_URL': '',\n  'ADMIN_API_PORT': '9001',\n  \
         'ADMIN_API_SSL_PORT': '9444',\n  'ANONYMOUS_REPORTS': 'false'\n}\n"
    );
    let options =
        ConsoleOptions { admin_url: Some("https://api.test/x'</script>".into()), ..Default::default() };
    let answer = ask(options, "/kconfig.js", &[]).await;
    assert!(answer.body.contains("'ADMIN_API_URL': 'https://api.test/x/script',"), "{}", answer.body);
}

#[tokio::test]
async fn the_policy_allows_no_inline_script_and_no_host_but_the_admin_api() {
    let options = ConsoleOptions { admin_port: Some(8001), ..Default::default() };
    let answer = ask(options, "/", &[]).await;
    let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; "), "{policy}");
    assert!(policy.contains("; connect-src 'self' http://box.test:8001; "), "{policy}");
    assert_eq!(answer.headers[X_CONTENT_TYPE_OPTIONS], "nosniff");

    let options = ConsoleOptions { admin_url: Some("https://api.test:9/path".into()), ..Default::default() };
    let answer = ask(options, "/", &[]).await;
    let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("; connect-src 'self' https://api.test:9; "), "{policy}");
}

#[test]
fn a_host_that_is_none_does_not_get_into_the_policy() {
    let host_of = |value: &'static str| {
        let headers = [(HOST, HeaderValue::from_static(value))].into_iter().collect();
        host(&headers).map(str::to_owned)
    };
    assert_eq!(host_of("[::1]:8002").as_deref(), Some("[::1]"));
    assert_eq!(host_of("localhost").as_deref(), Some("localhost"));
    assert_eq!(host_of("a; script-src *"), None);
    assert_eq!(host_of(":8002"), None);
}

#[tokio::test]
async fn a_directory_without_pages_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let options = ConsoleOptions { directory: Some(directory.path().to_owned()), ..Default::default() };
    let answer = ask(options, "/", &[]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("admin_gui_dir"), "{}", answer.body);
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let request = http::Request::post("/").body(Body::empty()).unwrap();
    let response = console(ConsoleOptions::default()).call(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()[ALLOW], "GET, HEAD");
}
