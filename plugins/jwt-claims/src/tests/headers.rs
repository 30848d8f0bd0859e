//! What becomes of claims.

use super::*;

/// The value of a claim, given as JSON, as a response header.
fn handed_on(claim: &str) -> Option<String> {
    let request = bearing(&with_payload(&format!(r#"{{"exp":4102444800,"sub":{claim}}}"#)));
    assert_eq!(reply(&hs256(), &request), None, "{claim}");
    request.response_header("x-sub").map(|value| String::from_utf8(value).unwrap())
}

fn upstream() -> JwtClaims {
    plugin(&json!({ "secret": SECRET, "upstream_claims": { "sub": "X-User", "roles": "x-roles" } }))
}

#[test]
fn claims_become_headers_of_the_response() {
    let plugin = plugin(
        &json!({ "secret": SECRET, "claims": { "sub": "X-Sub", "exp": "x-expires", "iss": "x-iss" } }),
    );
    let request = bearing(&with_payload(r#"{"iss":"us","exp":4102444800,"sub":"alice"}"#));
    assert_eq!(reply(&plugin, &request), None);
    assert_eq!(request.response_header("x-sub").unwrap(), b"alice");
    assert_eq!(request.response_header("x-expires").unwrap(), b"4102444800");
    assert_eq!(request.response_header("x-iss").unwrap(), b"us");
    assert_eq!(request.as_request().header("x-sub"), None);
}

#[test]
fn one_claim_may_become_several_headers() {
    let config =
        json!({ "secret": SECRET, "claims": { "sub": "x-sub" }, "upstream_claims": { "sub": "x-user" } });
    let request = bearing(&good("alice"));
    assert_eq!(reply(&plugin(&config), &request), None);
    assert_eq!(request.response_header("x-sub").unwrap(), b"alice");
    assert_eq!(request.as_request().header("x-user").unwrap(), b"alice");
}

#[test]
fn claims_that_are_no_strings_become_json() {
    for (claim, header) in [
        ("42", "42"),
        ("-1.50", "-1.50"),
        ("true", "true"),
        (r#"["a", "b c\n"]"#, r#"["a","b c\n"]"#),
        ("{\n \"a b\" : [ 1 , \"\\\" \" ] }", r#"{"a b":[1,"\" "]}"#),
        (r#""""#, ""),
        (r#""\u0061\"b\\""#, "a\"b\\"),
        (r#""zoë""#, "zoë"),
    ] {
        assert_eq!(handed_on(claim).unwrap(), header, "{claim}");
    }
}

#[test]
fn numbers_are_handed_on_digit_by_digit() {
    for number in
        ["123456789012345678901234567890", "18446744073709551617", "0.1000000000000000055511151", "1e400"]
    {
        assert_eq!(handed_on(number).unwrap(), number);
    }
}

#[test]
fn a_null_and_a_missing_claim_become_no_header() {
    assert_eq!(handed_on("null"), None);
    let request = bearing(&with_payload(r#"{"exp":4102444800}"#));
    assert_eq!(reply(&hs256(), &request), None);
    assert_eq!(request.response_header("x-sub"), None);
}

#[test]
fn a_claim_that_would_break_out_of_its_header_is_left_out() {
    for claim in [r#""a\r\nset-cookie: b""#, r#""a\nb""#, r#""a\u0000b""#, r#""\u007f""#, r#""\n""#] {
        assert_eq!(handed_on(claim), None, "{claim}");
    }
}

#[test]
fn a_claim_with_space_around_it_is_left_out_because_it_would_become_another() {
    for claim in [r#"" admin""#, r#""admin ""#, r#""\tadmin""#, r#"" ""#] {
        assert_eq!(handed_on(claim), None, "{claim}");
    }
}

#[test]
fn claims_become_headers_of_the_upstream_request() {
    let request = bearing(&with_payload(r#"{"exp":4102444800,"sub":"alice","roles":["a","b"]}"#));
    assert_eq!(reply(&upstream(), &request), None);
    assert_eq!(request.as_request().header("x-user").unwrap(), b"alice");
    assert_eq!(request.as_request().header("x-roles").unwrap(), br#"["a","b"]"#);
    assert_eq!(request.response_header("x-user"), None);
}

#[test]
fn what_the_client_sent_under_the_name_of_a_claim_never_goes_upstream() {
    for claims in [
        r#"{"exp":4102444800,"sub":"alice"}"#,
        r#"{"exp":4102444800}"#,
        r#"{"exp":4102444800,"sub":null}"#,
        r#"{"exp":4102444800,"sub":"a\r\nb"}"#,
        r#"{"exp":4102444800,"sub":" admin"}"#,
    ] {
        let request = bearing(&with_payload(claims))
            .with_header("x-user", "admin")
            .with_header("X-USER", "root")
            .with_header("x-roles", "all");
        assert_eq!(reply(&upstream(), &request), None, "{claims}");
        let users = request.as_request().header_values("x-user");
        let expected: &[&[u8]] = if claims.contains("alice") { &[b"alice"] } else { &[] };
        assert_eq!(users, expected, "{claims}");
        assert_eq!(request.as_request().header("x-roles"), None, "{claims}");
    }
}

#[test]
fn the_ping_endpoint_answers() {
    let reply = JwtClaims::on_admin(&AdminRequest::default()).unwrap();
    assert_eq!((reply.status, reply.body), (200, b"PONG".to_vec()));
}
