//! Entities for the tests, much like the gateway's.

use moongate_store::{Change, Column, Foreign, Kind, Layout, OnDelete, Row, Table, Unique};
use serde_json::{Value, json};
use uuid::Uuid;

/// Services, routes (restrict), consumers, plugins (cascade, unique together), keys (expire), things (all kinds).
pub(crate) fn layout() -> Layout {
    Layout::new([
        services(),
        table(
            "routes",
            [
                Column::new("name", Kind::Text),
                Column::new("paths", Kind::Texts),
                Column::new("tags", Kind::Texts),
                foreign("service", "services", OnDelete::Restrict),
            ],
        ),
        Table {
            uniques: vec![Unique::new(["username"]), Unique::new(["custom_id"])],
            ..table(
                "consumers",
                [
                    Column::new("username", Kind::Text),
                    Column::new("custom_id", Kind::Text),
                    Column::new("tags", Kind::Texts),
                ],
            )
        },
        Table {
            uniques: vec![
                Unique::new(["instance_name"]),
                Unique::new(["name", "route", "service", "consumer"]),
            ],
            ..table(
                "plugins",
                [
                    Column::new("name", Kind::Text),
                    Column::new("instance_name", Kind::Text),
                    Column::new("config", Kind::Json),
                    Column::new("enabled", Kind::Boolean),
                    foreign("route", "routes", OnDelete::Cascade),
                    foreign("service", "services", OnDelete::Cascade),
                    foreign("consumer", "consumers", OnDelete::Cascade),
                ],
            )
        },
        Table {
            ttl: true,
            uniques: vec![Unique::new(["key"])],
            ..table(
                "keys",
                [
                    Column::new("key", Kind::Text),
                    Column::new("tags", Kind::Texts),
                    foreign("consumer", "consumers", OnDelete::Cascade),
                ],
            )
        },
        table(
            "things",
            [
                Column::new("other_id", Kind::Uuid),
                Column::new("text", Kind::Text),
                Column::new("integer", Kind::Integer),
                Column::new("number", Kind::Number),
                Column::new("boolean", Kind::Boolean),
                Column::new("created_at", Kind::Timestamp),
                Column::new("moved_at", Kind::Moment),
                Column::new("texts", Kind::Texts),
                Column::new("json", Kind::Json),
                foreign("thing", "things", OnDelete::SetNull),
            ],
        ),
    ])
}

pub(crate) fn services() -> Table {
    Table {
        uniques: vec![Unique::new(["name"])],
        ..table(
            "services",
            [
                Column::new("name", Kind::Text),
                Column::new("host", Kind::Text),
                Column::new("port", Kind::Integer),
                Column::new("created_at", Kind::Timestamp),
                Column::new("tags", Kind::Texts),
            ],
        )
    }
}

pub(crate) fn table(name: &str, columns: impl IntoIterator<Item = Column>) -> Table {
    let mut all = vec![Column::new("id", Kind::Uuid)];
    all.extend(columns);
    Table { name: name.into(), columns: all, uniques: Vec::new(), ttl: false }
}

pub(crate) fn foreign(field: &str, references: &str, on_delete: OnDelete) -> Column {
    Column::new(field, Kind::Foreign(Foreign { references: references.to_owned(), on_delete }))
}

/// A row of `fields` with a new id, unless it has one.
pub(crate) fn row(fields: Value) -> Row {
    let Value::Object(mut row) = fields else { panic!("a row is an object") };
    row.entry("id").or_insert_with(|| json!(Uuid::new_v4()));
    row
}

pub(crate) fn id(row: &Row) -> Uuid {
    row["id"].as_str().unwrap().parse().unwrap()
}

/// A new row, as it is read from a store.
pub(crate) fn insert(entity: &str, fields: Value) -> Change {
    Change::insert(entity, row(fields))
}

pub(crate) fn reference(row: &Row) -> Value {
    json!({ "id": row["id"] })
}
