//! Configurations of plugins that come with the gateway.
//!
//! They are looked at here, with everything else that is wrong with an entity, rather than by the plugin, which only
//! ever sees configurations that are right.

use serde_json::Value;

use super::{Url, is_regex, text};
use crate::text::plain;
use crate::{Check, CheckFailure, CheckFunction, Context, Object};

/// A regular expression, or `*` for anything.
pub const REGEX_OR_STAR: Check = Check { name: "regex_or_star", run: regex_or_star };

/// Limits of several periods, the longer ones not below the shorter, with how often counters are exchanged.
pub const RATE_LIMITS: Check = Check { name: "rate_limits", run: rate_limits };

/// Limits of several periods, the longer ones not below the shorter.
pub const RISING_LIMITS: Check = Check { name: "rising_limits", run: rising_limits };

/// `name:value`, where the name is that of a header. The value may be missing.
pub const HEADER_PAIR: Check = Check { name: "header_pair", run: header_pair };

/// `old:new`, both names of headers.
pub const HEADER_RENAME: Check = Check { name: "header_rename", run: header_rename };

/// `name:value`, where the value is not empty.
pub const VALUE_PAIR: Check = Check { name: "value_pair", run: value_pair };

/// An endpoint with credentials either in its URL or in a header.
pub const ONE_AUTHORIZATION: Check = Check { name: "one_authorization", run: one_authorization };

/// A response with a message, or with a body.
pub const TERMINATING_RESPONSE: Check = Check { name: "terminating_response", run: terminating_response };

/// A part of memory that a cache can use.
pub const CACHE_MEMORY: CheckFunction = CheckFunction { name: "cache_memory", run: cache_memory };

fn regex_or_star(value: &Value) -> Result<(), String> {
    let text = text(value);
    if text == "*" || is_regex(text) { Ok(()) } else { Err(format!("'{text}' is not a valid regex")) }
}

fn rate_limits(config: &Value) -> Result<(), String> {
    rising_limits(config)?;
    let is_redis = config.get("policy").and_then(Value::as_str) == Some("redis");
    let rate = config.get("sync_rate").and_then(Value::as_f64).unwrap_or(-1.0);
    let is_off = (rate + 1.0).abs() < f64::EPSILON;
    match (is_off, is_redis) {
        (false, false) => Err("sync_rate can only be used with the redis policy".to_owned()),
        (false, true) if rate < LEAST_SYNC_RATE => {
            Err("sync_rate must be greater than 0.02, or -1 to disable".to_owned())
        }
        _ => Ok(()),
    }
}

fn rising_limits(limits: &Value) -> Result<(), String> {
    let limit = |period: &&'static str| Some((*period, limits.get(*period)?.as_f64()?));
    let limits: Vec<(&str, f64)> = PERIODS.iter().filter_map(limit).collect();
    let mut rest = limits.as_slice();
    while let [(shorter, least), longer @ ..] = rest {
        if let Some((longer, most)) = longer.iter().find(|(_, most)| most < least) {
            return Err(format!(
                "The limit for {longer}({most:.1}) cannot be lower than the limit for {shorter}({least:.1})"
            ));
        }
        rest = longer;
    }
    Ok(())
}

fn header_pair(value: &Value) -> Result<(), String> {
    header(split(text(value)).0)
}

fn header_rename(value: &Value) -> Result<(), String> {
    let (old, new) = split(text(value));
    header(old)?;
    header(new)
}

fn value_pair(value: &Value) -> Result<(), String> {
    match split(text(value)) {
        (name, "") => Err(format!("key '{name}' has no value")),
        _ => Ok(()),
    }
}

fn header(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !name.is_empty() && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("'{name}' is not a valid header"))
}

/// What stands before and behind the first run of colons.
fn split(pair: &str) -> (&str, &str) {
    pair.split_once(':').map_or((pair, ""), |(name, value)| (name, value.trim_start_matches(':')))
}

fn one_authorization(config: &Value) -> Result<(), String> {
    let endpoint = config.get("http_endpoint").map(text).unwrap_or_default();
    let has_header = config
        .get("headers")
        .and_then(Value::as_object)
        .is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("authorization")));
    if has_header && Url::has_user(endpoint) {
        return Err(
            "specifying both an 'Authorization' header and user info in 'http_endpoint' is not allowed"
                .to_owned(),
        );
    }
    Ok(())
}

fn terminating_response(config: &Value) -> Result<(), String> {
    let is_set = |name: &str| config.get(name).is_some_and(|value| !value.is_null());
    let echo = config.get("echo") == Some(&Value::Bool(true));
    let wrong = if is_set("message") && (is_set("content_type") || is_set("body")) {
        "message cannot be used with content_type or body"
    } else if is_set("content_type") && !is_set("body") {
        "content_type requires a body"
    } else if echo && (is_set("content_type") || is_set("body")) {
        "echo cannot be used with content_type and body"
    } else {
        return Ok(());
    };
    Err(wrong.to_owned())
}

