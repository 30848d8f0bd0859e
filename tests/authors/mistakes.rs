//! What the tools say to those who do something wrong: the file, the thing and the mend.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::workplace::{Workplace, built, complaint, shown};

fn begun(place: &Workplace, language: &str) {
    let output = place.moongate(&["plugin", "new", "hello", "--lang", language]);
    assert!(output.status.success(), "{}", shown(&output));
}

#[test]
fn each_language_names_the_tool_that_it_lacks_and_how_to_get_it() {
    for (language, tool, mend) in [
        ("rust", "cargo", "https://rustup.rs"),
        ("js", "componentize-js", "npm install"),
        ("python", "componentize-py", "pip install componentize-py=="),
        ("c", "wit-bindgen", "cargo install wit-bindgen-cli"),
    ] {
        let place = Workplace::new();
        begun(&place, language);
        for command in ["build", "test", "run"] {
            let mut command_line = place.command(env!("CARGO_BIN_EXE_moongate"));
            command_line.args(["plugin", command]).current_dir(place.path("hello")).env("PATH", "/nowhere");
            let message = complaint(&mut command_line);
            assert!(message.contains(&format!("needs `{tool}`")), "{language} {command}: {message}");
            assert!(message.contains(mend), "{language} {command}: {message}");
        }
    }
}

#[test]
fn a_rust_without_the_library_for_plugins_is_told_with_the_command_that_adds_it() {
    let place = Workplace::new();
    begun(&place, "rust");
    let programs = place.path("programs");
    fs::create_dir(&programs).unwrap();
    symlink("/bin/true", programs.join("cargo")).unwrap();
    let rustc = programs.join("rustc");
    fs::write(&rustc, "#!/bin/sh\necho /nowhere/lib\n").unwrap();
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755)).unwrap();
    for command in ["build", "test"] {
        let mut command_line = place.command(env!("CARGO_BIN_EXE_moongate"));
        command_line.args(["plugin", command]).current_dir(place.path("hello")).env("PATH", &programs);
        let message = complaint(&mut command_line);
        assert!(message.contains("no standard library for wasm32-wasip2"), "{command}: {message}");
        assert!(message.ends_with("rustup target add wasm32-wasip2\n"), "{command}: {message}");
    }
}

#[test]
fn a_source_that_does_not_compile_is_told_by_the_compiler_and_leaves_the_last_plugin_alone() {
    let place = Workplace::new();
    begun(&place, "rust");
    fs::create_dir(place.path("hello/target")).unwrap();
    fs::write(place.path("hello/target/hello.wasm"), "the last one").unwrap();
    fs::write(place.path("hello/src/lib.rs"), "this is no Rust").unwrap();
    let message = place.refusal(&["plugin", "build", "hello"]);
    assert!(message.contains("src/lib.rs:1:"), "{message}");
    assert!(message.contains("error: hello: `cargo build"), "{message}");
    assert_eq!(fs::read_to_string(place.path("hello/target/hello.wasm")).unwrap(), "the last one");
}

#[test]
fn a_place_where_no_plugin_can_be_is_told() {
    let place = Workplace::new();
    fs::write(place.path("taken"), "").unwrap();
    let message = place.refusal(&["plugin", "new", "hello", "--into", "taken"]);
    assert!(message.starts_with("error: taken: is there already"), "{message}");
    let message = place.refusal(&["plugin", "new", "hello", "--into", "taken/below"]);
    assert!(message.starts_with("error: taken/below"), "{message}");
    let message = place.refusal(&["plugin", "new", "hello", "--sdk", "nowhere"]);
    assert!(message.starts_with("error: --sdk: nowhere is not there"), "{message}");
    for command in ["build", "run"] {
        let message = place.refusal(&["plugin", command, "nowhere"]);
        assert!(message.starts_with("error: nowhere: is no directory; "), "{message}");
        assert!(message.contains("`moongate plugin new NAME`"), "{message}");
    }
}

#[test]
fn a_language_that_there_is_not_is_told_with_those_that_there_are() {
    let place = Workplace::new();
    let output = place.moongate(&["plugin", "new", "hello", "--lang", "cobol"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(shown(&output).contains("[possible values: rust, js, python, c]"), "{}", shown(&output));
    assert!(!place.path("hello").exists());
}

#[test]
fn an_artifact_above_the_limit_is_told_with_both_sizes() {
    let place = Workplace::new();
    let file = fs::File::create(place.path("large.wasm")).unwrap();
    file.set_len(33 * 1024 * 1024).unwrap();
    for command in ["check", "inspect", "run"] {
        let message = place.refusal(&["plugin", command, "large.wasm"]);
        assert!(message.contains("large.wasm: the plugin "), "{command}: {message}");
        assert!(message.contains("34603008") && message.contains("33554432"), "{command}: {message}");
    }
}

#[test]
fn a_file_that_is_no_plugin_is_neither_run_nor_tested() {
    let place = Workplace::new();
    begun(&place, "rust");
    fs::write(place.path("text.wasm"), "hello").unwrap();
    for arguments in
        [&["plugin", "run", "text.wasm"][..], &["plugin", "test", "-d", "hello", "--file", "text.wasm"]]
    {
        let message = place.refusal(arguments);
        assert!(
            message.contains("text.wasm: the plugin is refused: it is not a WebAssembly component"),
            "{arguments:?}: {message}"
        );
    }
}

#[test]
fn cases_that_cannot_be_played_are_told_with_their_file() {
    let place = Workplace::new();
    begun(&place, "rust");
    let plugin = built("one-header");
    let test = ["plugin", "test", "-d", "hello", "--file", plugin.to_str().unwrap()];
    let cases = place.path("hello/tests/cases.yaml");
    for (text, problem) in [
        ("cases: [{name: a, request: GET /, expects: {}}]", "unknown field `expects`"),
        ("cases: [{name: a}]", "case `a` must have one of `request`, `admin` and `refused`"),
        ("cases: [{name: a, request: /}]", "is not a method and a path, as in `GET /`"),
        ("cases: []", "no case was played"),
    ] {
        fs::write(&cases, text).unwrap();
        let message = place.refusal(&test);
        assert!(message.contains("hello/tests/cases.yaml: "), "{message}");
        assert!(message.contains(problem), "{message}");
    }
    fs::remove_file(&cases).unwrap();
    let message = place.refusal(&test);
    assert!(message.contains("hello/tests/cases.yaml: "), "{message}");
}

#[test]
fn a_configuration_or_a_port_that_a_gateway_cannot_have_is_told() {
    let place = Workplace::new();
    let plugin = built("jwt-claims");
    let plugin = plugin.to_str().unwrap();
    let message = place.refusal(&["plugin", "run", plugin, "--config", "{greeting"]);
    assert!(message.starts_with("error: --config: is no JSON object"), "{message}");
    let message = place.refusal(&["plugin", "run", plugin, "--config", r#"{"sekret": "x"}"#]);
    assert!(message.contains("sekret"), "{message}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let message = place.refusal(&["plugin", "run", plugin, "--port", &port]);
    assert!(message.contains(&format!("127.0.0.1:{port}")), "{message}");
}
