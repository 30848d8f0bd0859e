//! The expression that a route's fields stand for.

use moongate_model::SourceOrDestination;

use crate::Flavour;
use crate::host::{NamePattern, split_port};
use crate::path_regex::anchored;
use crate::route::RouteFields;

/// The expression of a route that has fields; empty when it has none.
///
/// The router does not need it to match, but what is wrong with a field is said about this text.
pub(crate) fn text_of_fields(route: &RouteFields<'_>) -> String {
    let mut all = Vec::new();
    if !route.methods.is_empty() {
        let methods = route.methods.iter().map(|method| format!("http.method == {}", literal(method)));
        all.push(any(methods));
    }
    if !route.snis.is_empty() {
        let names = route.snis.iter().map(|sni| name("tls.sni", sni.strip_suffix('.').unwrap_or(sni)));
        let tls = if route.is_http() { "https" } else { "tls" };
        all.push(format!("(net.protocol != {} || {})", literal(tls), any(names)));
    }
    for (field, list) in [("net.src", route.sources), ("net.dst", route.destinations)] {
        if !list.is_empty() {
            all.push(any(list.iter().map(|element| address(field, element))));
        }
    }
    if !route.hosts.is_empty() {
        let hosts = route.hosts.iter().map(|host| match split_port(host) {
            (host, Some(port)) => format!("({} && net.dst.port == {port})", name("http.host", host)),
            (host, None) => name("http.host", host),
        });
        all.push(any(hosts));
    }
    if !route.paths.is_empty() {
        let paths = route.paths.iter().map(|path| match path.strip_prefix('~') {
            Some(text) => {
                let pattern = anchored(Flavour::TraditionalCompatible, text);
                format!("http.path ~ {}", literal(&pattern))
            }
            None => format!("http.path ^= {}", literal(path)),
        });
        all.push(any(paths));
    }
    for (name, values) in route.headers.into_iter().flatten() {
        let field = format!("any(lower(http.headers.{}))", name.to_ascii_lowercase().replace('-', "_"));
        let values = values.iter().map(|value| match value.strip_prefix("~*") {
            Some(pattern) => format!("{field} ~ {}", literal(&format!("(?i){pattern}"))),
            None => format!("{field} == {}", literal(&value.to_lowercase())),
        });
        all.push(any(values));
    }
    all.join(" && ")
}

fn any(parts: impl Iterator<Item = String>) -> String {
    format!("({})", parts.collect::<Vec<_>>().join(" || "))
}

fn name(field: &str, text: &str) -> String {
    match NamePattern::new(text) {
        NamePattern::Exact(name) => format!("{field} == {}", literal(&name)),
        NamePattern::StartsWith(start) => format!("{field} ^= {}", literal(&start)),
        NamePattern::EndsWith(end) => format!("{field} =^ {}", literal(&end)),
    }
}

fn address(field: &str, element: &SourceOrDestination) -> String {
    let ip = element.ip.as_deref().map(|ip| {
        let operator = if ip.contains('/') { "in" } else { "==" };
        format!("{field}.ip {operator} {ip}")
    });
    let port = element.port.map(|port| format!("{field}.port == {port}"));
    let parts: Vec<String> = ip.into_iter().chain(port).collect();
    if parts.len() > 1 { format!("({})", parts.join(" && ")) } else { parts.concat() }
}

/// A string literal, in the form that needs no escapes where the text allows it.
fn literal(text: &str) -> String {
    if text.contains("\"#") {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("r#\"{text}\"#")
    }
}
