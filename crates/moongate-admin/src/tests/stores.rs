//! What a client is told when the store does not do what it asked for.

use moongate_store::StoreError;

use super::fakes::UnwillingStore;
use super::*;

async fn unwilling(errors: impl IntoIterator<Item = StoreError>, unreadable: Option<StoreError>) -> Api {
    let node = FakeNode::default();
    fill(&node).await;
    let errors = Mutex::new(errors.into_iter().collect());
    let store = Arc::new(UnwillingStore { inner: node.store.clone(), errors, unreadable });
    Api::with(FakeNode { store, ..node }, FakeCatalog::default()).await
}

fn conflict() -> StoreError {
    StoreError::Conflict { entity: "services".to_owned(), id: Uuid::from_u128(1) }
}

#[tokio::test]
async fn a_change_that_another_one_overtook_is_made_on_what_that_left() {
    let api = unwilling([conflict(), conflict()], None).await;
    api.patch("/services/one", json!({"port": 81})).await.assert_entity(200, json!({"port": 81}));
    let api = unwilling([conflict()], None).await;
    api.patch("/routes/r1/service", json!({"port": 82})).await.assert_entity(200, json!({"port": 82}));
}

#[tokio::test]
async fn a_change_that_is_always_overtaken_is_given_up() {
    let api = unwilling((0..100).map(|_| conflict()), None).await;
    let message = "the entity was changed by others meanwhile, try again";
    api.patch("/services/one", json!({"port": 81})).await.assert_message(409, message);
}

#[tokio::test]
async fn what_the_gateway_cannot_work_with_is_told_by_field() {
    let fields = json!({"config": {"minute": "too many"}});
    let message = "limits: too many".to_owned();
    let refused = StoreError::Refused { message, fields: fields.clone(), about: None };
    let api = unwilling([refused], None).await;
    let answer = api.post("/services", json!({"host": "h"})).await;
    answer.assert_invalid("limits: too many", fields);
}

#[tokio::test]
async fn without_the_database_entities_are_unavailable_and_the_node_is_not() {
    let unavailable = StoreError::Unavailable { why: "connection refused".to_owned() };
    let message = "the database is unavailable: connection refused";
    let api = unwilling([unavailable.clone()], None).await;
    api.post("/services", json!({"host": "h"})).await.assert_message(503, message);

    let api = unwilling([], Some(unavailable)).await;
    for path in ["/services", "/services/one", "/routes/r1/service", "/tags"] {
        api.get(path).await.assert_message(503, message);
    }
    for path in ["/", "/status", "/schemas/services", "/endpoints"] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_stored_is_the_fault_of_its_field() {
    let api = Api::empty().await;
    let answer = api.post("/consumers", json!({"username": "a\u{0}b"})).await;
    let why = "a string with a zero character";
    answer.assert_invalid(&format!("schema violation (username: {why})"), json!({"username": why}));
}
