//! Schemas, checks against them, and the OpenAPI document.

use super::*;

#[tokio::test]
async fn schemas_of_entities_plugins_and_vaults_are_shown() {
    let api = Api::empty().await;
    let schema = api.get("/schemas/consumers").await.value();
    assert_eq!(schema["entity_checks"], json!([{"at_least_one_of": ["custom_id", "username"]}]));
    assert_eq!(schema["fields"][0]["id"]["uuid"], true);
    let plugin = api.get("/schemas/plugins/limits").await.value();
    let config = plugin["fields"].as_array().unwrap().iter().find_map(|field| field.get("config")).unwrap();
    assert_eq!(config["fields"][0], json!({"minute": {"type": "number", "gt": 0}}));
    assert_eq!(api.get("/plugins/schema/limits").await.value()["fields"], config["fields"]);
    assert_eq!(api.get("/schemas/vaults/env").await.status, 200);
    assert_eq!(api.get("/schemas/plugins").await.status, 200);
}

#[tokio::test]
async fn unknown_schemas_are_named() {
    let api = Api::empty().await;
    for (path, message) in [
        ("/schemas/nope", "No entity named 'nope'"),
        ("/schemas/plugins/nope", "No plugin named 'nope'"),
        ("/plugins/schema/nope", "No plugin named 'nope'"),
        ("/schemas/vaults/nope", "No vault named 'nope'"),
        ("/schemas/filters/nope", "No filter named 'nope'"),
        ("/schemas", "Not found"),
    ] {
        api.get(path).await.assert_message(404, message);
    }
    api.post("/schemas/nope/validate", json!({})).await.assert_message(404, "No entity named 'nope'");
}

#[tokio::test]
async fn something_can_be_checked_without_being_stored() {
    let api = Api::empty().await;
    let good = "schema validation successful";
    api.post("/schemas/services/validate", json!({"url": "http://a.test"})).await.assert_message(200, good);
    let route = json!({"paths": ["/"], "service": reference(77)});
    api.post("/schemas/routes/validate", route).await.assert_message(200, good);
    api.post("/schemas/plugins/validate", json!({"name": "limits"})).await.assert_message(200, good);
    let message = "schema violation (host: required field missing)";
    api.post("/schemas/services/validate", json!({}))
        .await
        .assert_invalid(message, json!({"host": "required field missing"}));
    // The texts of a form are not read as numbers here.
    let message = "schema violation (port: expected an integer)";
    api.form("POST", "/schemas/services/validate", "host=h&port=81")
        .await
        .assert_invalid(message, json!({"port": "expected an integer"}));
    assert_eq!(api.get("/services").await.ids(), []);
}

#[tokio::test]
async fn the_openapi_document_has_every_path_and_every_entity() {
    let api = Api::empty().await;
    let route =
        AdminRoute { plugin: "p".into(), method: "POST".into(), path: "/by-plugin".into(), status: false };
    api.catalog.routes.lock().push(route);
    let document = api.get("/openapi.json").await.value();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    let methods = |path: &str| {
        let names = paths[path].as_object().unwrap().keys().filter(|key| *key != "parameters");
        names.map(String::as_str).collect::<Vec<_>>()
    };
    assert_eq!(methods("/services"), ["get", "post"]);
    assert_eq!(
        methods("/consumers/{consumers}/key-auth/{keyauth_credentials}"),
        ["delete", "get", "patch", "put"]
    );
    assert_eq!(methods("/by-plugin"), ["post"]);
    assert_eq!(methods("/moongate/reload"), ["post"]);
    assert!(!paths.contains_key("/filter-chains") && !paths.contains_key("/targets"));
    let parameter =
        json!([{"name": "services", "in": "path", "required": true, "schema": {"type": "string"}}]);
    assert_eq!(paths["/services/{services}"]["parameters"], parameter);
    let service = &document["components"]["schemas"]["services"];
    assert_eq!(service["properties"]["port"]["default"], 80);
    assert_eq!(service["properties"]["url"]["writeOnly"], true);
    let body = &paths["/services"]["post"]["requestBody"]["content"];
    let kinds: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(kinds, ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]);
    // Whoever changes an entity may leave out what whoever makes one has to give.
    let schemas = &document["components"]["schemas"];
    let changes =
        paths["/services/{services}"]["patch"]["requestBody"]["content"]["application/json"].clone();
    assert_eq!(changes["schema"]["$ref"], "#/components/schemas/services-changes");
    assert_eq!(
        (&service["required"], &schemas["services-changes"]["required"]),
        (&json!(["host"]), &Value::Null)
    );
    let statuses = |path: &str, method: &str| {
        let responses = paths[path][method]["responses"].as_object().unwrap();
        responses.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(statuses("/services", "post"), "201 default");
    assert_eq!(statuses("/services/{services}", "delete"), "204 default");
    assert_eq!(statuses("/config", "post"), "201 304 default");
    assert_eq!(statuses("/upstreams/{upstreams}/targets/{targets}/healthy", "put"), "204 default");
    assert!(paths["/config"]["post"]["requestBody"]["content"]["application/yaml"].is_object());
    assert_eq!(schemas["plugins"]["allOf"][0]["if"]["properties"]["name"]["const"], "key-auth");
    assert_eq!(schemas["config-of-key-auth"]["type"], "object");
    assert_eq!(document["components"]["securitySchemes"], Value::Null);
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
    }
}
