use super::*;

#[test]
fn paths_are_joined_as_the_table_says() {
    for &(service, route, strip, path, v0, v1) in TABLE {
        let case = format!("{service} + {path}, route {route}, strip {strip}");
        assert_eq!(upstream_path(Some(service), PathHandling::V0, strip, path, route), v0, "{case}");
        assert_eq!(upstream_path(Some(service), PathHandling::V1, strip, path, route), v1, "{case}, v1");
    }
}

#[test]
fn a_service_without_a_path_adds_nothing() {
    for &(service, route, strip, path, v0, _) in TABLE.iter().filter(|row| row.0 == "/") {
        let joined = upstream_path(None, PathHandling::V0, strip, path, route);
        assert_eq!(joined, v0, "{service} + {path}, route {route}, strip {strip}");
        assert_eq!(matches!(joined, Cow::Borrowed(_)), path.contains(v0), "{path} was copied");
    }
}

#[test]
fn a_matched_expression_is_removed() {
    for (service, path, prefix, joined) in [
        ("/api", "/users/12/posts", "/users/12", "/api/posts"),
        ("/api", "/users/12", "/users/12", "/api"),
        ("/api", "/users/123abc", "/users/123", "/api/abc"),
        ("/api", "/users/12/", "/users/12", "/api/"),
        ("/api/", "/things/one", "/things/one", "/api"),
    ] {
        assert_eq!(upstream_path(Some(service), PathHandling::V0, true, path, prefix), joined, "{path}");
    }
}

#[test]
fn dots_behind_the_prefix_do_not_become_dot_segments() {
    for (path, joined) in [
        ("/rou./x", "/srv/x"),
        ("/rou../x", "/srv/x"),
        ("/rou.", "/srv"),
        ("/rou..", "/srv"),
        ("/rou.x", "/srv/.x"),
    ] {
        assert_eq!(upstream_path(Some("/srv"), PathHandling::V0, true, path, "/rou"), joined, "{path}");
    }
}

#[test]
fn bytes_that_may_not_stand_in_a_path_are_escaped() {
    for (path, joined) in [
        ("/a b", "/a%20b"),
        ("/café", "/caf%C3%A9"),
        ("/a%2Fb", "/a%2Fb"),
        ("/a;b=c/@d", "/a;b=c/@d"),
        ("/\"<>\\^`{|}", "/%22%3C%3E%5C%5E%60%7B%7C%7D"),
        ("/!#$&'()*+,/:;=?@[]-_.~", "/!#$&'()*+,/:;=?@[]-_.~"),
    ] {
        assert_eq!(upstream_path(None, PathHandling::V0, false, path, "/"), joined, "{path}");
        assert_eq!(
            upstream_path(Some("/s"), PathHandling::V0, false, path, "/"),
            format!("/s{joined}"),
            "{path}"
        );
    }
}

