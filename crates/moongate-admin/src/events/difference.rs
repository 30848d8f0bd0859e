//! What became other between two configurations, as people want to be told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use moongate_store::{Dataset, Effect, Row};
use serde::Serialize;
use serde_json::Value;

use super::{HappeningKind, News, Subject};

/// Entities of one kind that the same happened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Changes {
    entity: String,
    operation: Operation,
    count: usize,
    /// The id of a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What people call a single one, if it has a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Operation {
    Made,
    Changed,
    Deleted,
}

impl Operation {
    fn of(effect: &Effect) -> Self {
        match (&effect.before, &effect.after) {
            (None, _) => Self::Made,
            (Some(_), Some(_)) => Self::Changed,
            (Some(_), None) => Self::Deleted,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Changed => "changed",
            Self::Deleted => "deleted",
        }
    }
}

/// Tells of a few changes one by one, and of many how many of which kind they are.
///
/// A configuration that is loaded again gives all of its rows new times. Rows that are the same but for these have not
/// changed.
pub(super) fn told(mut effects: Vec<Effect>) -> Vec<News> {
    effects.retain(|effect| match (&effect.before, &effect.after) {
        (Some(before), Some(after)) => !is_same(before, after),
        _ => true,
    });
    if effects.len() <= MOST_NAMED {
        return effects.iter().map(one).collect();
    }
    let changes = summed_up(&effects);
    let mut news =
        News::new(HappeningKind::ConfigurationChanged, format!("{} entities changed", effects.len()));
    news.detail = Some(changes.iter().map(line).collect::<Vec<_>>().join("\n"));
    news.changes = changes;
    vec![news]
}

/// What leads from one dataset to another, where the store does not know any more.
pub(super) fn between(before: &Dataset, after: &Dataset) -> Vec<Effect> {
    let tables = [before, after].into_iter().flat_map(|dataset| dataset.layout().tables());
    let entities: BTreeSet<_> = tables.map(|table| Arc::clone(&table.name)).collect();
    let mut effects = Vec::new();
    for entity in entities {
        let of = |dataset: &Dataset| {
            let rows = dataset.rows(&entity).filter_map(|row| Some((row.id()?, Arc::clone(row))));
            rows.collect::<BTreeMap<_, _>>()
        };
        let (mut old, new) = (of(before), of(after));
        for (id, after) in new {
            let before = old.remove(&id);
            if !before.as_ref().is_some_and(|before| Arc::ptr_eq(before, &after)) {
                effects.push(Effect { entity: Arc::clone(&entity), id, before, after: Some(after) });
            }
        }
        let gone = old.into_iter().map(|(id, row)| (id, Some(row)));
        effects.extend(gone.map(|(id, before)| Effect {
            entity: Arc::clone(&entity),
            id,
            before,
            after: None,
        }));
    }
    effects
}

fn is_same(before: &Row, after: &Row) -> bool {
    let fields = before.keys().chain(after.keys()).filter(|field| !TIMES.contains(&field.as_str()));
    fields.into_iter().all(|field| before.get(field) == after.get(field))
}

fn one(effect: &Effect) -> News {
    let kind = singular(&effect.entity);
    let name = name_of(effect).unwrap_or_else(|| effect.id.to_string());
    let message = format!("The {kind} {name} was {}", Operation::of(effect).word());
    let mut news = News::new(HappeningKind::ConfigurationChanged, message);
    news.changes = summed_up(std::slice::from_ref(effect));
    // Targets have no page of their own; their upstream has.
    let row = effect.after.as_ref().or(effect.before.as_ref());
    let upstream = row.and_then(|row| row.get("upstream")?.get("id")?.as_str());
    news.entity = match (upstream, &effect.after) {
        (Some(upstream), _) => Some(Subject { kind: "upstreams".to_owned(), id: upstream.to_owned() }),
        (None, Some(_)) => Some(Subject { kind: effect.entity.to_string(), id: effect.id.to_string() }),
        (None, None) => None,
    };
    news
}

fn summed_up(effects: &[Effect]) -> Vec<Changes> {
    let mut alike = BTreeMap::<_, Vec<&Effect>>::new();
    for effect in effects {
        alike.entry((&*effect.entity, Operation::of(effect))).or_default().push(effect);
    }
    let changes = alike.into_iter().map(|((entity, operation), effects)| {
        let single = match effects.as_slice() {
            [single] => Some(*single),
            _ => None,
        };
        Changes {
            entity: entity.to_owned(),
            operation,
            count: effects.len(),
            id: single.map(|effect| effect.id.to_string()),
            name: single.and_then(name_of),
        }
    });
    changes.collect()
}

