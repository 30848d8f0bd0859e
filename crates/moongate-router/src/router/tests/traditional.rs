use super::*;

/// The winner for a GET request with one value for the headers `x-a` and `x-b`.
fn winner(items: &[&str], path: &str) -> Option<usize> {
    let headers = headers(&[("x-a", "1"), ("x-b", "1")]);
    let router = router(Flavour::Traditional, items);
    router.find(&get("x.a.test", path, &headers)).map(|found| found.route)
}

/// Both routes match, and the second one wins although it is younger.
fn second_wins(first: &str, second: &str, path: &str) {
    for item in [first, second] {
        assert!(winner(&[item], path).is_some(), "{item} does not match");
    }
    let items = [format!("created_at: 1, {first}"), format!("created_at: 2, {second}")];
    assert_eq!(winner(&[&items[0], &items[1]], path), Some(1), "{second} against {first}");
}

#[test]
fn more_kinds_win_over_fewer() {
    second_wins("hosts: [x.a.test]", "hosts: ['*.a.test'], methods: [GET]", "/x");
    second_wins("hosts: [x.a.test]", "paths: [/x], methods: [GET]", "/x");
    second_wins("paths: ['~/x/.*'], regex_priority: 9", "paths: [/x], methods: [GET]", "/x/y");
}

#[test]
fn among_as_many_kinds_the_kinds_decide() {
    second_wins("headers: {x-a: ['1'], x-b: ['1']}", "hosts: ['*.a.test']", "/x");
    second_wins("paths: [/x]", "headers: {x-a: ['1']}", "/x");
    second_wins("methods: [GET]", "paths: [/]", "/x");
    second_wins("paths: [/x], methods: [GET]", "headers: {x-a: ['1']}, methods: [GET]", "/x");
    second_wins("headers: {x-a: ['1']}, paths: [/x]", "hosts: [x.a.test], methods: [GET]", "/x");
}

#[test]
fn within_the_same_kinds_hosts_then_expressions_then_headers_then_lengths_decide() {
    second_wins("hosts: [x.a.test]", "hosts: ['*.a.test:80']", "/x");
    second_wins("hosts: ['*.a.test']", "hosts: [x.a.test]", "/x");
    second_wins("hosts: ['*.a.test'], paths: ['~/x']", "hosts: [x.a.test], paths: [/x]", "/x");
    second_wins("paths: [/x/long]", "paths: ['~/x']", "/x/long");
    second_wins(
        "headers: {x-a: ['1']}, paths: [/x/y]",
        "headers: {x-a: ['1'], x-b: ['1']}, paths: [/]",
        "/x/y",
    );
    second_wins("paths: ['~/x/.*'], regex_priority: 1", "paths: ['~/x'], regex_priority: 2", "/x/y");
    second_wins("paths: ['~/x/.*'], regex_priority: -1", "paths: ['~/x']", "/x/y");
    second_wins("paths: [/x]", "paths: [/, /x/y]", "/x/y");
}

#[test]
fn the_older_of_equal_routes_wins_then_the_smaller_id() {
    let old = "id: ffffffff-ffff-4fff-bfff-ffffffffffff, created_at: 1700000000, paths: ['~/x.*']";
    let young = "id: 00000000-0000-4000-8000-000000000001, created_at: 1700000001, paths: ['~/x']";
    assert_eq!(winner(&[old, young], "/x"), Some(0));
    assert_eq!(winner(&[young, old], "/x"), Some(1));
    let same = young.replace("1700000001", "1700000000");
    assert_eq!(winner(&[old, &same], "/x"), Some(1));
}

#[test]
fn a_server_name_is_no_pattern() {
    let items = ["protocols: [https], snis: ['*.a.test']", "protocols: [https], snis: [a.test.]"];
    let router = router(Flavour::Traditional, &items);
    let headers = HeaderMap::new();
    for (sni, route) in [("x.a.test", None), ("a.test", Some(1))] {
        let request = RequestView { https: true, sni: Some(sni), ..get("gw.test", "/", &headers) };
        assert_eq!(router.find(&request).map(|found| found.route), route, "{sni}");
    }
}

#[test]
fn a_header_is_compared_with_an_expression_only_if_that_is_its_single_value() {
    assert_eq!(winner(&["headers: {x-a: ['~*[1-9]']}"], "/"), Some(0));
    assert_eq!(winner(&["headers: {x-a: ['~*[1-9]', '2']}"], "/"), None);
    let router = router(Flavour::Traditional, &["headers: {x-a: ['~*[1-9]', '2']}"]);
    let literally = headers(&[("x-a", "~*[1-9]")]);
    assert!(router.find(&get("gw.test", "/", &literally)).is_some());
}

#[test]
fn a_missing_port_is_that_of_the_scheme() {
    let router = router(Flavour::Traditional, &["hosts: ['a.test:8000']", "hosts: ['a.test:80']"]);
    assert_eq!(found(&router, "a.test", "/"), Some(1));
    assert_eq!(found(&router, "a.test:8000", "/"), Some(0));
    let headers = HeaderMap::new();
    let request = RequestView { https: true, ..get("a.test", "/", &headers) };
    assert_eq!(router.find(&request), None);
}

#[test]
fn all_of_an_expression_is_anchored() {
    let router = router(Flavour::Traditional, &["paths: ['~/a|/b']"]);
    assert_eq!(found(&router, "gw.test", "/bc"), Some(0));
    assert_eq!(found(&router, "gw.test", "/x/b"), None);
}
