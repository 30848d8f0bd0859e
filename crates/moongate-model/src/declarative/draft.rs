//! What a document declares, item by item, before anything is checked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use moongate_schema::{Catalog, Context, Object, Schema};
use serde_json::Value;
use uuid::Uuid;

use super::generated::{self, Parent};
use super::problems::{Node, Problems, Step};

/// All items of a document.
#[derive(Default)]
pub(super) struct Drafts<'c> {
    /// Parents come before what is nested in them.
    pub(super) items: Vec<Draft<'c>>,
    /// The order in which items claim names and ids: what is nested comes first.
    pub(super) claims: Vec<usize>,
    /// What is wrong with the document besides the fields of entities.
    pub(super) problems: Problems,
    /// Whether a list has items that are no objects.
    pub(super) is_malformed: bool,
    names: HashMap<&'c str, Names>,
}

/// One item.
pub(super) struct Draft<'c> {
    pub(super) schema: &'c Arc<Schema>,
    /// The fields of the entity as they are written, and keys that nothing is known of.
    pub(super) fields: Object,
    /// Its own, or generated; absent if the given one is no id.
    pub(super) id: Option<Uuid>,
    /// How it came to its id.
    pub(super) origin: Origin,
    /// The item around it and the field with which it refers to that.
    pub(super) parent: Option<(usize, &'c str)>,
    /// Its place in the list that it stands in, counted from 1.
    pub(super) place: usize,
    /// Its `_comment`, which is shown where the item is shown inside of its parent, and nowhere else.
    pub(super) comment: Value,
    /// Its `_ignore`, as above.
    pub(super) ignored: Value,
}

/// How an item came to its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// It has one.
    Given,
    /// It follows from other fields.
    Derived,
    /// By chance.
    Random,
}

/// The names and ids of one collection.
#[derive(Default)]
struct Names {
    by_key: HashMap<String, Uuid>,
    ids: HashSet<Uuid>,
}

impl<'c> Drafts<'c> {
    /// Takes `document` apart.
    pub(super) fn of(document: &Object, catalog: &'c Catalog, context: &Context<'_>) -> Self {
        let mut scanner = Scanner { drafts: Self::default(), catalog, context };
        for schema in catalog.entities().iter().filter(|schema| is_declarable(schema.name())) {
            if let Some(list) = document.get(schema.name()) {
                scanner.list(schema, list, None);
            }
        }
        scanner.drafts
    }

    /// The entity of a collection that `text` names, by name or by id.
    pub(super) fn find(&self, collection: &str, text: &str) -> Option<Uuid> {
        let names = self.names.get(collection)?;
        names.by_key.get(text).copied().or_else(|| parse_id(text).filter(|id| names.ids.contains(id)))
    }

    /// The item around an item.
    pub(super) fn parent(&self, draft: &Draft<'c>) -> Option<&Draft<'c>> {
        draft.parent.and_then(|(at, _)| self.items.get(at))
    }

    /// Where an item stands in the document.
    pub(super) fn location(&self, draft: &Draft<'c>) -> Vec<Step> {
        self.place(draft.parent, draft.schema, draft.place)
    }

    fn place(&self, parent: Option<(usize, &'c str)>, schema: &Schema, place: usize) -> Vec<Step> {
        let parent = parent.and_then(|(at, _)| self.items.get(at));
        let mut location = parent.map_or_else(Vec::new, |parent| self.location(parent));
        location.extend([schema.name().into(), Step::Index(place)]);
        location
    }
}

impl Draft<'_> {
    /// Whether the item stands in a field that its parent has itself, and not only in files.
    pub(super) fn stands_in_field_of(&self, parent: &Self) -> bool {
        parent.schema.field_named(self.schema.name()).is_some()
    }
}

/// Whether a document may have a collection of that name at its top.
pub(super) fn is_declarable(entity: &str) -> bool {
    // Tags follow from the entities that have them.
    entity != "tags"
}

/// A UUID in its usual form, with hyphens; shorter and longer spellings are names.
pub(super) fn parse_id(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

/// What is wrong with a comment.
pub(super) fn comment_problem(value: &Value) -> Option<Node> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => Some("length must be at least 1".into()),
        Value::String(_) => None,
        _ => Some("expected a string".into()),
    }
}

/// What is wrong with a list that is to be ignored.
pub(super) fn ignored_problem(value: &Value) -> Option<Node> {
    match value {
        Value::Null | Value::Array(_) => None,
        Value::Object(members) if members.is_empty() => None,
        _ => Some("expected an array".into()),
    }
}

