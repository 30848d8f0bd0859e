use moongate_store::{Change, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::place::Place;
use crate::rows::{id, insert, reference, row};

pub(crate) async fn a_foreign_key_must_refer_to_a_row(place: Place) {
    let store = place.open().await;
    let nowhere = Uuid::new_v4();
    let missing = StoreError::ForeignKeyMissing {
        entity: "routes".to_owned(),
        field: "service".to_owned(),
        id: nowhere,
        references: "services".to_owned(),
    };
    let route = json!({"service": {"id": nowhere}});
    assert_eq!(store.write(vec![insert("routes", route.clone())]).await.unwrap_err(), missing);
    // The parent must come first.
    let service = row(json!({"id": nowhere}));
    let wrong = vec![insert("routes", route.clone()), Change::insert("services", service.clone())];
    assert_eq!(store.write(wrong).await.unwrap_err(), missing);
    store.write(vec![Change::insert("services", service), insert("routes", route)]).await.unwrap();
    // A row may refer to itself.
    let own = Uuid::new_v4();
    store.write(vec![insert("things", json!({"id": own, "thing": {"id": own}}))]).await.unwrap();
    store.write(vec![Change::delete("things", own)]).await.unwrap();
}

pub(crate) async fn what_is_referred_to_stays(place: Place) {
    let store = place.open().await;
    let service = row(json!({"name": "a"}));
    let route = row(json!({"service": reference(&service)}));
    let inserts = vec![
        Change::insert("services", service.clone()),
        Change::insert("routes", route.clone()),
        insert("plugins", json!({"name": "cors", "service": reference(&service)})),
    ];
    store.write(inserts).await.unwrap();
    let stays = StoreError::ForeignKeyReferenced { entity: "services".to_owned(), by: "routes".to_owned() };
    assert_eq!(store.write(vec![Change::delete("services", id(&service))]).await.unwrap_err(), stays);
    assert_eq!(store.dataset().len("plugins"), 1);
    let both = vec![Change::delete("routes", id(&route)), Change::delete("services", id(&service))];
    let gone = store.write(both).await.unwrap();
    assert_eq!(gone.effects.len(), 3);
    assert!(store.load().await.unwrap().is_empty());
}

pub(crate) async fn what_belongs_to_a_row_goes_with_it(place: Place) {
    let store = place.open().await;
    let (service, consumer) = (row(json!({})), row(json!({"username": "eve"})));
    let route = row(json!({"service": reference(&service)}));
    let plugin = row(json!({"name": "cors", "route": reference(&route), "consumer": reference(&consumer)}));
    let inserts =
        [("services", &service), ("consumers", &consumer), ("routes", &route), ("plugins", &plugin)];
    store.write(inserts.map(|(entity, row)| Change::insert(entity, row.clone())).to_vec()).await.unwrap();
    let keys =
        (0..3).map(|n| insert("keys", json!({"key": format!("k{n}"), "consumer": reference(&consumer)})));
    store.write(keys.collect()).await.unwrap();

    let gone = store.write(vec![Change::delete("consumers", id(&consumer))]).await.unwrap();
    let mut entities: Vec<&str> = gone.effects.iter().map(|effect| &*effect.entity).collect();
    entities.sort_unstable();
    assert_eq!(entities, ["consumers", "keys", "keys", "keys", "plugins"]);
    assert!(gone.effects.iter().all(|effect| effect.before.is_some() && effect.after.is_none()));
    let left = store.load().await.unwrap();
    assert_eq!((left.len("keys"), left.len("plugins"), left.len("routes")), (0, 0, 1));
}

pub(crate) async fn a_reference_can_become_null(place: Place) {
    let store = place.open().await;
    let thing = row(json!({"text": "a"}));
    let other = row(json!({"text": "b", "thing": reference(&thing)}));
    let inserts = vec![Change::insert("things", thing.clone()), Change::insert("things", other.clone())];
    store.write(inserts).await.unwrap();
    let gone = store.write(vec![Change::delete("things", id(&thing))]).await.unwrap();
    assert_eq!(gone.effects.len(), 2);
    let left = store.find("things", &id(&other).into()).await.unwrap().unwrap();
    assert_eq!((&left["text"], &left["thing"]), (&json!("b"), &Value::Null));
}
