//! Making, changing and removing entities.

use super::*;

#[tokio::test]
async fn a_new_entity_is_answered_whole_and_found_again() {
    let api = Api::empty().await;
    let answer = api.post("/services", json!({"name": "u2", "url": "https://example.com/api/v1"})).await;
    let made = answer.assert_entity(
        201,
        json!({"name": "u2", "protocol": "https", "host": "example.com", "port": 443, "path": "/api/v1",
            "retries": 5, "tags": null, "client_certificate": null, "enabled": true}),
    );
    assert_eq!((made.as_object().unwrap().len(), made.get("url")), (18, None));
    api.get("/services/u2").await.assert(200, made.clone());
    api.get(&format!("/services/{}", made["id"].as_str().unwrap())).await.assert(200, made);
}

#[tokio::test]
async fn what_breaks_the_schema_is_told_by_field() {
    let api = Api::empty().await;
    let fields = json!({"foo": "unknown field", "port": "value should be between 0 and 65535"});
    let message = "2 schema violations (foo: unknown field; port: value should be between 0 and 65535)";
    api.post("/services", json!({"host": "h", "port": 99999, "foo": 1}))
        .await
        .assert_invalid(message, fields);
    assert_eq!(api.get("/services").await.ids(), []);
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_name() {
    let api = Api::empty().await;
    let fields = json!({"name": "p", "host": "h", "path": "/x", "tags": ["a"]});
    let made = api.post("/services", fields).await.value();
    let changed = api.patch("/services/p", json!({"tags": ["b"], "path": null, "name": "p2"})).await;
    let expected = json!({"id": made["id"], "name": "p2", "host": "h", "path": null, "tags": ["b"]});
    changed.assert_entity(200, expected);
    api.get("/services/p").await.assert_message(404, "Not found");
    let message = "schema violation (host: required field missing)";
    let missing = json!({"host": "required field missing"});
    api.patch("/services/p2", json!({"host": null})).await.assert_invalid(message, missing);
}

#[tokio::test]
async fn records_are_changed_field_by_field_and_lists_and_maps_as_a_whole() {
    let api = Api::empty().await;
    let config = json!({"minute": 5, "codes": [1, 2], "headers": {"a": "1"}});
    api.post("/plugins", json!({"name": "limits", "instance_name": "i", "config": config}))
        .await
        .assert_entity(201, json!({}));
    let change = json!({"config": {"policy": "redis", "codes": [3], "headers": {"b": "2"}}});
    let config = json!({"minute": 5, "policy": "redis", "codes": [3], "headers": {"b": "2"}});
    api.patch("/plugins/i", change).await.assert_entity(200, json!({"config": config}));
}

#[tokio::test]
async fn put_replaces_the_entity_with_the_id_or_makes_it() {
    let api = Api::empty().await;
    let path = format!("/services/{}", id(1));
    api.put(&path, json!({"name": "n", "host": "h", "port": 81}))
        .await
        .assert_entity(200, json!({"id": id(1), "port": 81}));
    let replaced = json!({"id": id(1), "name": null, "port": 80, "host": "h3"});
    api.put(&path, json!({"host": "h3"})).await.assert_entity(200, replaced);
    assert_eq!(api.get("/services").await.ids(), [1]);
}

#[tokio::test]
async fn put_by_name_keeps_the_id_and_takes_the_name_from_the_path() {
    let api = Api::empty().await;
    let made = api.put("/services/by-name", json!({"host": "h", "port": 81})).await.value();
    let answer = api.put("/services/by-name", json!({"name": "different", "host": "h2"})).await;
    answer.assert_entity(200, json!({"id": made["id"], "name": "by-name", "host": "h2", "port": 80}));
    api.get("/services/different").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn values_that_must_be_unique_are() {
    let api = Api::start().await;
    let taken = |message: &str, fields: Value| json!({"code": 5, "name": "unique constraint violation", "message": message, "fields": fields});
    let name = taken("UNIQUE violation detected on '{name=\"one\"}'", json!({"name": "one"}));
    api.post("/services", json!({"name": "one", "host": "h"})).await.assert(409, name.clone());
    api.patch("/services/two", json!({"name": "one"})).await.assert(409, name);

    let message = "UNIQUE violation detected on '{consumer=null,name=\"limits\",route=null,service=null}'";
    let fields = json!({"consumer": null, "name": "limits", "route": null, "service": null});
    api.post("/plugins", json!({"name": "limits"})).await.assert(409, taken(message, fields));
    let message = format!(
        "UNIQUE violation detected on '{{consumer=null,name=\"limits\",route=null,service={{id=\"{}\"}}}}'",
        id(1)
    );
    let fields = json!({"consumer": null, "name": "limits", "route": null, "service": reference(1)});
    api.post("/services/one/plugins", json!({"name": "limits"})).await.assert(409, taken(&message, fields));

    let message = format!("primary key violation on key '{{id=\"{}\"}}'", id(1));
    let expected =
        json!({"code": 3, "name": "primary key violation", "message": message, "fields": {"id": id(1)}});
    api.post("/services", json!({"id": id(1), "host": "h"})).await.assert(400, expected);
}

#[tokio::test]
async fn fields_that_are_not_required_may_be_null_unless_their_column_may_not() {
    let api = Api::empty().await;
    let service = json!({"host": "h", "retries": null, "connect_timeout": null});
    api.post("/services", service.clone()).await.assert_entity(201, service);
    api.post("/upstreams", json!({"name": "v"})).await;
    for (path, fields) in [
        ("/upstreams", json!({"id": id(7), "name": "u", "slots": null})),
        ("/upstreams/v/targets", json!({"id": id(7), "target": "a", "weight": null})),
    ] {
        let message = format!("primary key violation on key '{{id=\"{}\"}}'", id(7));
        let expected =
            json!({"code": 3, "name": "primary key violation", "message": message, "fields": {"id": id(7)}});
        api.post(path, fields).await.assert(400, expected);
    }
}

#[tokio::test]
async fn what_others_refer_to_stays() {
    let api = Api::start().await;
    let expected = json!({"code": 4, "name": "foreign key violation", "fields": {"@referenced_by": "routes"},
        "message": "an existing 'routes' entity references this 'services' entity"});
    api.delete("/services/one").await.assert(400, expected);
    assert_eq!(api.delete("/routes/r1").await.status, 204);
    assert_eq!(api.delete(&format!("/routes/{}", id(12))).await.status, 204);
    assert_eq!(api.delete("/services/one").await.status, 204);
    // The plugin configurations of a service go with it.
    api.get("/plugins/second").await.assert_message(404, "Not found");
    assert_eq!(api.delete("/services/one").await.status, 204);
}

#[tokio::test]
async fn a_form_is_read_by_the_schema() {
    let api = Api::empty().await;
    let form = "name=f2&paths=/a&headers.x-foo=bar&headers.x-bar[]=1&headers.x-bar[]=2&strip_path=false&hosts[1]=x.test";
    api.form("POST", "/routes", form).await.assert_entity(
        201,
        json!({"name": "f2", "paths": ["/a"], "headers": {"x-foo": ["bar"], "x-bar": ["1", "2"]},
            "strip_path": false, "hosts": ["x.test"]}),
    );
    api.form("PATCH", "/routes/f2", "hosts=&regex_priority=7")
        .await
        .assert_entity(200, json!({"hosts": null, "regex_priority": 7, "paths": ["/a"]}));
    api.form("POST", "/plugins", "name=limits&instance_name=i&config.minute=5&config.codes[]=200&enabled=false").await
        .assert_entity(201, json!({"enabled": false, "config": {"minute": 5, "policy": "local", "codes": [200], "headers": null}}));
    let changed = json!({"config": {"minute": 6, "policy": "local", "codes": [200], "headers": null}});
    api.form("PATCH", "/plugins/i", "config.minute=6").await.assert_entity(200, changed);
    let fields = json!({"config": {"minute": "expected a number"}});
    let message = "schema violation (config.minute: expected a number)";
    api.form("PATCH", "/plugins/i", "config.minute=x").await.assert_invalid(message, fields);
}

#[tokio::test]
async fn a_multipart_form_may_have_files() {
    let api = Api::empty().await;
    let body = "--XX\r\nContent-Disposition: form-data; name=\"username\"; filename=\"u\"\r\n\r\nbob\r\n\
                --XX\r\nContent-Disposition: form-data; name=\"tags\"\r\nContent-Type: application/json\r\n\r\n\
                [\"a\"]\r\n--XX--\r\n";
    let headers = [("Content-Type", "multipart/form-data; boundary=XX")];
    let answer = api.send("POST", "/consumers", &headers, body).await;
    answer.assert_entity(201, json!({"username": "bob", "tags": ["a"]}));
}

#[tokio::test]
async fn changes_at_the_same_time_do_not_undo_each_other() {
    let api = Arc::new(Api::start().await);
    let fields = ["retries", "port", "connect_timeout", "read_timeout", "write_timeout"];
    let changes = fields.map(|field| {
        let api = api.clone();
        tokio::spawn(async move { api.patch("/services/one", json!({field: 77})).await.status })
    });
    for change in changes {
        assert_eq!(change.await.unwrap(), 200);
    }
    let expected: Value =
        fields.iter().map(|field| ((*field).to_owned(), json!(77))).collect::<Object>().into();
    api.get("/services/one").await.assert_entity(200, expected);
}
