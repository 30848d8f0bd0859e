use http::HeaderMap;

use super::*;
use crate::samples::{found, get, headers, router, routes};

mod expressions;
mod oracle;
mod paths;
mod priorities;
mod questions;
mod streams;
mod traditional;

/// The positions of the routes that GET requests without headers belong to, in the default flavour.
fn check(items: &[&str], requests: &[(&str, &str, Option<usize>)]) {
    let router = router(Flavour::default(), items);
    for (host, path, route) in requests {
        assert_eq!(found(&router, host, path), *route, "{host} {path}");
    }
}

#[test]
fn a_plain_host_matches_with_any_port() {
    check(
        &["hosts: [a.test]", "hosts: [b.test, 10.1.2.3, c.test]"],
        &[
            ("a.test", "/x", Some(0)),
            ("a.test:80", "/x", Some(0)),
            ("a.test:443", "/x", Some(0)),
            ("a.test:1234", "/x", Some(0)),
            ("b.test", "/x", Some(1)),
            ("c.test", "/x", Some(1)),
            ("10.1.2.3:8080", "/x", Some(1)),
            ("10.1.2.4", "/x", None),
            ("d.test", "/x", None),
            ("sub.a.test", "/x", None),
            ("a.test.x", "/x", None),
        ],
    );
}

#[test]
fn a_wildcard_stands_for_any_start_or_end() {
    check(
        &["hosts: ['*.a.test']", "hosts: ['b.*']"],
        &[
            ("x.a.test", "/", Some(0)),
            ("x.y.a.test:8080", "/", Some(0)),
            (".a.test", "/", Some(0)),
            ("a.test", "/", None),
            ("xa.test", "/", None),
            ("b.test", "/", Some(1)),
            ("b.test:99", "/", Some(1)),
            ("b.c.d", "/", Some(1)),
            ("b.", "/", Some(1)),
            ("b", "/", None),
            ("x.b.test", "/", None),
        ],
    );
}

#[test]
fn a_host_with_a_port_matches_that_port_only() {
    check(
        &["hosts: ['*.a.test:9000']", "hosts: ['b.test:8000']", "hosts: ['c.test:80']"],
        &[
            ("x.a.test:9000", "/", Some(0)),
            ("x.a.test", "/", None),
            ("x.a.test:9001", "/", None),
            ("b.test", "/", Some(1)),
            ("b.test:80", "/", None),
            ("c.test", "/", Some(2)),
        ],
    );
}

#[test]
fn a_request_without_a_host_matches_no_host() {
    let headers = HeaderMap::new();
    let request = RequestView { host: None, ..get("", "/", &headers) };
    assert_eq!(router(Flavour::default(), &["hosts: [a.test]"]).find(&request), None);
    assert!(router(Flavour::default(), &["paths: [/]"]).find(&request).is_some());
}

#[test]
fn hosts_are_compared_as_they_are_written() {
    check(
        &["hosts: [a.test]", "hosts: ['[::1]']"],
        &[("A.test", "/", None), ("[::1]:80", "/", Some(1)), ("[::1]", "/", Some(1))],
    );
}

#[test]
fn one_of_the_methods_must_be_that_of_the_request() {
    let router = router(Flavour::default(), &["methods: [PUT, PURGE], paths: [/x]", "paths: [/x]"]);
    let headers = HeaderMap::new();
    for (method, route) in [("PUT", 0), ("PURGE", 0), ("GET", 1), ("put", 1)] {
        let request = RequestView { method, ..get("gw.test", "/x", &headers) };
        assert_eq!(router.find(&request).map(|found| found.route), Some(route), "{method}");
    }
}

