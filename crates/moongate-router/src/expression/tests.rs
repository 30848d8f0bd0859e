//! Programs against the interpreter of the crate that parses them.

use std::net::IpAddr;

use atc_router::ast::Value;
use atc_router::context::{Context, Match};
use atc_router::interpreter::Execute;
use atc_router::semantics::Validate;
use http::HeaderMap;
use proptest::prelude::*;
use proptest::sample::select;

use super::field::schema;
use super::*;
use crate::RequestView;
use crate::samples::{get, headers};

/// What the interpreter takes as the matched path, if `text` is true for `request`. Segments and queries are
/// left to it only as far as the tests here need them.
pub(crate) fn interpret(text: &str, request: &RequestView<'_>) -> Option<Option<String>> {
    let schema = schema(Subsystem::Http);
    let mut context = Context::new(&schema);
    let mut add = |name: &str, value: &str| context.add_value(name, Value::String(value.to_owned()));
    let (host, port) = crate::host::split_port(request.host.unwrap());
    add("http.method", request.method);
    add("http.host", host);
    add("http.path", request.path);
    add("net.protocol", if request.https { "https" } else { "http" });
    if let Some(sni) = request.sni {
        add("tls.sni", sni);
    }
    for (name, value) in request.headers {
        let name = name.as_str().replace('-', "_");
        add(&format!("http.headers.{name}"), value.to_str().unwrap());
    }
    let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
    for (number, segment) in segments.iter().enumerate() {
        add(&format!("http.path.segments.{number}"), segment);
    }
    let count = request.path.trim_start_matches('/').split('/').count();
    let count = count - usize::from(request.path.ends_with('/'));
    context.add_value("http.path.segments.len", Value::Int(i64::try_from(count).unwrap()));
    context.add_value("net.dst.port", Value::Int(port.unwrap_or(request.port).into()));
    if let Some(source) = request.source {
        context.add_value("net.src.ip", Value::IpAddr(source.ip()));
    }
    let parsed = atc_router::parser::parse(text).unwrap();
    parsed.validate(&schema).unwrap();
    let mut found = Match::new();
    let path = |found: Match| match found.matches.get("http.path") {
        Some(Value::String(path)) => Some(path.clone()),
        _ => None,
    };
    parsed.execute(&mut context, &mut found).then(|| path(found))
}

const TESTS: [&str; 18] = [
    r#"http.path ^= "/a""#,
    r#"http.path ^= "/""#,
    r#"http.path =^ "b""#,
    r#"http.path == "/a/b""#,
    r#"http.path != "/a""#,
    r#"http.path contains "ab""#,
    r#"http.path ~ "^/[ab]+""#,
    r#"lower(http.path) ^= "/a""#,
    r#"http.host == "a.test""#,
    r#"http.host =^ ".test""#,
    r#"http.headers.x_a == "1""#,
    r#"any(http.headers.x_a) == "1""#,
    r#"any(http.headers.x_a) ~ "[23]""#,
    r#"http.headers.x_a != "2""#,
    r#"net.src.ip in 10.0.0.0/8"#,
    r#"net.src.ip not in 10.0.0.0/8"#,
    r#"net.src.ip == 10.0.0.1"#,
    r#"net.dst.port < 9000"#,
];

fn any_expression() -> impl Strategy<Value = String> {
    let leaf = select(&TESTS[..]).prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let joined = prop::collection::vec((inner.clone(), select(&[" && ", " || "][..])), 1..4);
        prop_oneof![
            inner.prop_map(|inner| format!("!({inner})")),
            joined.prop_map(|parts| {
                let mut text = String::from("(");
                for (at, (part, operator)) in parts.iter().enumerate() {
                    text += if at > 0 { operator } else { "" };
                    text += part;
                }
                text + ")"
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_program_says_what_the_interpreter_says(
        text in any_expression(),
        path in "/[abA/]{0,4}",
        host in select(&["a.test", "b.test:9000", "c"][..]),
        values in prop::collection::vec(select(&["1", "2", "3"][..]), 0..3),
        source in select(&["10.0.0.1:1", "10.0.0.2:1", "192.0.2.1:1"][..]),
    ) {
        let pairs: Vec<_> = values.into_iter().map(|value| ("x-a", value)).collect();
        let headers = headers(&pairs);
        let request = RequestView { source: source.parse().ok(), ..get(host, &path, &headers) };
        let program = Program::parse(&text, Subsystem::Http).unwrap();
        let facts = Facts::new(&request, false);
        let wanted = interpret(&text, &request);
        let wanted = wanted.map(|matched| matched.map_or("/", |text| facts.prefix(text.len())).to_owned());
        prop_assert_eq!(program.matches(&facts).map(str::to_owned), wanted);
        if program.matches(&facts).is_some() {
            let literals = program.literals().unwrap_or_else(|| vec![""]);
            prop_assert!(literals.iter().any(|literal| path.starts_with(literal)), "{literals:?}");
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>()) {
        let _ = Program::parse(&text, Subsystem::Http);
    }

    #[test]
    fn any_row_of_words_is_parsed_or_refused(words in prop::collection::vec(select(&WORDS[..]), 0..24)) {
        for subsystem in [Subsystem::Http, Subsystem::Stream] {
            let _ = Program::parse(&words.concat(), subsystem);
        }
    }

    #[test]
    fn any_change_of_an_expression_is_parsed_or_refused(
        text in any_expression(),
        at in any::<prop::sample::Index>(),
        word in select(&WORDS[..]),
        cut in 0..6usize,
    ) {
        let mut characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len());
        let end = (at + cut).min(characters.len());
        characters.splice(at..end, word.chars());
        let _ = Program::parse(&characters.into_iter().collect::<String>(), Subsystem::Http);
    }
}

const WORDS: [&str; 32] = [
    " ",
    " ",
    "\n",
    "\t",
    "(",
    ")",
    "!",
    "&&",
    "||",
    "==",
    "~",
    "in",
    "not",
    "notin",
    "contains",
    "\"",
    "\\",
    "r#\"",
    "\"#",
    "http.path",
    "net.src.ip",
    "net.port",
    "lower",
    "any",
    "10.0.0.0/8",
    "::1",
    "999.1.1.1",
    "0x",
    "-1",
    "08",
    "99999999999999999999",
    "\"(\"",
];

#[test]
fn a_query_is_read_from_the_request_itself() {
    let none = HeaderMap::new();
    let program = Program::parse(r#"any(http.queries.a) == "é""#, Subsystem::Http).unwrap();
    for (path, matches) in
        [("/?b=1&a=x&a=%C3%A9", true), ("/?a=%c3", false), ("/?A=%C3%A9", false), ("/", false)]
    {
        let request = get("gw.test", path, &none);
        assert_eq!(program.matches(&Facts::new(&request, false)).is_some(), matches, "{path}");
    }
}

#[test]
fn addresses_of_both_kinds_are_told_apart() {
    let none = HeaderMap::new();
    let program =
        Program::parse("net.dst.ip in 2001:db8::/32 || net.dst.ip != 10.0.0.1", Subsystem::Http).unwrap();
    for (address, matches) in
        [("2001:db8::1", true), ("10.0.0.1", false), ("::ffff:10.0.0.1", false), ("::1", true)]
    {
        let destination: Option<IpAddr> = address.parse().ok();
        let request = RequestView { destination, ..get("gw.test", "/", &none) };
        assert_eq!(program.matches(&Facts::new(&request, false)).is_some(), matches, "{address}");
    }
}
