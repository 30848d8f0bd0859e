//! Whether the items of a document fit together: names and ids are unique, references lead somewhere.

use std::collections::{HashMap, HashSet};

use moongate_schema::{Field, Object};
use serde_json::Value;

use super::check::{Checked, Reference};
use super::draft::{Draft, Drafts};
use super::problems::{Node, Problems, Step};

/// What does not fit together.
pub(super) struct Conflicts {
    pub(super) problems: Problems,
    /// Whether a reference leads nowhere whose item has no name that the problem could be told under.
    pub(super) is_malformed: bool,
}

/// Looks for conflicts between valid items.
pub(super) fn resolve(drafts: &Drafts<'_>, checked: &Checked) -> Result<(), Conflicts> {
    let mut conflicts = Conflicts { problems: Problems::default(), is_malformed: false };
    conflicts.claims(drafts, &checked.rows);
    conflicts.references(drafts, checked);
    if conflicts.problems.is_empty() {
        conflicts.unique_fields(drafts, &checked.rows);
    }
    if conflicts.problems.is_empty() { Ok(()) } else { Err(conflicts) }
}

impl Conflicts {
    /// Each item claims its name and its id.
    fn claims(&mut self, drafts: &Drafts<'_>, rows: &[Object]) {
        let mut names = HashSet::new();
        let mut ids = HashSet::new();
        for (draft, row) in drafts.claims.iter().filter_map(|at| drafts.items.get(*at).zip(rows.get(*at))) {
            let entity = draft.schema.name();
            let name = unique_key(draft).and_then(|field| Some((field, row.get(&field.name)?.as_str()?)));
            let is_new = name.is_none_or(|(_, name)| names.insert((entity, name)));
            // An item whose name is taken does not claim its id as well.
            let violation = match (is_new, name) {
                (false, Some((field, name))) => Some(taken(entity, &field.name, name)),
                _ => draft
                    .id
                    .filter(|id| !ids.insert((entity, *id)))
                    .map(|id| taken(entity, "primary key", &id.to_string())),
            };
            if let Some(violation) = violation {
                self.problems.add(&drafts.location(draft), Node::Text(violation));
            }
        }
    }

    fn references(&mut self, drafts: &Drafts<'_>, checked: &Checked) {
        for reference in &checked.references {
            let Reference { item, field, collection, written, found } = reference;
            let is_declared = found.is_some_and(|id| drafts.find(collection, &id.to_string()).is_some());
            let Some(draft) = drafts.items.get(*item).filter(|_| !is_declared) else { continue };
            let shown = match written {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let place = match unique_key(draft) {
                Some(key) => {
                    let name = checked.rows.get(*item).and_then(|row| row.get(&key.name)?.as_str());
                    self.is_malformed |= name.is_none();
                    name.map(Step::from)
                }
                None => None,
            };
            let place = place.unwrap_or_else(|| id_step(draft));
            let text = format!("invalid reference '{field}: {shown}' (no such entry in '{collection}')");
            self.problems.append(&[draft.schema.name().into(), place], text);
        }
    }

    /// The values of further unique fields, which are told under the name of the later item.
    fn unique_fields(&mut self, drafts: &Drafts<'_>, rows: &[Object]) {
        let mut seen: HashMap<(&str, &str), HashSet<&str>> = HashMap::new();
        for (draft, row) in drafts.claims.iter().filter_map(|at| drafts.items.get(*at).zip(rows.get(*at))) {
            let schema = draft.schema;
            let key = schema.key_field();
            let fields = schema.fields().iter().filter(|field| {
                field.is_unique() && Some(field.name.as_str()) != key && field.name != schema.primary_key()
            });
            for field in fields {
                let value = match row.get(&field.name) {
                    Some(Value::String(text)) => text.as_str(),
                    Some(Value::Object(reference)) => {
                        reference.get("id").and_then(Value::as_str).unwrap_or_default()
                    }
                    _ => continue,
                };
                if !seen.entry((schema.name(), &field.name)).or_default().insert(value) {
                    let name = key.and_then(|key| row.get(key)?.as_str()).map(Step::from);
                    let location = [schema.name().into(), name.unwrap_or_else(|| id_step(draft))];
                    self.problems.add(&location, Node::Text(taken(schema.name(), &field.name, value)));
                }
            }
        }
    }
}

/// The field that names an item among all of its kind.
fn unique_key<'d>(draft: &'d Draft<'_>) -> Option<&'d Field> {
    let key = draft.schema.key_field()?;
    draft.schema.field_named(key).filter(|field| field.is_unique())
}

fn id_step(draft: &Draft<'_>) -> Step {
    Step::Key(draft.id.map(|id| id.to_string()).unwrap_or_default())
}

fn taken(entity: &str, field: &str, value: &str) -> String {
    format!("uniqueness violation: '{entity}' entity with {field} set to '{value}' already declared")
}
