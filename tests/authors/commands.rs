//! What `moongate plugin` says.

use std::fs;

use serde_json::Value;

use crate::workplace::{Workplace, built, shown};

#[test]
fn a_good_plugin_is_told_with_what_it_has_to_be_granted() {
    let place = Workplace::new();
    let file = built("jwt-claims");
    let output = place.moongate(&["plugin", "check", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", shown(&output));
    assert!(
        shown(&output).ends_with("is a good plugin; it has to be granted crypto\n"),
        "{}",
        shown(&output)
    );
}

#[test]
fn an_import_that_is_not_granted_is_named_with_the_mend() {
    let place = Workplace::new();
    let file = built("jwt-claims");
    let message = place.refusal(&["plugin", "check", file.to_str().unwrap(), "--grants", ""]);
    assert!(
        message.contains("jwt-claims.wasm: the plugin imports `moongate:plugin/crypto@0.1.0`"),
        "{message}"
    );
    assert!(message.contains("add `crypto` to `plugin_grants.jwt-claims`"), "{message}");
    let message = place.refusal(&["plugin", "check", file.to_str().unwrap(), "--grants", "crypta"]);
    assert!(
        message.starts_with("error: --grants: `crypta` cannot be granted; there are consumers"),
        "{message}"
    );
}

#[test]
fn what_is_no_plugin_is_told_with_its_file() {
    let place = Workplace::new();
    for (name, bytes, reason) in [
        ("text.wasm", &b"hello"[..], "is not a WebAssembly component but some other kind of file"),
        ("module.wasm", &b"\0asm\x01\0\0\0"[..], "is not a WebAssembly component but a core module"),
        ("empty.wasm", &b""[..], "ends in the middle"),
        (
            "component.wasm",
            &b"\0asm\x0d\0\x01\0"[..],
            "is not a Moongate plugin: it does not export moongate:plugin/lifecycle",
        ),
    ] {
        let file = place.path(name);
        fs::write(&file, bytes).unwrap();
        for command in ["check", "inspect"] {
            let message = place.refusal(&["plugin", command, file.to_str().unwrap()]);
            assert!(message.contains(&format!("{name}: the plugin {reason}")), "{command}: {message}");
        }
    }
    let message = place.refusal(&["plugin", "check", "nowhere.wasm"]);
    assert!(message.starts_with("error: nowhere.wasm: the plugin cannot be read"), "{message}");
}

#[test]
fn a_plugin_is_shown_as_a_table_and_as_json() {
    let place = Workplace::new();
    let file = built("jwt-claims");
    let table = place.moongate(&["plugin", "inspect", file.to_str().unwrap()]);
    assert!(table.status.success(), "{}", shown(&table));
    let table = shown(&table);
    for line in [
        "name           jwt-claims",
        "hooks          request, admin",
        "needs grants   crypto",
        "admin routes   GET /jwt-claims/ping",
    ] {
        assert!(table.contains(line), "{line} is not in\n{table}");
    }
    let json = place.moongate(&["plugin", "inspect", file.to_str().unwrap(), "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["name"], "jwt-claims");
    assert_eq!(json["priority"], 1450);
    assert_eq!(json["capabilities"], serde_json::json!(["crypto"]));
    assert_eq!(json["schema"]["language"], "json-schema");
    assert_eq!(json["sha256"].as_str().unwrap().len(), 64);
    assert!(json["imports"].as_array().unwrap().iter().any(|import| import == "moongate:plugin/http@0.1.0"));
}

#[test]
fn a_missing_tool_is_named_with_the_way_to_get_it() {
    let place = Workplace::new();
    assert!(place.moongate(&["plugin", "new", "hello", "--lang", "js"]).status.success());
    let mut command = place.command(env!("CARGO_BIN_EXE_moongate"));
    let output = command.args(["plugin", "build", "hello"]).env("PATH", "/nowhere").output().unwrap();
    let message = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("hello: a plugin in JavaScript needs `componentize-js`"), "{message}");
    assert!(message.contains("npm install"), "{message}");
}

#[test]
fn a_directory_without_a_plugin_and_one_that_is_there_are_told() {
    let place = Workplace::new();
    let message = place.refusal(&["plugin", "build"]);
    assert!(message.contains("`moongate plugin new NAME` makes a project"), "{message}");
    assert!(place.moongate(&["plugin", "new", "hello"]).status.success());
    let message = place.refusal(&["plugin", "new", "hello"]);
    assert!(message.starts_with("error: hello: is there already"), "{message}");
    let message = place.refusal(&["plugin", "new", "Hello"]);
    assert!(message.starts_with("error: `Hello` cannot be the name of a plugin"), "{message}");
}
