//! Upstreams with their targets and their health.

use super::*;

async fn with_targets(checks: Value) -> Api {
    let api = Api::empty().await;
    let upstream = json!({"id": id(1), "name": "up", "healthchecks": checks});
    api.post("/upstreams", upstream).await.assert_entity(201, json!({}));
    for (number, target) in [(2, "127.0.0.1:81"), (3, "127.0.0.2:82")] {
        let target = json!({"id": id(number), "target": target, "created_at": number});
        api.post("/upstreams/up/targets", target).await.assert_entity(201, json!({"upstream": reference(1)}));
    }
    api
}

fn checked() -> Value {
    json!({"passive": {"unhealthy": {"http_failures": 3}}})
}

#[tokio::test]
async fn the_newest_targets_come_first_and_pages_are_counted() {
    let api = with_targets(json!({})).await;
    assert_eq!(api.get("/upstreams/up/targets").await.ids(), [3, 2]);
    assert_eq!(api.get("/upstreams/up/targets/all").await.ids(), [2, 3]);
    let first = api.get("/upstreams/up/targets?size=1").await;
    assert_eq!((first.ids(), &first.value()["offset"]), (vec![3], &json!("1")));
    assert_eq!(first.value()["next"], "/upstreams/up/targets?offset=1");
    assert_eq!(api.get("/upstreams/up/targets?offset=1").await.ids(), [2]);
}

#[tokio::test]
async fn a_target_is_written_in_the_usual_form_and_found_by_it() {
    let api = with_targets(json!({})).await;
    let made = api.post("/upstreams/up/targets", json!({"target": "h.test", "weight": 5})).await;
    let made = made.assert_entity(201, json!({"target": "h.test:8000", "weight": 5}));
    for path in ["/upstreams/up/targets/h.test:8000", "/upstreams/up/targets/h.test"] {
        api.get(path).await.assert(200, made.clone());
    }
    let message = "Invalid target; not a valid hostname or ip address";
    api.post("/upstreams/up/targets", json!({"target": "a b"}))
        .await
        .assert_invalid(&format!("schema violation (target: {message})"), json!({"target": message}));
    let fields = json!({"target": "h.test:8000", "upstream": reference(1)});
    let answer = api.post("/upstreams/up/targets", json!({"target": "h.test:8000"})).await;
    assert_eq!((answer.status, &answer.value()["fields"]), (409, &fields));
}

#[tokio::test]
async fn put_changes_a_target_and_makes_none() {
    let api = with_targets(json!({})).await;
    let changed = api.put("/upstreams/up/targets/127.0.0.1:81", json!({"weight": 3})).await;
    changed.assert_entity(200, json!({"id": id(2), "target": "127.0.0.1:81", "weight": 3}));
    for method in ["PUT", "PATCH", "DELETE", "GET"] {
        api.json(method, "/upstreams/up/targets/zip.test:1", "{}").await.assert_message(404, "Not found");
    }
    assert_eq!(api.delete("/upstreams/up/targets/127.0.0.1:81").await.status, 204);
    assert_eq!(api.delete("/upstreams/up").await.status, 204);
    api.get("/upstreams/up/targets").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn the_health_of_targets_is_shown_with_their_addresses() {
    let api = with_targets(json!({})).await;
    let value = api.get("/upstreams/up/health?size=1").await.value();
    let expected = json!({
        "addresses": [{"ip": "127.0.0.2", "port": 82, "weight": 100, "health": "HEALTHCHECKS_OFF"}],
        "weight": {"total": 100, "available": 100, "unavailable": 0},
        "dns": "A", "host": "127.0.0.2", "port": 82, "nodeWeight": 100,
    });
    assert_eq!((&value["data"][0]["data"], &value["data"][0]["target"]), (&expected, &json!("127.0.0.2:82")));
    assert_eq!(
        (&value["data"][0]["health"], &value["node_id"]),
        (&json!("HEALTHCHECKS_OFF"), &json!(id(99)))
    );
    assert_eq!(value["next"], "/upstreams/up/health?offset=1");
    api.get("/upstreams/zip/health").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn targets_can_be_called_healthy_and_not() {
    let api = with_targets(checked()).await;
    let health = |value: Value| {
        let data = value["data"].as_array().unwrap().clone();
        data.iter().map(|target| target["health"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let path = format!("/upstreams/up/targets/{}/unhealthy", id(2));
    assert_eq!(api.send("PUT", &path, &[], "").await.status, 204);
    assert_eq!(health(api.get("/upstreams/up/health").await.value()), ["HEALTHY", "UNHEALTHY"]);
    let whole = api.get("/upstreams/up/health?balancer_health=1").await.value();
    let weight = json!({"total": 200, "available": 100, "unavailable": 100});
    assert_eq!((&whole["data"]["health"], &whole["data"]["details"]["weight"]), (&json!("HEALTHY"), &weight));
    assert_eq!((&whole["data"]["id"], &whole["next"]), (&json!(id(1)), &Value::Null));
    // Clients of older versions send POST.
    let path = "/upstreams/up/targets/127.0.0.1:81/127.0.0.1/healthy";
    assert_eq!(api.send("POST", path, &[], "").await.status, 204);
    assert_eq!(health(api.get("/upstreams/up/health").await.value()), ["HEALTHY", "HEALTHY"]);
    for path in ["/upstreams/up/targets/zip.test:80/healthy", "/upstreams/zip/targets/a/healthy"] {
        api.send("PUT", path, &[], "").await.assert_message(404, "Not found");
    }
}

#[tokio::test]
async fn without_checks_health_cannot_be_set() {
    let api = with_targets(json!({})).await;
    let answer = api.send("PUT", "/upstreams/up/targets/127.0.0.1:81/healthy", &[], "").await;
    answer.assert_message(400, "no healthchecker found for up");
}
