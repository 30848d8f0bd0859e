//! Certificates with the server names that they are for.

use super::*;

const CERT: &str = include_str!("fixtures/leaf.pem");
const KEY: &str = include_str!("fixtures/leaf.key");
const AUTHORITY: &str = include_str!("fixtures/authority.pem");

fn certificate(names: Value) -> Value {
    json!({"cert": CERT, "key": KEY, "snis": names})
}

fn names(of: &Answer) -> Value {
    assert!(of.status < 300, "{of:?}");
    of.value()["snis"].clone()
}

#[tokio::test]
async fn the_names_of_a_certificate_are_entities_and_shown_in_order() {
    let api = Api::empty().await;
    let made = api.post("/certificates", certificate(json!(["b.test", "a.test"]))).await;
    assert_eq!((made.status, names(&made)), (201, json!(["a.test", "b.test"])));
    let id = made.value()["id"].clone();
    api.get("/certificates/a.test").await.assert(200, made.value());
    api.get("/snis/b.test").await.assert_entity(200, json!({"name": "b.test", "certificate": {"id": id}}));
    assert_eq!(api.get("/certificates/b.test/snis").await.value()["data"].as_array().unwrap().len(), 2);
    let no_names = api.post("/certificates", json!({"cert": CERT, "key": KEY})).await;
    assert_eq!(names(&no_names), json!([]));
}

#[tokio::test]
async fn a_change_of_the_names_changes_those_entities() {
    let api = Api::empty().await;
    api.post("/certificates", certificate(json!(["a.test", "b.test"]))).await;
    let kept = api.get("/snis/b.test").await.value()["id"].clone();
    assert_eq!(
        names(&api.patch("/certificates/a.test", json!({"tags": ["q"]})).await),
        json!(["a.test", "b.test"])
    );
    assert_eq!(
        names(&api.patch("/certificates/a.test", json!({"snis": ["c.test", "b.test"]})).await),
        json!(["b.test", "c.test"])
    );
    assert_eq!(api.get("/snis/b.test").await.value()["id"], kept);
    api.get("/snis/a.test").await.assert_message(404, "Not found");
    // A whole certificate that names no servers has none.
    assert_eq!(names(&api.put("/certificates/b.test", json!({"cert": CERT, "key": KEY})).await), json!([]));
    assert_eq!(api.get("/snis").await.ids(), []);
}

#[tokio::test]
async fn a_name_is_there_once_and_for_one_certificate() {
    let api = Api::empty().await;
    let first = api.post("/certificates", certificate(json!(["a.test"]))).await.value();
    let problem = |text: String| (format!("schema violation (snis: {text})"), json!({"snis": text}));
    let (message, fields) = problem("b.test is duplicated".to_owned());
    let twice = certificate(json!(["b.test", "b.test"]));
    api.post("/certificates", twice).await.assert_invalid(&message, fields);
    let other = first["id"].as_str().unwrap();
    let (message, fields) = problem(format!("a.test already associated with existing certificate '{other}'"));
    api.post("/certificates", certificate(json!(["c.test", "a.test"])))
        .await
        .assert_invalid(&message, fields);
    let expected = json!({"code": 10, "name": "invalid unique name", "message": "invalid value: bad host"});
    api.post("/certificates", certificate(json!(["bad host"]))).await.assert(400, expected);
    assert_eq!(api.get("/snis").await.value()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn put_by_a_name_makes_a_certificate_that_has_the_name_if_it_lists_any() {
    let api = Api::empty().await;
    let bare = json!({"cert": CERT, "key": KEY});
    assert_eq!(names(&api.put("/certificates/new.test", bare).await), json!([]));
    let listed = api.put("/certificates/new.test", certificate(json!(["more.test"]))).await;
    assert_eq!(names(&listed), json!(["more.test", "new.test"]));
}

#[tokio::test]
async fn a_name_that_no_certificate_has_is_told_apart_from_a_missing_certificate() {
    let api = Api::empty().await;
    for method in ["GET", "PATCH", "DELETE", "OPTIONS"] {
        api.json(method, "/certificates/nope.test", "{}").await.assert_message(404, "SNI not found");
    }
    let path = format!("/certificates/{}", id(7));
    let message = format!("could not find the entity with primary key '{{id=\"{}\"}}'", id(7));
    let missing = json!({"code": 6, "name": "not found", "message": message, "fields": {"id": id(7)}});
    for method in ["GET", "PATCH"] {
        api.json(method, &path, "{}").await.assert(404, missing.clone());
    }
    assert_eq!(api.delete(&path).await.status, 204);
    api.get(&format!("{path}/snis")).await.assert_message(404, "Not found");
}

#[tokio::test]
async fn a_certificate_goes_with_its_names_unless_it_is_in_use() {
    let api = Api::empty().await;
    let made = api.post("/certificates", certificate(json!(["a.test"]))).await.value();
    let fields = json!({"name": "u", "client_certificate": {"id": made["id"]}});
    api.post("/upstreams", fields).await.assert_entity(201, json!({}));
    let answer = api.delete("/certificates/a.test").await;
    assert_eq!((answer.status, &answer.value()["fields"]), (400, &json!({"@referenced_by": "upstreams"})));
    assert_eq!(api.get("/snis/a.test").await.status, 200);
    assert_eq!(api.delete("/upstreams/u").await.status, 204);
    assert_eq!(api.delete("/certificates/a.test").await.status, 204);
    assert_eq!(api.get("/snis").await.ids(), []);
}

#[tokio::test]
async fn an_authority_that_a_service_lists_stays() {
    let api = Api::empty().await;
    let fields = json!({"id": id(1), "cert": AUTHORITY});
    api.post("/ca_certificates", fields).await.assert_entity(201, json!({"id": id(1)}));
    let service = json!({"id": id(3), "host": "h", "protocol": "https", "ca_certificates": [id(1)]});
    api.post("/services", service).await.assert_entity(201, json!({}));
    let path = format!("/ca_certificates/{}", id(1));
    let message = format!("ca certificate {} is still referenced by services (id = {})", id(1), id(3));
    api.delete(&path)
        .await
        .assert(400, json!({"code": 19, "name": "referenced by others", "message": message}));
    api.patch(&format!("/services/{}", id(3)), json!({"ca_certificates": null}))
        .await
        .assert_entity(200, json!({}));
    assert_eq!(api.delete(&path).await.status, 204);
}
