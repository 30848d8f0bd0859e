use std::sync::Arc;

use async_trait::async_trait;
use moongate_store::{Change, Dataset, Effect, Guard, Key, Outcome, StoreError, Version};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::place::Place;
use crate::rows::{id, insert, reference, row};

pub(crate) async fn a_write_happens_whole_or_not_at_all(place: Place) {
    let store = place.open().await;
    store.write(vec![insert("services", json!({"name": "a"}))]).await.unwrap();
    let before = store.dataset();
    let service = row(json!({"name": "b"}));
    let changes = vec![
        Change::insert("services", service.clone()),
        insert("routes", json!({"service": reference(&service)})),
        insert("services", json!({"name": "a"})),
    ];
    store.write(changes).await.unwrap_err();
    let after = store.load().await.unwrap();
    assert_eq!(after.version(), before.version());
    assert_eq!((after.len("services"), after.len("routes")), (1, 0));
}

pub(crate) async fn a_lost_update_is_a_conflict(place: Place) {
    let store = place.open().await;
    let service =
        store.write(vec![insert("services", json!({"port": 1}))]).await.unwrap().into_row().unwrap();
    let with_port = |port: u32| {
        let mut row = service.clone();
        row.insert("port".to_owned(), json!(port));
        row
    };
    store.write(vec![Change::update("services", service.clone(), with_port(2))]).await.unwrap();
    let late =
        store.write(vec![Change::update("services", service.clone(), with_port(3))]).await.unwrap_err();
    assert_eq!(late, StoreError::Conflict { entity: "services".to_owned(), id: id(&service) });
    let read = store.find("services", &id(&service).into()).await.unwrap().unwrap();
    assert_eq!(read["port"], json!(2));

    store.write(vec![Change::delete("services", id(&service))]).await.unwrap();
    let later = store.write(vec![Change::update("services", with_port(2), with_port(3))]).await.unwrap_err();
    assert_eq!(later, StoreError::NotFound);
}

pub(crate) async fn an_upsert_makes_or_replaces(place: Place) {
    let store = place.open().await;
    let own = Uuid::new_v4();
    let upsert = async |key: Key, row: Value| {
        let change = Change::upsert("services", key, row.as_object().unwrap().clone());
        store.write(vec![change]).await.unwrap().outcomes.pop().unwrap()
    };
    let made = upsert(own.into(), json!({"name": "a", "port": 1})).await;
    assert!(matches!(&made, Outcome::Created(row) if id(row) == own));
    let replaced = upsert(own.into(), json!({"name": "b", "host": "h"})).await;
    let Outcome::Replaced(row) = replaced else { panic!("{replaced:?}") };
    assert_eq!((&row["name"], &row["host"], &row["port"]), (&json!("b"), &json!("h"), &Value::Null));

    let kept = upsert(Key::field("name", "b"), json!({"id": Uuid::new_v4(), "name": "b", "port": 2})).await;
    assert!(matches!(&kept, Outcome::Replaced(row) if id(row) == own && row["port"] == json!(2)));
    let new = Uuid::new_v4();
    let made = upsert(Key::field("name", "c"), json!({"id": new, "name": "c"})).await;
    assert!(matches!(&made, Outcome::Created(row) if id(row) == new));
    assert_eq!(store.load().await.unwrap().len("services"), 2);
}

pub(crate) async fn a_removed_row_is_gone(place: Place) {
    let store = place.open().await;
    let service =
        store.write(vec![insert("services", json!({"name": "a"}))]).await.unwrap().into_row().unwrap();
    let gone = store.write(vec![Change::delete("services", id(&service))]).await.unwrap();
    assert_eq!(gone.outcomes, [Outcome::Deleted]);
    assert_eq!(store.find("services", &id(&service).into()).await.unwrap(), None);
    assert_eq!(store.find("services", &Key::field("name", "a")).await.unwrap(), None);
    let again = store.write(vec![Change::delete("services", id(&service))]).await.unwrap_err();
    assert_eq!(again, StoreError::NotFound);
}

pub(crate) async fn what_changes_nothing_is_no_version(place: Place) {
    let store = place.open().await;
    let service =
        store.write(vec![insert("services", json!({"name": "a"}))]).await.unwrap().into_row().unwrap();
    let before = store.load().await.unwrap().version();
    let mut changes = store.changes();
    changes.mark_unchanged();
    for nothing in [
        vec![],
        vec![Change::update("services", service.clone(), service.clone())],
        vec![Change::delete("services", id(&service)), Change::insert("services", service.clone())],
    ] {
        let written = store.write(nothing).await.unwrap();
        assert_eq!((written.version, written.effects.len()), (before, 0));
    }
    assert_eq!(store.load().await.unwrap().version(), before);
    assert!(!changes.has_changed().unwrap());
}

