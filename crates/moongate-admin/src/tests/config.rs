//! The declarative configuration of a node without a database.

use std::time::Duration;

use super::fakes::FakeDeclarative;
use super::*;
use crate::{LoadError, LoadOptions, Loaded, Source};

async fn loading(result: Result<Loaded, LoadError>) -> Api {
    let declarative = Some(FakeDeclarative { result, ..FakeDeclarative::default() });
    Api::with(FakeNode { declarative, ..FakeNode::default() }, FakeCatalog::default()).await
}

async fn load(api: &Api, path: &str) -> Answer {
    api.send("POST", path, &[("Content-Type", "text/yaml")], "a: 1").await
}

#[tokio::test]
async fn with_a_database_there_is_none() {
    let api = Api::empty().await;
    let message = "this endpoint is only available when Kong is configured to not use a database";
    api.get("/config").await.assert_message(400, message);
    api.post("/config", json!({"config": "x"})).await.assert_message(400, message);
}

#[tokio::test]
async fn it_is_shown_as_yaml() {
    let api = loading(Ok(Loaded::Unchanged)).await;
    api.get("/config").await.assert(200, json!({"config": "_format_version: '3.0'\n"}));
}

#[tokio::test]
async fn what_was_loaded_is_answered_whole() {
    let entities = json!({"services": {id(1): {"id": id(1)}}});
    let api = loading(Ok(Loaded::Entities(entities.clone()))).await;
    load(&api, "/config?flatten_errors=1").await.assert(201, entities);
    let options = LoadOptions { check_hash: false, flatten_errors: true };
    let declarative = api.node.declarative.as_ref().unwrap();
    assert_eq!(*declarative.loaded.lock(), [(Source::Text("a: 1".to_owned()), options)]);
}

#[tokio::test]
async fn what_is_in_use_already_is_not_loaded_again() {
    let api = loading(Ok(Loaded::Unchanged)).await;
    let answer = load(&api, "/config?check_hash=1").await;
    assert_eq!((answer.status, answer.body.as_str()), (304, ""));
}

#[tokio::test]
async fn faults_are_told_by_place_and_by_entity() {
    let fields = json!({"services": [null, {"host": "required field missing"}]});
    let message = "declarative config is invalid: {services={[2]={host=\"required field missing\"}}}";
    let expected = json!({"code": 14, "name": "invalid declarative configuration", "message": message, "fields": fields});
    let api = loading(Err(LoadError::Invalid { message: message.to_owned(), fields, flattened: None })).await;
    load(&api, "/config").await.assert(400, expected);

    let flattened = vec![json!({"entity_type": "service"})];
    let message = "declarative config is invalid: {}";
    let expected = json!({"code": 14, "name": "invalid declarative configuration", "fields": {},
        "message": message, "flattened_errors": flattened});
    let api = loading(Err(LoadError::Invalid {
        message: message.to_owned(),
        fields: json!({}),
        flattened: Some(flattened),
    }))
    .await;
    load(&api, "/config").await.assert(400, expected);

    let api = loading(Err(LoadError::Invalid {
        message: message.to_owned(),
        fields: json!({}),
        flattened: Some(Vec::new()),
    }))
    .await;
    assert_eq!(load(&api, "/config").await.value()["flattened_errors"], json!({}));
}

#[tokio::test]
async fn a_node_that_cannot_load_says_why() {
    let busy = LoadError::Busy { retry_after: Duration::from_secs(3) };
    for (error, status, message) in [
        (busy, 429, "Currently loading previous configuration"),
        (LoadError::Exiting, 503, "Kong currently exiting"),
        (LoadError::TimedOut, 504, "Timed out while loading configuration"),
    ] {
        let answer = load(&loading(Err(error)).await, "/config").await;
        answer.assert_message(status, message);
        assert_eq!(answer.header("retry-after"), (status == 429).then_some("3"));
    }
}
