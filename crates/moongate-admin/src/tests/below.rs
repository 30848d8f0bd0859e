//! References between entities, and the paths that follow them.

use super::*;

fn unresolved(field: &str, by: &str, value: &str, of: &str) -> Value {
    let why = format!(
        "the foreign key cannot be resolved with '{{{by}=\"{value}\"}}' for an existing '{of}' entity"
    );
    let message = format!("foreign key unresolved ({field}.{by}: {why})");
    json!({"code": 13, "name": "foreign keys unresolved", "message": message, "fields": {field: {by: why}}})
}

#[tokio::test]
async fn a_reference_may_be_by_any_unique_field() {
    let api = Api::start().await;
    let route = |service: Value| json!({"paths": ["/"], "service": service});
    let expected = json!({"service": reference(1)});
    api.post("/routes", route(json!({"name": "one"}))).await.assert_entity(201, expected);
    api.form("POST", "/routes", "paths=/&service.name=two")
        .await
        .assert_entity(201, json!({"service": reference(2)}));
    let groups = json!({"group": "g", "consumer": {"custom_id": "c1"}});
    api.post("/acls", groups).await.assert_entity(201, json!({"consumer": reference(31)}));

    let nope = unresolved("service", "name", "nope", "services");
    api.post("/routes", route(json!({"name": "nope"}))).await.assert(400, nope);
    let nope = unresolved("consumer", "username", "zip", "consumers");
    api.post("/acls", json!({"group": "g", "consumer": {"username": "zip"}})).await.assert(400, nope);
    let message = "schema violation (service.id: missing primary key)";
    for wrong in [json!({}), json!("one"), json!({"host": "h"})] {
        let fields = json!({"service": {"id": "missing primary key"}});
        api.post("/routes", route(wrong)).await.assert_invalid(message, fields);
    }
}

#[tokio::test]
async fn a_reference_to_nothing_is_refused() {
    let api = Api::start().await;
    let message =
        format!("the foreign key '{{id=\"{}\"}}' does not reference an existing 'services' entity.", id(77));
    let expected = json!({"code": 4, "name": "foreign key violation", "message": message, "fields": {"service": reference(77)}});
    api.post("/routes", json!({"paths": ["/"], "service": reference(77)})).await.assert(400, expected);
}

