use std::time::Duration;

use moongate_store::{Change, Key, PageRequest};
use serde_json::{Value, json};

use crate::place::Place;
use crate::rows::{id, insert, reference, row};

pub(crate) async fn a_row_expires(place: Place) {
    let store = place.open().await;
    let written = store.write(vec![
        insert("keys", json!({"key": "short", "ttl": 10, "tags": ["a"]})),
        insert("keys", json!({"key": "long", "ttl": 100})),
        insert("keys", json!({"key": "ever", "ttl": 0})),
    ]);
    let rows: Vec<_> =
        written.await.unwrap().outcomes.into_iter().filter_map(|outcome| outcome.into_row()).collect();
    assert_eq!([&rows[0]["ttl"], &rows[1]["ttl"], &rows[2]["ttl"]], [&json!(10), &json!(100), &Value::Null]);

    place.pass(Duration::from_millis(4500));
    let read = async |key: &str| store.find("keys", &Key::field("key", key)).await.unwrap();
    assert_eq!(read("short").await.unwrap()["ttl"], json!(6));
    // An update keeps the expiry unless it sets another.
    let short = read("short").await.unwrap();
    let mut tagged = short.clone();
    tagged.insert("tags".to_owned(), json!(["a", "b"]));
    tagged.remove("ttl");
    store.write(vec![Change::update("keys", short, tagged)]).await.unwrap();
    let long = read("long").await.unwrap();
    let mut longer = long.clone();
    longer.insert("ttl".to_owned(), json!(1000));
    store.write(vec![Change::update("keys", long, longer)]).await.unwrap();

    place.pass(Duration::from_millis(5499));
    assert_eq!(read("short").await.unwrap()["ttl"], json!(1));
    place.pass(Duration::from_millis(1));
    assert_eq!(read("short").await, None);
    assert_eq!(store.find("keys", &id(&rows[0]).into()).await.unwrap(), None);
    assert_eq!(store.page("keys", &PageRequest::new(10)).await.unwrap().rows.len(), 2);
    assert_eq!(store.tags(None, 10, None).await.unwrap().rows.len(), 0);
    assert_eq!(read("long").await.unwrap()["ttl"], json!(995));
    assert_eq!(read("ever").await.unwrap()["ttl"], Value::Null);
}

pub(crate) async fn an_expired_row_is_in_nobodys_way(place: Place) {
    let store = place.open().await;
    let consumer = row(json!({"username": "eve"}));
    let key = row(json!({"key": "k", "ttl": 10, "consumer": reference(&consumer)}));
    store
        .write(vec![Change::insert("consumers", consumer.clone()), Change::insert("keys", key.clone())])
        .await
        .unwrap();
    place.pass(Duration::from_secs(10));
    assert!(store.write(vec![Change::delete("keys", id(&key))]).await.is_err());
    // Neither the id nor the unique value is taken.
    let again = store.write(vec![Change::insert("keys", key.clone())]).await.unwrap();
    assert_eq!(again.effects.len(), 1);
    place.pass(Duration::from_secs(10));
    let other = store.write(vec![insert("keys", json!({"key": "k"}))]).await.unwrap();
    assert_eq!(other.effects.len(), 2);
    store.write(vec![Change::delete("consumers", id(&consumer))]).await.unwrap();
    assert_eq!(store.load().await.unwrap().len("keys"), 1);
}
