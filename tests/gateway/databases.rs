//! Entities in a database: what the Admin API took is served, and stays.

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use moongate_store::testing::PostgresServer;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::get;
use crate::harness::{Gateway, Setup, built_plugin};

#[test]
fn what_the_admin_api_took_serves_the_next_request() {
    let gateway = Setup::new().property("database: sqlite").start();
    let before = get(gateway.proxy, "/orders", &[]);
    assert_eq!(
        (before.status, before.json()["message"].as_str()),
        (404, Some("no Route matched with those values"))
    );
    add_route(&gateway, "orders");
    assert_eq!(get(gateway.proxy, "/orders", &[]).status, 200);
    // Each change is in use when it is answered, however often.
    for round in 0..20 {
        let path = format!("/round-{round}");
        let changed = gateway.ask("PATCH", "/routes/orders", &json!({"paths": [path]}));
        assert_eq!(changed.status, 200, "{}", changed.text());
        assert_eq!(get(gateway.proxy, &path, &[]).status, 200, "{path}");
    }
    assert_eq!(gateway.ask("DELETE", "/routes/orders", &Value::Null).status, 204);
    assert_eq!(get(gateway.proxy, "/round-19", &[]).status, 404);
}

#[test]
fn what_a_plugin_cannot_take_is_refused_and_changes_nothing() {
    let gateway = Setup::new().property("database: sqlite").start();
    add_route(&gateway, "orders");
    let key = json!({"name": "jwt-claims", "config": {"public_key": "not a key"}});
    let refused = gateway.ask("POST", "/routes/orders/plugins", &key);
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(refused.json()["name"], "schema violation");
    let looked_at = gateway.ask("POST", "/schemas/plugins/validate", &key);
    assert_eq!((looked_at.status, looked_at.json()), (400, refused.json()));
    let fine = json!({"name": "jwt-claims", "route": {"id": "0855b320-0dd2-4f3c-8ab0-6fdd4a1f1c1e"}, "config": {"secret": "s"}});
    assert_eq!(gateway.ask("POST", "/schemas/plugins/validate", &fine).status, 200);
    let unknown = gateway.ask("POST", "/plugins", &json!({"name": "nothing"}));
    assert_eq!(unknown.status, 400);
    assert_eq!(
        unknown.json()["fields"]["name"],
        "plugin 'nothing' not enabled; add it to the 'plugins' configuration property"
    );
    assert_eq!(get(gateway.admin, "/plugins", &[]).json()["data"], json!([]));
    assert_eq!(get(gateway.proxy, "/orders", &[]).status, 200);
    let taken = gateway.ask("POST", "/routes/orders/plugins", &json!({"name": "one-header"}));
    assert_eq!(taken.status, 201, "{}", taken.text());
    assert_eq!(get(gateway.proxy, "/orders", &[]).status, 200);
}

#[test]
fn a_gateway_that_was_killed_has_everything_that_it_acknowledged() {
    let folder = TempDir::new().unwrap();
    let file = format!("sqlite_path: {}/entities.sqlite", folder.path().display());
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let mut gateway = Setup::new().property("database: sqlite").property(&file).start();
        for known in &acknowledged {
            assert_eq!(get(gateway.admin, &format!("/services/{known}"), &[]).status, 200, "{known}");
        }
        for number in 0..25 + round {
            let name = format!("s{round}-{number}");
            let body = json!({"name": name, "url": "http://upstream.test"});
            assert_eq!(gateway.ask("POST", "/services", &body).status, 201);
            acknowledged.push(name);
        }
        gateway.signal(Signal::SIGKILL);
        gateway.wait(Duration::from_secs(10));
    }
    let gateway = Setup::new().property("database: sqlite").property(&file).start();
    let all = get(gateway.admin, "/services?size=1000", &[]).json();
    assert_eq!(all["data"].as_array().unwrap().len(), acknowledged.len());
}

#[test]
fn the_admin_api_asks_for_the_token_that_is_set() {
    let gateway = Setup::new().plain_route("open").property("admin_token: secret-of-the-operator").start();
    assert_eq!(get(gateway.admin, "/services", &[]).status, 401);
    assert_eq!(get(gateway.admin, "/services", &[("kong-admin-token", "guess")]).status, 401);
    for header in
        [("kong-admin-token", "secret-of-the-operator"), ("authorization", "Bearer secret-of-the-operator")]
    {
        assert_eq!(get(gateway.admin, "/services", &[header]).status, 200);
    }
    let shown = get(gateway.admin, "/", &[("kong-admin-token", "secret-of-the-operator")]).json();
    assert_eq!(shown["configuration"]["admin_token"], "******");
}

