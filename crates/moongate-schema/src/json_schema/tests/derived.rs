//! Schemas as they are derived from types of plugins.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Context, Functions, Operation, Schema, SeededRandomness};

/// Limits requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-plugin" = json!({"service": false})))]
struct Config {
    /// Requests in a minute.
    #[schemars(range(min = 1))]
    limit: u32,
    /// Where the counters are.
    #[serde(default)]
    policy: Policy,
    /// The store of the counters.
    #[serde(default)]
    redis: Redis,
    /// A text for those who are refused.
    message: Option<String>,
    /// Headers of the answer.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Groups that are not limited.
    #[serde(default)]
    exempt: BTreeSet<String>,
    /// Rules, each with a pattern.
    #[serde(default)]
    rules: Vec<Rule>,
    /// A share of requests.
    #[serde(default = "half")]
    #[schemars(range(min = 0.0, max = 1.0))]
    share: f64,
    /// What happens with a body.
    action: Option<Action>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Policy {
    /// In this node.
    #[default]
    Local,
    /// In Redis.
    Redis,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Redis {
    #[serde(default)]
    host: Option<String>,
    #[serde(default = "redis_port")]
    port: u16,
    /// The password.
    #[serde(default)]
    #[schemars(extend("x-referenceable" = true, "x-encrypted" = true))]
    password: String,
}

impl Default for Redis {
    fn default() -> Self {
        Self { host: None, port: redis_port(), password: String::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Rule {
    #[schemars(length(min = 1), regex(pattern = "^[a-z]+$"))]
    name: String,
    #[serde(default)]
    enabled: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Action {
    Drop,
    Replace { with: String },
}

fn half() -> f64 {
    0.5
}

fn redis_port() -> u16 {
    6379
}

#[test]
fn a_filled_configuration_is_one_that_the_plugin_reads() {
    let schema =
        Schema::plugin_from_json_schema(schema_for!(Config).as_value(), &Functions::standard()).unwrap();
    let randomness = SeededRandomness::new(1);
    let context = Context::new(1_700_000_000_000, &randomness);
    for (given, problem) in [
        (json!({"limit": 5}), None),
        (json!({"limit": 5, "policy": "redis", "redis": {"host": "h"}, "share": 1}), None),
        (json!({"limit": 5, "rules": [{"name": "a"}], "exempt": ["a", "a"], "headers": {"x": "y"}}), None),
        (json!({"limit": 5, "action": {"kind": "replace", "with": "x"}, "message": null}), None),
        (json!({}), Some(json!({"limit": "required field missing"}))),
        (json!({"limit": 0}), Some(json!({"limit": "value should be between 1 and 4294967295"}))),
        (json!({"limit": 5, "policy": "x"}), Some(json!({"policy": "expected one of: local, redis"}))),
        (json!({"limit": 5, "policy": null}), Some(json!({"policy": "required field missing"}))),
        (json!({"limit": 5, "other": 1}), Some(json!({"other": "unknown field"}))),
        (
            json!({"limit": 5, "rules": [{"name": "A"}]}),
            Some(json!({"rules": [{"name": "invalid value: A"}]})),
        ),
        (
            json!({"limit": 5, "redis": {"port": -1}}),
            Some(json!({"redis": {"port": "value should be between 0 and 65535"}})),
        ),
        (json!({"limit": 5, "share": 2}), Some(json!({"share": "value should be between 0 and 1"}))),
    ] {
        let object = json!({"config": given});
        let row = schema.complete(object.as_object().unwrap().clone(), Operation::Insert, &context).unwrap();
        let found = schema.validate(&row, Operation::Insert, &context).err();
        assert_eq!(found.map(|found| found.fields()["config"].clone()), problem, "{given}");
        if problem.is_none() {
            let read: Config = serde_json::from_value(without_nulls(row["config"].clone())).unwrap();
            let plain: Config = serde_json::from_value(without_duplicates(given)).unwrap();
            assert_eq!(read, plain, "the same as without the gateway");
        }
    }
}

#[test]
fn what_the_plugin_can_be_bound_to_is_in_the_schema() {
    let schema =
        Schema::plugin_from_json_schema(schema_for!(Config).as_value(), &Functions::standard()).unwrap();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["service", "protocols", "config"]);
    let password = schema.field_at("config.redis.password").unwrap();
    assert!(password.referenceable && password.encrypted);
    assert_eq!(password.description.as_deref(), Some("The password."));
}

/// A plugin gets its configuration without what is null.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(_, value)| !value.is_null());
            members.map(|(name, value)| (name, without_nulls(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

fn without_duplicates(mut given: Value) -> Value {
    if let Some(Value::Array(names)) = given.get_mut("exempt") {
        names.dedup();
    }
    given
}
