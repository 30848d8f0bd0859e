//! Looks up the parents that drafts name, and makes sure that nothing is declared twice.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use uuid::Uuid;

use super::collector::{Collector, Draft, ForeignKey};
use super::problems::{Location, Problems, Step};
use crate::{Entities, Reference};

/// What resolving has to know of an entity.
pub(super) trait Drafted {
    /// Name of the collection that holds such entities.
    const COLLECTION: &'static str;
    /// The unique field that can stand for the id.
    const ENDPOINT_KEY: &'static str;

    fn id(&self) -> Uuid;
    fn endpoint_key(&self) -> Option<&str>;
    /// Sets the foreign key `field`.
    fn attach(&mut self, field: &str, parent: Reference);
}

/// The entities of a document that was read, or everything that is wrong with it.
pub(super) fn resolve(collector: Collector) -> Result<Entities, Problems> {
    let Collector { mut services, mut routes, mut plugins, mut problems, .. } = collector;
    let mut names = Names::default();
    names.extend(&services);
    names.extend(&routes);
    let mut dangling = names.attach(&mut services, &mut problems);
    dangling.append(&mut names.attach(&mut routes, &mut problems));
    dangling.append(&mut names.attach(&mut plugins, &mut problems));

    if !problems.is_empty() {
        for reference in dangling {
            reference.report_among_others(&mut problems);
        }
        return Err(problems);
    }
    for reference in dangling {
        reference.report(&mut problems);
    }
    report_repeated(&services, &mut problems);
    report_repeated(&routes, &mut problems);
    report_repeated(&plugins, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Entities { services: by_id(services), routes: by_id(routes), plugins: by_id(plugins) })
}

/// Everything that can be referred to.
#[derive(Debug, Default)]
struct Names {
    by_name: HashMap<&'static str, HashMap<String, Uuid>>,
    ids: HashMap<&'static str, HashSet<Uuid>>,
}

impl Names {
    fn extend<T: Drafted>(&mut self, drafts: &[Draft<T>]) {
        let by_name = self.by_name.entry(T::COLLECTION).or_default();
        let ids = self.ids.entry(T::COLLECTION).or_default();
        for draft in drafts {
            ids.insert(draft.entity.id());
            if let Some(name) = draft.entity.endpoint_key() {
                by_name.entry(name.to_owned()).or_insert(draft.entity.id());
            }
        }
    }

    /// Sets the foreign keys of `drafts`, and returns those that refer to nothing.
    fn attach<T: Drafted>(&self, drafts: &mut [Draft<T>], problems: &mut Problems) -> Vec<Dangling> {
        let mut dangling = Vec::new();
        for draft in drafts {
            for key in std::mem::take(&mut draft.keys) {
                match (self.find(&key), key.nested_in) {
                    (Some(id), nested_in) => {
                        draft.entity.attach(key.field, Reference { id: nested_in.unwrap_or(id) });
                    }
                    (None, Some(_)) => problems.add(&field(&draft.location, key.field), "value must be null"),
                    (None, None) => dangling.push(Dangling {
                        key,
                        collection: T::COLLECTION,
                        label: label(&draft.entity),
                        location: draft.location.clone(),
                    }),
                }
            }
        }
        dangling
    }

    fn find(&self, key: &ForeignKey) -> Option<Uuid> {
        let by_name = self.by_name.get(key.collection).and_then(|names| names.get(&key.text)).copied();
        by_name.or_else(|| {
            let id = Uuid::try_parse(&key.text).ok()?;
            self.ids.get(key.collection)?.contains(&id).then_some(id)
        })
    }
}

/// A reference to something that the document does not declare.
#[derive(Debug)]
struct Dangling {
    key: ForeignKey,
    collection: &'static str,
    label: String,
    location: Location,
}

impl Dangling {
    /// Reports the reference under the name of the entity that has it.
    fn report(&self, problems: &mut Problems) {
        let ForeignKey { field, collection, text, .. } = &self.key;
        let location = [Step::from(self.collection), Step::from(self.label.as_str())];
        problems.append(
            &location,
            format!("invalid reference '{field}: {text}' (no such entry in '{collection}')"),
        );
    }

    /// Reports the reference in the shape of the other problems, which are told by position.
    fn report_among_others(&self, problems: &mut Problems) {
        let is_top_level = self.location.len() == 2;
        let problem = if is_top_level {
            json!({ "id": "missing primary key" })
        } else {
            Value::from("value must be null")
        };
        problems.add(&field(&self.location, self.key.field), problem);
    }
}

/// Reports entities with a name or an id that an earlier one has.
fn report_repeated<T: Drafted>(drafts: &[Draft<T>], problems: &mut Problems) {
    let mut names = HashSet::new();
    let mut ids = HashSet::new();
    for draft in drafts {
        let id_is_new = ids.insert(draft.entity.id());
        let repeated = match draft.entity.endpoint_key() {
            Some(name) if !names.insert(name.to_owned()) => format!("{} set to '{name}'", T::ENDPOINT_KEY),
            _ if !id_is_new => format!("primary key set to '{}'", draft.entity.id()),
            _ => continue,
        };
        let problem =
            format!("uniqueness violation: '{}' entity with {repeated} already declared", T::COLLECTION);
        let collection = Step::from(T::COLLECTION);
        let place = match draft.location.last() {
            // Where dangling references are reported by name, a position has no place.
            Some(index) if !problems.is_by_name(T::COLLECTION) => index.clone(),
            _ => Step::Key(label(&draft.entity)),
        };
        problems.add(&[collection, place], problem);
    }
}

fn by_id<T: Drafted>(drafts: Vec<Draft<T>>) -> Vec<T> {
    let mut entities: Vec<T> = drafts.into_iter().map(|draft| draft.entity).collect();
    entities.sort_unstable_by_key(Drafted::id);
    entities
}

/// What an entity is called where its position would say nothing.
fn label<T: Drafted>(entity: &T) -> String {
    entity.endpoint_key().map_or_else(|| entity.id().to_string(), str::to_owned)
}

fn field(location: &[Step], name: &str) -> Location {
    let mut location = location.to_vec();
    location.push(Step::from(name));
    location
}
