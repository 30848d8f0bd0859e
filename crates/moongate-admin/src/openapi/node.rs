//! What can be asked of the node itself.

use serde_json::{Value, json};

use super::schema::annotate;
use super::{Operation, entity, list, paged};

/// The operation of a path that is about no entity; `what` says what the path is for.
pub(super) fn operation(what: &str, path: &str, method: &str) -> Operation {
    let operation = Operation::new(what);
    match (method, path) {
        ("DELETE", _) => operation.ends("204", "Nothing is cached any more"),
        ("GET", "/config") => operation.answers("200", object(&[("config", "string")])),
        ("POST", "/config") => operation
            .asks(
                "check_hash",
                json!({"type": "string"}),
                "Given, what is in use already is not loaded again",
            )
            .asks("flatten_errors", json!({"type": "string"}), "`1` to have faults told by entity")
            .takes(object(&[("config", "string"), ("_format_version", "string")]))
            .takes_as("application/yaml", json!({"type": "string"}))
            .takes_as("text/yaml", json!({"type": "string"}))
            .answers("201", object(&[]))
            .ends("304", "The same text is in use already"),
        ("PUT", path) if path.contains("log-level") => operation
            .asks("timeout", json!({"type": "number", "default": 60}), "Seconds until it is as before")
            .answers("200", message()),
        ("PUT", _) => operation.ends("204", "It is called so, on all nodes of the database"),
        ("POST", "/schemas/plugins/validate") => operation.takes(entity("plugins")).answers("200", message()),
        ("POST", "/schemas/vaults/validate") => operation.takes(entity("vaults")).answers("200", message()),
        ("POST", "/schemas/{db_entity_name}/validate") => {
            operation.takes(object(&[])).answers("200", message())
        }
        ("POST", "/moongate/plugins") => operation
            .asks("file", json!({"type": "string"}), "Name of the file in the plugin directory, `name.wasm`")
            .takes_as("application/wasm", json!({"type": "string", "format": "binary"}))
            .answers("201", object(&[("name", "string"), ("state", "string")])),
        ("POST", "/moongate/plugins/{name}/reload") => {
            operation.answers("200", object(&[("name", "string"), ("state", "string")]))
        }
        ("POST", "/moongate/reload") => operation.answers("200", message()),
        // What becomes of a request, and the same for one that is sent.
        ("POST", "/moongate/explain" | "/moongate/try") => {
            let mut members = vec![("method", "string"), ("url", "string"), ("headers", "object")];
            if path == "/moongate/try" {
                members.extend([("body", "string"), ("body_base64", "string")]);
            }
            let mut asked = object(&members);
            annotate(&mut asked, "required", json!(["url"]));
            operation.takes(asked).answers("200", object(&[]))
        }
        ("GET", "/metrics") => operation.answers_as("200", "text/plain", json!({"type": "string"})),
        ("GET", "/moongate/events") => {
            operation.answers_as("200", "text/event-stream", json!({"type": "string"}))
        }
        ("GET", "/robots.txt") => operation.answers_as("200", "text/plain", json!({"type": "string"})),
        ("GET", "/tags" | "/tags/{tags}") => {
            let tagged = object(&[("tag", "string"), ("entity_name", "string"), ("entity_id", "string")]);
            paged(operation).answers("200", list(tagged))
        }
        ("GET", "/upstreams/{upstreams}/targets/all") => {
            paged(operation).answers("200", list(entity("targets")))
        }
        ("GET", "/status") => operation
            .asks("unit", json!({"enum": ["b", "k", "m", "g"], "default": "m"}), "What memory is told in")
            .asks("scale", json!({"type": "integer", "default": 2}), "Digits behind the point")
            .answers("200", object(&[("memory", "object"), ("server", "object")])),
        ("GET", "/debug/node/log-level") => operation.answers("200", message()),
        ("GET", "/endpoints") => {
            let data = json!({"type": "array", "items": {"type": "string"}});
            operation.answers("200", json!({"type": "object", "properties": {"data": data}}))
        }
        _ => operation.answers("200", object(&[])),
    }
}

fn message() -> Value {
    object(&[("message", "string")])
}

/// An object with members of these types, and maybe others.
fn object(members: &[(&str, &str)]) -> Value {
    let properties: serde_json::Map<_, _> =
        members.iter().map(|(name, kind)| ((*name).to_owned(), json!({"type": kind}))).collect();
    json!({"type": "object", "properties": properties})
}
