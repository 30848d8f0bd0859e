//! Any writes: all stores do the same, and a database takes whatever was found to be right.

use std::sync::Arc;

use moongate_store::testing::PostgresServer;
use moongate_store::{Change, Dataset, Key, Outcome, Row, Store, StoreError};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::place::Place;
use crate::rules::assert_same;

/// A change, with the row before an update still to be read.
#[derive(Debug, Clone)]
enum Step {
    Change(Change),
    Update(&'static str, Row),
}

fn id(of: u8) -> Uuid {
    Uuid::from_u128(u128::from(of) << 120)
}

/// The rows of few ids, so that they often meet.
fn rows() -> impl Strategy<Value = (&'static str, Row)> {
    let name = || prop_oneof![Just(Value::Null), Just(json!("a")), Just(json!("b"))];
    let reference =
        || prop_oneof![2 => Just(Value::Null), 3 => (0..4_u8).prop_map(|of| json!({"id": id(of)}))];
    let row = |fields: Value| fields.as_object().unwrap().clone();
    let own = 0..4_u8;
    prop_oneof![
        (own.clone(), name())
            .prop_map(move |(own, name)| ("services", row(json!({"id": id(own), "name": name})))),
        (own.clone(), name(), reference()).prop_map(move |(own, name, service)| {
            ("routes", row(json!({"id": id(own), "name": name, "service": service})))
        }),
        (own.clone(), reference(), reference()).prop_map(move |(own, route, service)| {
            ("plugins", row(json!({"id": id(own), "name": "cors", "route": route, "service": service})))
        }),
        (own, name(), reference()).prop_map(move |(own, text, thing)| {
            ("things", row(json!({"id": id(own), "text": text, "thing": thing})))
        }),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => rows().prop_map(|(entity, row)| Step::Change(Change::insert(entity, row))),
        3 => rows().prop_map(|(entity, row)| Step::Update(entity, row)),
        2 => rows().prop_map(|(entity, row)| {
            Step::Change(Change::upsert(entity, crate::rows::id(&row).into(), row))
        }),
        1 => rows().prop_map(|(entity, row)| {
            let name = if entity == "things" { "text" } else { "name" };
            Step::Change(Change::upsert(entity, Key::field(name, row[name].clone()), row))
        }),
        3 => rows().prop_map(|(entity, row)| Step::Change(Change::delete(entity, crate::rows::id(&row)))),
        1 => Just(Step::Change(Change::Clear)),
    ]
}

fn writes() -> impl Strategy<Value = Vec<Vec<Step>>> {
    // Most of one step, so that not all fail.
    let write =
        prop_oneof![3 => prop::collection::vec(steps(), 1), 1 => prop::collection::vec(steps(), 2..5)];
    prop::collection::vec(write, 1..40)
}

async fn make(store: &dyn Store, steps: &[Step]) -> Result<Vec<Outcome>, StoreError> {
    let mut changes = Vec::new();
    for step in steps {
        changes.push(match step {
            Step::Change(change) => change.clone(),
            Step::Update(entity, row) => {
                let before = store.find(entity, &crate::rows::id(row).into()).await?;
                Change::update(*entity, before.unwrap_or_else(|| row.clone()), row.clone())
            }
        });
    }
    store.write(changes).await.map(|written| written.outcomes)
}

/// All ways to a row by a text that is unique lead to the row that has it.
fn assert_found(dataset: &Dataset) {
    let unique = |entity: &str, field: &str| {
        dataset.table(entity).is_some_and(|table| table.uniques.iter().any(|unique| unique.is_alone(field)))
    };
    let places = [("services", "name"), ("routes", "name"), ("things", "text")];
    for (entity, field) in places.into_iter().filter(|(entity, field)| unique(entity, field)) {
        for text in ["a", "b", "c"] {
            let there = dataset.rows(entity).find(|row| row.get(field) == Some(&json!(text)));
            assert_eq!(dataset.lookup_text(entity, field, text, 0), there, "{entity} {field} {text}");
            assert_eq!(dataset.lookup(entity, &Key::field(field, text), 0), there, "{entity} {field} {text}");
        }
    }
}

/// Makes the same writes in memory and at `place`. Returns how many were made.
async fn agree(place: &Place, writes: &[Vec<Step>]) -> usize {
    let memory = Place::memory().open().await;
    let store: Arc<dyn Store> = place.open().await;
    let mut made = 0;
    for steps in writes {
        let expected = make(&*memory, steps).await;
        assert_eq!(make(&*store, steps).await, expected, "{steps:?}");
        made += usize::from(expected.is_ok());
        assert_found(&memory.dataset());
        assert_found(&store.dataset());
    }
    assert_same(&memory.dataset(), &store.dataset());
    drop(store);
    assert_same(&memory.dataset(), &place.open().await.dataset());
    made
}

#[test]
fn sqlite_does_what_memory_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let tested = runner.run(&writes(), |writes| {
        runtime.block_on(agree(&Place::sqlite(), &writes));
        Ok(())
    });
    tested.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_does_what_memory_does() {
    let Some(server) = PostgresServer::start().unwrap() else { return };
    let mut runner = TestRunner::deterministic();
    let mut made = 0;
    for round in 0..16 {
        let writes = writes().new_tree(&mut runner).unwrap().current();
        let place = Place::postgres(server.settings(&format!("round {round}"))).await;
        made += agree(&place, &writes).await;
    }
    assert!(made > 50, "only {made} writes were made");
}
