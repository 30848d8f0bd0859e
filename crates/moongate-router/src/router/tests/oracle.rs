//! The router against a search that reads every route for every request, and ranks by the rules one after
//! the other instead of by numbers made from them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use regex::Regex;
use uuid::Uuid;

use super::*;
use crate::samples::Sample;

const HOSTS: [&str; 8] =
    ["a.test", "b.test", "x.a.test", "*.a.test", "a.*", "*.test", "a.test:8000", "*.a.test:9000"];
const PATHS: [&str; 12] =
    ["/", "/a", "/a/", "/a/b", "/ab", "/b", "/é", "~/a", "~/a/.*", "~/[ab]+$", "~/b|/c", "~/.*"];
const METHODS: [&str; 2] = ["GET", "POST"];
const EXPRESSIONS: [&str; 8] = [
    r#"http.path ^= "/a""#,
    r#"http.path == "/a" || http.host == "b.test""#,
    r#"http.host =^ ".test" && http.path ~ "^/b""#,
    r#"!(http.host ^= "a.") && http.method != "POST""#,
    r#"(http.path ^= "/a/" && http.method == "POST") || http.path ^= "/""#,
    r#"any(http.headers.x_a) == "1" && lower(http.path) =^ "b""#,
    r#"net.dst.port >= 9000 || http.path.segments.len > 1"#,
    r#"tls.sni != "a.test" && http.path.segments.0 contains "b""#,
];

/// One of these paths of a route with the rank that the rules give them.
struct Group<'s> {
    rank: Vec<i128>,
    paths: Vec<&'s str>,
}

/// A rank, what decides between equals, and the matched prefix.
type Ranked<'r> = (Vec<i128>, Reverse<(usize, usize)>, &'r str);

fn texts(choices: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let some = subsequence(choices, 1..=choices.len().min(3));
    let some = of(some.prop_map(|texts| texts.into_iter().map(str::to_owned).collect()));
    some.prop_map(Option::unwrap_or_default)
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let header = of(select(&["1", "2", "~*[12]"][..]));
    let fields = (texts(&HOSTS), texts(&PATHS), texts(&METHODS), texts(&["a.test", "*.test"]), header);
    (fields, 0..6u128, -1..3i64, 0..2i64).prop_map(
        |((hosts, paths, methods, snis, header), id, regex_priority, created_at)| {
            Sample {
                id: Uuid::from_u128(id),
                created_at,
                regex_priority,
                headers: header
                    .map(|value| BTreeMap::from([("x-a".to_owned(), vec![value.to_owned()])]))
                    .unwrap_or_default(),
                hosts,
                paths,
                methods,
                snis,
                ..Sample::default()
            }
            .with_protocols(&["http", "https"])
        },
    )
}

fn any_expression() -> impl Strategy<Value = Sample> {
    (select(&EXPRESSIONS[..]), 0..6u128, 0..3u64, select(&["http", "https"][..])).prop_map(
        |(text, id, priority, protocol)| {
            Sample {
                id: Uuid::from_u128(id),
                priority,
                expression: Some(text.to_owned()),
                ..Sample::default()
            }
            .with_protocols(&[protocol])
        },
    )
}

/// Whether one of the texts of a condition satisfies it, or there is no condition.
fn any_of(list: &[String], holds: impl Fn(&str) -> bool) -> bool {
    list.is_empty() || list.iter().any(|text| holds(text))
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => pattern == name,
    }
}

fn host_fits(pattern: &str, request: &RequestView<'_>, ports: &[&str]) -> bool {
    let (name, port) = request.host.unwrap().split_once(':').unwrap_or((request.host.unwrap(), ""));
    match pattern.split_once(':') {
        Some((pattern, wanted)) if port.is_empty() => ports.contains(&wanted) && fits(pattern, name),
        Some((pattern, wanted)) => wanted == port && fits(pattern, name),
        None => fits(pattern, name),
    }
}

/// What a path of a route matches.
fn path_fits<'r>(flavour: Flavour, configured: &str, path: &'r str) -> Option<&'r str> {
    let Some(pattern) = configured.strip_prefix('~') else {
        return path.starts_with(configured).then(|| &path[..configured.len()]);
    };
    let pattern = match flavour {
        Flavour::Traditional => format!("^(?:{pattern})"),
        _ => format!("^{pattern}"),
    };
    let found = Regex::new(&pattern).unwrap().find(path)?;
    Some(path.get(..found.len()).unwrap_or("/"))
}