#[test]
fn a_declarative_configuration_that_is_posted_replaces_the_one_before() {
    let gateway = Setup::new().plain_route("old").start();
    let new = json!({
        "_format_version": "3.0",
        "services": [{"name": "s", "url": gateway.upstream_url(), "routes": [{"name": "new", "paths": ["/new"]}]}],
    });
    let taken = gateway.ask("POST", "/config", &new);
    assert_eq!(taken.status, 201, "{}", taken.text());
    assert_eq!(get(gateway.proxy, "/new", &[]).status, 200);
    assert_eq!(get(gateway.proxy, "/old", &[]).status, 404);
    let wrong =
        gateway.ask("POST", "/config", &json!({"_format_version": "3.0", "services": [{"name": "s"}]}));
    assert_eq!(wrong.json()["fields"], json!({"services": [{"host": "required field missing"}]}));
    assert_eq!(get(gateway.proxy, "/new", &[]).status, 200);
}

#[test]
fn two_nodes_on_one_postgres_serve_the_same_and_outlive_its_restart() {
    let Some(server) = PostgresServer::start().unwrap() else { return };
    let (properties, settings) = (postgres_properties(&server), postgres_settings(&server));
    let empty = moongate(&["start"], &settings);
    assert!(!empty.status.success());
    assert!(text(&empty).contains("moongate migrations bootstrap"), "{}", text(&empty));
    let made = moongate(&["migrations", "bootstrap"], &settings);
    assert!(made.status.success(), "{}", text(&made));

    let start = || properties.iter().fold(Setup::new(), |setup, line| setup.property(line)).start();
    let (one, other) = (start(), start());
    add_route(&one, "orders");
    let mut waits: Vec<Duration> = (0..9)
        .map(|round| {
            let path = format!("/round-{round}");
            assert_eq!(one.ask("PATCH", "/routes/orders", &json!({"paths": [path]})).status, 200);
            let asked = Instant::now();
            while get(other.proxy, &path, &[]).status != 200 {
                assert!(asked.elapsed() < Duration::from_secs(5), "{path} does not come");
            }
            asked.elapsed()
        })
        .collect();
    waits.sort();
    assert!(waits[4] < Duration::from_millis(100), "{waits:?}");
    assert_eq!(server.psql("select name, paths from routes").unwrap().trim(), "orders|{/round-8}");
    assert_eq!(server.psql("select host, port from services").unwrap().lines().count(), 1);

    server.stop().unwrap();
    assert_eq!(get(one.proxy, "/round-8", &[]).status, 200, "requests do not need the database");
    let refused = one.ask("POST", "/services", &json!({"name": "late", "url": "http://late.test"}));
    assert!(matches!(refused.status, 500 | 503), "{}", refused.text());
    assert_eq!(get(one.admin, "/status", &[]).json()["database"]["reachable"], false);
    server.resume().unwrap();
    let begun = Instant::now();
    while one.ask("PUT", "/services/late", &json!({"url": "http://late.test"})).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the store does not heal");
        std::thread::sleep(Duration::from_millis(50));
    }
    while get(other.admin, "/services/late", &[]).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the other node does not heal");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(get(one.admin, "/status", &[]).json()["database"]["reachable"], true);
}

