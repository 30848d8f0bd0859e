use super::*;

/// Checks texts against a rule; an empty problem means that the text is right.
fn check(rule: impl Check, cases: &[(&str, &str)]) {
    for (text, problem) in cases {
        assert_eq!(rule(text).err().unwrap_or_default(), *problem, "{text}");
    }
}

#[test]
fn a_host_is_a_name_or_an_address_without_a_port() {
    check(
        host,
        &[
            ("a.test", ""),
            ("a_b-c.test.", ""),
            ("10.1.2.3", ""),
            ("::1", ""),
            ("a b", "invalid value: a b"),
            ("a..b", "invalid value: a..b"),
            ("-x-.com", "invalid value: -x-.com"),
            ("999.1.1.1", "invalid value: 999.1.1.1"),
            ("*.a.test", "invalid value: *.a.test"),
            ("a.com:80", "must not have a port"),
            ("[::1]:80", "must not have a port"),
        ],
    );
}

#[test]
fn a_host_of_a_route_may_have_a_wildcard_label_and_a_port() {
    check(
        route_host,
        &[
            ("a.test", ""),
            ("*.a.test", ""),
            ("a.*", ""),
            ("a.*:80", ""),
            ("*.a.test:9000", ""),
            ("[::1]:443", ""),
            ("a.*.b", "invalid wildcard: must be placed at leftmost or rightmost label"),
            ("*a.test", "invalid wildcard: must be placed at leftmost or rightmost label"),
            ("*.a.*", "invalid wildcard: must have at most one wildcard"),
            ("a b", "invalid hostname: a b"),
            ("a.test:99999", "invalid port number"),
            ("a.test:", "invalid port number"),
            ("1.2.3", "invalid ipv4 address: 1.2.3"),
            ("1::2::3", "invalid ipv6 address: 1::2::3"),
        ],
    );
}

#[test]
fn a_server_name_may_have_a_wildcard_but_no_port() {
    check(
        wildcard_sni,
        &[
            ("a.test", ""),
            ("*.a.test", ""),
            ("a.*", ""),
            ("a.test.", ""),
            ("a.*.b", "wildcard must be leftmost or rightmost character"),
            ("*.a.*", "only one wildcard must be specified"),
            ("1.2.3.4", "must not be an IP"),
            ("a.test:443", "must not have a port"),
            ("a b", "invalid value: a b"),
        ],
    );
}

#[test]
fn the_path_of_a_service_is_a_path_of_a_url() {
    check(
        path,
        &[
            ("/", ""),
            ("/a;b=c/@d%20", ""),
            ("x", "should start with: /"),
            ("/a//b", "must not have empty segments"),
            ("/a b", "invalid path: '/a b' (characters outside of the reserved list of RFC 3986 found)"),
            ("/%zz", "invalid url-encoded value: '%zz'"),
            ("/%4", "invalid url-encoded value: '%4'"),
        ],
    );
}

#[test]
fn a_path_of_a_route_is_normal_or_an_expression() {
    check(
        |text: &str| route_path(text).map(drop),
        &[
            ("/a b/é", ""),
            ("/a%2Fb", ""),
            ("~/a/(?<id>\\d+)$", ""),
            ("~/a(?=b)", ""),
            ("x", "should start with: / (fixed path) or ~/ (regex path)"),
            ("~x", "should start with: / (fixed path) or ~/ (regex path)"),
            ("/a//b", "must not have empty segments"),
            ("~/a//b", "must not have empty segments"),
            ("/a/../b", "non-normalized path, consider use '/b' instead"),
            ("/../b", "non-normalized path, consider use '/b' instead"),
            ("/%61", "non-normalized path, consider use '/a' instead"),
            ("/%zz", "invalid url-encoded value: '%zz'"),
            ("/%ff", "invalid path: '/%ff' (path is not UTF-8 after decoding)"),
            ("~/[a", "invalid regex: '/[a' (PCRE returned: unclosed character class)"),
        ],
    );
}

#[test]
fn an_expression_may_be_right_but_of_no_use_to_the_router() {
    for expression in ["~/a(?=b)", "~/(a)\\1", "~/\\w{1000}{1000}"] {
        assert!(route_path(expression).unwrap().is_some(), "{expression}");
    }
    assert_eq!(route_path("~/a+"), Ok(None));
}

#[test]
fn an_address_or_a_range_of_addresses_is_told_from_other_texts() {
    check(
        ip_or_cidr,
        &[
            ("10.0.0.1", ""),
            ("10.0.0.0/8", ""),
            ("::/0", ""),
            ("10.0.0.0/33", "invalid ip or cidr range: '10.0.0.0/33'"),
            ("a.test", "invalid ip or cidr range: 'a.test'"),
        ],
    );
}