fn conditions_hold(flavour: Flavour, sample: &Sample, request: &RequestView<'_>) -> bool {
    let header = request.headers.get("x-a").map(|value| value.to_str().unwrap());
    let scheme = if request.https { "443" } else { "80" };
    let ports = if flavour == Flavour::Traditional { vec![scheme] } else { vec![scheme, "8000"] };
    let sni_fits = |pattern: &str, name: &str| match flavour {
        Flavour::Traditional => pattern == name,
        _ => fits(pattern, name),
    };
    any_of(&sample.methods, |method| method == request.method)
        && any_of(&sample.hosts, |host| host_fits(host, request, &ports))
        && any_of(&sample.snis, |sni| !request.https || request.sni.is_some_and(|name| sni_fits(sni, name)))
        && sample
            .headers
            .iter()
            .all(|(_, values)| header.is_some_and(|header| values[0] == header || values[0].starts_with('~')))
}

fn groups(flavour: Flavour, sample: &Sample) -> Vec<Group<'_>> {
    let mut lists: Vec<Vec<&str>> = Vec::new();
    for path in &sample.paths {
        let kind = |path: &str| if path.starts_with('~') { None } else { Some(path.len()) };
        match lists.iter_mut().find(|list| kind(list[0]) == kind(path)) {
            Some(list) if flavour != Flavour::Traditional => list.push(path),
            _ => lists.push(vec![path]),
        }
    }
    if lists.is_empty() {
        lists.push(Vec::new());
    }
    let several = lists.len() > 1;
    let ranked = lists.into_iter().zip(1..).map(|(paths, number)| {
        let namespace = Uuid::from_u128(0x7f145bf9_0dce_4f91_98eb_debbce4b9f6b);
        let own = Uuid::new_v5(&namespace, format!("{}#{number}", sample.id).as_bytes());
        let id = if several { own } else { sample.id };
        let rank = match flavour {
            Flavour::Traditional => traditional_rank(sample, &paths),
            _ => compatible_rank(sample, &paths, id),
        };
        Group { rank, paths }
    });
    ranked.collect()
}

/// Sums instead of bits where values of these routes cannot carry over.
fn compatible_rank(sample: &Sample, paths: &[&str], id: Uuid) -> Vec<i128> {
    let kinds = kinds(sample).iter().filter(|set| **set).count() as i128;
    let plain_hosts = !sample.hosts.is_empty() && sample.hosts.iter().all(|host| !host.contains('*'));
    let regex = paths.first().is_some_and(|path| path.starts_with('~'));
    let priority = if regex { i128::from(sample.regex_priority) } else { 0 };
    let length = if regex { 0 } else { paths.first().map_or(0, |path| path.len()) as i128 };
    let headers = sample.headers.len() as i128;
    let many = if kinds > 3 { kinds } else { 0 };
    let (high, low) = id.as_u64_pair();
    let shared = [many, plain_hosts.into()];
    let rest = match many {
        0 => {
            // The bits of both overlap: one header and a priority of 2 are the same bit.
            let overlap = (headers * 2) | priority.max(0);
            vec![regex.into(), kinds, overlap, length, priority.min(0)]
        }
        _ => vec![headers, regex.into(), priority.max(0), length, priority.min(0)],
    };
    shared.into_iter().chain(rest).chain([high.into(), low.into()]).collect()
}

fn traditional_rank(sample: &Sample, paths: &[&str]) -> Vec<i128> {
    let kinds = kinds(sample);
    let count = kinds.iter().filter(|set| **set).count() as i128;
    let wildcard_port = sample.hosts.iter().any(|host| host.contains('*') && host.contains(':'));
    let plain_hosts = !sample.hosts.is_empty() && sample.hosts.iter().all(|host| !host.contains('*'));
    let regex = paths.first().is_some_and(|path| path.starts_with('~'));
    let length = if regex { 0 } else { paths.first().map_or(0, |path| path.len()) as i128 };
    let mut rank = vec![count];
    rank.extend(kinds.map(i128::from));
    rank.extend([wildcard_port, plain_hosts, regex].map(i128::from));
    rank.push(sample.headers.len() as i128);
    rank.push(if regex { sample.regex_priority.into() } else { 0 });
    rank.extend([length, -i128::from(sample.created_at), -(sample.id.as_u128() as i128)]);
    rank
}

/// Which kinds of conditions there are, the weightiest first.
fn kinds(sample: &Sample) -> [bool; 5] {
    [
        !sample.hosts.is_empty(),
        !sample.headers.is_empty(),
        !sample.paths.is_empty(),
        !sample.methods.is_empty(),
        !sample.snis.is_empty(),
    ]
}

