//! The answers of Kong 3.9.3 to some thousand requests, compared with those of this gateway.
//!
//! `cases/` has the requests and the recorded answers. Cases for which a plugin is missing are listed and not played;
//! they are as soon as the plugin is built. `known.yaml` has the cases that are known to differ.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]
#![allow(clippy::disallowed_types, reason = "what is measured here is a process on the real clock")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod case;
#[path = "../gateway/client.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod client;
mod compare;
mod document;
mod exchange;
mod explained;
#[path = "../gateway/harness.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod harness;
mod known;
mod normal;
mod player;
mod plugins;
mod upstream;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use moongate_store::testing::PostgresServer;
use parking_lot::Mutex;

use crate::case::{Case, Mode};
use crate::harness::Setup;
use crate::player::Player;
use crate::upstream::Upstreams;

/// The gateways that cases are played on.
const GATEWAYS: [&str; 4] = ["dbless", "expressions", "sqlite", "postgres"];

#[test]
fn a_gateway_without_a_database_answers_as_recorded() {
    let start = |_| Setup::new().property("database: 'off'");
    play("dbless", 3, start, |case| case.mode == Mode::Dbless);
}

#[test]
fn a_gateway_with_expressions_answers_as_recorded() {
    let start = |_| Setup::new().property("database: 'off'").property("router_flavor: expressions");
    play("expressions", 1, start, |case| case.mode == Mode::Expressions);
}

#[test]
fn a_gateway_on_sqlite_answers_as_recorded() {
    let start = |_| Setup::new().property("database: sqlite");
    play("sqlite", 2, start, |case| case.mode == Mode::Db);
}

#[test]
fn a_gateway_on_postgres_answers_as_recorded() {
    // The recorded gateway had no password either.
    let open = b"host all all 127.0.0.1/32 trust\n";
    let Some(server) = PostgresServer::start_with(&[("pg_hba.conf", open)], &[]).unwrap() else { return };
    let start = |number: usize| {
        let database = format!("cases_{number}");
        server.psql(&format!("create database {database}")).unwrap();
        let properties = [
            "database: postgres".to_owned(),
            format!("pg_port: {}", server.port()),
            format!("pg_database: {database}"),
        ];
        let setup = properties.iter().fold(Setup::new(), |setup, line| setup.property(line));
        setup.bootstrap()
    };
    let is_admins = |case: &Case| case.file.starts_with("admin-") || case.file.starts_with("schemas");
    play("postgres", 2, start, |case| case.mode == Mode::Db && is_admins(case));
}

/// Plays the cases that are `wanted`, shared among as many gateways.
fn play(which: &str, gateways: usize, start: impl Fn(usize) -> Setup, wanted: impl Fn(&Case) -> bool) {
    let upstreams = Upstreams::start();
    let players: Vec<_> = (0..gateways)
        .map(|number| {
            let gateway = start(number).plugins(&plugins::PLUGINS).over_tls().start();
            Player::new(gateway, upstreams.clone())
        })
        .collect();
    let available = players[0].plugins();
    let only = std::env::var("COMPAT_CASES").unwrap_or_default();
    let cases: Vec<_> =
        Case::all().into_iter().filter(|case| wanted(case) && case.name.contains(&only)).collect();
    let mut waiting: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut playable = Vec::new();
    for case in &cases {
        let mut missing = plugins::needed(case);
        missing.retain(|plugin| !available.iter().any(|known| known == plugin));
        match missing.first() {
            Some(plugin) => waiting.entry(plugin).or_default().push(&case.name),
            None => playable.push(case),
        }
    }
    let (next, results) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for player in &players {
            scope.spawn(|| {
                while let Some(case) = playable.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let differences = player.play(case);
                    results.lock().insert(case.name.as_str(), differences);
                }
            });
        }
    });
    let results = results.into_inner();
    assert_eq!(results.len(), playable.len(), "a player gave up");
    println!("{which}: {} of {} cases played", playable.len(), cases.len());
    for (plugin, names) in &waiting {
        println!("  for want of {plugin}, {} not played: {}", names.len(), names.join(" "));
    }
    judge(which, &results);
}

/// Fails when an answer differs that is not known to, or one does not that is.
fn judge(which: &str, results: &BTreeMap<&str, Vec<String>>) {
    let known = known::on(which);
    let mut complaints = Vec::new();
    for (name, differences) in results {
        match (known.get(*name), differences.as_slice()) {
            (Some(_), []) => {
                complaints.push(format!("{name}\n    answers as recorded: remove it from known.yaml"))
            }
            (None, [_, ..]) => complaints.push(format!("{name}\n    {}", differences.join("\n    "))),
            (Some(reason), _) => println!("  {name} differs: {reason}"),
            (None, []) => {}
        }
    }
    assert!(complaints.is_empty(), "{} cases on {which}:\n{}", complaints.len(), complaints.join("\n"));
}
