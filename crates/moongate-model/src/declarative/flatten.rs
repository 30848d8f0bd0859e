//! Problems told by entity instead of by place.

use moongate_schema::{Catalog, Object, Schema};
use serde_json::{Value, json};

use super::draft::parse_id;
use super::error::Refusal;
use super::problems::{Branch, Node, Problems, Step};

/// The problems of a document by entity.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Flattened {
    /// The problems that belong to no entity, in the shape of the document.
    pub fields: Value,
    /// The same problems in one line.
    pub message: String,
    /// The entities with problems: `entity_type`, `entity_id`, `entity_name`, `entity_tags`, the `entity` as it was
    /// given, and its `errors`. Absent if there is no document to have entities.
    pub errors: Option<Vec<Value>>,
}

/// Assigns the problems to the entities.
pub(super) fn flatten(refusal: &Refusal, catalog: &Catalog) -> Flattened {
    let mut flattener = Flattener { catalog, refusal, entities: Vec::new() };
    let mut rest = Branch::new();
    for (step, node) in refusal.problems.root() {
        let (collection, section) = match (step, node) {
            (Step::Key(collection), Node::Branch(section)) => (collection, section),
            _ => {
                rest.insert(step.clone(), node.clone());
                continue;
            }
        };
        let schema = catalog.entity(collection);
        let unassigned =
            flattener.list(schema.map(AsRef::as_ref), refusal.document.get(collection), None, section);
        if !unassigned.is_empty() {
            rest.insert(step.clone(), Node::Branch(unassigned));
        }
    }
    let rest = Problems::new(rest);
    Flattened {
        fields: rest.fields(),
        message: format!("declarative config is invalid: {}", rest.to_lua()),
        errors: Some(flattener.entities),
    }
}

struct Flattener<'a> {
    catalog: &'a Catalog,
    refusal: &'a Refusal,
    entities: Vec<Value>,
}

impl Flattener<'_> {
    /// Assigns the problems of a list to its items; returns those that belong to none.
    ///
    /// `parent` is the reference to the entity around the list, and its name.
    fn list(
        &mut self,
        schema: Option<&Schema>,
        list: Option<&Value>,
        parent: Option<(&str, &Value)>,
        section: &Branch,
    ) -> Branch {
        let mut unassigned = Branch::new();
        for (step, node) in section {
            let item = match step {
                Step::Index(at) => at.checked_sub(1).and_then(|at| list?.get(at)),
                Step::Key(_) => None,
            };
            let item = match item {
                Some(Value::Object(item)) => Some(item.clone()),
                Some(Value::Array(list)) if list.is_empty() => Some(Object::new()),
                _ => None,
            };
            match (schema, item) {
                (Some(schema), Some(mut item)) => {
                    if let Some((field, reference)) = parent {
                        item.insert(field.to_owned(), reference.clone());
                    }
                    self.entity(schema, item, node);
                }
                _ => {
                    unassigned.insert(step.clone(), node.clone());
                }
            }
        }
        unassigned
    }

    fn entity(&mut self, schema: &Schema, mut entity: Object, problems: &Node) {
        let mut own = match problems {
            // A problem with an item is one with the entity as a whole.
            Node::Text(_) => Branch::from([("@entity".into(), problems.clone())]),
            Node::Branch(branch) => branch.clone(),
        };
        let id =
            entity.get("id").and_then(Value::as_str).filter(|id| parse_id(id).is_some()).map(str::to_owned);
        let reference = id.as_ref().map(|id| json!({ "id": id }));
        for child in self.catalog.children(schema.name()) {
            let collection = child.schema.name();
            let list = entity.remove(collection);
            if let Some(Node::Branch(section)) = own.get(&collection.into()) {
                let parent = reference.as_ref().map(|reference| (child.field.as_str(), reference));
                let unassigned = self.list(Some(&child.schema), list.as_ref(), parent, &section.clone());
                if unassigned.is_empty() {
                    own.remove(&collection.into());
                } else {
                    own.insert(collection.into(), Node::Branch(unassigned));
                }
            }
        }
        for field in schema.references() {
            if let Some(Value::Object(parent)) = entity.get_mut(&field.name)
                && parent.get("id").and_then(Value::as_str).is_some_and(|id| parse_id(id).is_some())
            {
                parent.retain(|key, _| key == "id");
            }
        }
        let mut errors = Vec::new();
        describe(&own, "", &mut errors);
        if errors.is_empty() {
            return;
        }
        let mut flat = Object::new();
        flat.insert(
            "entity_type".to_owned(),
            schema.name().strip_suffix('s').unwrap_or(schema.name()).into(),
        );
        flat.extend(id.map(|id| ("entity_id".to_owned(), id.into())));
        let name = entity.get("name").filter(|name| name.as_str().is_some_and(|name| !name.is_empty()));
        flat.extend(name.map(|name| ("entity_name".to_owned(), name.clone())));
        let tags = entity.get("tags").filter(|tags| is_list_of_texts(tags));
        flat.extend(tags.map(|tags| ("entity_tags".to_owned(), tags.clone())));
        let mut entity = Value::Object(entity);
        if self.refusal.without_empty_lists {
            forget_empty_lists(&mut entity);
        }
        flat.insert("entity".to_owned(), entity);
        flat.insert("errors".to_owned(), Value::Array(errors));
        self.entities.push(Value::Object(flat));
    }
}

/// One error for each text: `{"type":"field","field":"config.minute","message":"..."}`.
fn describe(branch: &Branch, path: &str, errors: &mut Vec<Value>) {
    for (step, node) in branch {
        let is_entity = *step == Step::from("@entity");
        let field = if path.is_empty() { step.to_string() } else { format!("{path}.{step}") };
        match node {
            Node::Text(message) if is_entity => errors.push(json!({"type": "entity", "message": message})),
            Node::Text(message) => errors.push(json!({"type": "field", "field": field, "message": message})),
            Node::Branch(messages) if is_entity => {
                let texts = messages.values().filter_map(|node| match node {
                    Node::Text(message) => Some(json!({"type": "entity", "message": message})),
                    Node::Branch(_) => None,
                });
                errors.extend(texts);
            }
            Node::Branch(branch) => describe(branch, &field, errors),
        }
    }
}

fn is_list_of_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|tags| !tags.is_empty() && tags.iter().all(Value::is_string))
}

fn forget_empty_lists(value: &mut Value) {
    match value {
        Value::Array(items) if items.is_empty() => *value = json!({}),
        Value::Array(items) => items.iter_mut().for_each(forget_empty_lists),
        Value::Object(members) => members.values_mut().for_each(forget_empty_lists),
        _ => {}
    }
}