#[tokio::test]
async fn a_child_belongs_to_the_parent_in_its_path() {
    let api = Api::start().await;
    let made = api
        .post("/services/one/routes", json!({"name": "new", "paths": ["/"], "service": reference(2)}))
        .await;
    made.assert_entity(201, json!({"service": reference(1)}));
    let put = api.put("/services/two/routes/put", json!({"hosts": ["a.test"]})).await;
    put.assert_entity(200, json!({"name": "put", "service": reference(2)}));
    let changed = api.patch("/services/one/routes/new", json!({"paths": ["/y"]})).await;
    changed.assert_entity(200, json!({"paths": ["/y"], "service": reference(1)}));
    for (method, path) in [
        ("PATCH", "/services/two/routes/new"),
        ("DELETE", "/services/two/routes/new"),
        ("DELETE", "/services/one/routes/nope"),
        ("POST", "/services/nope/routes"),
        ("PUT", "/services/nope/routes/x"),
    ] {
        api.json(method, path, "{\"paths\": [\"/\"]}").await.assert_message(404, "Not found");
    }
    assert_eq!(api.delete("/services/one/routes/new").await.status, 204);
    api.get("/services/one/routes/new").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn what_a_reference_is_to_can_be_changed_through_it() {
    let api = Api::start().await;
    let changed = api.patch("/routes/r1/service", json!({"port": 99})).await;
    changed.assert_entity(200, json!({"id": id(1), "name": "one", "port": 99}));
    let replaced = api.put("/routes/r1/service", json!({"host": "other"})).await;
    replaced.assert_entity(200, json!({"id": id(1), "name": null, "host": "other", "port": 80}));
    api.delete("/routes/r1/service").await.assert_message(405, "Method not allowed");
}

#[tokio::test]
async fn put_through_a_reference_to_nothing_makes_something_to_refer_to() {
    let api = Api::start().await;
    let made =
        api.put("/routes/lonely/service", json!({"host": "new.test"})).await.assert_entity(200, json!({}));
    api.get("/routes/lonely").await.assert_entity(200, json!({"service": {"id": made["id"]}}));
    api.get("/routes/lonely/service").await.assert(200, made);
}

#[tokio::test]
async fn entities_of_plugins_live_below_consumers() {
    let api = Api::start().await;
    let made = api
        .post("/consumers/bob/key-auth", json!({}))
        .await
        .assert_entity(201, json!({"consumer": reference(31), "ttl": null}));
    let key = made["key"].as_str().unwrap();
    assert_eq!(key.len(), 32);
    api.get(&format!("/consumers/bob/key-auth/{key}")).await.assert(200, made.clone());
    api.get(&format!("/key-auths/{key}/consumer")).await.assert_entity(200, json!({"username": "bob"}));
    api.get("/key-auths").await.assert(200, json!({"data": [made], "next": null}));
    assert_eq!(api.delete("/consumers/bob").await.status, 204);
    api.get(&format!("/key-auths/{key}")).await.assert_message(404, "Not found");
}

#[tokio::test]
async fn a_group_names_the_entity_below_its_consumer_only() {
    let api = Api::start().await;
    let made = api.put("/consumers/bob/acls/g1", json!({})).await.assert_entity(200, json!({"group": "g1"}));
    let put = api.put("/consumers/bob/acls/g1", json!({"tags": ["t"]})).await;
    put.assert_entity(200, json!({"id": made["id"], "tags": ["t"], "consumer": reference(31)}));
    api.get("/consumers/bob/acls/g1").await.assert_entity(200, json!({"id": made["id"]}));
    assert_eq!(api.get("/acls/g1").await.value()["code"], 1);
    assert_eq!(api.delete("/consumers/bob/acls/g1").await.status, 204);
    for method in ["GET", "DELETE", "OPTIONS"] {
        let answer = api.send(method, "/consumers/bob/acls/g1", &[], "").await;
        assert_eq!((answer.status, &answer.value()["message"]), (404, &json!("Not found")), "{method}");
        assert!(answer.value()["request_id"].is_string());
    }
}

#[tokio::test]
async fn an_entity_lives_as_long_as_its_ttl_says() {
    let api = Api::start().await;
    let made = api.post("/consumers/bob/key-auth", json!({"key": "k", "ttl": 60})).await;
    made.assert_entity(201, json!({"ttl": 60}));
    api.patch("/key-auths/k", json!({"tags": ["a"]}))
        .await
        .assert_entity(200, json!({"ttl": 60, "tags": ["a"]}));
    api.patch("/key-auths/k", json!({"ttl": 0})).await.assert_entity(200, json!({"ttl": null}));
    let why = "must be an integer between 0 and 100000000";
    let expected = json!({"code": 11, "name": "invalid options", "message": format!("invalid option (ttl: {why})"),
        "options": {"ttl": why}});
    api.post("/consumers/bob/key-auth", json!({"ttl": -1})).await.assert(400, expected);
}

#[tokio::test]
async fn a_plugin_and_its_route_or_service_have_a_protocol_in_common() {
    let api = Api::start().await;
    for (name, protocol) in [("g", "grpc"), ("h", "https")] {
        let service = if name == "h" { reference(3) } else { Value::Null };
        let route = json!({"name": name, "paths": ["/"], "protocols": [protocol], "service": service});
        api.post("/routes", route).await.assert_entity(201, json!({}));
    }
    let plugin =
        |field: &str, name: &str| json!({"name": "limits", "protocols": ["http"], field: {"name": name}});
    let message = "must match the associated route's protocols";
    api.post("/plugins", plugin("route", "g"))
        .await
        .assert_invalid(&format!("schema violation (protocols: {message})"), json!({"protocols": message}));
    let message = "must match the protocols of at least one route pointing to this Plugin's service";
    api.post("/plugins", plugin("service", "three"))
        .await
        .assert_invalid(&format!("schema violation (protocols: {message})"), json!({"protocols": message}));
    api.post("/plugins", json!({"name": "limits", "route": {"name": "g"}}))
        .await
        .assert_entity(201, json!({}));
}
