use super::*;

fn expression(text: &str) -> Router {
    let text = text.replace('\'', "''");
    router(Flavour::Expressions, &[&format!("expression: '{text}'")])
}

/// Whether GET requests belong to a route with the expression.
fn check_paths(text: &str, requests: &[(&str, &str, bool)]) {
    let router = expression(text);
    for (host, path, matches) in requests {
        assert_eq!(found(&router, host, path).is_some(), *matches, "{text}: {host} {path}");
    }
}

#[test]
fn paths_are_compared_in_four_ways() {
    check_paths(
        r#"http.path ^= "/foo""#,
        &[
            ("gw.test", "/foo", true),
            ("gw.test", "/foobar", true),
            ("gw.test", "/fo", false),
            ("gw.test", "/foo/x?y=1", true),
        ],
    );
    check_paths(r#"http.path =^ ".png""#, &[("gw.test", "/x/y.png", true), ("gw.test", "/x.jpg", false)]);
    check_paths(r#"http.path contains "mid""#, &[("gw.test", "/a/mid/b", true), ("gw.test", "/a/b", false)]);
    check_paths(r#"http.path == "/a/b""#, &[("gw.test", "/a/b", true), ("gw.test", "/a/b/", false)]);
    check_paths(r#"http.path ~ "b\\d""#, &[("gw.test", "/a/b1", true), ("gw.test", "/b", false)]);
}

#[test]
fn a_host_is_compared_without_its_port() {
    check_paths(
        r#"http.host == "a.test" && http.method == "GET""#,
        &[("a.test", "/x", true), ("a.test:99", "/x", true), ("b.test", "/x", false)],
    );
    check_paths(r#"net.dst.port == 99"#, &[("a.test:99", "/", true), ("a.test", "/", false)]);
    check_paths(r#"net.port == 8000"#, &[("a.test:99", "/", false), ("a.test", "/", true)]);
}

#[test]
fn parentheses_can_be_negated() {
    let text = r#"!(http.path ^= "/no") && (http.method == "GET" || http.method == "HEAD")"#;
    check_paths(text, &[("gw.test", "/yes", true), ("gw.test", "/no", false)]);
    let headers = HeaderMap::new();
    let request = RequestView { method: "POST", ..get("gw.test", "/yes", &headers) };
    assert_eq!(expression(text).find(&request), None);
}

#[test]
fn or_binds_tighter_than_and() {
    let text = r#"http.path == "/no" && http.host == "b.test" || http.host == "gw.test""#;
    check_paths(text, &[("gw.test", "/yes", false), ("gw.test", "/no", true), ("b.test", "/no", true)]);
}

#[test]
fn all_values_of_a_header_must_pass_unless_any_may() {
    for (text, values, matches) in [
        (r#"any(http.headers.x_env) == "dev""#, &["prod", "dev"][..], true),
        (r#"any(http.headers.x_env) == "dev""#, &["prod"], false),
        (r#"http.headers.x_env == "dev""#, &["prod", "dev"], false),
        (r#"http.headers.x_env == "dev""#, &["dev", "dev"], true),
        (r#"http.headers.x_env != "dev""#, &[], false),
        (r#"http.headers.x_env != "dev""#, &["prod"], true),
        (r#"http.headers.x_env != "dev""#, &["dev"], false),
        (r#"any(lower(http.headers.x_env)) == "dev""#, &["DEV"], true),
        (r#"lower(http.headers.x_env) == "straße""#, &["STRAßE"], true),
    ] {
        let pairs: Vec<_> = values.iter().map(|value| ("x-env", *value)).collect();
        let headers = headers(&pairs);
        let found = expression(text).find(&get("gw.test", "/x", &headers));
        assert_eq!(found.is_some(), matches, "{text} {values:?}");
    }
}

#[test]
fn segments_of_the_path_are_counted() {
    check_paths(
        r#"http.path.segments.0 == "api" && http.path.segments.2 == "x""#,
        &[
            ("gw.test", "/api/v1/x", true),
            ("gw.test", "/api/v1/y", false),
            ("gw.test", "/api/v1", false),
            ("gw.test", "/api/v1/x/more", true),
        ],
    );
    check_paths(r#"http.path.segments.1_2 == "v1/x""#, &[("gw.test", "/api/v1/x/more", true)]);
    check_paths(
        r#"http.path.segments.len > 1"#,
        &[("gw.test", "/a", false), ("gw.test", "/a/", false), ("gw.test", "/a/b", true)],
    );
}

#[test]
fn parts_of_the_query_are_compared_without_their_escapes() {
    for (query, matches) in [
        ("a=x+y", true),
        ("a=x%20y&b", true),
        ("%61=x%20y", true),
        ("a=x%20y&a=z", false),
        ("b=x", false),
        ("a=%ff", false),
    ] {
        let path = format!("/?{query}");
        check_paths(r#"http.queries.a == "x y""#, &[("gw.test", &path, matches)]);
    }
    check_paths(r#"http.queries.a == """#, &[("gw.test", "/?a", true), ("gw.test", "/", false)]);
}

#[test]
fn addresses_of_clients_are_compared() {
    let items = [
        "expression: net.src.ip in 127.0.0.0/8",
        "expression: net.src.ip == 127.0.0.1, priority: 5",
        "expression: net.src.ip not in 127.0.0.0/8 && net.dst.ip == 127.0.0.1",
    ];
    let router = router(Flavour::Expressions, &items);
    let headers = HeaderMap::new();
    for (source, route) in [
        ("127.0.0.1:1", Some(1)),
        ("127.9.0.1:1", Some(0)),
        ("10.0.0.1:1", Some(2)),
        ("[::ffff:127.0.0.1]:1", Some(1)),
    ] {
        let request = RequestView { source: source.parse().ok(), ..get("gw.test", "/", &headers) };
        assert_eq!(router.find(&request).map(|found| found.route), route, "{source}");
    }
    let unknown = RequestView { source: None, ..get("gw.test", "/", &headers) };
    assert_eq!(router.find(&unknown), None);
}

#[test]
fn the_protocol_can_be_compared() {
    let items = [r#"expression: 'net.protocol == "https"'"#, r#"expression: 'net.protocol == "http"'"#];
    let router = router(Flavour::Expressions, &items);
    let headers = HeaderMap::new();
    for (https, route) in [(false, 1), (true, 0)] {
        let request = RequestView { https, ..get("gw.test", "/", &headers) };
        assert_eq!(router.find(&request).map(|found| found.route), Some(route), "{https}");
    }
}

#[test]
fn the_protocols_of_a_route_are_a_condition() {
    let headers = HeaderMap::new();
    for (protocols, http, https) in [
        ("[http]", true, false),
        ("[https]", true, true),
        ("[http, https]", true, true),
        ("[grpcs]", false, true),
    ] {
        for route in [r#"expression: 'http.path ^= "/"'"#, "paths: [/]"] {
            let router = router(Flavour::Expressions, &[&format!("{route}, protocols: {protocols}")]);
            for (tls, matches) in [(false, http), (true, https)] {
                let request = RequestView { https: tls, ..get("gw.test", "/", &headers) };
                assert_eq!(router.find(&request).is_some(), matches, "{route} {protocols} {tls}");
            }
        }
    }
}

#[test]
fn a_server_name_is_compared_where_there_is_one() {
    let router = router(Flavour::Expressions, &[r#"expression: 'tls.sni == "s.test"', protocols: [https]"#]);
    let headers = HeaderMap::new();
    for (https, sni, matches) in
        [(true, Some("s.test"), true), (true, Some("t.test"), false), (false, None, false)]
    {
        let request = RequestView { https, sni, ..get("gw.test", "/", &headers) };
        assert_eq!(router.find(&request).is_some(), matches, "{sni:?}");
    }
}

#[test]
fn the_higher_priority_wins_then_the_greater_id() {
    let items = [
        r#"expression: 'http.path ^= "/x"', priority: 3"#,
        r#"expression: 'http.path ^= "/x/very/long"', priority: 2"#,
    ];
    assert_eq!(found(&router(Flavour::Expressions, &items), "gw.test", "/x/very/long"), Some(0));
    let items = items.map(|item| item.replace(", priority: 3", ", priority: 2"));
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    assert_eq!(found(&router(Flavour::Expressions, &items), "gw.test", "/x/very/long"), Some(1));
}

#[test]
fn an_expression_comes_before_all_fields() {
    let items = [
        "hosts: [gw.test], paths: [/x/longer], methods: [GET], headers: {x-a: ['1']}",
        r#"expression: 'http.path ^= "/x"', priority: 0"#,
    ];
    let router = router(Flavour::Expressions, &items);
    let headers = headers(&[("x-a", "1")]);
    assert_eq!(router.find(&get("gw.test", "/x/longer", &headers)).map(|found| found.route), Some(1));
    assert_eq!(router.find(&get("gw.test", "/y", &headers)), None);
}

#[test]
fn fields_can_name_addresses() {
    let router = router(Flavour::Expressions, &["paths: [/], sources: [{ip: 10.0.0.0/8, port: 7}]"]);
    let headers = HeaderMap::new();
    for (source, matches) in [("10.1.1.1:7", true), ("10.1.1.1:8", false), ("127.0.0.1:7", false)] {
        let request = RequestView { source: source.parse().ok(), ..get("gw.test", "/", &headers) };
        assert_eq!(router.find(&request).is_some(), matches, "{source}");
    }
}

#[test]
fn the_prefix_is_what_the_last_successful_comparison_of_the_path_was_about() {
    let headers = HeaderMap::new();
    for (text, path, prefix) in [
        (r#"http.path ^= "/x""#, "/x/y", "/x"),
        (r#"http.path == "/x/y""#, "/x/y", "/x/y"),
        (r#"http.path ~ "^/x/\\d+""#, "/x/12/y", "/x/12"),
        (r#"http.method == "GET""#, "/x/y", "/"),
        (r#"http.path != "/z" && http.path contains "y""#, "/x/y", "/"),
        (r#"(http.path ^= "/x/" && http.method == "PUT") || http.path ^= "/""#, "/x/y", "/"),
        (r#"lower(http.path) ^= "/foo""#, "/FOO/y", "/FOO"),
        (r#"http.path.segments.0 == "x""#, "/x/y", "/"),
    ] {
        let router = expression(text);
        let found = router.find(&get("gw.test", path, &headers)).unwrap();
        assert_eq!(found.prefix, prefix, "{text}");
    }
}

#[test]
fn expressions_are_not_read_in_other_flavours() {
    let items = [r#"expression: 'http.path ^= "/x"', paths: [/y]"#];
    let router = router(Flavour::default(), &items);
    assert_eq!((found(&router, "gw.test", "/x"), found(&router, "gw.test", "/y")), (None, Some(0)));
}