#[test]
fn what_is_said_of_all_nodes_reaches_those_of_the_same_database() {
    let Some(server) = PostgresServer::start().unwrap() else { return };
    let made = moongate(&["migrations", "bootstrap"], &postgres_settings(&server));
    assert!(made.status.success(), "{}", text(&made));
    let properties = postgres_properties(&server);
    let start = || properties.iter().fold(Setup::new(), |setup, line| setup.property(line)).start();
    let (one, other) = (start(), start());
    let healthchecks = json!({"passive": {"unhealthy": {"http_failures": 1}}});
    one.ask("PUT", "/upstreams/u", &json!({"healthchecks": healthchecks}));
    one.ask("POST", "/upstreams/u/targets", &json!({"target": "127.0.0.1:9"}));
    let health = |gateway: &Gateway| {
        get(gateway.admin, "/upstreams/u/health", &[]).json()["data"][0]["health"].clone()
    };
    let becomes = |what: &dyn Fn(&Gateway) -> bool| {
        let asked = Instant::now();
        while ![&one, &other].into_iter().all(what) {
            assert!(asked.elapsed() < Duration::from_secs(5), "the other node does not hear of it");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    becomes(&|gateway| health(gateway) == "HEALTHY");
    for (word, wanted) in [("unhealthy", "UNHEALTHY"), ("healthy", "HEALTHY")] {
        let path = format!("/upstreams/u/targets/127.0.0.1:9/{word}");
        assert_eq!(one.ask("PUT", &path, &json!({})).status, 204);
        becomes(&|gateway| health(gateway) == wanted);
    }
    let level =
        |gateway: &Gateway| get(gateway.admin, "/debug/node/log-level", &[]).json()["message"].clone();
    assert_eq!(one.ask("PUT", "/debug/cluster/log-level/debug", &json!({})).status, 200);
    becomes(&|gateway| level(gateway) == "log level: debug");
    assert_eq!(other.ask("PUT", "/debug/node/log-level/warn", &json!({})).status, 200);
    assert_eq!(level(&other), "log level: warn");
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(level(&one), "log level: debug");
}

#[test]
fn a_declarative_configuration_goes_into_a_database_and_comes_out_again() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let settings = vec!["database=sqlite".to_owned(), format!("sqlite_path={}", path("entities.sqlite"))];
    let yaml = "_format_version: '3.0'\nservices:\n- name: s\n  url: http://upstream.test/base\n  routes:\n  - name: r\n    \
                paths: [/r]\nconsumers:\n- username: alice\n";
    std::fs::write(path("kong.yml"), yaml).unwrap();
    let imported = moongate(&["config", "db_import", &path("kong.yml")], &settings);
    assert_eq!(text(&imported).trim(), "parse successful, beginning import\nimport successful");
    // Ids follow from names, so importing twice changes nothing.
    assert!(moongate(&["config", "db_import", &path("kong.yml")], &settings).status.success());
    let exported = moongate(&["config", "db_export", &path("out.yml")], &settings);
    assert!(exported.status.success(), "{}", text(&exported));
    let export = std::fs::read_to_string(path("out.yml")).unwrap();
    assert_eq!(export.matches("0855b320").count(), 0);
    assert_eq!(export.matches("username: alice").count(), 1, "{export}");
    let again = moongate(&["config", "db_export", &path("out.yml")], &settings);
    assert!(text(&again).contains("already exists. Will not overwrite it."), "{}", text(&again));
    std::fs::write(path("wrong.yml"), "_format_version: '3.0'\nservices:\n- port: 99999\n").unwrap();
    let wrong = moongate(&["config", "parse", &path("wrong.yml")], &settings);
    assert!(!wrong.status.success());
    for part in ["Failed parsing:", "in 'services':", "in 'port': value should be between 0 and 65535"] {
        assert!(text(&wrong).contains(part), "{part} in {}", text(&wrong));
    }
}

#[test]
fn what_cannot_be_served_is_not_imported_and_can_be_mended_where_it_got_in_all_the_same() {
    let Some(server) = PostgresServer::start().unwrap() else { return };
    let folder = TempDir::new().unwrap();
    let gateway = postgres_properties(&server).iter().fold(Setup::new(), |setup, line| setup.property(line));
    let settings = postgres_settings(&server);
    assert!(moongate(&["migrations", "bootstrap"], &settings).status.success());

    let file = folder.path().join("bad.yml").display().to_string();
    let config = "{name: jwt-claims, config: {algorithms: [RS256], secret: x}}";
    std::fs::write(&file, format!("_format_version: '3.0'\nplugins:\n- {config}\n")).unwrap();
    std::fs::write(folder.path().join("jwt-claims.wasm"), built_plugin("jwt-claims")).unwrap();
    let mut with_plugins = settings.clone();
    with_plugins.push(format!("plugin_dirs={}", folder.path().display()));
    let imported = moongate(&["config", "db_import", &file], &with_plugins);
    assert!(!imported.status.success());
    let told = "Failed importing:\n  in 'plugins':\n    - in entry 1 of 'plugins':\n      in 'config':\n";
    assert!(text(&imported).contains(told), "{}", text(&imported));
    assert_eq!(server.psql("select count(*) from plugins").unwrap().trim(), "0");
    for id in [1, 2] {
        let service = format!("{{id: 00000000-0000-4000-8000-00000000000{id}, name: x, host: a.test}}");
        std::fs::write(&file, format!("_format_version: '3.0'\nservices:\n- {service}\n")).unwrap();
        let imported = moongate(&["config", "db_import", &file], &settings);
        assert_eq!(imported.status.success(), id == 1);
        let told = "[postgres] UNIQUE violation detected on '{name=\"x\"}'";
        assert_eq!(text(&imported).contains(told), id == 2, "{}", text(&imported));
    }

    let gateway = gateway.start();
    add_route(&gateway, "orders");
    server.psql("update routes set paths = '{~/((}' where name = 'orders'").unwrap();
    // Whether the gateway has seen it or not, what was served stays.
    assert_eq!(get(gateway.proxy, "/orders", &[]).status, 200);
    let another = gateway.ask("POST", "/services", &json!({"name": "s", "url": "http://a.test"}));
    assert_eq!(another.status, 400, "{}", another.text());
    assert_eq!(gateway.ask("PATCH", "/routes/orders", &json!({"paths": ["/mended"]})).status, 200);
    assert_eq!(get(gateway.proxy, "/mended", &[]).status, 200);
    server.psql("update routes set paths = '{~/((}' where name = 'orders'").unwrap();
    assert_eq!(gateway.ask("DELETE", "/routes/orders", &Value::Null).status, 204);
    assert_eq!(get(gateway.proxy, "/mended", &[]).status, 404);

    // A node that starts on it serves nothing, says so, and is where it can be mended.
    add_route(&gateway, "late");
    let port: u16 = gateway.upstream_url().rsplit_once(':').unwrap().1.parse().unwrap();
    let mends = [
        ("update routes set paths = '{~/((}'", "/routes/late", json!({"paths": ["/late"]})),
        ("update services set port = 99999", "/services/late", json!({"port": port})),
    ];
    for (harm, path, mend) in mends {
        server.psql(&format!("{harm} where name = 'late'")).unwrap();
        let started = postgres_properties(&server);
        let started = started.iter().fold(Setup::new(), |setup, line| setup.property(line)).start();
        let ready = get(started.status, "/status/ready", &[]);
        assert_eq!(ready.status, 503);
        assert!(ready.text().contains("nothing is served: "), "{}", ready.text());
        assert_eq!(get(started.proxy, "/late", &[]).status, 404);
        let mended = started.ask("PATCH", path, &mend);
        assert_eq!(mended.status, 200, "{}", mended.text());
        assert_eq!(get(started.proxy, "/late", &[]).status, 200);
        assert_eq!(get(started.status, "/status/ready", &[]).status, 200);
    }
}

/// How a gateway reaches the server.
fn postgres_properties(server: &PostgresServer) -> [String; 5] {
    [
        "database: postgres".to_owned(),
        "pg_host: 127.0.0.1".to_owned(),
        format!("pg_port: {}", server.port()),
        format!("pg_password: {}", server.password()),
        "pg_timeout: 2000".to_owned(),
    ]
}

/// The same for the command line.
fn postgres_settings(server: &PostgresServer) -> Vec<String> {
    postgres_properties(server).iter().map(|line| line.replace(": ", "=")).collect()
}

#[test]
fn postgres_is_spoken_to_over_tls_and_must_be_who_the_file_of_authorities_says() {
    let made = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let (own, stranger) = (made("127.0.0.1"), made("127.0.0.1"));
    let (cert, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    let files = [("server.crt", cert.as_bytes()), ("server.key", key.as_bytes())];
    let Some(server) = PostgresServer::start_with(&files, &[("ssl", "on")]).unwrap() else { return };
    let folder = TempDir::new().unwrap();
    let file = |name: &str, pem: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem).unwrap();
        path.display().to_string()
    };
    let bootstrap = |settings: &[&str]| {
        let mut all = vec!["database=postgres".to_owned(), format!("pg_port={}", server.port())];
        all.push(format!("pg_password={}", server.password()));
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        moongate(&["migrations", "bootstrap"], &all)
    };
    let trusted = format!("lua_ssl_trusted_certificate=system,{}", file("own.pem", &cert));
    let other = format!("lua_ssl_trusted_certificate={}", file("other.pem", &stranger.cert.pem()));
    let missing = "lua_ssl_trusted_certificate=/nowhere.pem";
    for (settings, complaint) in [
        (["pg_ssl=on", "pg_ssl_verify=on", "workers=1"], "certificate"),
        (["pg_ssl=on", "pg_ssl_verify=on", &other], "certificate"),
        (["pg_ssl=on", "pg_ssl_verify=on", missing], "/nowhere.pem"),
    ] {
        let refused = bootstrap(&settings);
        assert!(!refused.status.success(), "{settings:?}");
        assert!(text(&refused).contains(complaint), "{settings:?}: {}", text(&refused));
    }
    let taken = bootstrap(&["pg_ssl=on", "pg_ssl_verify=on", &trusted]);
    assert!(taken.status.success(), "{}", text(&taken));
}

fn add_route(gateway: &Gateway, name: &str) {
    let service = gateway.ask("POST", "/services", &json!({"name": name, "url": gateway.upstream_url()}));
    assert_eq!(service.status, 201, "{}", service.text());
    let route = json!({"name": name, "paths": [format!("/{name}")]});
    let route = gateway.ask("POST", &format!("/services/{name}/routes"), &route);
    assert_eq!(route.status, 201, "{}", route.text());
}

/// Runs the program with properties, in a folder of its own.
fn moongate(arguments: &[&str], settings: &[String]) -> Output {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_moongate"));
    command.args(arguments).current_dir(folder.path());
    for setting in settings {
        command.arg("--set").arg(setting);
    }
    if arguments == ["start"] {
        command.args(["--set", "proxy_listen=127.0.0.1:0", "--set", "admin_listen=127.0.0.1:0"]);
        command.args(["--set", "admin_gui_listen=off"]);
    }
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
