//! Plugins in other languages than Rust: from the words of the README into a gateway, and the examples.
//!
//! `cargo xtask test languages` installs what these tests need and runs them; `cargo xtask test` runs them where it is
//! installed. Without, each fails and says so.

use crate::readme::follow;
use crate::workplace::{Workplace, built, needs_languages, root, shown};

/// Plays the cases of an example.
fn plays(language: &str) {
    needs_languages();
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

macro_rules! languages {
    ($($language:literal: $example:ident, $readme:ident;)+) => {$(
        #[test]
        #[ignore = "needs tools of other languages; `cargo xtask test languages` installs them"]
        fn $example() {
            plays($language);
        }

        #[test]
        #[ignore = "needs tools of other languages; `cargo xtask test languages` installs them"]
        fn $readme() {
            needs_languages();
            follow($language);
        }
    )+};
}

languages! {
    "javascript": the_example_in_javascript_does_what_its_cases_say, a_plugin_in_javascript_goes_from_the_readme_into_a_gateway;
    "python": the_example_in_python_does_what_its_cases_say, a_plugin_in_python_goes_from_the_readme_into_a_gateway;
    "c": the_example_in_c_does_what_its_cases_say, a_plugin_in_c_goes_from_the_readme_into_a_gateway;
}