#[test]
fn every_listed_header_must_have_one_of_its_values() {
    let items = [
        "headers: {x-env: [dev, Test], x_under: ['1']}",
        "headers: {user-agent: ['~*mobile|^Phone$']}",
        "headers: {x-dash: ['1', '~*^[ab]+$']}",
    ];
    let router = router(Flavour::default(), &items);
    for (pairs, route) in [
        (&[("x-env", "DEV"), ("x_under", "1")][..], Some(0)),
        (&[("x-env", "test"), ("x-under", "1")], Some(0)),
        (&[("x-env", "prod"), ("x-env", "dev"), ("x-under", "1")], Some(0)),
        (&[("x-env", "dev, test"), ("x-under", "1")], None),
        (&[("x-env", "dev")], None),
        (&[("user-agent", "Some MOBILE browser")], Some(1)),
        (&[("user-agent", "phone")], Some(1)),
        (&[("user-agent", "telephone")], None),
        (&[("x-dash", "1")], Some(2)),
        (&[("x_dash", "ABBA")], Some(2)),
        (&[("x-dash", "abc")], None),
    ] {
        let map = headers(pairs);
        assert_eq!(router.find(&get("gw.test", "/", &map)).map(|found| found.route), route, "{pairs:?}");
    }
}

#[test]
fn a_header_value_need_not_be_text() {
    let router = router(Flavour::default(), &["headers: {x-a: ['~*^.z$', é]}", "paths: [/]"]);
    let mut map = HeaderMap::new();
    map.insert("x-a", http::HeaderValue::from_bytes(b"\xffz").unwrap());
    assert_eq!(router.find(&get("gw.test", "/", &map)).map(|found| found.route), Some(1));
    map.insert("x-a", http::HeaderValue::from_bytes("é".as_bytes()).unwrap());
    assert_eq!(router.find(&get("gw.test", "/", &map)).map(|found| found.route), Some(0));
}

#[test]
fn a_server_name_counts_on_tls_connections_only() {
    let items = ["protocols: [https], snis: [a.test.]", "protocols: [https], snis: ['*.b.test', 'c.*']"];
    let router = router(Flavour::default(), &items);
    let headers = HeaderMap::new();
    for (sni, route) in [
        (Some("a.test"), Some(0)),
        (Some("x.b.test"), Some(1)),
        (Some("x.y.b.test"), Some(1)),
        (Some("c.test"), Some(1)),
        (Some("b.test"), None),
        (Some("d.c.test"), None),
        (None, None),
    ] {
        let request = RequestView { https: true, sni, ..get("gw.test", "/", &headers) };
        assert_eq!(router.find(&request).map(|found| found.route), route, "{sni:?}");
    }
    assert!(router.find(&get("gw.test", "/", &headers)).is_some(), "plain HTTP is told to use TLS");
}

#[test]
fn protocols_are_no_condition_where_routes_have_fields() {
    let headers = HeaderMap::new();
    for flavour in [Flavour::TraditionalCompatible, Flavour::Traditional] {
        for protocol in ["http", "https", "grpc", "grpcs"] {
            let router = router(flavour, &[&format!("paths: [/x], protocols: [{protocol}]")]);
            for https in [false, true] {
                let request = RequestView { https, ..get("gw.test", "/x", &headers) };
                assert!(router.find(&request).is_some(), "{flavour:?} {protocol} {https}");
            }
        }
    }
}

#[test]
fn an_empty_list_is_no_condition() {
    check(&["hosts: [], methods: [], paths: [/x], headers: {}"], &[("gw.test", "/x", Some(0))]);
}

#[test]
fn what_cannot_be_compiled_is_refused_with_the_id_of_its_route() {
    let items = ["paths: [/]", "paths: ['~/a(']"];
    let refused = Router::build(&routes(&items)).unwrap_err();
    assert_eq!(refused.route, uuid::Uuid::from_u128(2));
    assert!(refused.reason.contains("unclosed group"), "{refused}");
    let refused = Router::build(&routes(&["headers: {a: ['~*(']}"])).unwrap_err();
    assert!(refused.reason.contains("unclosed group"), "{refused}");
    let refused = Router::build(&routes(&["headers: {a: []}"])).unwrap_err();
    assert_eq!(refused.reason, "header 'a' has no values");
}
