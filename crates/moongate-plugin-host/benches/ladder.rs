//! What hooks cost, from nothing to a real plugin, in one process and on one thread.
//!
//! `cargo xtask plugins` must have built the plugins before.
#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark stops at the first surprise"
)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use moongate_hooks::{BoundTo, Client, Decision, Exchange, PluginRuntime, PluginSpec};
use moongate_plugin_host::{Binding, Grants, HostOptions, PluginHost, PluginSettings};
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn ladder(c: &mut Criterion) {
    let host = host(PluginSettings::default());
    let fresh = self::host(PluginSettings { max_calls_per_instance: 1, ..PluginSettings::default() });
    let noop = bind(&host, "noop", json!({}));
    let one_header = bind(&host, "one-header", json!({}));
    let three = [
        bind(&host, "one-header", json!({ "name": "x-one" })),
        bind(&host, "one-header", json!({ "name": "x-two" })),
        bind(&host, "one-header", json!({ "name": "x-three" })),
    ];
    let jwt = |cache_size: u32| {
        let config =
            json!({ "secret": SECRET, "claims": { "username": "JWT-username" }, "cache_size": cache_size });
        bind(&host, "jwt-claims", config)
    };
    let (verified, remembered) = (jwt(0), jwt(100));
    let noop_fresh = bind(&fresh, "noop", json!({}));

    let mut group = c.benchmark_group("request_hook");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    run(&mut group, "no_plugin", &host, &[]);
    run(&mut group, "noop_warm", &host, std::slice::from_ref(&noop));
    run(&mut group, "noop_fresh_instance", &fresh, std::slice::from_ref(&noop_fresh));
    run(&mut group, "one_header", &host, std::slice::from_ref(&one_header));
    run(&mut group, "three_one_header", &host, &three);
    run(&mut group, "jwt_claims_hs256", &host, std::slice::from_ref(&verified));
    run(&mut group, "jwt_claims_remembered", &host, std::slice::from_ref(&remembered));
    group.finish();
    host_calls(c);
    languages(c);
}

/// A hook that calls one function of the host a hundred times; `nothing` is to be taken off.
fn host_calls(c: &mut Criterion) {
    let host = host_of(&["test-plugins/costs.wasm"], PluginSettings::default());
    let mut group = c.benchmark_group("hundred_host_calls");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    let nothing = bind(&host, "costs", json!({ "call": "Clock", "times": 0 }));
    run(&mut group, "nothing", &host, std::slice::from_ref(&nothing));
    for call in CALLS {
        let binding = bind(&host, "costs", json!({ "call": call, "times": 100 }));
        run(&mut group, call, &host, std::slice::from_ref(&binding));
    }
    group.finish();
}

/// The same plugin in other languages: a token checked, a claim to a header. Those that are built.
fn languages(c: &mut Criterion) {
    let built = ["claim-c", "claim-javascript", "claim-python"]
        .map(|name| (name, format!("test-plugins/{name}.wasm")));
    let built: Vec<_> = built.iter().filter(|(_, file)| target().join(file).is_file()).collect();
    let mut group = c.benchmark_group("languages");
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    for (name, file) in built {
        let config = json!({ "secret": SECRET, "header": "x-user" });
        for (state, calls) in
            [("warm", PluginSettings::default().max_calls_per_instance), ("fresh_instance", 1)]
        {
            let settings = PluginSettings { max_calls_per_instance: calls, ..PluginSettings::default() };
            let host = host_of(&[file], settings);
            let binding = bind(&host, name, config.clone());
            run(&mut group, &format!("{name}_{state}"), &host, std::slice::from_ref(&binding));
        }
    }
    group.finish();
}

/// Sends one exchange through a chain over and over, as a worker does.
fn run(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    host: &PluginHost,
    chain: &[Arc<Binding>],
) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime starts");
    group.bench_function(name, |b| {
        b.iter_custom(|iterations| {
            runtime.block_on(async {
                let mut exchange = exchange();
                let started = tokio::time::Instant::now();
                for _ in 0..iterations {
                    for binding in chain {
                        let (back, decision) = host.on_request(0, binding, exchange).await;
                        assert!(matches!(decision, Ok(Decision::Continue)), "{decision:?}");
                        exchange = back;
                    }
                    exchange.response_edits.clear();
                    exchange = black_box(exchange);
                }
                started.elapsed()
            })
        });
    });
}

fn host(settings: PluginSettings) -> Arc<PluginHost> {
    // Just these: the fixtures have several versions of some plugins.
    host_of(&["plugins/jwt-claims.wasm", "test-plugins/noop.wasm", "test-plugins/one-header.wasm"], settings)
}

/// A host with these plugins, which may do everything.
fn host_of(files: &[impl AsRef<Path>], settings: PluginSettings) -> Arc<PluginHost> {
    let folder = tempfile::tempdir().expect("a temporary directory can be made");
    let mut names = Vec::new();
    for file in files {
        let source = target().join(file);
        let name = source.file_name().expect("the path names a file");
        std::fs::copy(&source, folder.path().join(name)).unwrap_or_else(|error| {
            panic!("{}: {error}; run `cargo xtask plugins --fixtures`", source.display())
        });
        names.push(source.file_stem().expect("the path names a file").to_string_lossy().into_owned());
    }
    PluginHost::start(HostOptions {
        plugin_dirs: vec![folder.path().to_owned()],
        settings: names.iter().map(|name| (name.clone(), settings.clone())).collect(),
        grants: names.into_iter().map(|name| (name, Grants::all())).collect(),
        ..HostOptions::default()
    })
    .expect("the host starts")
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

fn bind(host: &PluginHost, name: &str, config: serde_json::Value) -> Arc<Binding> {
    let config = config.as_object().expect("a configuration is an object");
    host.bind(&PluginSpec { id: "", instance_name: None, name, config, bound_to: BoundTo::default() })
        .unwrap_or_else(|error| panic!("{error}; run `cargo xtask plugins`"))
}

fn exchange() -> Box<Exchange> {
    let claims = json!({ "username": "MichalJeczalik", "sub": "1234567890", "iat": 1_516_239_022, "exp": 4_102_444_800_i64 });
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let token =
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).expect("claims can be signed");
    let (request, ()) = http::Request::get("/secure/orders?page=2")
        .header("host", "gateway.test")
        .header("user-agent", "ladder")
        .header("accept", "*/*")
        .header("authorization", format!("Bearer {token}"))
        .body(())
        .expect("the request is well-formed")
        .into_parts();
    let client = Client {
        peer: SocketAddr::from(([127, 0, 0, 1], 40_000)),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        tls: false,
        trusted: false,
        port: 8000,
    };
    Box::new(Exchange::new(1, request, client, tokio::time::Instant::now()))
}

/// What the fixture can call.
const CALLS: [&str; 15] = [
    "HeaderGet",
    "HeaderSet",
    "Headers",
    "ContextGet",
    "ContextSet",
    "KvGet",
    "KvSet",
    "CountersRead",
    "CountersAdd",
    "CountersTake",
    "MetricsRecord",
    "MetricsSet",
    "SecretsGet",
    "LogOff",
    "Clock",
];

const SECRET: &str = "moongate-demo-secret";

criterion_group!(benches, ladder);
criterion_main!(benches);
