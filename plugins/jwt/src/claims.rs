//! The times in a token.

use std::collections::BTreeMap;

use moongate_sdk::clock;
use serde_json::Value;

use crate::config::{Config, Time};

/// Looks at those times that the configuration names, and says of each claim what is wrong with it.
pub(crate) fn verify(claims: &Value, config: &Config) -> Result<(), BTreeMap<&'static str, &'static str>> {
    let mut problems = BTreeMap::new();
    let wanted = config.claims_to_verify.as_deref().unwrap_or_default();
    if wanted.is_empty() && config.maximum_expiration <= 0.0 {
        return Ok(());
    }
    // Whole seconds, as in tokens.
    let now = clock::now().as_secs_f64().floor();
    for time in wanted {
        let (name, wrong): (_, fn(f64, f64) -> Option<&'static str>) = match time {
            Time::Exp => ("exp", |exp, now| (exp <= now).then_some("token expired")),
            Time::Nbf => ("nbf", |nbf, now| (nbf > now).then_some("token not valid yet")),
        };
        match claims.get(name).and_then(Value::as_f64) {
            None => drop(problems.insert(name, "must be a number")),
            Some(value) => drop(wrong(value, now).map(|problem| problems.insert(name, problem))),
        }
    }
    if problems.is_empty() && config.maximum_expiration > 0.0 {
        let expires = claims.get("exp").and_then(Value::as_f64);
        if expires.is_none_or(|expires| expires - now > config.maximum_expiration) {
            problems.insert("exp", "exceeds maximum allowed expiration");
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