/// The winner's route and prefix, found by comparing everything with everything.
fn naive<'r>(flavour: Flavour, samples: &[Sample], request: &RequestView<'r>) -> Option<(usize, &'r str)> {
    let mut best: Option<Ranked<'r>> = None;
    for (position, sample) in samples.iter().enumerate() {
        if !conditions_hold(flavour, sample, request) {
            continue;
        }
        for (number, group) in groups(flavour, sample).into_iter().enumerate() {
            let prefix = match group.paths.is_empty() {
                true => Some("/"),
                false => group.paths.iter().find_map(|path| path_fits(flavour, path, request.path)),
            };
            if let Some(prefix) = prefix {
                let found = Some((group.rank, Reverse((position, number)), prefix));
                best = best.max(found);
            }
        }
    }
    best.map(|(_, Reverse((position, _)), prefix)| (position, prefix))
}

/// The winner among expressions, by the interpreter of the crate that parses them.
fn interpreted(samples: &[Sample], request: &RequestView<'_>) -> Option<usize> {
    let mut best: Option<(u64, Uuid, Reverse<usize>)> = None;
    for (position, sample) in samples.iter().enumerate() {
        let plain_only = RouteFields::from(sample).protocols == [moongate_model::Protocol::Http];
        if plain_only && request.https {
            continue;
        }
        if crate::expression::interpret(sample.expression.as_deref().unwrap(), request).is_some() {
            best = best.max(Some((sample.priority, sample.id, Reverse(position))));
        }
    }
    best.map(|(_, _, position)| position.0)
}

#[derive(Debug, Clone)]
struct Asked {
    method: &'static str,
    host: &'static str,
    path: String,
    headers: HeaderMap,
    https: bool,
    sni: Option<&'static str>,
}

impl Asked {
    fn view(&self) -> RequestView<'_> {
        let Self { method, host, path, headers, https, sni } = self;
        RequestView { method, https: *https, sni: *sni, ..get(host, path, headers) }
    }
}

fn any_request() -> impl Strategy<Value = Asked> {
    (
        select(&METHODS[..]),
        select(&["a.test", "a.test:8000", "x.a.test", "x.a.test:9000", "b.test", "c.example"][..]),
        "/([abcé]{1,2}(/[abcé]){0,2}/?)?",
        of(select(&["1", "2"][..])),
        any::<bool>(),
        of(select(&["a.test", "b.test", "c.example"][..])),
    )
        .prop_map(|(method, host, path, header, https, sni)| {
            let pairs: Vec<_> = header.into_iter().map(|value| ("x-a", value)).collect();
            Asked { method, host, path, headers: headers(&pairs), https, sni }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn routes_with_fields_are_found_as_a_search_of_everything_finds_them(
        samples in vec(any_sample(), 0..12),
        asked in any_request(),
        traditional in any::<bool>(),
    ) {
        let flavour = if traditional { Flavour::Traditional } else { Flavour::TraditionalCompatible };
        let router = Router::build_after(&Router::default(), flavour, &samples).unwrap();
        let found = router.find(&asked.view()).map(|found| (found.route, found.prefix));
        prop_assert_eq!(found, naive(flavour, &samples, &asked.view()));
        let explained = router.explain(&asked.view(), 1).winner.map(|winner| winner.route);
        prop_assert_eq!(found.map(|(route, _)| route), explained);
    }

    #[test]
    fn routes_with_expressions_are_found_as_an_interpreter_finds_them(
        samples in vec(any_expression(), 0..8),
        asked in any_request(),
    ) {
        let router = Router::build_after(&Router::default(), Flavour::Expressions, &samples).unwrap();
        let found = router.find(&asked.view()).map(|found| found.route);
        prop_assert_eq!(found, interpreted(&samples, &asked.view()));
    }

    #[test]
    fn fields_match_as_the_expression_that_they_stand_for(sample in any_sample(), asked in any_request()) {
        let samples = [sample];
        let request = RequestView { port: 80, ..asked.view() };
        prop_assume!(!asked.https || asked.host.contains(':') || !samples[0].hosts.iter().any(|host| host.contains(':')));
        prop_assume!(RouteFields::from(&samples[0]).has_conditions());
        let text = crate::expression::text_of_fields(&RouteFields::from(&samples[0]));
        let found = Router::build(&samples).unwrap().find(&request).is_some();
        prop_assert_eq!(found, crate::expression::interpret(&text, &request).is_some(), "{}", text);
    }
}
