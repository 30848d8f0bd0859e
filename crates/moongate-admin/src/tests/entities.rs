//! Lists, single reads and pages.

use super::*;

#[tokio::test]
async fn a_service_has_exactly_the_fields_of_kong() {
    let answer = Api::start().await.get("/services/one").await;
    let expected = json!({
        "id": id(1), "name": "one", "created_at": 1_700_000_000, "updated_at": 1_700_000_000,
        "protocol": "http", "host": "upstream.test", "port": 80, "path": null, "retries": 5,
        "connect_timeout": 60000, "write_timeout": 60000, "read_timeout": 60000, "tags": ["a"],
        "client_certificate": null, "tls_verify": null, "tls_verify_depth": null, "ca_certificates": null,
        "enabled": true
    });
    answer.assert(200, expected);
}

#[tokio::test]
async fn entities_are_found_by_id_and_by_endpoint_key() {
    let api = Api::start().await;
    for (path, found) in [
        (format!("/services/{}", id(2)), 2),
        ("/services/two".to_owned(), 2),
        ("/services/tw%6F/".to_owned(), 2),
        (format!("/routes/{}", id(12)), 12),
        ("/routes/r3".to_owned(), 13),
        ("/plugins/second".to_owned(), 22),
        (format!("/plugins/{}", id(21)), 21),
    ] {
        let answer = api.get(&path).await;
        assert_eq!((answer.status, &answer.value()["id"]), (200, &json!(id(found))), "{path}");
    }
}

#[tokio::test]
async fn unknown_entities_and_paths_are_not_found() {
    let api = Api::start().await;
    for path in [
        "/services/nope",
        &format!("/services/{}", id(77)),
        "/services/nope/routes",
        "/services/one/nope",
        "/services/one/services",
        "/services/two/routes/r1",
        "/services/one/routes/nope",
        "/services/one/routes/r1/x",
        "/routes/lonely/service",
        "/routes/nope/service",
        "/plugins/second/route",
        "/plugins/limits",
        "/Services",
        "//services",
        "/default/services",
        "/nope",
    ] {
        api.get(path).await.assert_message(404, "Not found");
    }
}

#[tokio::test]
async fn children_are_listed_and_read_below_their_parent() {
    let api = Api::start().await;
    assert_eq!(api.get("/services/one/routes").await.ids(), [11, 12]);
    assert_eq!(api.get(&format!("/services/{}/routes/", id(2))).await.ids(), [13]);
    assert_eq!(api.get("/services/three/routes").await.value(), json!({"data": [], "next": null}));
    assert_eq!(api.get("/services/one/plugins").await.ids(), [22]);
    assert_eq!(api.get("/routes/r1/plugins").await.ids(), []);
    assert_eq!(api.get("/services/one/routes/r1").await.value()["id"], id(11));
    assert_eq!(api.get("/services/one/plugins/second").await.value()["id"], id(22));
}

#[tokio::test]
async fn a_foreign_key_leads_to_the_entity_that_it_holds() {
    let api = Api::start().await;
    assert_eq!(api.get("/routes/r3/service").await.value()["name"], "two");
    assert_eq!(api.get("/plugins/second/service").await.value()["name"], "one");
}

#[tokio::test]
async fn a_name_that_no_entity_can_have_is_refused() {
    let message =
        "invalid value 'a b': the only accepted ascii characters are alphanumerics or ., -, _, and ~";
    let api = Api::start().await;
    for (path, name) in [
        ("/services/a%20b", "invalid unique name"),
        ("/services/a%20b/routes", "invalid unique name"),
        ("/plugins/a%20b", "invalid unique instance_name"),
    ] {
        api.get(path).await.assert(400, json!({"code": 10, "name": name, "message": message}));
    }
    api.get("/services/%C3%A9t%C3%A9").await.assert_message(404, "Not found");
}

#[tokio::test]
async fn the_links_of_a_list_lead_through_all_pages_and_keep_size_and_tags() {
    let api = Api::start().await;
    let first = api.get("/services?size=1&tags=a%2Fb").await;
    assert_eq!(first.ids(), [1]);
    let offset = first.value()["offset"].as_str().unwrap().replace('=', "%3D");
    let next = first.value()["next"].as_str().unwrap().to_owned();
    assert_eq!(next, format!("/services?offset={offset}&tags=a%2Fb&size=1"));
    let second = api.get(&next).await;
    assert_eq!(second.ids(), [2]);
    let third = api.get(second.value()["next"].as_str().unwrap()).await;
    assert_eq!(third.ids(), [3]);
    assert_eq!((&third.value()["next"], third.value().get("offset")), (&Value::Null, None));
}

#[tokio::test]
async fn a_page_that_ends_with_the_list_has_no_next_page() {
    let answer = Api::start().await.get("/routes?size=4").await;
    assert_eq!(answer.ids(), [11, 12, 13, 14]);
    assert_eq!((&answer.value()["next"], answer.value().get("offset")), (&Value::Null, None));
}

#[tokio::test]
async fn the_links_of_children_name_the_parent_as_the_request_did() {
    let api = Api::start().await;
    let first = api.get("/services/one/routes?size=1&tags=ignored").await;
    assert_eq!(first.ids(), [11]);
    let next = first.value()["next"].as_str().unwrap().to_owned();
    assert!(next.starts_with("/services/one/routes?offset=") && !next.contains('&'), "{next}");
    assert_eq!(api.get(&next).await.ids(), [12]);
}

