//! A gateway that is killed while it writes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use moongate_store::testing::PostgresServer;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::get;
use crate::harness::{Gateway, Setup};

#[test]
fn killed_at_any_moment_sqlite_keeps_what_was_acknowledged_and_nothing_by_halves() {
    let folder = TempDir::new().unwrap();
    let file = format!("sqlite_path: {}/entities.sqlite", folder.path().display());
    survive(|| Setup::new().property("database: sqlite").property(&file).start());
}

#[test]
fn killed_at_any_moment_postgres_keeps_what_was_acknowledged_and_nothing_by_halves() {
    let Some(server) = PostgresServer::start().unwrap() else { return };
    let properties = [
        "database: postgres".to_owned(),
        format!("pg_port: {}", server.port()),
        format!("pg_password: {}", server.password()),
    ];
    let setup = || properties.iter().fold(Setup::new(), |setup, line| setup.property(line));
    setup().bootstrap().start().stop();
    survive(|| setup().start());
}

/// Writes until enough was acknowledged and enough gateways, one after the other, were killed.
fn survive(start: impl Fn() -> Gateway) {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut expected = Expected::default();
    let mut kills = 0;
    while expected.acknowledged < WRITES || kills < KILLS {
        let mut gateway = start();
        expected.compare(&gateway);
        let pid = Pid::from_raw(i32::try_from(gateway.pid()).unwrap());
        let life = Duration::from_millis(random.u64(20..800));
        let killer = std::thread::spawn(move || {
            std::thread::sleep(life);
            kill(pid, Signal::SIGKILL).unwrap();
        });
        while expected.write(&gateway, &mut random) {}
        killer.join().unwrap();
        gateway.wait(Duration::from_secs(10));
        kills += 1;
    }
    expected.compare(&start());
}

/// What must be there.
#[derive(Default)]
struct Expected {
    /// The services, and which of their versions.
    services: BTreeMap<String, u64>,
    /// The upstreams; each has [`TARGETS`].
    upstreams: BTreeSet<String>,
    /// The certificates, by a tag; each has two server names.
    certificates: BTreeSet<String>,
    /// What was asked for and not acknowledged.
    open: Option<Write>,
    acknowledged: usize,
    count: u64,
}

/// One request that changes something.
#[derive(Clone, Debug)]
enum Write {
    /// Sets several fields of a service to one version.
    Service(String, u64),
    RemoveService(String),
    /// One write makes a certificate and its server names.
    Certificate(String),
    Upstream(String),
    /// One write removes an upstream and its targets.
    RemoveUpstream(String),
}

impl Expected {
    /// Writes once. False if the gateway is gone.
    fn write(&mut self, gateway: &Gateway, random: &mut fastrand::Rng) -> bool {
        self.count += 1;
        let number = self.count;
        let any = |names: Vec<&String>, random: &mut fastrand::Rng| random.choice(names).cloned();
        let service = any(self.services.keys().collect(), random);
        let upstream = any(self.upstreams.iter().collect(), random);
        let write = match (random.u8(0..10), service, upstream) {
            (0..4, Some(name), _) => Write::Service(name, number),
            (4, Some(name), _) => Write::RemoveService(name),
            (5, _, _) => Write::Certificate(format!("c{number}")),
            (6, _, _) => Write::Upstream(format!("u{number}")),
            (7, _, Some(name)) => Write::RemoveUpstream(name),
            _ => Write::Service(format!("s{number}"), number),
        };
        self.open = Some(write.clone());
        if send(gateway, &write).is_none() {
            return false;
        }
        self.open = None;
        self.acknowledged += 1;
        self.apply(&write);
        true
    }

    fn apply(&mut self, write: &Write) {
        match write.clone() {
            Write::Service(name, version) => drop(self.services.insert(name, version)),
            Write::RemoveService(name) => drop(self.services.remove(&name)),
            Write::Certificate(tag) => drop(self.certificates.insert(tag)),
            Write::Upstream(name) => drop(self.upstreams.insert(name)),
            Write::RemoveUpstream(name) => drop(self.upstreams.remove(&name)),
        }
    }

    /// Fails if something is other than expected. What was not acknowledged is there or not, but not by halves.
    fn compare(&mut self, gateway: &Gateway) {
        let found = found(gateway);
        if let Some(open) = self.open.take() {
            let before = self.found();
            self.apply(&open);
            // Targets come one write after the other, so an upstream may have some of them.
            if let Write::Upstream(name) = &open {
                complete(gateway, name);
                assert_eq!(self::found(gateway), self.found());
                return;
            }
            if found == before {
                self.undo(before);
                return;
            }
        }
        assert_eq!(found, self.found());
    }

