//! Writes on entities that come from a declarative configuration, all of which are refused.

use super::*;

async fn assert_refused(api: &Api, method: &str, path: &str, what: &str) {
    let message = format!("cannot {what} when not using a database");
    let expected = json!({"code": 12, "name": "operation unsupported", "message": message});
    let body = match what {
        _ if what.contains("'routes'") => "{\"paths\": [\"/\"]}",
        _ if what.contains("'plugins'") => "{\"name\": \"limits\"}",
        _ => "{\"host\": \"x\"}",
    };
    api.json(method, path, body).await.assert(405, expected);
}

#[tokio::test]
async fn writes_are_refused_in_the_words_of_kong_without_a_database() {
    let api = Api::declarative().await;
    let by_id = format!("/services/{}", id(1));
    assert_refused(&api, "POST", "/services", "create 'services' entities").await;
    assert_refused(&api, "PUT", &by_id, "create or update 'services' entities").await;
    assert_refused(&api, "PUT", "/services/one", "create or update 'services' entities by 'name'").await;
    assert_refused(&api, "PUT", "/services/new", "create or update 'services' entities by 'name'").await;
    assert_refused(&api, "PATCH", &by_id, "update 'services' entities").await;
    assert_refused(&api, "PATCH", "/services/one", "update 'services' entities by 'name'").await;
    assert_refused(&api, "DELETE", &by_id, "remove 'services' entities").await;
    assert_refused(&api, "DELETE", "/services/one", "remove 'services' entities by 'name'").await;
    assert_refused(&api, "PATCH", "/plugins/second", "update 'plugins' entities by 'instance_name'").await;
}

#[tokio::test]
async fn writes_below_a_parent_are_refused_for_the_child() {
    let api = Api::declarative().await;
    assert_refused(&api, "POST", "/services/one/routes", "create 'routes' entities").await;
    assert_refused(&api, "POST", "/services/one/plugins", "create 'plugins' entities").await;
    let child = "/services/one/routes/r1";
    assert_refused(&api, "PUT", child, "create or update 'routes' entities by 'name'").await;
    assert_refused(&api, "PATCH", child, "update 'routes' entities by 'name'").await;
    assert_refused(&api, "DELETE", child, "remove 'routes' entities by 'name'").await;
    assert_refused(&api, "PUT", "/services/one/routes/new", "create or update 'routes' entities by 'name'")
        .await;
}

#[tokio::test]
async fn writes_through_a_foreign_key_are_refused_for_the_entity_that_it_holds() {
    let api = Api::declarative().await;
    assert_refused(&api, "PATCH", "/routes/r1/service", "update 'services' entities").await;
    assert_refused(&api, "PUT", "/routes/r1/service", "create or update 'services' entities").await;
    assert_refused(&api, "PUT", "/routes/lonely/service", "create or update 'services' entities").await;
    api.send("DELETE", "/routes/r1/service", &[], "").await.assert_message(405, "Method not allowed");
    api.send("DELETE", "/routes/lonely/service", &[], "").await.assert_message(404, "Not found");
    api.json("PATCH", "/routes/lonely/service", "{}").await.assert_message(404, "Not found");
    api.json("PUT", "/routes/nope/service", "{}").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn deleting_what_does_not_exist_succeeds_except_below_a_parent() {
    let api = Api::declarative().await;
    for path in ["/services/nope", &format!("/services/{}", id(77)), "/plugins/nope"] {
        let answer = api.send("DELETE", path, &[], "").await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{path}");
    }
    for path in ["/services/one/routes/nope", "/services/two/routes/r1", "/services/nope/routes/r1"] {
        api.send("DELETE", path, &[], "").await.assert_message(404, "Not found");
    }
}

#[tokio::test]
async fn changing_what_does_not_exist_names_what_was_not_found() {
    let api = Api::declarative().await;
    api.json("PATCH", "/services/nope", "{}").await.assert(
        404,
        json!({"code": 6, "name": "not found", "fields": {"name": "nope"},
            "message": "could not find the entity with '{name=\"nope\"}'"}),
    );
    let message = format!("could not find the entity with primary key '{{id=\"{}\"}}'", id(77));
    api.json("PATCH", &format!("/routes/{}", id(77)), "{}")
        .await
        .assert(404, json!({"code": 6, "name": "not found", "fields": {"id": id(77)}, "message": message}));
    api.json("PATCH", "/services/one/routes/nope", "{}").await.assert_message(404, "Not found");
    api.json("POST", "/services/nope/routes", "{}").await.assert_message(404, "Not found");
    api.json("PUT", "/services/nope/routes/x", "{}").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn a_missing_plugin_configuration_is_only_an_entity_when_the_body_names_the_plugin() {
    let api = Api::declarative().await;
    api.json("PATCH", "/plugins/nope", "{\"enabled\": true}").await.assert_message(404, "Not found");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    for answer in [
        api.json("PATCH", "/plugins/nope", "{\"name\": \"limits\"}").await,
        api.send("PATCH", "/plugins/nope", &form, "enabled=true&name=limits").await,
    ] {
        assert_eq!((answer.status, &answer.value()["code"]), (404, &json!(6)));
        assert_eq!(answer.value()["fields"], json!({"instance_name": "nope"}));
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_before_anything_is_looked_up() {
    let api = Api::declarative().await;
    for body in ["", "{", "{} x"] {
        api.json("POST", "/services/nope/routes", body).await.assert_message(400, "Cannot parse JSON body");
    }
    for body in ["12", "null", "[1]"] {
        api.json("POST", "/services", body).await.assert_message(500, "An unexpected error occurred");
    }
    let missing = json!({"host": "required field missing"});
    let message = "schema violation (host: required field missing)";
    api.json("POST", "/services", "[]").await.assert_invalid(message, missing.clone());
    for (headers, body) in [
        (&[("Content-Type", "text/plain")][..], "x"),
        (&[("Content-Type", "text/plain")], ""),
        (&[("Content-Type", "APPLICATION/JSON")], "{}"),
        (&[], "{}"),
    ] {
        assert_eq!(api.send("POST", "/services", headers, body).await.status, 415, "{headers:?}");
    }
    api.send("POST", "/services", &[], "").await.assert_invalid(message, missing);
}