struct Scanner<'a, 'c> {
    drafts: Drafts<'c>,
    catalog: &'c Catalog,
    context: &'a Context<'a>,
}

impl<'c> Scanner<'_, 'c> {
    /// Takes one collection apart, which stands at the top or in the item `parent`.
    fn list(&mut self, schema: &'c Arc<Schema>, list: &Value, parent: Option<(usize, &'c str)>) {
        match list {
            Value::Null => {}
            Value::Array(items) => {
                for (item, place) in items.iter().zip(1..) {
                    self.item(schema, item, parent, place);
                }
            }
            // Some writers cannot tell an empty list from an empty mapping.
            Value::Object(members) if members.is_empty() => {}
            _ => {
                let mut location = self.drafts.place(parent, schema, 0);
                location.pop();
                self.drafts.problems.add(&location, "expected an array".into());
            }
        }
    }

    fn item(
        &mut self,
        schema: &'c Arc<Schema>,
        item: &Value,
        parent: Option<(usize, &'c str)>,
        place: usize,
    ) {
        let nothing = Object::new();
        let members = match item {
            Value::Object(members) => members,
            Value::Array(list) => {
                for at in 1..=list.len() {
                    self.problem(schema, parent, place, Step::Index(at), "unknown field".into());
                }
                &nothing
            }
            _ => {
                // What is in a field of the parent's own is checked with the parent, before items are looked for.
                let is_field = parent
                    .and_then(|(at, _)| self.drafts.items.get(at))
                    .is_some_and(|parent| parent.schema.field_named(schema.name()).is_some());
                self.drafts.is_malformed |= !is_field;
                let location = self.drafts.place(parent, schema, place);
                self.drafts.problems.add(&location, "expected a record".into());
                return;
            }
        };
        let mut draft = Draft {
            schema,
            fields: Object::new(),
            id: None,
            origin: Origin::Given,
            parent,
            place,
            comment: Value::Null,
            ignored: Value::Null,
        };
        let children = self.catalog.children(schema.name());
        let mut nested = Vec::new();
        for (key, value) in members {
            let problem = match key.as_str() {
                "_comment" => {
                    draft.comment = value.clone();
                    comment_problem(value)
                }
                "_ignore" => {
                    draft.ignored = value.clone();
                    ignored_problem(value)
                }
                name => {
                    match children.iter().rfind(|child| child.schema.name() == name) {
                        Some(child) => nested.push((child, value)),
                        None => {
                            draft.fields.insert(key.clone(), value.clone());
                        }
                    }
                    None
                }
            };
            if let Some(problem) = problem {
                self.problem(schema, parent, place, key.as_str().into(), problem);
            }
        }
        self.identify(&mut draft);
        let at = self.drafts.items.len();
        self.drafts.items.push(draft);
        for (child, list) in nested {
            self.list(&child.schema, list, Some((at, &child.field)));
        }
        self.drafts.claims.push(at);
    }

    fn problem(
        &mut self,
        schema: &Schema,
        parent: Option<(usize, &'c str)>,
        place: usize,
        field: Step,
        problem: Node,
    ) {
        let mut location = self.drafts.place(parent, schema, place);
        location.push(field);
        self.drafts.problems.add(&location, problem);
    }

    /// Gives the draft its id, and notes under which names others can refer to it.
    fn identify(&mut self, draft: &mut Draft<'c>) {
        let schema = draft.schema;
        match draft.fields.get(schema.primary_key()) {
            None | Some(Value::Null) => {
                let derived = match (self.drafts.parent(draft), draft.parent) {
                    // What stands in a field of the parent's own gets an id of chance.
                    (Some(parent), _) if draft.stands_in_field_of(parent) => None,
                    (Some(parent), Some((_, field))) => {
                        let id = parent.id.filter(|_| parent.origin != Origin::Random);
                        generated::id(schema, &draft.fields, Some(Parent { field, id }))
                    }
                    _ => generated::id(schema, &draft.fields, None),
                };
                draft.origin = if derived.is_some() { Origin::Derived } else { Origin::Random };
                draft.id = Some(derived.unwrap_or_else(|| self.context.uuid()));
            }
            Some(given) => draft.id = given.as_str().and_then(parse_id),
        }
        let Some(id) = draft.id else { return };
        let names = self.drafts.names.entry(schema.name()).or_default();
        names.ids.insert(id);
        if let Some(key) = schema.key_field().and_then(|field| draft.fields.get(field)?.as_str()) {
            names.by_key.entry(key.to_owned()).or_insert(id);
        }
    }
}