    fn found(&self) -> Found {
        Found {
            services: self.services.clone(),
            upstreams: self.upstreams.iter().map(|name| (name.clone(), TARGETS)).collect(),
            certificates: self.certificates.iter().map(|tag| (tag.clone(), 2)).collect(),
            orphans: 0,
        }
    }

    fn undo(&mut self, before: Found) {
        self.services = before.services;
        self.upstreams = before.upstreams.into_keys().collect();
        self.certificates = before.certificates.into_keys().collect();
    }
}

/// What is there.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    services: BTreeMap<String, u64>,
    /// With the numbers of their targets.
    upstreams: BTreeMap<String, usize>,
    /// With the numbers of their server names.
    certificates: BTreeMap<String, usize>,
    /// Rows whose parent is not there.
    orphans: usize,
}

fn found(gateway: &Gateway) -> Found {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let services = rows(gateway, "/services").into_iter().map(|row| {
        let version: u64 = row["retries"].as_u64().unwrap();
        // All fields are of one version.
        assert_eq!(
            (&row["host"], &row["path"]),
            (&json!(format!("h{version}.test")), &json!(format!("/{version}")))
        );
        (text(&row["name"]), version)
    });
    let services = services.collect();
    let upstreams: BTreeMap<_, _> = rows(gateway, "/upstreams")
        .iter()
        .map(|row| {
            let targets = rows(gateway, &format!("/upstreams/{}/targets", text(&row["id"]))).len();
            (text(&row["name"]), targets)
        })
        .collect();
    let names = rows(gateway, "/snis");
    let certificates = rows(gateway, "/certificates");
    let known: BTreeSet<_> = certificates.iter().map(|row| text(&row["id"])).collect();
    let orphans = names.iter().filter(|name| !known.contains(&text(&name["certificate"]["id"]))).count();
    let certificates = certificates
        .iter()
        .map(|row| {
            let own = names.iter().filter(|name| name["certificate"]["id"] == row["id"]).count();
            (text(&row["tags"][0]), own)
        })
        .collect();
    Found { services, upstreams, certificates, orphans }
}

fn rows(gateway: &Gateway, path: &str) -> Vec<Value> {
    let mut next = Some(format!("{path}?size=1000"));
    let mut all = Vec::new();
    while let Some(path) = next {
        let page = get(gateway.admin, &path, &[]).json();
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        next = page["next"].as_str().map(str::to_owned);
    }
    all
}

/// `None` if the gateway is gone.
fn send(gateway: &Gateway, write: &Write) -> Option<()> {
    let (method, path, body) = match write {
        Write::Service(name, version) => ("PUT", format!("/services/{name}"), service(*version)),
        Write::RemoveService(name) => ("DELETE", format!("/services/{name}"), Value::Null),
        Write::Certificate(tag) => {
            let names = [format!("{tag}.test"), format!("www.{tag}.test")];
            let body = json!({"cert": CERT, "key": KEY, "tags": [tag], "snis": names});
            ("POST", "/certificates".to_owned(), body)
        }
        Write::Upstream(name) => return make_upstream(gateway, name),
        Write::RemoveUpstream(name) => ("DELETE", format!("/upstreams/{name}"), Value::Null),
    };
    let answer = gateway.try_ask(method, &path, &body).ok()?;
    assert!(matches!(answer.status, 200 | 201 | 204), "{write:?}: {}", answer.text());
    Some(())
}

fn service(version: u64) -> Value {
    json!({"host": format!("h{version}.test"), "path": format!("/{version}"), "retries": version})
}

fn make_upstream(gateway: &Gateway, name: &str) -> Option<()> {
    let answer = gateway.try_ask("PUT", &format!("/upstreams/{name}"), &json!({})).ok()?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    for target in 0..TARGETS {
        let target = json!({"target": format!("10.0.0.{target}:80")});
        let answer = gateway.try_ask("POST", &format!("/upstreams/{name}/targets"), &target).ok()?;
        assert!(matches!(answer.status, 200 | 201 | 409), "{}", answer.text());
    }
    Some(())
}

/// Asks again for all of an upstream.
fn complete(gateway: &Gateway, name: &str) {
    make_upstream(gateway, name).unwrap();
}

/// Acknowledged before the last gateway is killed.
const WRITES: usize = 500;
const KILLS: usize = 4;
const TARGETS: usize = 3;
const CERT: &str = include_str!("../../crates/moongate-admin/src/tests/fixtures/leaf.pem");
const KEY: &str = include_str!("../../crates/moongate-admin/src/tests/fixtures/leaf.key");
