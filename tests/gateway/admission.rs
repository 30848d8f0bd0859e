//! Files that are no good are refused with a reason, while the version before them serves.

use std::fs;
use std::time::{Duration, Instant};

use crate::client::get;
use crate::harness::{Gateway, Setup, built_plugin, marked_plugin};

fn gateway() -> Gateway {
    Setup::new().route("tagged", "one-header", "name: x-version").start()
}

fn version(gateway: &Gateway) -> String {
    get(gateway.proxy, "/tagged", &[]).header("x-version").unwrap()
}

/// Installs a bad file over a good one: the reason is told, and the good one serves on.
fn is_refused(bytes: &[u8], reason: &str) {
    let gateway = gateway();
    assert_eq!(version(&gateway), "version-marker-0000");
    gateway.install("one-header.wasm", bytes);
    let status = gateway.wait_for_plugin("one-header", |status| status["state"] == "refused");
    let told = status["last_error"].as_str().unwrap();
    assert!(told.contains(reason), "{told}");
    assert_eq!(status["generation"], 1);
    assert_eq!(version(&gateway), "version-marker-0000");

    // A good file mends it.
    gateway.install("one-header.wasm", &marked_plugin(7));
    let status = gateway.wait_for_plugin("one-header", |status| status["state"] == "ready");
    assert_eq!(status["generation"], 2);
    assert_eq!(status["last_error"], serde_json::Value::Null);
    serves(&gateway, "version-marker-0007");
}

