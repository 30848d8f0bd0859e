//! The token that callers have to show when one is configured.

use super::*;

#[tokio::test]
async fn without_the_token_nothing_is_answered_but_which_methods_there_are() {
    let api = Api::with(
        FakeNode { token: Some("secret".to_owned()), ..FakeNode::default() },
        FakeCatalog::default(),
    )
    .await;
    for path in ["/", "/services", "/nope", "/openapi.json"] {
        api.get(path).await.assert_message(401, "Unauthorized");
    }
    api.post("/services", json!({"host": "h"})).await.assert_message(401, "Unauthorized");
    assert_eq!(api.send("OPTIONS", "/services", &[], "").await.status, 204);
    for headers in [[("Authorization", "Bearer secret")], [("Kong-Admin-Token", "secret")]] {
        assert_eq!(api.send("GET", "/services", &headers, "").await.status, 200);
        api.send("GET", "/nope", &headers, "").await.assert_message(404, "Not found");
    }
    let wrong = [("Authorization", "Bearer secreT")];
    let answer = api.send("GET", "/services", &wrong, "").await;
    answer.assert_message(401, "Unauthorized");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}