fn line(changes: &Changes) -> String {
    let Changes { entity, operation, count, name, .. } = changes;
    let kind = if *count == 1 { singular(entity) } else { entity.replace('_', " ") };
    let name = name.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
    format!("{count} {kind} {}{name}", operation.word())
}

/// What people call an entity. Never a credential, even where the Admin API finds the entity by it.
fn name_of(effect: &Effect) -> Option<String> {
    let row = effect.after.as_ref().or(effect.before.as_ref())?;
    let named = |field: &str| row.get(field).and_then(Value::as_str).map(str::to_owned);
    ["instance_name", "name", "username", "target", "prefix"].into_iter().find_map(named)
}

/// One of a kind, as people say it.
fn singular(kind: &str) -> String {
    let words = kind.replace('_', " ");
    words.strip_suffix('s').map_or(words.clone(), str::to_owned)
}

/// So many changes at a time are told one by one.
const MOST_NAMED: usize = 10;

/// When a row was made and changed.
const TIMES: [&str; 2] = ["created_at", "updated_at"];

#[cfg(test)]
mod tests {
    use moongate_model::core::{RouterFlavor, catalog};
    use moongate_store::{Change, Layout, MemoryStore, Store, Version};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn row(number: u128, host: &str, at: u64) -> Row {
        let id = Uuid::from_u128(number);
        let row = json!({"id": id, "name": format!("s{number}"), "host": host, "created_at": at});
        row.as_object().unwrap().clone()
    }

    async fn written(store: &MemoryStore, changes: Vec<Change>) -> Dataset {
        store.write(changes).await.unwrap().dataset
    }

    /// A store with so many services, and what it has.
    async fn services(count: u128) -> (MemoryStore, Dataset) {
        let store = MemoryStore::new(Arc::new(Layout::of(
            &catalog(RouterFlavor::TraditionalCompatible).build().unwrap(),
        )));
        let made = (1..=count).map(|number| Change::insert("services", row(number, "a.test", 1)));
        let dataset = written(&store, made.collect()).await;
        (store, dataset)
    }

    fn messages(news: &[News]) -> Vec<&str> {
        news.iter().map(|news| news.message.as_str()).collect()
    }

    #[tokio::test]
    async fn a_few_changes_are_named_and_new_times_are_none() {
        let (store, before) = services(30).await;
        let changed = |number: u128| if number == 7 { "b.test" } else { "a.test" };
        let again = (1..=29).map(|number| {
            Change::update("services", row(number, "a.test", 1), row(number, changed(number), 2))
        });
        let gone = Change::delete("services", Uuid::from_u128(30));
        let after = written(&store, again.chain([gone]).collect()).await;
        let (_, effects) = store.changes_since(before.version()).unwrap();
        assert_eq!(effects.len(), 30);
        let expected = ["The service s7 was changed", "The service s30 was deleted"];
        let known = told(effects);
        assert_eq!(messages(&known), expected);
        assert_eq!(known, told(between(&before, &after)), "whether the store knows it or not");
        assert_eq!(known[0].entity.as_ref().unwrap().id, Uuid::from_u128(7).to_string());
        assert_eq!(known[1].entity, None, "what is gone has no page");
        let changes = serde_json::to_value(&known[1].changes).unwrap();
        let (id, name) = (Uuid::from_u128(30), "s30");
        let one = json!([{"entity": "services", "operation": "deleted", "count": 1, "id": id, "name": name}]);
        assert_eq!(changes, one);
    }

    #[tokio::test]
    async fn many_changes_are_counted_by_their_kind() {
        let (store, all) = services(12).await;
        let route = json!({"id": Uuid::from_u128(100), "name": "r"}).as_object().unwrap().clone();
        let all_but_one = (1..12).map(|number| Change::delete("services", Uuid::from_u128(number)));
        let last = Change::update("services", row(12, "a.test", 1), row(12, "b.test", 1));
        let changes = all_but_one.chain([last, Change::insert("routes", route)]).collect();
        let after = written(&store, changes).await;
        let news = told(between(&all, &after));
        assert_eq!(messages(&news), ["13 entities changed"]);
        let detail = "1 route made: r\n1 service changed: s12\n11 services deleted";
        assert_eq!(news[0].detail.as_deref(), Some(detail));
        let changes = serde_json::to_value(&news[0].changes).unwrap();
        assert_eq!(changes[2], json!({"entity": "services", "operation": "deleted", "count": 11}));
        assert_eq!(told(between(&after, &after)), []);
        assert_eq!(all.version(), Version(1));
    }

    #[test]
    fn kinds_have_a_word_for_one_of_them() {
        assert_eq!(singular("ca_certificates"), "ca certificate");
        assert_eq!(singular("services"), "service");
    }
}