fn cache_memory(plugin: &Object, _: &Context<'_>) -> Result<(), CheckFailure> {
    let name = plugin.get("config").and_then(|config| config.get("memory")?.get("dictionary_name"));
    match name.map(plain) {
        Some(name) if !CACHE_MEMORIES.contains(&name.as_str()) => {
            Err(CheckFailure::Entity(format!("missing shared dict '{name}'")))
        }
        _ => Ok(()),
    }
}

const PERIODS: [&str; 6] = ["second", "minute", "hour", "day", "month", "year"];
/// Seconds.
const LEAST_SYNC_RATE: f64 = 0.02;
/// The names that the parts of memory of a node go by.
const CACHE_MEMORIES: [&str; 10] = [
    "kong",
    "kong_cluster_events",
    "kong_core_db_cache",
    "kong_core_db_cache_miss",
    "kong_db_cache",
    "kong_db_cache_miss",
    "kong_healthchecks",
    "kong_locks",
    "kong_rate_limiting_counters",
    "prometheus_metrics",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(check: Check, value: &Value) -> String {
        (check.run)(value).err().unwrap_or_default()
    }

    #[test]
    fn an_origin_is_an_expression_or_a_star() {
        for good in ["*", "https://a.test", "^https://.*\\.a\\.test$"] {
            assert_eq!(refusal(REGEX_OR_STAR, &json!(good)), "", "{good}");
        }
        assert_eq!(refusal(REGEX_OR_STAR, &json!("*.b.test")), "'*.b.test' is not a valid regex");
    }

    #[test]
    fn a_longer_period_has_the_higher_limit() {
        let lower = "The limit for minute(10.0) cannot be lower than the limit for second(20.0)";
        assert_eq!(refusal(RATE_LIMITS, &json!({"second": 20, "minute": 10, "hour": 5})), lower);
        let lower = "The limit for year(4.5) cannot be lower than the limit for minute(5.0)";
        assert_eq!(refusal(RISING_LIMITS, &json!({"minute": 5, "hour": null, "year": 4.5})), lower);
        assert_eq!(refusal(RATE_LIMITS, &json!({"second": 5, "hour": 5, "sync_rate": -1})), "");
    }

    #[test]
    fn counters_are_exchanged_with_redis_only() {
        let only = "sync_rate can only be used with the redis policy";
        assert_eq!(refusal(RATE_LIMITS, &json!({"policy": "local", "sync_rate": 1})), only);
        let more = "sync_rate must be greater than 0.02, or -1 to disable";
        assert_eq!(refusal(RATE_LIMITS, &json!({"policy": "redis", "sync_rate": 0.01})), more);
        assert_eq!(refusal(RATE_LIMITS, &json!({"policy": "redis", "sync_rate": 0.5})), "");
    }

    #[test]
    fn pairs_name_headers_and_have_values() {
        assert_eq!(refusal(HEADER_PAIR, &json!("x y:1")), "'x y' is not a valid header");
        assert_eq!(refusal(HEADER_PAIR, &json!("x_y")), "");
        assert_eq!(refusal(HEADER_RENAME, &json!("x:a b")), "'a b' is not a valid header");
        assert_eq!(refusal(VALUE_PAIR, &json!("a b:")), "key 'a b' has no value");
        assert_eq!(refusal(VALUE_PAIR, &json!("a b:c:d")), "");
    }

    #[test]
    fn credentials_are_given_once() {
        let headers = json!({"Authorization": "x"});
        let config = json!({"http_endpoint": "http://u:p@a.test", "headers": headers});
        assert!(refusal(ONE_AUTHORIZATION, &config).starts_with("specifying both"));
        let config = json!({"http_endpoint": "http://a.test/@", "headers": headers});
        assert_eq!(refusal(ONE_AUTHORIZATION, &config), "");
    }

    #[test]
    fn a_response_has_a_message_or_a_body() {
        let refusal = |config| refusal(TERMINATING_RESPONSE, &config);
        let both = "message cannot be used with content_type or body";
        assert_eq!(refusal(json!({"message": "a", "body": "b"})), both);
        assert_eq!(refusal(json!({"content_type": "a"})), "content_type requires a body");
        let echo = "echo cannot be used with content_type and body";
        assert_eq!(refusal(json!({"echo": true, "body": "x"})), echo);
        assert_eq!(refusal(json!({"echo": true, "message": "x", "body": null})), "");
    }
}
