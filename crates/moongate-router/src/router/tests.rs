use http::{HeaderMap, HeaderName, HeaderValue};
use moongate_model::{Route, parse};

use super::*;

mod oracle;
mod priorities;

/// Routes from the items of a `routes` list in YAML's short notation.
fn routes(items: &[&str]) -> Vec<Route> {
    let items: Vec<String> =
        items.iter().enumerate().map(|(at, item)| format!("{{name: '{at}', {item}}}")).collect();
    let text = format!("{{_format_version: '3.0', routes: [{}]}}", items.join(", "));
    let mut routes = parse(&text, 1).unwrap().entities.routes;
    routes.sort_by_key(|route| route.name.as_deref().unwrap().parse::<usize>().unwrap());
    routes
}

/// A plain-HTTP GET request for `host` and `path`.
fn get<'r>(host: &'r str, path: &'r str, headers: &'r HeaderMap) -> RequestView<'r> {
    RequestView { method: "GET", host: Some(host), path, headers, https: false, sni: None, port: 8000 }
}

/// The position of the route that a GET request without headers belongs to.
fn found(routes: &[Route], host: &str, path: &str) -> Option<usize> {
    let headers = HeaderMap::new();
    Router::build(routes).unwrap().find(&get(host, path, &headers)).map(|found| found.route)
}

#[test]
fn a_plain_host_matches_with_any_port() {
    let routes = routes(&["hosts: [a.test]", "hosts: [b.test, 10.1.2.3]"]);
    for (host, route) in [
        ("a.test", Some(0)),
        ("a.test:1234", Some(0)),
        ("b.test", Some(1)),
        ("10.1.2.3:80", Some(1)),
        ("sub.a.test", None),
        ("a.test.x", None),
    ] {
        assert_eq!(found(&routes, host, "/"), route, "{host}");
    }
}

#[test]
fn a_wildcard_stands_for_any_start_or_end() {
    let routes = routes(&["hosts: ['*.a.test']", "hosts: ['b.*']"]);
    for (host, route) in [
        ("x.a.test", Some(0)),
        ("x.y.a.test:8080", Some(0)),
        (".a.test", Some(0)),
        ("a.test", None),
        ("xa.test", None),
        ("b.test", Some(1)),
        ("b.", Some(1)),
        ("b", None),
        ("x.b.test", None),
    ] {
        assert_eq!(found(&routes, host, "/"), route, "{host}");
    }
}

#[test]
fn a_host_with_a_port_matches_that_port_only() {
    let routes = routes(&["hosts: ['*.a.test:9000']", "hosts: ['b.test:8000']", "hosts: ['c.test:80']"]);
    for (host, route) in [
        ("x.a.test:9000", Some(0)),
        ("x.a.test", None),
        ("x.a.test:9001", None),
        ("b.test", Some(1)),
        ("b.test:80", None),
        ("c.test", Some(2)),
    ] {
        assert_eq!(found(&routes, host, "/"), route, "{host}");
    }
}

#[test]
fn a_path_matches_as_a_prefix_of_bytes_and_the_longest_wins() {
    let routes = routes(&["paths: [/foo]", "paths: [/foo/bar, /other]", "paths: [/]"]);
    for (path, route) in [
        ("/foo", 0),
        ("/foobar", 0),
        ("/foo/ba", 0),
        ("/foo/bar", 1),
        ("/foo/barn", 1),
        ("/other/x", 1),
        ("/Foo", 2),
    ] {
        assert_eq!(found(&routes, "gw.test", path), Some(route), "{path}");
    }
}

#[test]
fn the_prefix_is_the_part_of_the_path_that_matched() {
    let headers = HeaderMap::new();
    for (route, path, prefix) in [
        ("paths: [/foo, /]", "/foobar", "/foo"),
        ("paths: [/foo, /]", "/x", "/"),
        ("paths: ['~/users/\\d+']", "/users/12/posts", "/users/12"),
        ("paths: ['~/x/(?<id>[a-z]+)$']", "/x/abc", "/x/abc"),
        ("hosts: [gw.test]", "/foo", "/"),
    ] {
        let router = Router::build(&routes(&[route])).unwrap();
        let found = router.find(&get("gw.test", path, &headers)).unwrap();
        assert_eq!(found.prefix, prefix, "{route} {path}");
    }
}

