use super::*;

/// The winner for a GET request with one value for the headers `x-a` and `x-b`.
fn winner(items: &[&str], host: &str, path: &str) -> Option<usize> {
    let headers = headers(&[("x-a", "1"), ("x-b", "1")]);
    let router = router(Flavour::default(), items);
    router.find(&get(host, path, &headers)).map(|found| found.route)
}

/// Both routes match, and the second one wins although its id would not decide so.
fn second_wins(first: &str, second: &str, path: &str) {
    for ids in [["f", "0"], ["0", "f"]] {
        let id = |digit: &str| format!("id: {digit}0000000-0000-4000-8000-000000000001, ");
        let items = [id(ids[0]) + first, id(ids[1]) + second];
        for item in &items {
            assert!(winner(&[item], "x.a.test", path).is_some(), "{item} does not match");
        }
        assert_eq!(winner(&[&items[0], &items[1]], "x.a.test", path), Some(1), "{second} against {first}");
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
    let items = [format!("{high}, paths: ['~/x/.+']"), format!("{low}, paths: ['~/x/.*']")];
    assert_eq!(winner(&[&items[0], &items[1]], "gw.test", "/x/y"), Some(0));
}

#[test]
fn among_equal_groups_of_several_paths_their_own_ids_decide() {
    // The ids of the groups are made from the id of the route, and here they are in the other order.
    let low = "id: 00000000-0000-4000-8000-000000000001, paths: ['~/x/.+', /y]";
    let high = "id: ffffffff-ffff-4fff-bfff-ffffffffffff, paths: ['~/x/.*', /y]";
    let namespace = uuid::Uuid::from_u128(0x7f145bf9_0dce_4f91_98eb_debbce4b9f6b);
    let group = |id: &str, number: usize| uuid::Uuid::new_v5(&namespace, format!("{id}#{number}").as_bytes());
    for (path, number) in [("/x/y", 1), ("/y", 2)] {
        let first = group("00000000-0000-4000-8000-000000000001", number);
        let second = group("ffffffff-ffff-4fff-bfff-ffffffffffff", number);
        let wanted = usize::from(second > first);
        assert_eq!(winner(&[low, high], "gw.test", path), Some(wanted), "{path}");
    }
}

#[test]
fn server_names_count_as_a_kind() {
    let items = ["paths: [/x/longer], protocols: [https]", "paths: [/x], snis: [s.test], protocols: [https]"];
    let router = router(Flavour::default(), &items);
    let headers = HeaderMap::new();
    for (sni, route) in [("s.test", 1), ("t.test", 0)] {
        let request = RequestView { https: true, sni: Some(sni), ..get("gw.test", "/x/longer", &headers) };
        assert_eq!(router.find(&request).unwrap().route, route, "{sni}");
    }
}