/// Service path, route path, whether it is stripped, request path, and the path upstream in both ways.
const TABLE: &[(&str, &str, bool, &str, &str, &str)] = &[
    ("/", "/", false, "/rou", "/rou", "/rou"),
    ("/", "/", false, "/rou/", "/rou/", "/rou/"),
    ("/", "/", false, "/roux", "/roux", "/roux"),
    ("/", "/", false, "/rou/x", "/rou/x", "/rou/x"),
    ("/", "/", true, "/rou", "/rou", "/rou"),
    ("/", "/", true, "/rou/", "/rou/", "/rou/"),
    ("/", "/", true, "/roux", "/roux", "/roux"),
    ("/", "/", true, "/rou/x", "/rou/x", "/rou/x"),
    ("/", "/rou", false, "/rou", "/rou", "/rou"),
    ("/", "/rou", false, "/rou/", "/rou/", "/rou/"),
    ("/", "/rou", false, "/roux", "/roux", "/roux"),
    ("/", "/rou", false, "/rou/x", "/rou/x", "/rou/x"),
    ("/", "/rou", true, "/rou", "/", "/"),
    ("/", "/rou", true, "/rou/", "/", "/"),
    ("/", "/rou", true, "/roux", "/x", "/x"),
    ("/", "/rou", true, "/rou/x", "/x", "/x"),
    ("/", "/rou/", false, "/rou/", "/rou/", "/rou/"),
    ("/", "/rou/", false, "/rou/x", "/rou/x", "/rou/x"),
    ("/", "/rou/", true, "/rou/", "/", "/"),
    ("/", "/rou/", true, "/rou/x", "/x", "/x"),
    ("/srv", "/", false, "/rou", "/srv/rou", "/srvrou"),
    ("/srv", "/", false, "/rou/", "/srv/rou/", "/srvrou/"),
    ("/srv", "/", false, "/roux", "/srv/roux", "/srvroux"),
    ("/srv", "/", false, "/rou/x", "/srv/rou/x", "/srvrou/x"),
    ("/srv", "/", true, "/rou", "/srv/rou", "/srvrou"),
    ("/srv", "/", true, "/rou/", "/srv/rou/", "/srvrou/"),
    ("/srv", "/", true, "/roux", "/srv/roux", "/srvroux"),
    ("/srv", "/", true, "/rou/x", "/srv/rou/x", "/srvrou/x"),
    ("/srv", "/rou", false, "/rou", "/srv/rou", "/srvrou"),
    ("/srv", "/rou", false, "/rou/", "/srv/rou/", "/srvrou/"),
    ("/srv", "/rou", false, "/roux", "/srv/roux", "/srvroux"),
    ("/srv", "/rou", false, "/rou/x", "/srv/rou/x", "/srvrou/x"),
    ("/srv", "/rou", true, "/rou", "/srv", "/srv"),
    ("/srv", "/rou", true, "/rou/", "/srv/", "/srv/"),
    ("/srv", "/rou", true, "/roux", "/srv/x", "/srvx"),
    ("/srv", "/rou", true, "/rou/x", "/srv/x", "/srv/x"),
    ("/srv", "/rou/", false, "/rou/", "/srv/rou/", "/srvrou/"),
    ("/srv", "/rou/", false, "/rou/x", "/srv/rou/x", "/srvrou/x"),
    ("/srv", "/rou/", true, "/rou/", "/srv/", "/srv"),
    ("/srv", "/rou/", true, "/rou/x", "/srv/x", "/srvx"),
    ("/srv/", "/", false, "/rou", "/srv/rou", "/srv/rou"),
    ("/srv/", "/", false, "/rou/", "/srv/rou/", "/srv/rou/"),
    ("/srv/", "/", false, "/roux", "/srv/roux", "/srv/roux"),
    ("/srv/", "/", false, "/rou/x", "/srv/rou/x", "/srv/rou/x"),
    ("/srv/", "/", true, "/rou", "/srv/rou", "/srv/rou"),
    ("/srv/", "/", true, "/rou/", "/srv/rou/", "/srv/rou/"),
    ("/srv/", "/", true, "/roux", "/srv/roux", "/srv/roux"),
    ("/srv/", "/", true, "/rou/x", "/srv/rou/x", "/srv/rou/x"),
    ("/srv/", "/rou", false, "/rou", "/srv/rou", "/srv/rou"),
    ("/srv/", "/rou", false, "/rou/", "/srv/rou/", "/srv/rou/"),
    ("/srv/", "/rou", false, "/roux", "/srv/roux", "/srv/roux"),
    ("/srv/", "/rou", false, "/rou/x", "/srv/rou/x", "/srv/rou/x"),
    ("/srv/", "/rou", true, "/rou", "/srv", "/srv/"),
    ("/srv/", "/rou", true, "/rou/", "/srv/", "/srv/"),
    ("/srv/", "/rou", true, "/roux", "/srv/x", "/srv/x"),
    ("/srv/", "/rou", true, "/rou/x", "/srv/x", "/srv/x"),
    ("/srv/", "/rou/", false, "/rou/", "/srv/rou/", "/srv/rou/"),
    ("/srv/", "/rou/", false, "/rou/x", "/srv/rou/x", "/srv/rou/x"),
    ("/srv/", "/rou/", true, "/rou/", "/srv/", "/srv/"),
    ("/srv/", "/rou/", true, "/rou/x", "/srv/x", "/srv/x"),
];