struct NoPort(u64);

#[async_trait]
impl Guard for NoPort {
    async fn check(&self, next: &Dataset, effects: &[Effect]) -> Result<(), StoreError> {
        assert!(!effects.is_empty());
        match next.rows("services").any(|row| row["port"] == json!(self.0)) {
            true => Err(StoreError::Refused {
                message: "no such port".to_owned(),
                fields: json!({"port": "no"}),
                about: None,
            }),
            false => Ok(()),
        }
    }
}

pub(crate) async fn a_guard_can_refuse(place: Place) {
    let store = place.open().await;
    let with_port = |port: u64| vec![insert("services", json!({"port": port}))];
    store.write_if(with_port(1), &NoPort(2)).await.unwrap();
    let refused = store.write_if(with_port(2), &NoPort(2)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused { .. }));
    let left = store.load().await.unwrap();
    assert_eq!((left.len("services"), left.version()), (1, Version(1)));
    // The store is not blocked.
    store.write(with_port(2)).await.unwrap();
}

pub(crate) async fn everything_can_be_replaced(place: Place) {
    let store = place.open().await;
    let (kept, old) = (row(json!({"name": "kept"})), row(json!({"name": "old"})));
    let route = row(json!({"service": reference(&old)}));
    let inserts = [("services", &kept), ("services", &old), ("routes", &route)];
    store.write(inserts.map(|(entity, row)| Change::insert(entity, row.clone())).to_vec()).await.unwrap();
    let new = row(json!({"name": "old", "port": 1}));
    let replaced = store
        .write(vec![
            Change::Clear,
            Change::insert("services", kept.clone()),
            Change::insert("services", new.clone()),
        ])
        .await
        .unwrap();
    let mut changed: Vec<Uuid> = replaced.effects.iter().map(|effect| effect.id).collect();
    changed.sort();
    let mut expected = vec![id(&old), id(&route), id(&new)];
    expected.sort();
    assert_eq!(changed, expected);
    let left = store.load().await.unwrap();
    assert_eq!((left.len("services"), left.len("routes")), (2, 0));
}

pub(crate) async fn effects_lead_from_one_dataset_to_the_next(place: Place) {
    let store = place.open().await;
    let mut follower = store.load().await.unwrap();
    let start = follower.version();
    let mut versions = store.changes();
    let service =
        store.write(vec![insert("services", json!({"name": "a"}))]).await.unwrap().into_row().unwrap();
    let consumer = row(json!({"username": "eve"}));
    store.write(vec![Change::insert("consumers", consumer.clone())]).await.unwrap();
    let mut renamed = service.clone();
    renamed.insert("name".to_owned(), json!("b"));
    let last = store
        .write(vec![Change::update("services", service, renamed), Change::delete("consumers", id(&consumer))])
        .await
        .unwrap();

    versions.changed().await.unwrap();
    assert_eq!(*versions.borrow_and_update(), last.version);
    assert_eq!(last.version, Version(start.0 + 3));
    let (version, effects) = store.changes_since(start).unwrap();
    follower.apply(&effects, version);
    assert_same(&follower, &store.load().await.unwrap());
    assert_same(&follower, &last.dataset);
    assert_eq!(store.changes_since(last.version), Some((last.version, Vec::new())));
    assert_eq!(store.changes_since(Version(last.version.0 + 1)), None);
}

/// Both have the same rows at the same version.
pub(crate) fn assert_same(one: &Dataset, other: &Dataset) {
    assert_eq!(one.version(), other.version());
    assert_eq!(one.layout(), other.layout());
    for table in one.layout().tables() {
        assert!(one.rows(&table.name).eq(other.rows(&table.name)), "{} differ", table.name);
    }
}

pub(crate) async fn writes_from_many_tasks_are_all_made(place: Place) {
    let store = place.open().await;
    let mut tasks = JoinSet::new();
    for task in 0..10 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for n in 0..100 {
                let service = row(json!({"name": format!("s-{task}-{n}")}));
                let route = insert("routes", json!({"service": reference(&service)}));
                let written =
                    store.write(vec![Change::insert("services", service.clone()), route]).await.unwrap();
                assert_eq!(written.effects.len(), 2);
                assert!(store.find("services", &id(&service).into()).await.unwrap().is_some());
            }
        });
    }
    tasks.join_all().await;
    let all = store.load().await.unwrap();
    assert_eq!((all.len("services"), all.len("routes"), all.version()), (1000, 1000, Version(1000)));
}
