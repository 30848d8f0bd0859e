//! How long it takes to find a route and to build a router, from ten routes to a hundred thousand.
//!
//! With `ROUTES=5000` in the environment, only counts up to that are measured.
//!
//! Each look-up asks for another route, in an order that leaves caches little to remember.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion};
use http::HeaderMap;
use moongate_model::Protocol;
use moongate_router::{Flavour, RequestView, RouteFields, Router};
use uuid::Uuid;

const COUNTS: [usize; 6] = [10, 100, 1_000, 5_000, 10_000, 100_000];
const PROTOCOLS: [Protocol; 2] = [Protocol::Http, Protocol::Https];
/// No divisor of any of the counts.
const STRIDE: usize = 7_919;

/// What the routes are matched by.
#[derive(Clone, Copy)]
enum Mix {
    /// One plain path.
    Prefix,
    /// One regular expression.
    Regex,
    /// One of a hundred hosts, and one plain path.
    HostAndPrefix,
    /// The three others in turn.
    All,
    /// An expression that asks for a host and a plain path.
    Expression,
}

impl Mix {
    const ALL: [Self; 5] = [Self::Prefix, Self::Regex, Self::HostAndPrefix, Self::All, Self::Expression];

    fn name(self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::Regex => "regex",
            Self::HostAndPrefix => "host+prefix",
            Self::All => "mix",
            Self::Expression => "expression",
        }
    }

    fn flavour(self) -> Flavour {
        if matches!(self, Self::Expression) { Flavour::Expressions } else { Flavour::default() }
    }
}

#[derive(Clone)]
struct Route {
    id: Uuid,
    hosts: Vec<String>,
    paths: Vec<String>,
    expression: Option<String>,
    asked_host: String,
    asked_path: String,
}

impl Route {
    fn new(mix: Mix, number: usize) -> Self {
        let area = number % 37;
        let host = format!("h{}.example.com", number % 100);
        let path = format!("/area-{area}/service-{number}/");
        let mut route = Self {
            id: Uuid::from_u128((number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)),
            hosts: Vec::new(),
            paths: Vec::new(),
            expression: None,
            asked_path: format!("{path}items/4711"),
            asked_host: host.clone(),
        };
        match (mix, number % 3) {
            (Mix::Prefix, _) | (Mix::All, 0) => route.paths.push(path),
            (Mix::Regex, _) | (Mix::All, 1) => route.paths.push(format!("~{path}items/\\d+$")),
            (Mix::HostAndPrefix, _) | (Mix::All, _) => {
                route.hosts.push(host);
                route.paths.push(path);
            }
            (Mix::Expression, _) => {
                route.expression = Some(format!(r#"http.host == "{host}" && http.path ^= "{path}""#));
            }
        }
        route
    }

    fn request<'r>(&'r self, headers: &'r HeaderMap) -> RequestView<'r> {
        RequestView {
            method: "GET",
            host: Some(&self.asked_host),
            path: &self.asked_path,
            query: None,
            headers,
            https: false,
            sni: None,
            source: None,
            destination: None,
            port: 8000,
        }
    }
}

impl<'a> From<&'a Route> for RouteFields<'a> {
    fn from(route: &'a Route) -> Self {
        RouteFields {
            id: route.id,
            protocols: &PROTOCOLS,
            hosts: &route.hosts,
            paths: &route.paths,
            expression: route.expression.as_deref(),
            ..RouteFields::default()
        }
    }
}

fn build(earlier: &Router, mix: Mix, routes: &[Route]) -> Router {
    match Router::build_after(earlier, mix.flavour(), routes) {
        Ok(router) => router,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

/// How many routes there are, up to the limit that is asked for.
fn counts() -> impl Iterator<Item = usize> {
    let limit = std::env::var("ROUTES").ok().and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
    COUNTS.into_iter().filter(move |count| *count <= limit)
}

/// A look-up of one route after the other.
fn look_ups(criterion: &mut Criterion) {
    let headers = HeaderMap::new();
    let mut group = criterion.benchmark_group("look-up");
    for mix in Mix::ALL {
        for count in counts() {
            let routes: Vec<Route> = (0..count).map(|number| Route::new(mix, number)).collect();
            let router = build(&Router::default(), mix, &routes);
            router.warm();
            let requests: Vec<RequestView<'_>> = routes.iter().map(|route| route.request(&headers)).collect();
            for (position, request) in requests.iter().enumerate() {
                assert_eq!(router.find(request).map(|found| found.route), Some(position));
            }
            let mut order = (0..count).map(|at| at * STRIDE % count).cycle();
            group.bench_function(BenchmarkId::new(mix.name(), count), |bencher| {
                bencher.iter(|| {
                    let request = order.next().and_then(|at| requests.get(at));
                    black_box(request.and_then(|request| router.find(request)))
                });
            });
        }
    }
    group.finish();
}

/// A router from nothing, and one that replaces another of which a single route was changed.
fn builds(criterion: &mut Criterion) {
    for (name, changed) in [("build", false), ("change", true)] {
        let mut group = criterion.benchmark_group(name);
        for mix in Mix::ALL {
            for count in counts() {
                let routes: Vec<Route> = (0..count).map(|number| Route::new(mix, number)).collect();
                let earlier = build(&Router::default(), mix, if changed { &routes } else { &[] });
                earlier.warm();
                let mut after = routes.clone();
                if let (true, Some(route)) = (changed, after.get_mut(count / 2)) {
                    *route = Route::new(mix, count);
                }
                group.bench_function(BenchmarkId::new(mix.name(), count), |bencher| {
                    bencher.iter_batched(
                        || (),
                        |()| black_box(build(&earlier, mix, &after)),
                        BatchSize::PerIteration,
                    );
                });
            }
        }
        group.finish();
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .sample_size(10)
        .configure_from_args();
    look_ups(&mut criterion);
    builds(&mut criterion);
    criterion.final_summary();
}
