//! The router against a search that reads every route for every request.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

const HOSTS: [&str; 8] =
    ["a.test", "b.test", "x.a.test", "*.a.test", "a.*", "*.test", "a.test:8000", "*.a.test:9000"];
const PATHS: [&str; 12] =
    ["/", "/a", "/a/", "/a/b", "/ab", "/b", "/é", "~/a", "~/a/.*", "~/[ab]+$", "~/b|/c", "~/.*"];
const METHODS: [&str; 2] = ["GET", "POST"];

fn texts(choices: &'static [&'static str]) -> impl Strategy<Value = Option<Vec<String>>> {
    let some = subsequence(choices, 1..=choices.len().min(3));
    of(some.prop_map(|texts| texts.into_iter().map(str::to_owned).collect()))
}

fn any_route() -> impl Strategy<Value = Route> {
    let header = of(select(&["1", "2", "~*[12]"][..]));
    let fields = (texts(&HOSTS), texts(&PATHS), texts(&METHODS), texts(&["a.test", "*.test"]), header);
    (fields, 0..6u128, 0..3i64).prop_map(|((hosts, paths, methods, snis, header), id, regex_priority)| {
        let mut route = routes(&["paths: [/]"]).remove(0);
        route.id = Uuid::from_u128(id);
        route.regex_priority = regex_priority;
        route.headers = header.map(|value| BTreeMap::from([("x-a".to_owned(), vec![value.to_owned()])]));
        (route.hosts, route.paths, route.methods, route.snis) = (hosts, paths, methods, snis);
        route
    })
}

/// Whether one of the texts of a condition satisfies it, or there is no condition.
fn any_of(list: &Option<Vec<String>>, holds: impl Fn(&str) -> bool) -> bool {
    list.as_ref().is_none_or(|list| list.iter().any(|text| holds(text)))
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => pattern == name,
    }
}

fn host_fits(pattern: &str, request: &RequestView<'_>) -> bool {
    let (name, port) = request.host.unwrap().split_once(':').unwrap_or((request.host.unwrap(), ""));
    match pattern.split_once(':') {
        Some((pattern, "8000")) if port.is_empty() => fits(pattern, name),
        Some((pattern, wanted)) => wanted == port && fits(pattern, name),
        None => fits(pattern, name),
    }
}

/// The winner, found by comparing everything with everything.
fn naive<'r>(routes: &[Route], request: &RequestView<'r>) -> Option<Match<'r>> {
    let header = request.headers.get("x-a").map(|value| value.to_str().unwrap());
    let candidates = routes.iter().enumerate().filter(|(_, route)| {
        any_of(&route.methods, |method| method == request.method)
            && any_of(&route.hosts, |host| host_fits(host, request))
            && any_of(&route.snis, |sni| !request.https || request.sni.is_some_and(|name| fits(sni, name)))
            && route.headers.iter().flatten().all(|(_, values)| {
                header.is_some_and(|header| values[0] == header || values[0].starts_with('~'))
            })
    });
    let matchers = candidates.flat_map(|(position, route)| Matcher::of_route(position, route).unwrap());
    let matching = matchers.filter_map(|matcher| {
        matcher
            .matches(&Facts::new(request))
            .map(|found| ((matcher.priority, matcher.id, Reverse(matcher.route)), found))
    });
    matching.max_by_key(|(rank, _)| *rank).map(|(_, found)| found)
}

proptest! {
    #[test]
    fn the_index_finds_what_a_search_of_everything_finds(
        routes in vec(any_route(), 0..12),
        method in select(&METHODS[..]),
        host in select(&["a.test", "a.test:8000", "x.a.test", "x.a.test:9000", "b.test", "c.example"][..]),
        path in "/[abcé/]{0,4}",
        header in of(select(&["1", "2"][..])),
        https in any::<bool>(),
        sni in of(select(&["a.test", "b.test", "c.example"][..])),
    ) {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert("x-a", HeaderValue::from_static(value));
        }
        let request = RequestView { method, host: Some(host), path: &path, headers: &headers, https, sni, port: 8000 };
        let router = Router::build(&routes).unwrap();
        prop_assert_eq!(router.find(&request), naive(&routes, &request));
    }
}
