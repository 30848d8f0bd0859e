//! What plugins may do beyond looking at the request at hand.

use std::collections::BTreeMap;

use moongate_plugin_host::{Capability, Grants, HttpGrant};
use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::plugins::entries;
use super::suggest;
use super::tls::read_flag;
use super::value::{Read, items, text, wrong};

/// What the plugins that come with the gateway need. Whoever wants to take something away from one of them names it in
/// `plugin_grants`, with what is to remain.
pub(super) fn bundled() -> BTreeMap<String, Grants> {
    use Capability::{Consumers, Counters, Crypto, Entities, HttpClient, Kv, Metrics};
    let anywhere = HttpGrant { hosts: vec!["*".to_owned()], private: true };
    let all: [(&str, &[Capability]); 12] = [
        ("acl", &[Entities]),
        ("basic-auth", &[Entities, Consumers, Crypto]),
        ("hmac-auth", &[Entities, Consumers, Crypto]),
        ("http-log", &[HttpClient]),
        ("jwt", &[Entities, Consumers, Crypto]),
        ("jwt-claims", &[Crypto]),
        ("key-auth", &[Entities, Consumers]),
        ("prometheus", &[Metrics]),
        ("proxy-cache", &[Kv]),
        ("rate-limiting", &[Counters]),
        ("response-ratelimiting", &[Counters]),
        ("standard-webhooks", &[Crypto]),
    ];
    all.into_iter()
        .map(|(plugin, capabilities)| {
            let mut grants = Grants::of(capabilities.iter().copied());
            if grants.capabilities.contains(&HttpClient) {
                grants.http = anywhere.clone();
            }
            (plugin.to_owned(), grants)
        })
        .collect()
}

/// Reads a map from plugin names to lists of capabilities, beside those of the plugins that come with the gateway.
pub(super) fn read(value: &Value) -> Read<BTreeMap<String, Grants>> {
    let mut all = bundled();
    let mut problems = Vec::new();
    for (plugin, value) in entries(value)? {
        match grants(value) {
            Ok(grants) => drop(all.insert(plugin, grants)),
            Err(wrong) => problems.extend(wrong.into_iter().map(|wrong| wrong.below(&plugin))),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

/// In the form that [`read`] takes.
pub(super) fn show(all: &BTreeMap<String, Grants>) -> Json {
    let limited = |name: &str, to: &HttpGrant| json!({name: {"hosts": to.hosts, "private": to.private}});
    let shown = |grants: &Grants| -> Json {
        let capabilities = grants.capabilities.iter().map(|capability| match capability {
            Capability::HttpClient => limited(capability.name(), &grants.http),
            other => json!(other.name()),
        });
        let targets = (!grants.targets.hosts.is_empty()).then(|| limited(TARGETS, &grants.targets));
        capabilities.chain(targets).collect()
    };
    all.iter()
        .map(|(plugin, grants)| (plugin.clone(), shown(grants)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn grants(value: &Value) -> Read<Grants> {
    let Value::Sequence(items) = value else {
        return wrong("is no list of capabilities, as [kv, counters] is one");
    };
    let mut grants = Grants::default();
    for item in items {
        if let Value::Mapping(_) = item {
            for (name, settings) in entries(item)? {
                if name == TARGETS {
                    grants.targets = hosts(TARGETS, settings)?;
                    continue;
                }
                if capability(&name)? != Capability::HttpClient {
                    return wrong(format!("has settings for `{name}`, which takes none"));
                }
                grants.capabilities.insert(Capability::HttpClient);
                grants.http = hosts(Capability::HttpClient.name(), settings)?;
            }
            continue;
        }
        let name = text(item)?;
        if name == TARGETS {
            return wrong("has `targets` without hosts; write {targets: {hosts: [api.example.com]}}");
        }
        let capability = capability(&name)?;
        if capability == Capability::HttpClient {
            return wrong("has `http-client` without hosts; write {http-client: {hosts: [api.example.com]}}");
        }
        grants.capabilities.insert(capability);
    }
    Ok(grants)
}

/// Where a plugin may send requests of clients to: no interface that it imports, and so no capability.
const TARGETS: &str = "targets";

fn hosts(of: &str, value: &Value) -> Read<HttpGrant> {
    let mut grant = HttpGrant::default();
    for (name, value) in entries(value)? {
        match name.as_str() {
            "hosts" => grant.hosts = items(value)?,
            "private" => grant.private = read_flag(value)?,
            _ => return wrong(format!("has `{name}` in `{of}`; there are hosts, private")),
        }
    }
    Ok(grant)
}

fn capability(name: &str) -> Read<Capability> {
    let names = Capability::ALL.map(Capability::name);
    match (Capability::of_name(name), suggest::closest(name, names)) {
        (Some(capability), _) => Ok(capability),
        (None, Some(meant)) => {
            wrong(format!("has `{name}`, which is no capability; did you mean `{meant}`?"))
        }
        (None, None) => {
            wrong(format!("has `{name}`, which is no capability; there are {}", names.join(", ")))
        }
    }
}
