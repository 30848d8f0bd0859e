use std::sync::Arc;

use moongate_store::{Change, Key, StoreError};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::place::Place;
use crate::rows::{id, insert, reference, row};

pub(crate) async fn no_two_rows_have_the_same_unique_value(place: Place) {
    let store = place.open().await;
    store.write(vec![insert("services", json!({"name": "a"}))]).await.unwrap();
    let other = row(json!({"name": "b"}));
    let other = store.write(vec![Change::insert("services", other)]).await.unwrap().into_row().unwrap();
    let taken = StoreError::UniqueViolation {
        entity: "services".to_owned(),
        fields: json!({"name": "a"}).as_object().unwrap().clone(),
    };
    let mut renamed = other.clone();
    renamed.insert("name".to_owned(), json!("a"));
    for change in [
        insert("services", json!({"name": "a"})),
        Change::update("services", other.clone(), renamed.clone()),
        Change::upsert("services", id(&other).into(), renamed.clone()),
        Change::upsert("services", Key::field("name", "c"), row(json!({"name": "a"}))),
    ] {
        assert_eq!(store.write(vec![change]).await.unwrap_err(), taken);
    }
    // Names are swapped when they are free in between.
    let freed = store.write(vec![
        Change::delete(
            "services",
            id(&store.find("services", &Key::field("name", "a")).await.unwrap().unwrap()),
        ),
        Change::update("services", other, renamed),
        insert("services", json!({"name": "b"})),
    ]);
    freed.await.unwrap();
    assert_eq!(store.dataset().len("services"), 2);
}

pub(crate) async fn nulls_are_unique_only_together(place: Place) {
    let store = place.open().await;
    store
        .write(vec![insert("services", json!({})), insert("services", json!({"name": null}))])
        .await
        .unwrap();
    let service = row(json!({}));
    let plugin = json!({"name": "cors", "service": reference(&service)});
    store
        .write(vec![
            Change::insert("services", service.clone()),
            insert("plugins", json!({"name": "cors"})),
            insert("plugins", plugin.clone()),
            insert("plugins", json!({"name": "jwt"})),
        ])
        .await
        .unwrap();
    let global = store.write(vec![insert("plugins", json!({"name": "cors"}))]).await.unwrap_err();
    let StoreError::UniqueViolation { entity, fields } = global else { panic!("{global:?}") };
    assert_eq!(entity, "plugins");
    assert_eq!(
        Value::Object(fields),
        json!({"name": "cors", "service": null, "route": null, "consumer": null})
    );
    let local = store.write(vec![insert("plugins", plugin)]).await.unwrap_err();
    let StoreError::UniqueViolation { fields, .. } = local else { panic!("{local:?}") };
    assert_eq!(fields["service"], reference(&service));
}

pub(crate) async fn an_id_is_taken_once(place: Place) {
    let store = place.open().await;
    let service = row(json!({"name": "a"}));
    store.write(vec![Change::insert("services", service.clone())]).await.unwrap();
    let mut again = service.clone();
    again.insert("id".to_owned(), json!(service["id"].as_str().unwrap().to_uppercase()));
    let taken = StoreError::PrimaryKeyViolation { entity: "services".to_owned(), id: id(&service) };
    assert_eq!(store.write(vec![Change::insert("services", again)]).await.unwrap_err(), taken);
    // Ids belong to their entity.
    store.write(vec![insert("things", json!({"id": service["id"]}))]).await.unwrap();
}

pub(crate) async fn of_many_who_want_a_name_one_gets_it(place: Place) {
    let store = place.open().await;
    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            store.write(vec![insert("services", json!({"name": "wanted"}))]).await.map(drop)
        });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results.iter().filter(|result| result.is_err()) {
        assert!(matches!(result, Err(StoreError::UniqueViolation { .. })), "{result:?}");
    }
    assert_eq!(store.load().await.unwrap().len("services"), 1);
}
