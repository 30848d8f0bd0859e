use super::*;

const CERTIFICATE: &str = include_str!("certificate.yaml");

#[test]
fn the_answer_has_the_rows_by_id_with_secrets_as_given() {
    let declare = |transform: &str| {
        declaration(&format!(
            "{{_format_version: '3.0', _transform: {transform}, consumers: [{{id: 0a0b0c0d-0000-4000-8000-000000000001, \
             username: u, basicauth_credentials: [{{username: bu, password: pw}}]}}]}}"
        ))
        .unwrap()
    };
    let declaration = declare("true");
    let answer = declaration.declared();
    let credentials = answer["basicauth_credentials"].as_object().unwrap();
    let (key, shown) = credentials.iter().next().unwrap();
    assert_eq!(shown["id"], json!(key));
    assert_eq!(shown["password"], "pw");
    assert_eq!(shown["consumer"], json!({"id": "0a0b0c0d-0000-4000-8000-000000000001"}));
    assert_eq!(answer["consumers"]["0a0b0c0d-0000-4000-8000-000000000001"]["custom_id"], json!(null));
    let stored = |declaration: &Declaration| {
        declaration.rows["basicauth_credentials"].values().next().unwrap()["password"].clone()
    };
    assert_eq!(stored(&declaration), "PW@0a0b0c0d-0000-4000-8000-000000000001");
    assert_eq!(stored(&declare("false")), "pw");
}

#[test]
fn an_empty_configuration_has_an_empty_answer() {
    assert_eq!(declaration("_format_version: '3.0'").unwrap().declared(), json!({}));
}

#[test]
fn server_names_are_shown_in_their_certificate_but_not_stored_there() {
    let declaration = declaration(CERTIFICATE).unwrap();
    let certificate = "0a0b0c0d-0000-4000-8000-000000000001";
    let sni = "0a0b0c0d-0000-4000-8000-000000000004";
    let answer = declaration.declared();
    assert_eq!(
        answer["certificates"][certificate]["snis"],
        json!([{
            "_comment": null, "_ignore": null, "certificate": {"id": certificate}, "created_at": NOW, "id": sni,
            "name": "a.test", "tags": ["x"], "updated_at": NOW,
        }])
    );
    assert!(answer["snis"][sni].get("_comment").is_none());
    assert_eq!(answer["snis"]["7f7dfa11-6c58-5369-8c5d-a9f39c913dd1"]["name"], "b.test");
    let stored = declaration.rows["certificates"].values().next().unwrap();
    assert!(!stored.contains_key("snis"));
}
