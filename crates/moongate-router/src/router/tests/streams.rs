use super::*;
use crate::StreamKind;

fn stream(
    kind: StreamKind,
    source: &str,
    destination: &str,
    sni: Option<&'static str>,
) -> StreamView<'static> {
    StreamView { kind, source: source.parse().unwrap(), destination: destination.parse().unwrap(), sni }
}

fn tcp(source: &str, destination: &str) -> StreamView<'static> {
    stream(StreamKind::Tcp, source, destination, None)
}

fn tls(sni: &'static str) -> StreamView<'static> {
    stream(StreamKind::Tls, "10.0.0.1:5", "10.0.0.2:9443", Some(sni))
}

#[test]
fn clients_and_listeners_are_compared() {
    let items = [
        "protocols: [tcp], sources: [{ip: 10.1.0.0/16}, {port: 77}]",
        "protocols: [tcp], destinations: [{ip: 10.0.0.2, port: 9000}]",
    ];
    for flavour in Flavour::ALL {
        let router = router(flavour, &items);
        for (source, destination, route) in [
            ("10.1.2.3:5", "10.0.0.2:9001", Some(0)),
            ("10.2.2.3:77", "10.0.0.2:9001", Some(0)),
            ("10.2.2.3:5", "10.0.0.2:9000", Some(1)),
            ("10.2.2.3:5", "10.0.0.3:9000", None),
        ] {
            let found = router.find_stream(&tcp(source, destination));
            assert_eq!(found, route, "{flavour:?} {source} {destination}");
        }
    }
}

#[test]
fn a_server_name_decides_where_there_is_one() {
    let items = ["protocols: [tls], snis: [a.test]", "protocols: [tls_passthrough], snis: [b.test]"];
    for flavour in [Flavour::TraditionalCompatible, Flavour::Traditional] {
        let router = router(flavour, &items);
        for (sni, route) in [("a.test", Some(0)), ("b.test", Some(1)), ("c.test", None)] {
            assert_eq!(router.find_stream(&tls(sni)), route, "{flavour:?} {sni}");
        }
        assert_eq!(router.find_stream(&tcp("10.0.0.1:5", "10.0.0.2:9443")), None);
    }
}

#[test]
fn server_names_of_streams_can_be_patterns() {
    let router = router(Flavour::default(), &["protocols: [tls], snis: ['*.a.test']"]);
    assert_eq!(router.find_stream(&tls("x.a.test")), Some(0));
    assert_eq!(router.find_stream(&tls("a.test")), None);
}

#[test]
fn datagrams_belong_to_routes_for_them() {
    let items = ["protocols: [tcp], sources: [{port: 5}]", "protocols: [udp], sources: [{port: 5}]"];
    let router = router(Flavour::default(), &items);
    let datagram = stream(StreamKind::Udp, "10.0.0.1:5", "10.0.0.2:53", None);
    assert_eq!(router.find_stream(&datagram), Some(1));
    assert_eq!(router.find_stream(&tcp("10.0.0.1:5", "10.0.0.2:53")), Some(0));
}

#[test]
fn server_names_and_both_addresses_come_first_then_exact_addresses() {
    let both = "protocols: [tcp, tls], sources: [{ip: 10.0.0.0/8}], destinations: [{ip: 10.0.0.0/8}]";
    for (first, second) in [
        ("protocols: [tls], sources: [{ip: 10.0.0.1, port: 5}]", "protocols: [tls], snis: [a.test]"),
        ("protocols: [tls], sources: [{ip: 10.0.0.1, port: 5}]", both),
        ("protocols: [tls], sources: [{ip: 10.0.0.0/8}]", "protocols: [tls], sources: [{port: 5}]"),
        ("protocols: [tls], sources: [{port: 5}]", "protocols: [tls], sources: [{ip: 10.0.0.1}]"),
        (
            "protocols: [tls], destinations: [{ip: 10.0.0.2, port: 9443}]",
            "protocols: [tls], sources: [{ip: 10.0.0.0/8}]",
        ),
    ] {
        let ids = ["ffffffff-ffff-4fff-bfff-ffffffffffff", "00000000-0000-4000-8000-000000000001"];
        let items = [format!("id: {}, {first}", ids[0]), format!("id: {}, {second}", ids[1])];
        let router = router(Flavour::default(), &[&items[0], &items[1]]);
        assert_eq!(router.find_stream(&tls("a.test")), Some(1), "{second} against {first}");
    }
}

#[test]
fn expressions_know_the_fields_of_streams() {
    let items = [
        r#"protocols: [tls], expression: 'tls.sni =^ ".a.test" && net.dst.port == 9443'"#,
        r#"protocols: [udp], expression: 'net.src.port < 1024'"#,
        r#"protocols: [tcp], expression: 'net.protocol == "tcp"'"#,
    ];
    let router = router(Flavour::Expressions, &items);
    assert_eq!(router.find_stream(&tls("x.a.test")), Some(0));
    let datagram = stream(StreamKind::Udp, "10.0.0.1:5", "10.0.0.2:53", None);
    assert_eq!(router.find_stream(&datagram), Some(1));
    assert_eq!(router.find_stream(&tcp("10.0.0.1:5", "10.0.0.2:53")), Some(2));
}

#[test]
fn requests_and_streams_do_not_meet() {
    let items = ["protocols: [tcp], sources: [{ip: 127.0.0.0/8}]", "paths: [/]"];
    let router = router(Flavour::default(), &items);
    assert_eq!(found(&router, "gw.test", "/"), Some(1));
    assert_eq!(router.find_stream(&tcp("127.0.0.1:1", "127.0.0.1:2")), Some(0));
    assert_eq!(router.find_stream(&tcp("10.0.0.1:1", "127.0.0.1:2")), None);
}
