//! What stores do that last.

use std::sync::Arc;
use std::time::Duration;

use moongate_store::{Change, Column, Kind, Layout, PageRequest, Store, StoreError, Version};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::place::Place;
use crate::rows::{id, insert, reference, row, services};
use crate::rules::{assert_same, things};

macro_rules! for_each_durable_rule {
    ($with:ident) => {
        $with! {
            everything_is_there_after_it_was_opened_again
            two_stores_see_each_others_writes
            of_two_stores_that_want_a_name_one_gets_it
            a_follower_hears_of_each_change
            a_long_absence_is_caught_up
            entities_that_are_left_out_still_count
            ten_thousand_rows_are_imported_and_listed_quickly
        }
    };
}
pub(crate) use for_each_durable_rule;

pub(crate) async fn everything_is_there_after_it_was_opened_again(place: Place) {
    let store = place.open().await;
    store.write(things().into_iter().map(|thing| insert("things", thing)).collect()).await.unwrap();
    let service = row(json!({"name": "a", "created_at": 1_700_000_000, "tags": ["x"]}));
    let route = row(json!({"paths": ["/a", "/b"], "service": reference(&service)}));
    let inserts = vec![Change::insert("services", service.clone()), Change::insert("routes", route.clone())];
    store.write(inserts).await.unwrap();
    store.write(vec![insert("keys", json!({"key": "k", "ttl": 12.5}))]).await.unwrap();
    store.write(vec![Change::delete("routes", id(&route))]).await.unwrap();
    let before = store.load().await.unwrap();
    drop(store);
    let after = place.open().await;
    assert_same(&before, &after.load().await.unwrap());
    assert_eq!(before.version(), Version(4));
    // Versions go on.
    let next = after.write(vec![insert("services", json!({}))]).await.unwrap();
    assert_eq!(next.version, Version(5));
}

pub(crate) async fn two_stores_see_each_others_writes(place: Place) {
    let (one, other) = (place.open().await, place.open().await);
    let service = row(json!({"name": "a"}));
    one.write(vec![Change::insert("services", service.clone())]).await.unwrap();
    let read = other.find("services", &id(&service).into()).await.unwrap().unwrap();
    let mut renamed = read.clone();
    renamed.insert("name".to_owned(), json!("b"));
    other.write(vec![Change::update("services", read.clone(), renamed.clone())]).await.unwrap();
    // The writer learns it from the write, without a read in between.
    let lost = one.write(vec![Change::update("services", read, renamed.clone())]).await.unwrap_err();
    assert!(matches!(lost, StoreError::Conflict { .. }));
    assert_eq!(one.find("services", &id(&service).into()).await.unwrap(), Some(renamed));
    other.write(vec![Change::delete("services", id(&service))]).await.unwrap();
    assert_eq!(one.page("services", &PageRequest::new(10)).await.unwrap().rows.len(), 0);
    assert_same(&one.load().await.unwrap(), &other.load().await.unwrap());
}

pub(crate) async fn of_two_stores_that_want_a_name_one_gets_it(place: Place) {
    let stores = [place.open().await, place.open().await];
    for round in 0..10 {
        let mut tasks = JoinSet::new();
        for store in stores.iter().cycle().take(6) {
            let (store, name) = (Arc::clone(store), format!("n{round}"));
            tasks.spawn(async move {
                store.write(vec![insert("services", json!({"name": name}))]).await.map(drop)
            });
        }
        let results = tasks.join_all().await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
        for result in results.into_iter().filter(Result::is_err) {
            assert!(matches!(result, Err(StoreError::UniqueViolation { .. })), "{result:?}");
        }
    }
    assert_same(&stores[0].load().await.unwrap(), &stores[1].load().await.unwrap());
    assert_eq!(stores[0].dataset().len("services"), 10);
}

