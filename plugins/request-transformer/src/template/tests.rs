//! What templates stand for.

use super::*;

/// A request with the header `x-a: A`, the argument `q=7` and two captures.
struct Request;

impl Source for Request {
    fn member(&mut self, table: Table, key: &str) -> Value {
        let text = match (table, key) {
            (Table::Headers, "x-a" | "x_a") => "A",
            (Table::QueryParams, "q") => "7",
            (Table::UriCaptures, "id" | "1") => "12",
            (Table::Shared, "s") => "sh",
            (Table::QueryParams, "flag") => return Value::Boolean(true),
            _ => return Value::Nil,
        };
        Value::Text(text.to_owned())
    }
}

fn rendered(text: &str) -> String {
    let template = Template::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    template.render(&mut Request).unwrap_or_else(|error| panic!("{text}: {error}")).into_owned()
}

#[test]
fn values_of_the_request_take_their_places() {
    for (template, value) in [
        ("plain: $ (x) $", "plain: $ (x) $"),
        ("$(headers.x_a)", "A"),
        (r#"<$(headers["x-a"])>"#, "<A>"),
        ("/u/$(uri_captures['id'])/$(uri_captures[1])?", "/u/12/12?"),
        ("$(shared.s)$(query_params.q)", "sh7"),
        ("$( query_params.none or 'none' )", "none"),
        (r#"$(headers.none or query_params.none or "it's")"#, "it's"),
        ("$(headers.none)", ""),
        ("$(query_params.flag)", "true"),
        ("$(query_params.q == '7' and 'seven' or 'other')", "seven"),
        ("$(headers.none ~= nil and 'there' or 'missing')", "missing"),
        ("$(not headers.none and 1 or 2)", "1"),
        ("$('<' .. headers.x_a .. '>')", "<A>"),
        ("$((headers.none or headers.x_a):lower())", "a"),
        ("$(string.upper('ab'))", "AB"),
        ("$(('abcdef'):sub(2, -2))", "bcde"),
        ("$(('abc'):sub(-1))", "c"),
        ("$(('abc'):len())", "3"),
        ("$(foo)", ""),
        ("$(foo or 'none')", "none"),
        ("$(tostring(tonumber(query_params.q)))", "7"),
        (r"$('a\'b\n')", "a'b\n"),
    ] {
        assert_eq!(rendered(template), value, "{template}");
    }
}

#[test]
fn parentheses_that_do_not_close_are_text() {
    assert_eq!(rendered("$(bad("), "$(bad(");
    assert_eq!(rendered("$(x $(query_params.q)"), "$(x 7");
}

#[test]
fn what_is_not_understood_is_refused_with_a_reason() {
    for (template, reason) in [
        ("$(headers)", "`[` is expected instead of the end"),
        ("$(foo bar)", "`bar` is not expected here"),
        ("$(foo[)", "an expression is missing"),
        ("$(headers.x y)", "`y` is not expected here"),
        ("$()", "an expression is missing"),
        ("$('a)", "a string does not end"),
        ("$(headers.x:rep(3))", "the method `rep` is not known"),
        ("$(1 + 2)", "`+` is not understood"),
        ("$(headers[)", "an expression is missing"),
        ("$((function() end)())", "`function` is not expected here"),
    ] {
        assert_eq!(Template::parse(template).unwrap_err().to_string(), reason, "{template}");
    }
    let deep = format!("$({}1{})", "(".repeat(100), ")".repeat(100));
    assert_eq!(Template::parse(&deep).unwrap_err().to_string(), "there are too many parentheses");
}

#[test]
fn what_cannot_be_done_with_a_value_is_an_error() {
    for template in [
        "$(foo.bar)",
        "$(foo['bar'].x)",
        "$(foo(1, 2))",
        "$(foo:lower())",
        "$(headers.none:lower())",
        "$('a' .. headers.none)",
        "$(('a' == 'a'):upper())",
    ] {
        assert!(Template::parse(template).unwrap().render(&mut Request).is_err(), "{template}");
    }
}
