//! What responses are kept under.

use moongate_sdk::Request;
use moongate_sdk::text::pairs;
use sha2::{Digest as _, Sha256};

use crate::config::Config;

/// The key of the response to a request: 64 hexadecimal digits, the same for requests that get the same response.
pub(crate) fn of(request: &Request, method: &str, config: &Config) -> String {
    let mut path = request.path();
    if config.ignore_uri_case {
        path.make_ascii_lowercase();
    }
    let consumer = request.consumer_id().unwrap_or_default();
    let route = request.route().unwrap_or_default();
    let query = request.query().unwrap_or_default();
    let query = arguments(&query, &config.vary_query_params);
    let headers = headers(request, &config.vary_headers);
    let mut hash = Sha256::new();
    for part in [&consumer, &route, method, &path, &query, &headers] {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The arguments of a query in the order of their names, all or those that are named.
fn arguments(query: &str, names: &[String]) -> String {
    let mut arguments: Vec<(String, String)> =
        pairs(query).into_iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect();
    arguments.sort_by(|(one, _), (other, _)| one.cmp(other));
    let texts =
        arguments.iter().map(|(name, value)| format!("{}:{name}={}:{value}", name.len(), value.len()));
    texts.collect::<Vec<_>>().join("&")
}

fn headers(request: &Request, names: &[String]) -> String {
    let mut names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.sort();
    let mut text = String::new();
    for name in names {
        for value in request.header_values(&name) {
            text.push_str(&format!("{name}:{}:{}\n", value.len(), String::from_utf8_lossy(&value)));
        }
    }
    text
}
