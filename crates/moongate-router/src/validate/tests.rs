use super::*;
use crate::samples::routes;

fn check(flavour: Flavour, item: &str) -> Result<(), String> {
    let samples = routes(&[item]);
    validate(flavour, &(&samples[0]).into())
}

#[test]
fn what_the_router_can_take_is_valid() {
    for item in
        ["paths: [/, '~/a\\d+$']", "headers: {a: ['~*b']}", "protocols: [tcp], sources: [{ip: 10.0.0.0/8}]"]
    {
        for flavour in Flavour::ALL {
            assert_eq!(check(flavour, item), Ok(()), "{item}");
        }
    }
    assert_eq!(check(Flavour::Expressions, r#"expression: 'http.path == "/"'"#), Ok(()));
}

#[test]
fn what_is_wrong_with_a_path_is_said_about_the_expression_of_the_route() {
    for flavour in [Flavour::TraditionalCompatible, Flavour::Expressions] {
        let reason = check(flavour, "hosts: [a.test], paths: ['~/a(?=b)']").unwrap_err();
        let lines: Vec<&str> = reason.lines().collect();
        assert_eq!(lines[0], " --> 1:44", "{reason}");
        assert_eq!(lines[2], r##"1 | (http.host == r#"a.test"#) && (http.path ~ r#"^/a(?=b)"#)"##);
        assert!(reason.contains("look-around"), "{reason}");
    }
    let reason = check(Flavour::Traditional, "paths: ['~/a(?=b)']").unwrap_err();
    assert!(reason.starts_with("regex parse error"), "{reason}");
}

#[test]
fn a_header_without_values_is_refused() {
    let reason = check(Flavour::default(), "headers: {x-a: []}").unwrap_err();
    assert_eq!(reason, " --> 1:2\n  |\n1 | ()\n  |  ^---\n  |\n  = expected term");
}

#[test]
fn expressions_are_checked_with_the_fields_of_their_protocols() {
    for (item, reason) in [
        (r#"expression: 'http.foo == "a"'"#, "Unknown LHS field"),
        (r#"expression: 'http.path == "/"', protocols: [tcp]"#, "Unknown LHS field"),
        (r#"expression: 'http.path == 1'"#, "Type mismatch between the LHS and RHS values of predicate"),
        (r#"expression: 'net.port ~ "1"'"#, "Regex operators only supports string operands"),
        (r#"expression: 'net.port ^= 1'"#, "Regex/Prefix/Postfix operators only supports string operands"),
        (
            r#"expression: 'http.path > "a"'"#,
            "Greater/GreaterOrEqual/Lesser/LesserOrEqual operators only supports integer operands",
        ),
        (r#"expression: 'http.path in "a"'"#, "In/NotIn operators only supports IP in CIDR"),
        (r#"expression: 'net.port contains 1'"#, "Contains operator only supports string operands"),
        (
            r#"expression: 'lower(net.port) == 1'"#,
            "lower-case transformation function only supported with String type fields",
        ),
        (
            r#"expression: '! http.path == "a"'"#,
            " --> 1:1\n  |\n1 | ! http.path == \"a\"\n  | ^---\n  |\n  = expected term",
        ),
    ] {
        assert_eq!(check(Flavour::Expressions, item), Err(reason.to_owned()), "{item}");
    }
    let stream = r#"expression: 'net.src.port == 1 && tls.sni == "a"', protocols: [tls]"#;
    assert_eq!(check(Flavour::Expressions, stream), Ok(()));
}

#[test]
fn an_expression_and_fields_exclude_each_other() {
    let fields = "'methods', 'hosts', 'paths', 'headers', 'snis', 'sources' or 'destinations'";
    for (item, reason) in [
        (
            r#"expression: 'http.path == "/"', hosts: [a.test]"#,
            format!("cannot set 'expression' with {fields} simultaneously"),
        ),
        (
            r#"expression: 'http.path == "/"', regex_priority: 1"#,
            "cannot set 'regex_priority' with 'expression' simultaneously".to_owned(),
        ),
        ("paths: [/], priority: 1", format!("cannot set 'priority' with {fields} simultaneously")),
    ] {
        assert_eq!(check(Flavour::Expressions, item), Err(reason), "{item}");
    }
}
