//! `/openapi.json`: this API described for programs, from the same declarations that it is made of.

mod schema;

use serde_json::{Map, Value, json};

use crate::COMPATIBLE_VERSION;
use crate::access::Access;
use crate::resource::{About, Pattern, patterns};

/// The OpenAPI document of the API as it is now, with what plugins add to it.
pub(crate) fn document(access: &Access) -> Value {
    let catalog = access.catalog();
    let mut paths = Map::new();
    for pattern in patterns(catalog).iter().filter(|pattern| pattern.about != About::Nothing) {
        paths.insert(pattern.path.clone(), path(pattern));
    }
    for route in access.plugins().admin_routes() {
        let path = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            let summary = format!("An endpoint of the plugin {}", route.plugin);
            let operation =
                json!({"summary": summary, "responses": {"default": {"description": "As the plugin says"}}});
            path.insert(route.method.to_ascii_lowercase(), operation);
        }
    }
    let mut schemas: Map<String, Value> = catalog
        .entities()
        .iter()
        .filter(|schema| schema.has_admin_endpoints())
        .map(|schema| (schema.name().to_owned(), schema::of_entity(schema)))
        .collect();
    schemas.insert("error".to_owned(), schema::of_error());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Moongate Admin API",
            "description": format!("Compatible with the Admin API of Kong {COMPATIBLE_VERSION}."),
            "version": access.node().version(),
        },
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn path(pattern: &Pattern) -> Value {
    let mut path = Map::new();
    let parameters: Vec<Value> = names(&pattern.path)
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    if !parameters.is_empty() {
        path.insert("parameters".to_owned(), parameters.into());
    }
    for method in pattern.methods {
        path.insert(method.to_ascii_lowercase(), operation(pattern, method));
    }
    Value::Object(path)
}

fn operation(pattern: &Pattern, method: &str) -> Value {
    let entity = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let (summary, body, status, answer) = match (&pattern.about, method) {
        (About::Collection(name), "GET") => (format!("Lists {name}"), None, "200", Some(list(entity(name)))),
        (About::Collection(name), _) => {
            (format!("Makes one of the {name}"), Some(entity(name)), "201", Some(entity(name)))
        }
        (About::Entity(name), "GET") => (format!("One of the {name}"), None, "200", Some(entity(name))),
        (About::Entity(name), "DELETE") => (format!("Removes one of the {name}"), None, "204", None),
        (About::Entity(name), "PATCH") => {
            (format!("Changes fields of one of the {name}"), Some(entity(name)), "200", Some(entity(name)))
        }
        (About::Entity(name), _) => {
            (format!("Makes or replaces one of the {name}"), Some(entity(name)), "200", Some(entity(name)))
        }
        (About::Node(what) | About::Moongate(what), _) => ((*what).to_owned(), None, "200", Some(json!({}))),
        (About::Nothing, _) => (String::new(), None, "404", None),
    };
    let mut responses = Map::new();
    let mut success = json!({"description": "Success"});
    if let (Some(answer), Some(success)) = (answer, success.as_object_mut()) {
        success.insert("content".to_owned(), content(answer));
    }
    responses.insert(status.to_owned(), success);
    let refusal = json!({"description": "Refusal", "content": content(entity("error"))});
    responses.insert("default".to_owned(), refusal);
    let mut operation = json!({"summary": summary, "responses": responses});
    if let Some(operation) = operation.as_object_mut() {
        if let Some(body) = body {
            operation.insert("requestBody".to_owned(), json!({"content": content(body)}));
        }
        if matches!((&pattern.about, method), (About::Collection(_), "GET")) {
            operation.insert("parameters".to_owned(), paging());
        }
    }
    operation
}

fn content(schema: Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn list(entity: Value) -> Value {
    json!({
        "type": "object",
        "required": ["data", "next"],
        "properties": {
            "data": {"type": "array", "items": entity},
            "offset": {"type": "string", "description": "Where the next page begins"},
            "next": {"type": ["string", "null"], "description": "Path and query of the next page"},
        },
    })
}

fn paging() -> Value {
    let parameter = |name: &str, schema: Value, description: &str| json!({"name": name, "in": "query", "schema": schema, "description": description});
    json!([
        parameter(
            "size",
            json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
            "Length of a page"
        ),
        parameter("offset", json!({"type": "string"}), "What the page before gave as offset"),
        parameter("tags", json!({"type": "string"}), "a,b for entities with both tags, a/b for one of them"),
    ])
}

/// The names in braces.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}