/// Waits for a version that is about to go live.
fn serves(gateway: &Gateway, wanted: &str) {
    let started = Instant::now();
    while version(gateway) != wanted {
        assert!(started.elapsed() < Duration::from_secs(1), "{wanted} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_truncated_file_is_refused() {
    let whole = built_plugin("one-header");
    is_refused(&whole[..whole.len() / 2], "ends in the middle");
}

#[test]
fn a_core_module_is_refused() {
    is_refused(&wat::parse_str("(module)").unwrap(), "a core module");
}

#[test]
fn a_file_that_is_no_webassembly_is_refused() {
    is_refused(b"#!/bin/sh\necho hello\n", "some other kind of file");
}

#[test]
fn a_component_that_is_no_plugin_is_refused() {
    is_refused(&wat::parse_str("(component)").unwrap(), "does not export moongate:plugin/lifecycle");
}

#[test]
fn a_plugin_for_another_contract_is_refused() {
    let text = r#"(component (instance $i) (export "moongate:plugin/lifecycle@0.9.0" (instance $i)))"#;
    is_refused(&wat::parse_str(text).unwrap(), "contract 0.9.0, this gateway serves 0.1.0");
}

#[test]
fn a_plugin_that_imports_too_much_is_refused_with_the_name_of_the_import() {
    let text = r#"(component
        (import "wasi:sockets/tcp@0.2.6" (instance))
        (instance $i) (export "moongate:plugin/lifecycle@0.1.0" (instance $i)))"#;
    is_refused(
        &wat::parse_str(text).unwrap(),
        "imports `wasi:sockets/tcp@0.2.6`, which no plugin is granted",
    );
}

#[test]
fn a_file_over_the_size_limit_is_refused() {
    is_refused(&vec![0; 33 * 1024 * 1024], "more than the 33554432");
}

#[test]
fn a_plugin_that_wants_more_memory_than_it_may_have_is_refused() {
    let gateway = Setup::new()
        .plain_route("good")
        .property("plugin_settings: { one-header: { memory_limit: 64KiB } }")
        .start();
    let status = gateway.wait_for_plugin("one-header", |status| status["state"] == "refused");
    assert!(status["last_error"].as_str().unwrap().contains("memory"), "{status}");
    assert_eq!(get(gateway.proxy, "/good", &[]).status, 200);
}

#[test]
fn a_new_version_that_does_not_take_a_configuration_in_use_is_refused() {
    let gateway = Setup::new().route("tagged", "one-header", "name: x-version").start();
    gateway.install("one-header.wasm", &built_plugin("one-header-strict"));
    let status = gateway.wait_for_plugin("one-header", |status| status["state"] == "refused");
    assert!(
        status["last_error"].as_str().unwrap().contains("does not accept a configuration in use"),
        "{status}"
    );
    assert_eq!(version(&gateway), "version-marker-0000");
}

#[test]
fn two_files_of_one_name_do_not_fight() {
    let gateway = gateway();
    gateway.install("another.wasm", &marked_plugin(5));
    let listed = || get(gateway.admin, "/moongate/plugins", &[]).json();
    let started = Instant::now();
    let refused = loop {
        let all = listed();
        let found = all["data"].as_array().unwrap().iter().find(|p| p["name"] == "another").cloned();
        match found {
            Some(status) if status["state"] == "refused" => break status,
            _ if started.elapsed() > Duration::from_secs(20) => panic!("{all}"),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let told = refused["last_error"].as_str().unwrap();
    assert!(told.contains("named `one-header`") && told.contains("one-header.wasm"), "{told}");
    assert_eq!(version(&gateway), "version-marker-0000");
}

#[test]
fn a_plugin_whose_file_is_removed_serves_on_while_configurations_use_it() {
    let gateway = gateway();
    fs::remove_file(gateway.plugin_path("one-header.wasm")).unwrap();
    gateway.wait_for_plugin("one-header", |status| status["state"] == "removed");
    assert_eq!(version(&gateway), "version-marker-0000");

    gateway.install("one-header.wasm", &marked_plugin(3));
    gateway.wait_for_plugin("one-header", |status| status["state"] == "ready");
    serves(&gateway, "version-marker-0003");
}

#[test]
fn a_plugin_that_nobody_uses_goes_with_its_file_and_comes_with_it() {
    let gateway = gateway();
    assert_eq!(gateway.plugin("noop")["state"], "ready");
    fs::remove_file(gateway.plugin_path("noop.wasm")).unwrap();
    gateway.wait_for_plugin("noop", |status| status["state"].is_null());
    gateway.install("noop.wasm", &built_plugin("noop"));
    gateway.wait_for_plugin("noop", |status| status["state"] == "ready");

    // From now on a configuration may use it.
    let file = gateway.folder().join("kong.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}plugins:\n- name: noop\n")).unwrap();
    assert_eq!(gateway.reload().0, 200);
    let enabled = get(gateway.admin, "/plugins", &[]).json();
    assert_eq!(enabled["data"].as_array().unwrap().len(), 2, "{enabled}");
}

#[test]
fn a_plugin_shows_what_it_is() {
    let gateway = gateway();
    let status = gateway.plugin("probe");
    assert_eq!(status["version"], "0.1.0");
    assert_eq!(status["hooks"], serde_json::json!(["request", "response", "admin"]));
    assert_eq!(status["state"], "ready");
    assert_eq!(status["generation"], 1);
    assert_eq!(status["digest"].as_str().unwrap().len(), 64);
    assert!(status["loaded_at"].as_i64().unwrap() > 1_700_000_000);
    assert_eq!(status["last_error"], serde_json::Value::Null);
}

#[test]
fn a_reload_that_names_an_unknown_plugin_is_refused_and_changes_nothing() {
    let gateway = gateway();
    let file = gateway.folder().join("kong.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}plugins:\n- name: nowhere\n")).unwrap();
    let (status, answer) = gateway.reload();
    assert_eq!(status, 400);
    assert!(answer["message"].as_str().unwrap().contains("plugin 'nowhere' not enabled"), "{answer}");
    assert_eq!(version(&gateway), "version-marker-0000");
}

#[test]
fn a_reload_with_a_configuration_that_a_plugin_refuses_names_field_and_problem() {
    let gateway = gateway();
    let file = gateway.folder().join("kong.yaml");
    let text = fs::read_to_string(&file).unwrap().replace("name: x-version", "nom: x-version");
    fs::write(&file, text).unwrap();
    let (status, answer) = gateway.reload();
    assert_eq!(status, 400);
    let told = answer["message"].as_str().unwrap();
    assert!(told.contains("in 'nom': unknown field"), "{told}");
    assert_eq!(version(&gateway), "version-marker-0000");
}

#[test]
fn each_capability_has_to_be_granted_and_the_refusal_names_it() {
    let capabilities =
        ["consumers", "counters", "crypto", "entities", "http-client", "kv", "metrics", "secrets"];
    let state = |grants: &[&str]| {
        let grants: Vec<_> = grants
            .iter()
            .map(|grant| match *grant {
                "http-client" => "{http-client: {hosts: []}}".to_owned(),
                grant => grant.to_owned(),
            })
            .collect();
        let gateway = Setup::new()
            .bundled("every-hook")
            .property(&format!("plugin_grants: {{every-hook: [{}]}}", grants.join(", ")))
            .start();
        let plugins = get(gateway.admin, "/moongate/plugins", &[]).json();
        let plugins = plugins["data"].as_array().unwrap().clone();
        let is_it =
            |plugin: &serde_json::Value| plugin["file"].as_str().unwrap().ends_with("every-hook.wasm");
        plugins.into_iter().find(is_it).unwrap()
    };
    assert_eq!(state(&capabilities)["state"], "ready");
    for missing in capabilities {
        let granted: Vec<_> = capabilities.into_iter().filter(|capability| *capability != missing).collect();
        let plugin = state(&granted);
        let error = plugin["last_error"].as_str().unwrap_or_default();
        assert_eq!(plugin["state"], "refused", "{missing}: {plugin}");
        assert!(error.contains(missing) && error.contains("plugin_grants"), "{missing}: {error}");
    }
}
