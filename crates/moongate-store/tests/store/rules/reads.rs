use std::sync::Arc;

use moongate_store::{Change, Column, Key, Kind, Layout, OnDelete, Row, StoreError, Table, Unique};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::place::Place;
use crate::rows::{foreign, id, insert, layout, reference, row, services, table};

pub(crate) async fn a_row_is_read_as_it_was_written(place: Place) {
    let store = place.open().await;
    for fields in things() {
        let given = row(fields);
        let written = store.write(vec![Change::insert("things", given.clone())]).await.unwrap();
        let read = store.find("things", &id(&given).into()).await.unwrap().unwrap();
        let mut whole = given;
        for column in &layout().table("things").unwrap().columns {
            whole.entry(column.field.clone()).or_insert(Value::Null);
        }
        assert_eq!(read, whole);
        assert_eq!(written.into_row().unwrap(), whole);
    }
}

/// Rows with values that a database might keep in another form.
pub(crate) fn things() -> Vec<Value> {
    vec![
        json!({}),
        json!({"text": "", "integer": 0, "number": 0, "boolean": false, "created_at": 1, "moved_at": 1, "texts": [], "json": {}}),
        json!({"text": "it's \"quoted\" \\ ß 日本 🌕\n\t", "texts": ["/a,b", "{}", "\"", "", "NULL", " ", "\\"]}),
        json!({"integer": i64::MAX, "number": 0.1, "boolean": true, "created_at": 1_700_000_000, "moved_at": 1_700_000_000.123}),
        json!({"integer": i64::MIN, "number": -1.5e300, "created_at": 253_402_300_800_i64, "moved_at": 0.000_001}),
        json!({"number": 5e-324, "moved_at": 1_699_999_999.999_999}),
        json!({"number": 9_007_199_254_740_992_i64, "json": [null, 1, 1.0, -1.5, 1e-7, 123_456_789.123_456_79, u64::MAX, i64::MIN]}),
        json!({"json": {"a": {"b": [{"c": null}, [], {}, "", "\u{1}", "🌕"]}, "": false, "ä \" '": [[[]]]}}),
        json!({"json": [5e-324, f64::MAX, f64::MIN_POSITIVE, 2e19, -1e19, 0.1 + 0.2, 1e-300, 999_999_999_999_999.9]}),
        json!({"json": "just a text"}),
        json!({"json": 1.0}),
        json!({"json": false}),
        json!({"other_id": Uuid::new_v4(), "texts": ["one"]}),
    ]
}

pub(crate) async fn rows_are_found_by_what_is_unique(place: Place) {
    let store = place.open().await;
    let (service, other) = (row(json!({"name": "orders", "host": "a.test"})), row(json!({"host": "a.test"})));
    let plugin = row(json!({"name": "cors", "service": reference(&service)}));
    let changes = [("services", &service), ("services", &other), ("plugins", &plugin)];
    store.write(changes.map(|(entity, row)| Change::insert(entity, row.clone())).to_vec()).await.unwrap();
    let found = async |entity: &str, key: Key| store.find(entity, &key).await.unwrap().map(|row| id(&row));

    assert_eq!(found("services", Key::field("name", "orders")).await, Some(id(&service)));
    assert_eq!(found("services", Key::field("name", "none")).await, None);
    assert_eq!(found("services", Uuid::new_v4().into()).await, None);
    assert_eq!(found("services", Key::field("host", "a.test")).await, Some(id(&service).min(id(&other))));
    let whole = json!({"name": "cors", "service": {"id": service["id"]}, "route": null, "consumer": null});
    assert_eq!(found("plugins", Key::Unique(row_of(whole))).await, Some(id(&plugin)));
    let global = json!({"name": "cors", "service": null, "route": null, "consumer": null});
    assert_eq!(found("plugins", Key::Unique(row_of(global))).await, None);
    // Not null.
    assert_eq!(found("services", Key::field("name", Value::Null)).await, None);
}

fn row_of(fields: Value) -> Row {
    fields.as_object().unwrap().clone()
}

pub(crate) async fn unknown_entities_and_values_that_do_not_fit_are_refused(place: Place) {
    let store = place.open().await;
    let unknown = StoreError::UnknownEntity("planets".to_owned());
    assert_eq!(store.find("planets", &Uuid::new_v4().into()).await, Err(unknown.clone()));
    assert_eq!(store.write(vec![insert("planets", json!({}))]).await.unwrap_err(), unknown);
    for (fields, wrong) in [
        (json!({"text": 1}), "text"),
        (json!({"text": "\u{0}"}), "text"),
        (json!({"json": {"a": ["\u{0}"]}}), "json"),
        (json!({"integer": 1.5}), "integer"),
        (json!({"thing": "x"}), "thing"),
        (json!({"colour": "red"}), "colour"),
        (json!({"id": null}), "id"),
    ] {
        let refused = store.write(vec![Change::insert("things", row_of(fields))]).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Unfit { field, .. } if field == wrong), "{refused:?}");
    }
    assert!(store.dataset().is_empty());
}

pub(crate) async fn another_layout_adds_entities_and_fields(place: Place) {
    let store = place.open().await;
    let consumer = row(json!({"username": "eve"}));
    let service = row(json!({"name": "orders"}));
    let inserts =
        vec![Change::insert("consumers", consumer.clone()), Change::insert("services", service.clone())];
    let before = store.write(inserts).await.unwrap().version;

    let mut services = services();
    services.columns.push(Column::new("colour", Kind::Text));
    services.uniques.push(Unique::new(["colour"]));
    let badges = Table {
        ttl: true,
        uniques: vec![Unique::new(["label", "consumer"])],
        ..table(
            "badges",
            [Column::new("label", Kind::Text), foreign("consumer", "consumers", OnDelete::Cascade)],
        )
    };
    let mut tables: Vec<Table> = layout().tables().iter().map(|table| (**table).clone()).collect();
    tables.retain(|table| *table.name != *"services");
    tables.extend([services, badges]);
    let wider = Arc::new(Layout::new(tables));
    store.adopt(Arc::clone(&wider)).await.unwrap();
    store.adopt(Arc::clone(&wider)).await.unwrap();

    assert_eq!(store.changes_since(before.min(moongate_store::Version(0))), None);
    let read = store.find("services", &id(&service).into()).await.unwrap().unwrap();
    assert_eq!((&read["name"], &read["colour"]), (&json!("orders"), &Value::Null));
    let mut coloured = read.clone();
    coloured.insert("colour".to_owned(), json!("red"));
    store.write(vec![Change::update("services", read, coloured.clone())]).await.unwrap();
    assert_eq!(store.find("services", &Key::field("colour", "red")).await.unwrap(), Some(coloured));

    let badge = insert("badges", json!({"label": "first", "consumer": reference(&consumer), "ttl": 10}));
    store.write(vec![badge]).await.unwrap();
    let gone = store.write(vec![Change::delete("consumers", id(&consumer))]).await.unwrap();
    assert_eq!(gone.effects.len(), 2);

    // Rows of what is left out are out of sight, but not in the way.
    let other = row(json!({"username": "joe"}));
    let badge = insert("badges", json!({"label": "second", "consumer": reference(&other)}));
    store.write(vec![Change::insert("consumers", other.clone()), badge]).await.unwrap();
    store.adopt(Arc::new(layout())).await.unwrap();
    let read = store.find("services", &id(&service).into()).await.unwrap().unwrap();
    assert!(!read.contains_key("colour"));
    store.write(vec![Change::delete("consumers", id(&other))]).await.unwrap();
    store.adopt(wider).await.unwrap();
    assert_eq!(store.dataset().len("badges"), 0);
}