#[test]
fn an_expression_matches_at_the_start_of_the_path_only() {
    let routes = routes(&["paths: ['~/item/[a-z]+']", "paths: ['~/end$']"]);
    for (path, route) in [
        ("/item/abc9", Some(0)),
        ("/item/abc/more", Some(0)),
        ("/x/item/abc", None),
        ("/item/9", None),
        ("/end", Some(1)),
        ("/end/", None),
    ] {
        assert_eq!(found(&routes, "gw.test", path), route, "{path}");
    }
}

#[test]
fn one_of_the_methods_must_be_that_of_the_request() {
    let router = Router::build(&routes(&["methods: [PUT, PURGE], paths: [/x]", "paths: [/x]"])).unwrap();
    let headers = HeaderMap::new();
    for (method, route) in [("PUT", 0), ("PURGE", 0), ("GET", 1), ("put", 1)] {
        let request = RequestView { method, ..get("gw.test", "/x", &headers) };
        assert_eq!(router.find(&request).map(|found| found.route), Some(route), "{method}");
    }
}

#[test]
fn every_listed_header_must_have_one_of_its_values() {
    let router = Router::build(&routes(&[
        "headers: {x-env: [dev, Test], x_under: ['1']}",
        "headers: {user-agent: ['~*mobile|^Phone$']}",
    ]))
    .unwrap();
    for (headers, route) in [
        (&[("x-env", "DEV"), ("x_under", "1")][..], Some(0)),
        (&[("x-env", "test"), ("x-under", "1")], Some(0)),
        (&[("x-env", "prod"), ("x-env", "dev"), ("x-under", "1")], Some(0)),
        (&[("x-env", "dev, test"), ("x-under", "1")], None),
        (&[("x-env", "dev")], None),
        (&[("user-agent", "Some MOBILE browser")], Some(1)),
        (&[("user-agent", "phone")], Some(1)),
        (&[("user-agent", "telephone")], None),
    ] {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        assert_eq!(router.find(&get("gw.test", "/", &map)).map(|found| found.route), route, "{headers:?}");
    }
}

#[test]
fn a_server_name_counts_on_tls_connections_only() {
    let router = Router::build(&routes(&[
        "protocols: [https], snis: [a.test.]",
        "protocols: [https], snis: ['*.b.test', 'c.*']",
    ]))
    .unwrap();
    let headers = HeaderMap::new();
    for (sni, route) in [
        (Some("a.test"), Some(0)),
        (Some("x.b.test"), Some(1)),
        (Some("c.test"), Some(1)),
        (Some("b.test"), None),
        (None, None),
    ] {
        let request = RequestView { https: true, sni, ..get("gw.test", "/", &headers) };
        assert_eq!(router.find(&request).map(|found| found.route), route, "{sni:?}");
    }
    assert!(router.find(&get("gw.test", "/", &headers)).is_some(), "plain HTTP is told to use TLS");
}

#[test]
fn routes_of_streams_keep_their_position_but_match_nothing() {
    let routes = routes(&["protocols: [tcp], sources: [{port: 1}]", "paths: [/]"]);
    assert_eq!(found(&routes, "gw.test", "/"), Some(1));
}

#[test]
fn a_request_without_a_host_matches_no_host() {
    let headers = HeaderMap::new();
    let request = RequestView { host: None, ..get("", "/", &headers) };
    assert_eq!(Router::build(&routes(&["hosts: [a.test]"])).unwrap().find(&request), None);
    assert!(Router::build(&routes(&["paths: [/]"])).unwrap().find(&request).is_some());
}

#[test]
fn an_expression_that_does_not_compile_is_refused() {
    let mut broken = routes(&["paths: [/]"]);
    broken[0].paths = Some(vec!["~/a(".to_owned()]);
    assert!(matches!(Router::build(&broken), Err(RouterError::Path { text, .. }) if text == "/a("));
}
