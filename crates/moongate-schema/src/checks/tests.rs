//! What the checks take, and what they say of the rest.

use super::*;

#[test]
fn the_right_texts_pass() {
    for (check, texts) in [
        (HOST, &["a.test", "a", "a_b.c-d.", "1.2.3.4", "::1", "[::1]"] as &[&str]),
        (HOST_WITH_PORT, &["a.test:80", "[::1]:65535", "1.2.3.4:0"]),
        (WILDCARD_HOST, &["*.a.test", "a.*", "a*", "*"]),
        (SNI, &["a.test"]),
        (IP, &["1.2.3.4", "::ffff:1.2.3.4"]),
        (IP_OR_CIDR, &["1.2.3.4", "1.2.3.4/32", "::/0"]),
        (TARGET, &["a.test", "a.test:80", "1.2.3.4", "[::1]:80"]),
        (UPSTREAM_NAME, &["a.test", "a-b"]),
        (NAME, &["a-b_c.d~e", "café"]),
        (TAG, &["a b", "<tag>", "ü"]),
        (HEADER_NAME, &["X-A_b1"]),
        (COOKIE_NAME, &["session~1"]),
        (PATH, &["/a/%2f", "/a;b=c@d"]),
        (ROUTE_HOST, &["a.test:80", "*.a.test", "a.*:80"]),
        (ROUTER_PATH, &["/", "/a%2Fb", "~/a/[0-9]+$", "~/(?=x)", "~/(?>a|b)\\Z"]),
        (URL, &["http://a.test", "https://[::1]:80/x?y#z"]),
        (REDIRECT_URI, &["https://a.test/back"]),
    ] {
        for text in texts {
            assert_eq!((check.run)(&Value::from(*text)), Ok(()), "{} of {text}", check.name);
        }
    }
}

#[test]
fn the_wrong_texts_are_told_why() {
    for (check, text, problem) in [
        (HOST, "a.test:80", "must not have a port"),
        (HOST, "-x-.com", "invalid value: -x-.com"),
        (HOST_WITH_PORT, "1.2.3", "invalid ipv4 address: 1.2.3"),
        (HOST_WITH_PORT, "1:2:3", "invalid ipv6 address: 1:2:3"),
        (HOST_WITH_PORT, "a b", "invalid hostname: a b"),
        (HOST_WITH_PORT, "a:65536", "invalid port number"),
        (WILDCARD_HOST, "*.a.*", "only one wildcard must be specified"),
        (WILDCARD_HOST, "a.*.b", "wildcard must be leftmost or rightmost character"),
        (SNI, "*.a.test", "invalid value: *.a.test"),
        (SNI, "1.2.3.4", "must not be an IP"),
        (IP, "x", "not an ip address: x"),
        (IP_OR_CIDR, "1.2.3.4/33", "invalid ip or cidr range: '1.2.3.4/33'"),
        (TARGET, "a b", "Invalid target ('a b'); not a valid hostname or ip address"),
        (UPSTREAM_NAME, "1.2.3.4", "Invalid name ('1.2.3.4'); no ip addresses allowed"),
        (UPSTREAM_NAME, "a:1", "Invalid name ('a:1'); no port allowed"),
        (UPSTREAM_NAME, "a b", "Invalid name ('a b'); must be a valid hostname"),
        (HEADER_NAME, "x a", "bad header name 'x a', allowed characters are A-Z, a-z, 0-9, '_', and '-'"),
        (PATH, "/%z", "invalid url-encoded value: '%z'"),
        (ROUTE_HOST, "*.a.*", "invalid wildcard: must have at most one wildcard"),
        (ROUTE_HOST, "a.*.b", "invalid wildcard: must be placed at leftmost or rightmost label"),
        (ROUTER_PATH, "x", "should start with: / (fixed path) or ~/ (regex path)"),
        (ROUTER_PATH, "/a/./b", "non-normalized path, consider use '/a/b' instead"),
        (ROUTER_PATH, "/a%41", "non-normalized path, consider use '/aA' instead"),
        (URL, "x", "missing host in url"),
        (URL, "//a.test", "missing scheme in url"),
        (REDIRECT_URI, "x", "cannot parse 'x'"),
        (REDIRECT_URI, "http://a/#f", "fragment not allowed in 'http://a/#f'"),
    ] {
        assert_eq!((check.run)(&Value::from(text)), Err(problem.to_owned()), "{}", check.name);
    }
}

#[test]
fn expressions_that_only_other_engines_know_are_told_apart_from_wrong_ones() {
    for (path, is_usable) in
        [("/(", true), ("~/a", true), ("~/(?=x)", false), (r"~/(a)\1", false), (r"~/a\Z", false)]
    {
        assert_eq!(unsupported_in_router(path).is_none(), is_usable, "{path}");
    }
    for (expression, reason) in [
        ("/(a", "missing closing parenthesis"),
        ("/a)", "unmatched closing parenthesis"),
        ("/a)|(?:b", "unmatched closing parenthesis"),
        ("/[a", "missing terminating ] for character class"),
        ("/(*a)", "quantifier does not follow a repeatable item"),
        ("/[b-a]", "range out of order in character class"),
        ("/a{2,1}", "numbers out of order in {} quantifier"),
        ("/a\\", "\\ at end of pattern"),
    ] {
        assert_eq!(
            (ROUTER_PATH.run)(&Value::from(format!("~{expression}"))).unwrap_err(),
            format!(
                "invalid regex: '{expression}' (PCRE returned: pcre2_compile() failed: {reason} in \"{expression}\")"
            )
        );
    }
}

#[test]
fn names_of_checks_are_distinct() {
    let mut names: Vec<&str> = ALL.iter().map(|check| check.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
