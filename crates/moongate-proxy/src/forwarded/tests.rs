use http::Request;

use super::*;

fn peer(trusted: &[&str]) -> Peer {
    let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
    let options = ProxyOptions { trusted, ..ProxyOptions::default() };
    Peer::new("192.0.2.7:40000".parse().unwrap(), "127.0.0.1:8000".parse().unwrap(), &options)
}

fn head(lines: &[(&str, &str)]) -> request::Parts {
    let mut request = Request::get("/echo/a?b=c").header("host", "Shop.Test:8000");
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn forward(peer: &Peer, mut head: request::Parts) -> HeaderMap {
    let options = ProxyOptions::default();
    let id = HeaderValue::from_static("0123");
    let forwarding = Forwarding {
        peer,
        client: peer.client(&head.headers, &options),
        host: HeaderValue::from_static("upstream"),
        prefix: Some(HeaderValue::from_static("/echo")),
        request_id: Some(&id),
        websocket: remove_hop_by_hop(&mut head.headers),
    };
    let mut headers = HeaderMap::new();
    forwarding.write(&head, BodyLength::None, &mut headers);
    let mut text = Vec::new();
    forwarding.write(&head, BodyLength::None, &mut text);
    assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), headers.len());
    headers
}

#[test]
fn an_upstream_learns_where_a_request_came_from() {
    let headers = forward(&peer(&[]), head(&[]));
    for (name, value) in [
        ("host", "upstream"),
        ("connection", "keep-alive"),
        ("via", VIA_1_1),
        ("x-real-ip", "192.0.2.7"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-host", "shop.test"),
        ("x-forwarded-port", "8000"),
        ("x-forwarded-path", "/echo/a"),
        ("x-forwarded-prefix", "/echo"),
        ("x-kong-request-id", "0123"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
}

#[test]
fn a_stranger_cannot_say_where_a_request_came_from() {
    let told = [("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.test"), ("x-real-ip", "10.0.0.1")];
    let headers = forward(&peer(&[]), head(&told));
    assert_eq!(headers["x-forwarded-proto"], "http");
    assert_eq!(headers["x-forwarded-host"], "shop.test");
    assert_eq!(headers["x-real-ip"], "192.0.2.7");
}

#[test]
fn a_trusted_peer_is_believed() {
    let told = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "front.test"),
        ("x-forwarded-for", "198.51.100.1"),
        ("x-real-ip", "198.51.100.1"),
    ];
    let headers = forward(&peer(&["192.0.2.0/24"]), head(&told));
    assert_eq!(headers["x-forwarded-proto"], "https");
    assert_eq!(headers["x-forwarded-host"], "front.test");
    assert_eq!(headers["x-forwarded-for"], "198.51.100.1, 192.0.2.7");
    assert_eq!(headers["x-real-ip"], "198.51.100.1");
}

#[test]
fn of_a_list_the_last_address_counts_or_the_last_that_is_not_trusted() {
    let networks = ["192.0.2.0/24", "10.0.0.0/8"];
    let client = |recursive, lines: &[&str]| {
        let options = ProxyOptions {
            trusted: networks.iter().map(|network| network.parse().unwrap()).collect(),
            real_ip: RealIp::Header(HeaderName::from_static("x-forwarded-for")),
            real_ip_recursive: recursive,
            ..ProxyOptions::default()
        };
        let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        peer(&networks).client(&head(&lines).headers, &options).to_string()
    };
    for (lines, last, recursive) in [
        (&["198.51.100.1, 203.0.113.9, 10.0.0.1"][..], "10.0.0.1", "203.0.113.9"),
        (&["198.51.100.1", "203.0.113.9:80, 10.0.0.1", "10.0.0.2"], "10.0.0.2", "203.0.113.9"),
        (&["10.0.0.3, 10.0.0.1"], "10.0.0.1", "10.0.0.3"),
        (&["198.51.100.1, nonsense, 10.0.0.1"], "10.0.0.1", "10.0.0.1"),
        (&["nonsense"], "192.0.2.7", "192.0.2.7"),
        (&[], "192.0.2.7", "192.0.2.7"),
    ] {
        assert_eq!(client(false, lines), last, "{lines:?}");
        assert_eq!(client(true, lines), recursive, "{lines:?}");
    }
}

#[test]
fn a_client_whose_address_is_told_elsewhere_begins_the_list() {
    let headers = forward(&peer(&["192.0.2.0/24"]), head(&[("x-real-ip", "198.51.100.1")]));
    assert_eq!(headers["x-forwarded-for"], "198.51.100.1");
    assert_eq!(headers["x-real-ip"], "198.51.100.1");
}

#[test]
fn headers_of_the_clients_connection_stay_with_it() {
    let told = [
        ("connection", "x-mine, content-length, close"),
        ("x-mine", "1"),
        ("keep-alive", "timeout=5"),
        ("te", "gzip, trailers"),
        ("upgrade", "h2c"),
        ("proxy-connection", "keep-alive"),
        ("content-length", "0"),
        ("x-other", "1"),
    ];
    let headers = forward(&peer(&[]), head(&told));
    for gone in ["x-mine", "keep-alive", "upgrade", "proxy-connection"] {
        assert!(!headers.contains_key(gone), "{gone}");
    }
    assert_eq!(headers["te"], "trailers");
    assert_eq!(headers["content-length"], "0");
    assert_eq!(headers["x-other"], "1");
}

#[test]
fn a_request_with_two_meanings_is_ambiguous() {
    assert!(!is_ambiguous(&head(&[("content-length", "5")])));
    for lines in [
        [("content-length", "5"), ("transfer-encoding", "chunked")],
        [("content-length", "5"), ("content-length", "5")],
        [("transfer-encoding", "chunked"), ("transfer-encoding", "identity")],
        [("host", "other"), ("x", "1")],
        [("authorization", "a"), ("authorization", "b")],
    ] {
        assert!(is_ambiguous(&head(&lines)), "{lines:?}");
    }
}

#[test]
fn methods_and_hosts_with_characters_that_do_not_belong_there_are_malformed() {
    let of_host = |host: &str| {
        let mut head = head(&[]);
        head.headers.insert("host", host.parse().unwrap());
        is_malformed(&head)
    };
    for host in ["a", "a.", ".a", "a_b:80", "A.test", "[::1]", "[::1]:80", "*", "a:b"] {
        assert!(!of_host(host), "{host}");
    }
    for host in ["", ".", ":80", "a b", "a/b", "a..b", "a:80/", "[::1]:8 0"] {
        assert!(of_host(host), "{host}");
    }
    for (method, expected) in
        [("GET", false), ("M-SEARCH", false), ("A_B", false), ("get", true), ("G1", true)]
    {
        let mut head = head(&[]);
        head.method = method.parse().unwrap();
        assert_eq!(is_malformed(&head), expected, "{method}");
    }
}

#[test]
fn a_host_is_shown_without_its_port_in_lower_case() {
    for (host, bare) in
        [("A.test", "a.test"), ("a.test:80", "a.test"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]")]
    {
        assert_eq!(&*bare_host(host.as_bytes()), bare.as_bytes());
    }
}

#[test]
fn names_with_odd_characters_are_dropped_and_underscores_are_not_odd() {
    let mut headers = HeaderMap::new();
    for name in ["x.dot", "x_under", "x-dash9", "x!", "x~y", "host"] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
    }
    remove_hop_by_hop(&mut headers);
    let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    left.sort_unstable();
    assert_eq!(left, ["host", "x-dash9", "x_under"]);
}
