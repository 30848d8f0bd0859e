use super::*;

/// The winner for a GET request with one value for the headers `x-a` and `x-b`.
fn winner(routes: &[Route], host: &str, path: &str) -> Option<usize> {
    let mut headers = HeaderMap::new();
    headers.insert("x-a", HeaderValue::from_static("1"));
    headers.insert("x-b", HeaderValue::from_static("1"));
    Router::build(routes).unwrap().find(&get(host, path, &headers)).map(|found| found.route)
}

/// Both routes match, and the second one wins although its id would not decide so.
fn second_wins(first: &str, second: &str, path: &str) {
    for ids in [["f", "0"], ["0", "f"]] {
        let id = |digit: &str| format!("id: {digit}0000000-0000-4000-8000-000000000001, ");
        let routes = routes(&[&(id(ids[0]) + first), &(id(ids[1]) + second)]);
        for route in &routes {
            assert!(
                winner(std::slice::from_ref(route), "x.a.test", path).is_some(),
                "{:?} does not match",
                route.name
            );
        }
        assert_eq!(winner(&routes, "x.a.test", path), Some(1), "{second} against {first}");
    }
}

#[test]
fn a_plain_host_wins_over_any_route_of_up_to_three_kinds() {
    let host = "hosts: [x.a.test]";
    second_wins("hosts: ['*.a.test']", host, "/x");
    second_wins("hosts: ['*.a.test'], methods: [GET]", host, "/x");
    second_wins("hosts: ['*.a.test'], paths: [/x], methods: [GET]", host, "/x");
    second_wins("headers: {x-a: ['1']}", host, "/x");
    second_wins("paths: ['~/x'], methods: [GET]", host, "/x");
    second_wins("hosts: ['*.a.test'], paths: [/x/long]", "hosts: [x.a.test], paths: [/]", "/x/long");
}

#[test]
fn an_expression_wins_over_plain_paths_with_more_kinds() {
    second_wins("paths: [/x], methods: [GET]", "paths: ['~/x']", "/x");
    second_wins("headers: {x-a: ['1']}", "paths: ['~/x']", "/x");
    second_wins("hosts: [x.a.test], paths: [/x/long]", "hosts: [x.a.test], paths: ['~/x']", "/x/long");
}

#[test]
fn more_kinds_win_then_more_headers_then_longer_paths() {
    second_wins("paths: [/x/long]", "paths: [/x], methods: [GET]", "/x/long");
    second_wins("headers: {x-a: ['1']}", "headers: {x-a: ['1'], x-b: ['1']}", "/x");
    second_wins("paths: [/x]", "paths: [/x/y]", "/x/y");
    second_wins("hosts: ['*.test']", "paths: [/x]", "/x");
    second_wins(
        "headers: {x-a: ['1']}, paths: [/x/long]",
        "headers: {x-a: ['1'], x-b: ['1']}, paths: [/x]",
        "/x/long",
    );
}

#[test]
fn the_higher_regex_priority_wins() {
    second_wins("paths: ['~/x'], regex_priority: 1", "paths: ['~/x'], regex_priority: 5", "/x");
    second_wins("paths: ['~/x'], regex_priority: 5000", "paths: ['~/x'], regex_priority: 6000", "/x");
    second_wins("paths: ['~/x'], regex_priority: -1", "paths: ['~/x']", "/x");
}

#[test]
fn a_regex_priority_of_two_equals_one_more_header() {
    let one = "headers: {x-a: ['1']}, paths: ['~/x/.*']";
    let two = "headers: {x-a: ['1'], x-b: ['1']}, paths: ['~/x/.+']";
    second_wins(&format!("{one}, regex_priority: 1"), two, "/x/y");
    second_wins(two, &format!("{one}, regex_priority: 4"), "/x/y");
}

#[test]
fn four_kinds_win_over_three() {
    second_wins(
        "hosts: [x.a.test], methods: [GET], paths: ['~/x']",
        "hosts: ['*.a.test'], methods: [GET], paths: [/], headers: {x-a: ['1']}",
        "/x",
    );
    second_wins(
        "hosts: ['*.a.test'], methods: [GET], paths: ['~/x'], headers: {x-a: ['1'], x-b: ['1']}",
        "hosts: [x.a.test], methods: [GET], paths: [/x], headers: {x-a: ['1']}",
        "/x",
    );
}

#[test]
fn among_equals_the_greater_id_wins() {
    let low = "id: 00000000-0000-4000-8000-000000000001";
    let high = "id: ffffffff-ffff-4fff-bfff-ffffffffffff";
    let routes = routes(&[&format!("{high}, paths: ['~/x/.+']"), &format!("{low}, paths: ['~/x/.*']")]);
    assert_eq!(winner(&routes, "gw.test", "/x/y"), Some(0));
}
