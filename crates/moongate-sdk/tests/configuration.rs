//! What authors of plugins and configurations get from `#[config]`: messages and a schema.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]
#![expect(dead_code, reason = "most fields are there for their types alone")]

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use moongate_sdk::export::configure;
use moongate_sdk::serde_json::{self, Value, json};
use moongate_sdk::{Plugin, Problem, config};

/// Limits what clients may do.
#[config]
#[derive(Debug)]
struct Limits {
    /// Requests per second.
    rate: u16,
    /// What happens to the others.
    #[serde(default = "refuse")]
    beyond: Beyond,
    /// Headers to set.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Exceptions.
    #[serde(default)]
    exceptions: Vec<Exception>,
    /// Whether it is on.
    #[serde(default)]
    enabled: Option<bool>,
    /// Parts of the whole.
    #[serde(default)]
    share: f64,
    /// Workers.
    workers: Option<NonZeroU16>,
    /// Who is to know.
    owner: Option<Owner>,
}

/// What happens to a request that is too much.
#[config]
#[derive(Debug)]
#[serde(rename_all = "kebab-case")]
enum Beyond {
    /// It is refused.
    Refuse,
    /// It waits.
    Delay {
        /// For how long.
        seconds: u32,
    },
}

/// Who may do more.
#[config]
#[derive(Debug)]
struct Exception {
    client: String,
}

/// Somebody.
#[config]
#[derive(Debug)]
struct Owner(String);

#[derive(Debug)]
struct Limiter(Limits);

impl Plugin for Limiter {
    type Config = Limits;

    fn new(limits: Limits) -> Result<Self, Vec<Problem>> {
        if limits.rate == 0 { Err(vec![Problem::at("rate", "must not be 0")]) } else { Ok(Self(limits)) }
    }
}

fn refuse() -> Beyond {
    Beyond::Refuse
}

/// The path and message of the one problem.
fn problem(config: &Value) -> (String, String) {
    let problems = configure::<Limiter>(&config.to_string()).unwrap_err();
    let [problem] = problems.try_into().unwrap();
    (problem.path, problem.message)
}

#[track_caller]
fn assert_problem(config: Value, path: &str, message: &str) {
    assert_eq!(problem(&config), (path.to_owned(), message.to_owned()));
}

#[test]
fn a_configuration_becomes_a_plugin() {
    let config = json!({ "rate": 5, "beyond": { "delay": { "seconds": 3 } }, "owner": "ops" });
    let Limiter(limits) = configure(&config.to_string()).unwrap();
    assert_eq!((limits.rate, limits.owner.unwrap().0), (5, "ops".to_owned()));
    assert!(matches!(limits.beyond, Beyond::Delay { seconds: 3 }));
}

#[test]
fn what_the_plugin_finds_is_handed_on() {
    assert_problem(json!({ "rate": 0 }), "rate", "must not be 0");
}

#[test]
fn a_missing_field_is_named() {
    assert_problem(json!({}), "", "missing field `rate`");
    assert_problem(json!({ "rate": 1, "exceptions": [{}] }), "exceptions[0]", "missing field `client`");
}

#[test]
fn an_unknown_field_is_named_with_those_that_there_are() {
    let (path, message) = problem(&json!({ "rate": 1, "exceptions": [{ "client": "a", "klient": "b" }] }));
    assert_eq!(path, "exceptions[0].klient");
    assert_eq!(message, "unknown field `klient`, expected `client`");
    let (path, message) = problem(&json!({ "rate": 1, "rat": 2 }));
    assert_eq!(path, "rat");
    assert!(message.starts_with("unknown field `rat`, expected one of `rate`, `beyond`, "), "{message}");
}

#[test]
fn an_unknown_field_inside_a_variant_is_refused() {
    let (path, message) =
        problem(&json!({ "rate": 1, "beyond": { "delay": { "seconds": 1, "minutes": 1 } } }));
    assert_eq!(message, "unknown field `minutes`, expected `seconds`");
    assert!(path.starts_with("beyond.delay"), "{path}");
}

#[test]
fn a_wrong_type_is_told_with_the_right_one() {
    let with = |field: &str, value: Value| {
        let mut config = json!({ "rate": 1 });
        config[field] = value;
        config
    };
    assert_problem(
        with("rate", json!("5")),
        "rate",
        "must be a whole number from 0 to 65535, not string \"5\"",
    );
    assert_problem(
        with("rate", json!(70_000)),
        "rate",
        "must be a whole number from 0 to 65535, not integer `70000`",
    );
    assert_problem(
        with("rate", json!(-1)),
        "rate",
        "must be a whole number from 0 to 65535, not integer `-1`",
    );
    assert_problem(with("headers", json!([])), "headers", "must be an object, not a list");
    assert_problem(with("headers", json!({ "a": 1 })), "headers.a", "must be a string, not integer `1`");
    assert_problem(with("exceptions", json!({})), "exceptions", "must be a list, not an object");
    assert_problem(with("exceptions", json!([1])), "exceptions[0]", "must be an object, not integer `1`");
    assert_problem(with("enabled", json!("yes")), "enabled", "must be a boolean, not string \"yes\"");
    assert_problem(with("share", json!("half")), "share", "must be a number, not string \"half\"");
    assert_problem(with("workers", json!(0)), "workers", "must be a whole number from 1 on, not integer `0`");
}

#[test]
fn an_unknown_variant_is_told_with_those_that_there_are() {
    let (path, message) = problem(&json!({ "rate": 1, "beyond": "drop" }));
    assert_eq!(
        (path.as_str(), message.as_str()),
        ("beyond", "unknown variant `drop`, expected `refuse` or `delay`")
    );
}

#[test]
fn a_value_that_looks_like_a_position_stays_in_the_message() {
    let (_, message) = problem(&json!({ "rate": "5 at line 1 column 2" }));
    assert_eq!(message, "must be a whole number from 0 to 65535, not string \"5 at line 1 column 2\"");
}

#[test]
fn only_an_object_is_a_configuration() {
    for text in ["[5]", "5", "\"rate\"", "null", "", " "] {
        let problems = configure::<Limiter>(text).unwrap_err();
        assert_eq!(problems, [Problem::at("", "must be an object")], "{text}");
    }
    assert_eq!(configure::<Limiter>("{\"rate\":1} x").unwrap_err(), [Problem::at("", "trailing characters")]);
}

#[test]
fn the_schema_has_descriptions_and_defaults() {
    let schema: Value = serde_json::from_str(Limiter::schema().text()).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["description"], "Limits what clients may do.");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], json!(["rate"]));
    let fields = &schema["properties"];
    assert_eq!(fields["rate"]["description"], "Requests per second.");
    assert_eq!((&fields["rate"]["minimum"], &fields["rate"]["maximum"]), (&json!(0), &json!(65_535)));
    assert_eq!(fields["headers"]["default"], json!({}));
    assert_eq!(schema["$defs"]["Exception"]["additionalProperties"], false);
    assert_eq!(schema["$defs"]["Owner"]["type"], "string");
}
