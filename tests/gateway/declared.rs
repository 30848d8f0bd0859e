//! The file of a declarative configuration is watched.

use std::fs;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::get;
use crate::harness::{Gateway, Setup};

#[test]
fn a_file_that_is_replaced_is_served_without_being_asked_for() {
    let gateway = Setup::new().plain_route("old").start();
    let asked = Instant::now();
    gateway.declare(&one_route("new"));
    wait_for(&gateway, "/new", 200);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(get(gateway.proxy, "/old", &[]).status, 404);
}

#[test]
fn a_file_that_is_written_in_place_is_served_too() {
    let gateway = Setup::new().plain_route("old").start();
    let text = one_route("new").replace("UPSTREAM", &gateway.upstream_url());
    fs::write(gateway.folder().join("kong.yaml"), text).unwrap();
    wait_for(&gateway, "/new", 200);
    let mut file = fs::OpenOptions::new().append(true).open(gateway.folder().join("kong.yaml")).unwrap();
    file.write_all(b"  - name: more\n    paths: [/more]\n").unwrap();
    wait_for(&gateway, "/more", 200);
    assert_eq!(get(gateway.proxy, "/new", &[]).status, 200);
}

#[test]
fn a_file_that_is_wrong_changes_nothing_and_the_log_says_why() {
    let gateway = Setup::new().plain_route("old").start();
    gateway.declare(&one_route("new").replace("paths: [/new]", "paths: [new]"));
    gateway.wait_for_log("the changed file is refused, requests are served as before");
    gateway.wait_for_log("in 'paths':");
    assert_eq!(get(gateway.proxy, "/old", &[]).status, 200);
    assert_eq!(get(gateway.proxy, "/new", &[]).status, 404);
    // One that a plugin cannot take is refused as a whole, too.
    let plugin = "    plugins: [{name: jwt-claims, config: {public_key: nonsense}}]\n";
    gateway.declare(&(one_route("new") + plugin));
    gateway.wait_for_log("public_key");
    assert_eq!(get(gateway.proxy, "/old", &[]).status, 200);
    assert_eq!(get(gateway.proxy, "/new", &[]).status, 404);
    gateway.declare(&one_route("new"));
    wait_for(&gateway, "/new", 200);
}

#[test]
fn a_file_that_goes_away_and_comes_back_is_noticed() {
    let gateway = Setup::new().plain_route("old").start();
    fs::remove_file(gateway.folder().join("kong.yaml")).unwrap();
    gateway.wait_for_log("the declarative configuration is gone");
    assert_eq!(get(gateway.proxy, "/old", &[]).status, 200);
    gateway.declare(&one_route("new"));
    wait_for(&gateway, "/new", 200);
}

#[test]
fn what_a_plugin_finds_wrong_is_told_of_its_place_and_of_its_entity() {
    let gateway = Setup::new().plain_route("open").start();
    let plugins = json!([{"name": "one-header", "tags": ["a"]}, {"name": "jwt-claims", "config": {"public_key": "nonsense", "algorithms": ["RS256"]}}]);
    let service = json!({"name": "s", "url": "http://a.test", "routes": [{"name": "r", "paths": ["/"], "plugins": plugins}]});
    let config = json!({"_format_version": "3.0", "services": [service]});
    let refused = gateway.ask("POST", "/config", &config);
    assert_eq!((refused.status, &refused.json()["code"]), (400, &json!(14)));
    let told = refused.json()["fields"]["services"][0]["routes"][0]["plugins"].clone();
    let reason = told[1]["config"]["public_key"].as_str().unwrap();
    assert_eq!((told[0].is_null(), reason.is_empty()), (true, false));

    let flattened = gateway.ask("POST", "/config?flatten_errors=1", &config).json();
    let errors = flattened["flattened_errors"].as_array().unwrap();
    assert_eq!((errors.len(), &flattened["fields"]), (1, &json!({})));
    assert_eq!(
        (&errors[0]["entity_type"], &errors[0]["entity_name"]),
        (&json!("plugin"), &json!("jwt-claims"))
    );
    let problem = json!({"type": "field", "field": "config.public_key", "message": reason});
    assert_eq!(errors[0]["errors"], json!([problem]));
    assert_eq!(get(gateway.proxy, "/open", &[]).status, 200);

    gateway.declare(&config.to_string());
    gateway.wait_for_log("in entry 2 of 'plugins'");
}

#[test]
fn what_was_posted_stays_until_the_file_says_something_else() {
    let gateway = Setup::new().plain_route("old").start();
    let text = fs::read_to_string(gateway.folder().join("kong.yaml")).unwrap();
    let posted = one_route("posted").replace("UPSTREAM", &gateway.upstream_url());
    let posted = gateway.ask("POST", "/config", &serde_json::json!({"config": posted}));
    assert_eq!(posted.status, 201, "{}", posted.text());
    assert_eq!(get(gateway.proxy, "/posted", &[]).status, 200);
    gateway.declare(&(text + "# touched\n"));
    wait_for(&gateway, "/old", 200);
    assert_eq!(get(gateway.proxy, "/posted", &[]).status, 404);
}

fn one_route(name: &str) -> String {
    format!(
        "_format_version: '3.0'\nservices:\n- name: echo\n  url: UPSTREAM\n  routes:\n  - name: {name}\n    \
         paths: [/{name}]\n"
    )
}

fn wait_for(gateway: &Gateway, path: &str, status: u16) {
    let started = Instant::now();
    while get(gateway.proxy, path, &[]).status != status {
        assert!(started.elapsed() < Duration::from_secs(10), "{path} never answers {status}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
