//! `/openapi.json`: this API described for programs, from the same declarations that it is made of.

mod node;
mod schema;

use serde_json::{Map, Value, json};

use self::schema::annotate;
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
    let mut schemas = Map::new();
    for entity in catalog.entities().iter().filter(|schema| schema.has_admin_endpoints()) {
        let mut whole = schema::of_entity(entity);
        schemas.insert(changes_of(entity.name()), schema::without_required(whole.clone()));
        if entity.name() == "plugins" {
            schema::add_configurations(&mut whole, catalog.plugins());
        }
        schemas.insert(entity.name().to_owned(), whole);
    }
    for name in catalog.plugins() {
        let config = catalog.plugin(name).ok().and_then(|plugin| plugin.field_named("config"));
        if let Some(config) = config {
            schemas.insert(schema::configuration_of(name), schema::of_field(config));
        }
    }
    schemas.insert("error".to_owned(), schema::of_error());
    let mut components = json!({"schemas": schemas});
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Moongate Admin API",
            "description": format!("Compatible with the Admin API of Kong {COMPATIBLE_VERSION}."),
            "version": access.node().version(),
        },
        "paths": paths,
    });
    if access.node().admin_token().is_some() {
        let schemes = json!({
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "Kong-Admin-Token"},
        });
        annotate(&mut components, "securitySchemes", schemes);
        annotate(&mut document, "security", json!([{"bearer": []}, {"header": []}]));
    }
    annotate(&mut document, "components", components);
    document
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
        path.insert(method.to_ascii_lowercase(), operation(pattern, method).describe());
    }
    Value::Object(path)
}

/// What can be asked of a path with one method.
struct Operation {
    summary: String,
    /// What may stand in the query: name, schema, and what it is for.
    query: Vec<(&'static str, Value, &'static str)>,
    /// The body of the request.
    body: Bodies,
    /// The answers, but for refusals: status, what it means, and the body.
    answers: Vec<(&'static str, &'static str, Bodies)>,
}

/// The schema of a body by its media type.
type Bodies = Vec<(&'static str, Value)>;

impl Operation {
    fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), query: Vec::new(), body: Vec::new(), answers: Vec::new() }
    }

    /// Takes a query parameter.
    fn asks(mut self, name: &'static str, schema: Value, description: &'static str) -> Self {
        self.query.push((name, schema, description));
        self
    }

    /// Takes a body in each of the ways in which the API reads objects.
    fn takes(mut self, schema: Value) -> Self {
        let kinds = [JSON, "application/x-www-form-urlencoded", "multipart/form-data"];
        self.body.extend(kinds.map(|kind| (kind, schema.clone())));
        self
    }

    /// Takes a body of another media type.
    fn takes_as(mut self, kind: &'static str, schema: Value) -> Self {
        self.body.push((kind, schema));
        self
    }

    /// Answers with JSON.
    fn answers(self, status: &'static str, schema: Value) -> Self {
        self.answers_as(status, JSON, schema)
    }

    /// Answers with a body of another media type.
    fn answers_as(mut self, status: &'static str, kind: &'static str, schema: Value) -> Self {
        self.answers.push((status, "Success", vec![(kind, schema)]));
        self
    }

    /// Answers without a body.
    fn ends(mut self, status: &'static str, meaning: &'static str) -> Self {
        self.answers.push((status, meaning, Vec::new()));
        self
    }

    /// As the document has it.
    fn describe(self) -> Value {
        let content = |kinds: Vec<(&str, Value)>| -> Value {
            kinds
                .into_iter()
                .map(|(kind, schema)| (kind.to_owned(), json!({"schema": schema})))
                .collect::<Map<_, _>>()
                .into()
        };
        let mut responses = Map::new();
        for (status, meaning, kinds) in self.answers {
            let mut response = json!({"description": meaning});
            if !kinds.is_empty() {
                annotate(&mut response, "content", content(kinds));
            }
            responses.insert(status.to_owned(), response);
        }
        let refusal = json!({"description": "Refusal", "content": content(vec![(JSON, entity("error"))])});
        responses.insert("default".to_owned(), refusal);
        let mut operation = json!({"summary": self.summary, "responses": responses});
        if !self.body.is_empty() {
            annotate(&mut operation, "requestBody", json!({"content": content(self.body)}));
        }
        let parameter = |(name, schema, description)| json!({"name": name, "in": "query", "schema": schema, "description": description});
        let parameters: Vec<Value> = self.query.into_iter().map(parameter).collect();
        if !parameters.is_empty() {
            annotate(&mut operation, "parameters", parameters.into());
        }
        operation
    }
}

fn operation(pattern: &Pattern, method: &str) -> Operation {
    match (&pattern.about, method) {
        (About::Collection(name), "GET") => {
            paged(Operation::new(format!("Lists {name}"))).answers("200", list(entity(name)))
        }
        (About::Collection(name), _) => Operation::new(format!("Makes one of the {name}"))
            .takes(entity(name))
            .answers("201", entity(name)),
        (About::Entity(name), "GET") => {
            Operation::new(format!("One of the {name}")).answers("200", entity(name))
        }
        (About::Entity(name), "DELETE") => {
            Operation::new(format!("Removes one of the {name}")).ends("204", "It is not there any more")
        }
        (About::Entity(name), "PATCH") => Operation::new(format!("Changes fields of one of the {name}"))
            .takes(entity(&changes_of(name)))
            .answers("200", entity(name)),
        (About::Entity(name), _) => Operation::new(format!("Makes or replaces one of the {name}"))
            .takes(entity(name))
            .answers("200", entity(name)),
        (About::Node(what) | About::Moongate(what), _) => node::operation(what, &pattern.path, method),
        (About::Nothing, _) => Operation::new(""),
    }
}

/// A reference to a schema of the document.
fn entity(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The schema of what a change of an entity may say.
fn changes_of(entity: &str) -> String {
    format!("{entity}-changes")
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

fn paged(operation: Operation) -> Operation {
    let size = json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100});
    operation
        .asks("size", size, "Length of a page")
        .asks("offset", json!({"type": "string"}), "What the page before gave as offset")
        .asks("tags", json!({"type": "string"}), "a,b for entities with both tags, a/b for one of them")
}

/// The names in braces.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

const JSON: &str = "application/json";
