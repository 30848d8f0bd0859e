//! Files of older formats.
//!
//! Up to format 2.1 a path was a regular expression if it looked like one. Since 3.0 it has to say so
//! with a `~`, and plain paths are compared in their normal form.

use moongate_schema::path::{escaped_byte, is_reserved, resolve};
use serde_json::{Map, Value};

/// Rewrites the paths of the routes of a document in an older format.
pub(super) fn upgrade(document: &mut Map<String, Value>) {
    let version = document.get("_format_version").and_then(Value::as_str);
    if !version.is_some_and(|version| OLD_VERSIONS.contains(&version)) {
        return;
    }
    upgrade_routes(document);
    for service in items(document, "services") {
        if let Value::Object(service) = service {
            upgrade_routes(service);
        }
    }
}

fn upgrade_routes(parent: &mut Map<String, Value>) {
    for route in items(parent, "routes") {
        if let Value::Object(route) = route {
            for path in items(route, "paths") {
                if let Value::String(text) = path {
                    *text = upgrade_path(text);
                }
            }
        }
    }
}

fn items<'m>(parent: &'m mut Map<String, Value>, name: &str) -> &'m mut [Value] {
    match parent.get_mut(name) {
        Some(Value::Array(items)) => items,
        _ => &mut [],
    }
}

/// A path that cannot be upgraded is left as it is, for validation to report.
fn upgrade_path(path: &str) -> String {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_~/%".contains(&byte));
    if is_plain {
        return resolve(path).map_or_else(|_| path.to_owned(), |(normal, _)| normal.into_owned());
    }
    let expression = unescape(path.as_bytes()).unwrap_or_else(|| path.to_owned());
    format!("~{expression}")
}

/// Decodes the escapes in a regular expression, without giving the decoded bytes a meaning.
fn unescape(mut rest: &[u8]) -> Option<String> {
    let mut expression = Vec::with_capacity(rest.len() + 1);
    loop {
        rest = match rest {
            [] => return String::from_utf8(expression).ok(),
            [b'%', high, low, tail @ ..] => {
                match escaped_byte(*high, *low)? {
                    byte if is_reserved(byte) => {
                        expression.extend([b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
                    }
                    byte if b".^-{}\\|".contains(&byte) => expression.extend([b'\\', byte]),
                    byte => expression.push(byte),
                }
                tail
            }
            [byte, tail @ ..] => {
                expression.push(*byte);
                tail
            }
        }
    }
}

const OLD_VERSIONS: [&str; 2] = ["1.1", "2.1"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_look_like_expressions_become_expressions() {
        for (old, new) in [
            ("/plain", "/plain"),
            ("/a%20b", "/a b"),
            ("/x.y-z_~", "/x.y-z_~"),
            ("/a/../b", "/b"),
            ("/v[0-9]+", "~/v[0-9]+"),
            ("/a/(b|c)$", "~/a/(b|c)$"),
            ("/x.*", "~/x.*"),
            ("/top/\\d+", "~/top/\\d+"),
            ("/a%2e%7C%2f[b]", "~/a\\.\\|%2F[b]"),
            ("/caf%c3%a9*", "~/café*"),
            ("/%zz", "/%zz"),
        ] {
            assert_eq!(upgrade_path(old), new, "{old}");
        }
    }
}