pub(crate) async fn a_follower_hears_of_each_change(place: Place) {
    let (writer, follower) = (place.open().await, place.open().await);
    let mut dataset = follower.dataset();
    let mut versions = follower.changes();
    let mut waited = Vec::new();
    let is_told = follower.status().await.kind == "postgres";
    let rounds = if is_told { 21 } else { 3 };
    for n in 0..rounds {
        let written = writer.write(vec![insert("services", json!({"port": n}))]).await.unwrap();
        let start = Instant::now();
        let heard = versions.wait_for(|version| *version >= written.version);
        timeout(Duration::from_secs(5), heard).await.unwrap().unwrap();
        waited.push(start.elapsed());
        let (version, effects) = follower.changes_since(dataset.version()).unwrap();
        dataset.apply(&effects, version);
        assert_same(&dataset, &written.dataset);
    }
    waited.sort();
    let (median, longest) = (waited[rounds / 2], waited[rounds - 1]);
    eprintln!("another store hears of a change after {median:?} (median), {longest:?} (longest)");
    assert!(!is_told || median < Duration::from_millis(100), "{waited:?}");
}

pub(crate) async fn a_long_absence_is_caught_up(place: Place) {
    let (writer, other) = (place.open().await, place.open().await);
    let start = other.dataset().version();
    let many = (0..1500).map(|n| insert("services", json!({"port": n}))).collect();
    let written = writer.write(many).await.unwrap();
    assert_same(&other.load().await.unwrap(), &written.dataset);
    assert_eq!(other.changes_since(start), None);
    assert_eq!(other.changes_since(written.version), Some((written.version, Vec::new())));
}

pub(crate) async fn entities_that_are_left_out_still_count(place: Place) {
    let store = place.open().await;
    let service = row(json!({}));
    let route = insert("routes", json!({"service": reference(&service)}));
    store.write(vec![Change::insert("services", service.clone()), route]).await.unwrap();
    // As when the plugin that brought them is gone.
    store.adopt(Arc::new(Layout::new([services()]))).await.unwrap();
    let stays = StoreError::ForeignKeyReferenced { entity: "services".to_owned(), by: "routes".to_owned() };
    assert_eq!(store.write(vec![Change::delete("services", id(&service))]).await.unwrap_err(), stays);
    store.write(vec![insert("services", json!({"name": "a"}))]).await.unwrap();
    // A column cannot become something else.
    let mut other = services();
    other.columns.retain(|column| column.field != "name");
    other.columns.push(Column::new("name", Kind::Integer));
    let refused = store.adopt(Arc::new(Layout::new([other]))).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Corrupt(why) if why.contains("`name`")), "{refused:?}");
    assert_eq!(store.dataset().len("services"), 2);
}

pub(crate) async fn ten_thousand_rows_are_imported_and_listed_quickly(place: Place) {
    let store = place.open().await;
    let mut changes = Vec::new();
    for n in 0..5000 {
        let service = row(json!({"name": format!("s{n}"), "host": "a.test", "port": 80, "tags": ["import"]}));
        let route = row(json!({"paths": [format!("/{n}")], "service": reference(&service)}));
        changes.push(Change::upsert("services", id(&service).into(), service));
        changes.push(Change::upsert("routes", id(&route).into(), route));
    }
    let start = Instant::now();
    store.write(changes).await.unwrap();
    let imported = start.elapsed();
    let start = Instant::now();
    let mut request = PageRequest::new(1000);
    let mut seen = 0;
    loop {
        let page = store.page("routes", &request).await.unwrap();
        seen += page.rows.len();
        request.offset = page.next;
        if page.next.is_none() {
            break;
        }
    }
    eprintln!("10,000 rows: imported in {imported:?}, 5,000 of them listed in {:?}", start.elapsed());
    assert_eq!(seen, 5000);
    assert!(imported < Duration::from_secs(20), "{imported:?}");
    drop(store);
    assert_eq!(place.open().await.dataset().len("services"), 5000);
}

/// Waits until `store` has what `wanted` says, for five seconds at most.
pub(crate) async fn eventually(store: &dyn Store, wanted: impl Fn(&moongate_store::Dataset) -> bool) {
    let start = Instant::now();
    while !wanted(&store.dataset()) {
        assert!(start.elapsed() < Duration::from_secs(5), "still at version {}", store.dataset().version());
        sleep(Duration::from_millis(5)).await;
    }
}
