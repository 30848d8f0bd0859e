//! Which plugins a case cannot do without.

use std::collections::BTreeSet;

use regex::Regex;

use crate::case::{Case, Step};

/// The plugins of Kong that `case` configures, asks about or uses the endpoints of.
pub fn needed(case: &Case) -> BTreeSet<&'static str> {
    let mut needed = BTreeSet::new();
    read(case.config.as_deref().unwrap_or_default(), &mut needed);
    for step in &case.steps {
        let Ok(step) = serde_json::from_str::<Step>(&step.to_string()) else { continue };
        let document = step.json.as_ref().map(ToString::to_string);
        for text in [&document, &step.text, &step.form].into_iter().flatten() {
            read(text, &mut needed);
        }
        let path = step.path.unwrap_or_default();
        // Their answers list what all plugins bring.
        if matches!(path.as_str(), "/endpoints" | "/plugins/enabled") {
            needed.extend(PLUGINS);
        }
        for segment in path.split(['/', '?']) {
            needed.extend(PLUGINS.iter().find(|plugin| **plugin == segment));
            needed.extend(of_collection(segment));
        }
    }
    needed
}

fn read(text: &str, needed: &mut BTreeSet<&'static str>) {
    // YAML, JSON and forms.
    let named = Regex::new(r#"\bname["']?\s*[:=]\s*["']?([a-z0-9-]+)"#).unwrap();
    for found in named.captures_iter(text) {
        needed.extend(PLUGINS.iter().find(|plugin| **plugin == &found[1]));
    }
    let word = Regex::new(r"\b[a-z0-9]+_[a-z_]+|\bacls\b").unwrap();
    for found in word.find_iter(text) {
        needed.extend(of_collection(found.as_str()));
    }
}

/// The plugin that brings a collection of entities, by its name in paths or in the declarative format.
fn of_collection(name: &str) -> Option<&'static str> {
    let (_, plugin) = COLLECTIONS.iter().find(|(collection, _)| *collection == name)?;
    Some(plugin)
}

const COLLECTIONS: [(&str, &str); 17] = [
    ("acls", "acl"),
    ("acme_storage", "acme"),
    ("basicauth_credentials", "basic-auth"),
    ("basic-auths", "basic-auth"),
    ("hmacauth_credentials", "hmac-auth"),
    ("hmac-auths", "hmac-auth"),
    ("jwt_secrets", "jwt"),
    ("jwts", "jwt"),
    ("keyauth_credentials", "key-auth"),
    ("key-auths", "key-auth"),
    ("oauth2_credentials", "oauth2"),
    ("oauth2_tokens", "oauth2"),
    ("oauth2_authorization_codes", "oauth2"),
    ("metrics", "prometheus"),
    ("ratelimiting_metrics", "rate-limiting"),
    ("response_ratelimiting_metrics", "response-ratelimiting"),
    ("sessions", "session"),
];

/// The plugins that come with Kong 3.9.
pub const PLUGINS: [&str; 45] = [
    "acl",
    "acme",
    "ai-prompt-decorator",
    "ai-prompt-guard",
    "ai-prompt-template",
    "ai-proxy",
    "ai-request-transformer",
    "ai-response-transformer",
    "aws-lambda",
    "azure-functions",
    "basic-auth",
    "bot-detection",
    "correlation-id",
    "cors",
    "datadog",
    "file-log",
    "grpc-gateway",
    "grpc-web",
    "hmac-auth",
    "http-log",
    "ip-restriction",
    "jwt",
    "key-auth",
    "ldap-auth",
    "loggly",
    "oauth2",
    "opentelemetry",
    "post-function",
    "pre-function",
    "prometheus",
    "proxy-cache",
    "rate-limiting",
    "redirect",
    "request-size-limiting",
    "request-termination",
    "request-transformer",
    "response-ratelimiting",
    "response-transformer",
    "session",
    "standard-webhooks",
    "statsd",
    "syslog",
    "tcp-log",
    "udp-log",
    "zipkin",
];

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn case(config: &str, steps: &Value) -> Vec<&'static str> {
        let case = json!({"name": "x", "config": config, "steps": steps, "answers": []});
        needed(&serde_json::from_value(case).unwrap()).into_iter().collect()
    }

    #[test]
    fn plugins_are_found_where_they_are_configured() {
        let yaml = "plugins:\n- name: key-auth\nservices:\n- {\"name\": \"s\", \"plugins\": [{\"name\": \"cors\"}]}\n";
        assert_eq!(case(yaml, &json!([])), ["cors", "key-auth"]);
        let steps = json!([
            {"to": "admin", "path": "/plugins", "json": {"name": "acl"}},
            {"to": "admin", "path": "/plugins", "form": "name=jwt&config.x=1"},
            {"to": "admin", "path": "/schemas/plugins/zipkin"},
            {"to": "admin", "path": "/consumers/bob/hmac-auth"},
            {"to": "admin", "path": "/oauth2_tokens?size=1"},
            {"to": "admin", "path": "/config", "text": "basicauth_credentials:\n- username: a\n"},
        ]);
        assert_eq!(case("", &steps), ["acl", "basic-auth", "hmac-auth", "jwt", "oauth2", "zipkin"]);
    }

    #[test]
    fn words_that_are_no_plugins_need_none() {
        let steps =
            json!([{"to": "admin", "path": "/plugins", "json": {"name": "nothing", "tags": ["cors"]}}]);
        assert_eq!(case("services:\n- name: session-service\n  host: jwt\n", &steps), [""; 0]);
    }
}
