//! What can be asked about a match afterwards, and about a router.

use super::*;
use crate::Unmet;

#[test]
fn captures_of_a_path_are_found_by_number_and_name() {
    let items = ["paths: ['~/none', '~/(cats|dogs)/(?<id>\\d+)', /birds]"];
    let router = router(Flavour::default(), &items);
    let headers = HeaderMap::new();
    let request = get("gw.test", "/dogs/12/x", &headers);
    let found = router.find(&request).unwrap();
    assert!(router.has_captures(&found));
    let captures = router.captures(&found, &request);
    assert_eq!(
        (captures.get(1), captures.get(2), captures.name("id")),
        (Some("dogs"), Some("12"), Some("12"))
    );
    assert_eq!(captures.get(0), Some("/dogs/12"));

    let request = get("gw.test", "/birds", &headers);
    let found = router.find(&request).unwrap();
    assert!(!router.has_captures(&found));
    assert!(router.captures(&found, &request).is_empty());
}

#[test]
fn captures_of_an_expression_come_from_all_that_matched() {
    let text = r#"expression: 'http.path ~ "^/x/(?<id>\\d+)" && any(http.headers.x_a) ~ "(?<end>.)$"'"#;
    let router = router(Flavour::Expressions, &[text, r#"expression: 'http.path == "/plain"'"#]);
    let headers = headers(&[("x-a", "abc")]);
    let request = get("gw.test", "/x/12/y", &headers);
    let found = router.find(&request).unwrap();
    assert!(router.has_captures(&found));
    let captures = router.captures(&found, &request);
    assert_eq!(
        (captures.name("id"), captures.name("end"), captures.get(1)),
        (Some("12"), Some("c"), Some("c"))
    );

    let plain = get("gw.test", "/plain", &headers);
    assert!(!router.has_captures(&router.find(&plain).unwrap()));
}

#[test]
fn an_explanation_names_the_winner_and_what_it_beat_and_what_came_close() {
    let items = [
        "paths: [/]",
        "paths: [/x]",
        "hosts: [other.test], paths: [/x], methods: [GET]",
        "hosts: [other.test], paths: [/y], headers: {x_a: ['1']}",
        "paths: [/x], methods: [POST]",
        "methods: [PUT]",
    ];
    let router = router(Flavour::default(), &items);
    let headers = HeaderMap::new();
    let explanation = router.explain(&get("gw.test", "/x/y", &headers), 10);

    let winner = explanation.winner.unwrap();
    assert_eq!((winner.route, winner.prefix.as_str(), winner.unmet.len()), (1, "/x", 0));
    let missed: Vec<_> =
        explanation.missed.iter().map(|missed| (missed.route, missed.unmet.as_slice())).collect();
    let header = Unmet::Header("x-a".to_owned());
    assert_eq!(
        missed,
        [(2, &[Unmet::Host][..]), (4, &[Unmet::Method]), (3, &[Unmet::Path, Unmet::Host, header]),]
    );
    assert_eq!(explanation.beaten.iter().map(|beaten| beaten.route).collect::<Vec<_>>(), [0]);

    let short = router.explain(&get("gw.test", "/x/y", &headers), 1);
    assert_eq!((short.missed.len(), short.missed[0].route), (1, 2));
}

#[test]
fn an_explanation_of_no_match_has_no_winner() {
    let items = [r#"expression: 'http.path == "/x"'"#, "paths: [/], protocols: [http]"];
    let router = router(Flavour::Expressions, &items);
    let headers = HeaderMap::new();
    let request = RequestView { https: true, ..get("gw.test", "/y", &headers) };
    let explanation = router.explain(&request, 10);
    assert_eq!(explanation.winner, None);
    let unmet: Vec<_> = explanation.missed.into_iter().map(|missed| missed.unmet).collect();
    assert_eq!(unmet, [vec![Unmet::Expression], vec![Unmet::Protocol]]);
}

#[test]
fn streams_are_explained_as_well() {
    let items = ["protocols: [tcp], sources: [{port: 1}], destinations: [{port: 2}]"];
    let stream = StreamView {
        kind: crate::StreamKind::Tcp,
        source: "10.0.0.1:9".parse().unwrap(),
        destination: "10.0.0.2:9".parse().unwrap(),
        sni: None,
    };
    let explanation = router(Flavour::default(), &items).explain_stream(&stream, 10);
    assert_eq!(explanation.missed[0].unmet, [Unmet::Source, Unmet::Destination]);
}

#[test]
fn a_router_that_replaces_another_finds_what_a_new_one_finds() {
    let before = ["paths: ['~/a\\d']", "paths: [/b]", "headers: {x-a: ['~*1']}"];
    let after = ["paths: ['~/a\\d', '~/c\\d']", "hosts: [b.test]", "headers: {x-a: ['~*1']}"];
    for flavour in Flavour::ALL {
        let earlier = router(Flavour::default(), &before);
        let router = Router::build_after(&earlier, flavour, &routes(&after)).unwrap();
        assert_eq!(router.flavour(), flavour);
        for (host, path, route) in [
            ("gw.test", "/a1", Some(0)),
            ("gw.test", "/c1", Some(0)),
            ("gw.test", "/b", None),
            ("b.test", "/b", Some(1)),
        ] {
            assert_eq!(found(&router, host, path), route, "{flavour:?} {host} {path}");
        }
        let map = headers(&[("x-a", "21")]);
        assert_eq!(router.find(&get("gw.test", "/", &map)).map(|found| found.route), Some(2));
    }
}

#[test]
fn a_route_with_many_paths_and_hosts_is_found_by_each_of_them() {
    let list = |kind: &str| (0..40).map(|number| format!("{kind}{number}")).collect::<Vec<_>>().join(", ");
    let item = format!("paths: [{}], hosts: [{}]", list("/p"), list("h"));
    let router = router(Flavour::default(), &[&item]);
    for (host, path, matches) in
        [("h7", "/p39/x", true), ("h39", "/p0", true), ("h40", "/p0", false), ("h1", "/q", false)]
    {
        assert_eq!(found(&router, host, path).is_some(), matches, "{host} {path}");
    }
}
