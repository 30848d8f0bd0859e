//! Differences that are there on purpose, or not yet gone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// An answer that is known to differ.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    case: String,
    /// Why, for whoever wonders whether it may stay.
    reason: String,
    /// The gateways on which it differs; on all where none is named.
    #[serde(default)]
    on: Vec<String>,
}

/// The names of the cases that differ on the gateway `which`, with the reasons.
pub fn on(which: &str) -> BTreeMap<String, String> {
    let entries =
        entries().into_iter().filter(|entry| entry.on.is_empty() || entry.on.iter().any(|on| on == which));
    entries.map(|entry| (entry.case, entry.reason)).collect()
}

fn entries() -> Vec<Entry> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/compat/known.yaml");
    let text = fs::read_to_string(path).unwrap();
    serde_yaml::from_str::<Option<Vec<Entry>>>(&text).unwrap().unwrap_or_default()
}

#[test]
fn every_known_difference_is_one_of_a_case_and_has_a_reason() {
    let cases = crate::case::Case::all();
    let mut seen = Vec::new();
    for entry in entries() {
        assert!(cases.iter().any(|case| case.name == entry.case), "there is no case {}", entry.case);
        assert!(entry.reason.split_whitespace().count() >= 4, "{} has no reason", entry.case);
        for on in &entry.on {
            assert!(crate::GATEWAYS.contains(&on.as_str()), "{}: there is no gateway {on}", entry.case);
        }
        seen.push(entry.case);
    }
    seen.sort();
    let all = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), all, "a case is listed twice");
}
