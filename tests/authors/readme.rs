//! From nothing to a plugin in a running gateway, by what the README says.

use std::fs;
use std::path::Path;

use crate::running::Running;
use crate::workplace::{Workplace, root, shown};

/// The commands that the README gives, without its comments.
fn commands() -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let block = readme.split("```sh\n").find(|block| block.starts_with("moongate plugin new hello")).unwrap();
    let block = block.split("```").next().unwrap();
    let commands = block.lines().map(|line| line.split('#').next().unwrap().trim().to_owned());
    commands.filter(|line| !line.is_empty()).collect()
}

/// Follows the README, in a language.
pub fn follow(language: &str) {
    let place = Workplace::new();
    fs::create_dir(place.path("plugins")).unwrap();
    let gateway = Running::start(&place);

    let (calls, commands): (Vec<_>, Vec<_>) =
        commands().into_iter().partition(|command| command.starts_with("curl "));
    let script: String = commands
        .iter()
        .map(|command| match command.as_str() {
            "moongate plugin new hello" => format!("moongate plugin new hello --lang {language}\n"),
            command => format!("{command}\n"),
        })
        .collect();
    let output = place.command("sh").args(["-e", "-c", &script]).output().unwrap();
    assert!(output.status.success(), "{script}\n{}", shown(&output));
    assert!(shown(&output).contains("5 passed, 0 failed"), "{}", shown(&output));

    gateway.wait_for("hello");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].contains("http://127.0.0.1:8001/hello/ping"), "{calls:?}");
    assert_eq!(gateway.ask_admin("/hello/ping"), "PONG");
    gateway.serve("hello", r#"{"greeting": "hi"}"#);
    assert!(gateway.ask("/orders").contains("x-hello: hi"));
    assert!(gateway.upstream_saw("x-greeting: hi"));
    assert!(Path::new(&place.path("hello/tests/cases.yaml")).is_file());
}

#[test]
fn a_plugin_in_rust_goes_from_the_readme_into_a_gateway() {
    follow("rust");
}
