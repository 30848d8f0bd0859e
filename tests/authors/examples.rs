//! The examples in other languages, through the real gateway.

use crate::workplace::{Workplace, built, has_languages, root, shown};

fn plays(language: &str) {
    if !has_languages() {
        return;
    }
    let place = Workplace::new();
    let file = place.path(&format!("claim-{language}.wasm"));
    std::fs::copy(built(&format!("claim-{language}")), &file).unwrap();
    let directory = root().join("examples").join(language);
    let arguments =
        ["plugin", "test", "--directory", directory.to_str().unwrap(), "--file", file.to_str().unwrap()];
    let output = place.moongate(&arguments);
    assert!(output.status.success(), "{}", shown(&output));
    assert!(shown(&output).contains("7 passed, 0 failed"), "{}", shown(&output));
}

#[test]
fn the_example_in_javascript_does_what_its_cases_say() {
    plays("javascript");
}

#[test]
fn the_example_in_python_does_what_its_cases_say() {
    plays("python");
}

#[test]
fn the_example_in_c_does_what_its_cases_say() {
    plays("c");
}