#[tokio::test]
async fn an_offset_without_padding_is_understood() {
    let api = Api::start().await;
    let first = api.get("/services?size=2").await.value();
    let offset = first["offset"].as_str().unwrap().trim_end_matches('=').to_owned();
    assert_eq!(api.get(&format!("/services?offset={offset}")).await.ids(), [3]);
}

#[tokio::test]
async fn a_list_has_a_hundred_entries_unless_asked_for_more() {
    let api = Api::empty().await;
    for number in 1..=101 {
        put(&api.node, "services", json!({"id": id(number), "host": "h"})).await;
    }
    assert_eq!(api.get("/services").await.ids().len(), 100);
    assert_eq!(api.get("/services?size=1000").await.ids().len(), 101);
}

#[tokio::test]
async fn sizes_and_offsets_that_make_no_sense_are_refused() {
    let api = Api::start().await;
    for (query, code, name, message) in [
        ("size=abc", 9, "invalid size", "size must be a number"),
        ("size=", 9, "invalid size", "size must be a number"),
        ("size=0", 9, "invalid size", "size must be an integer between 1 and 1000"),
        ("size=1001", 9, "invalid size", "size must be an integer between 1 and 1000"),
        ("size=1.5", 9, "invalid size", "size must be an integer between 1 and 1000"),
        ("offset=%%%", 7, "invalid offset", "'%%%' is not a valid offset: bad base64 encoding"),
        ("offset=abc", 7, "invalid offset", "'abc' is not a valid offset: bad json encoding"),
        ("offset=W10=", 7, "invalid offset", "'W10=' is not a valid offset: bad json encoding"),
    ] {
        let answer = api.get(&format!("/services?{query}")).await;
        answer.assert(400, json!({"code": code, "name": name, "message": message}));
    }
}

#[tokio::test]
async fn tags_filter_by_all_or_by_any() {
    let api = Api::start().await;
    for (tags, found) in
        [("a", &[1, 2][..]), ("a,b", &[2]), ("a/b", &[1, 2, 3]), ("none", &[]), ("a,", &[]), ("b/", &[2, 3])]
    {
        assert_eq!(api.get(&format!("/services?tags={tags}")).await.ids(), found, "{tags}");
    }
}

#[tokio::test]
async fn filters_that_make_no_sense_are_refused() {
    let api = Api::start().await;
    for (tags, why) in [
        ("a,b/c", "invalid filter syntax"),
        ("", "cannot be null"),
        ("a,b,c,d,e,f", "cannot query more than 5 tags"),
        ("a/b/c/d/e/f", "cannot query more than 5 tags"),
    ] {
        let message = format!("invalid option (tags: {why})");
        let expected =
            json!({"code": 11, "name": "invalid options", "message": message, "options": {"tags": why}});
        api.get(&format!("/services?tags={tags}")).await.assert(400, expected);
    }
}

#[tokio::test]
async fn unknown_arguments_are_ignored_and_repeated_ones_are_not() {
    let api = Api::start().await;
    assert_eq!(api.get("/plugins?name=limits&name=limits").await.ids(), [21, 22, 23]);
    api.get("/services?size=1&size=2").await.assert_message(500, "An unexpected error occurred");
    let many = vec!["a=1"; 1001].join("&");
    api.get(&format!("/services?{many}")).await.assert_message(400, "Too many arguments");
}

#[tokio::test]
async fn consumers_are_found_by_the_id_that_they_have_elsewhere() {
    let api = Api::start().await;
    assert_eq!(api.get("/consumers?custom_id=c1").await.ids(), [31]);
    api.get("/consumers?custom_id=nope").await.assert(200, json!({"data": [], "next": null}));
    api.get("/consumers?custom_id=").await.assert_message(400, "custom_id must be an unempty string");
    assert_eq!(api.get("/services?custom_id=").await.ids(), [1, 2, 3]);
}

#[tokio::test]
async fn entities_without_an_endpoint_key_are_found_by_their_id_only() {
    let api = Api::start().await;
    let expected = json!({
        "code": 1, "name": "invalid primary key", "message": "invalid primary key: '{id=\"expected a valid UUID\"}'",
        "fields": {"id": "expected a valid UUID"}
    });
    for method in ["GET", "DELETE", "PATCH", "PUT"] {
        api.json(method, "/ca_certificates/nope", "{}").await.assert(400, expected.clone());
    }
}

#[tokio::test]
async fn paths_that_kong_lists_and_never_answers_are_not_found() {
    let api = Api::start().await;
    for path in ["/targets", "/targets/x", "/targets/x/upstream", "/snis/x/certificate"] {
        for method in ["GET", "POST", "DELETE"] {
            api.json(method, path, "{}").await.assert_message(404, "Not found");
        }
    }
    for path in [
        "/filter-chains",
        "/routes/r1/filter-chains/x",
        "/services/one/filter-chains",
        "/routes/r1/filters/all",
    ] {
        let message = "this endpoint is only available when wasm is enabled";
        api.get(path).await.assert_message(400, message);
    }
}
