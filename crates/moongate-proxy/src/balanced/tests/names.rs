use super::gateway::eventually;
use super::name_server::NameServer;
use super::*;
use crate::Query;

fn resolver(server: &NameServer) -> ResolverOptions {
    ResolverOptions {
        servers: vec![server.address()],
        hosts_file: None,
        // Always beginning with the same, so that questions can be counted.
        order: vec![Query::Srv, Query::A, Query::Aaaa],
        timeout: Some(Duration::from_millis(200)),
        ..ResolverOptions::default()
    }
}

fn port(server: &Server) -> u16 {
    server.address().rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn the_first_request_waits_for_a_targets_name_and_uses_all_its_addresses() {
    let names = NameServer::start();
    names.set_addresses("a.test", &[[127, 0, 0, 1], [127, 0, 0, 2]], 60);
    let one = Server::start("one");
    let two = Server::start_at("two", &format!("127.0.0.2:{}", port(&one)));
    let targets = [(format!("a.test:{}", port(&one)), 100)];
    let gateway = Gateway::with(upstream("", &targets), "", resolver(&names));
    let answer = gateway.get("/x", &[]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-seen-host").unwrap(), format!("a.test:{}", port(&one)));
    for _ in 0..3 {
        gateway.get("/x", &[]);
    }
    assert_eq!((one.seen().len(), two.seen().len()), (2, 2));
}

#[test]
fn a_target_that_moves_is_followed() {
    let names = NameServer::start();
    names.set_addresses("a.test", &[[127, 0, 0, 1]], 1);
    let one = Server::start("one");
    let _two = Server::start_at("two", &format!("127.0.0.2:{}", port(&one)));
    let targets = [(format!("a.test:{}", port(&one)), 100)];
    let gateway = Gateway::with(upstream("", &targets), "", resolver(&names));
    assert_eq!(gateway.get("/x", &[]).body, "one");
    names.set_addresses("a.test", &[[127, 0, 0, 2]], 60);
    eventually("the move is followed", || gateway.get("/x", &[]).body == "two");

    // The records are good for a minute, so nobody asks again.
    let asked = names.asked("a.test");
    std::thread::sleep(Duration::from_millis(1500));
    gateway.get("/x", &[]);
    assert_eq!(names.asked("a.test"), asked);
}

#[test]
fn the_old_address_serves_while_name_servers_are_silent() {
    let names = NameServer::start();
    names.set_addresses("a.test", &[[127, 0, 0, 1]], 1);
    let server = Server::start("one");
    let targets = [(format!("a.test:{}", port(&server)), 100)];
    let gateway = Gateway::with(upstream("", &targets), "", resolver(&names));
    assert_eq!(gateway.get("/x", &[]).status, 200);
    names.set_silent(true);
    let asked = names.asked("a.test");
    eventually("the name is asked for again", || names.asked("a.test") > asked + 2);
    assert_eq!(gateway.get("/x", &[]).status, 200);
    assert_eq!(gateway.health(), [HealthWord::Off]);

    names.set_silent(false);
    names.remove("a.test");
    eventually("the name is known to be gone", || gateway.health() == [HealthWord::DnsError]);
    assert_eq!(gateway.get("/x", &[]).status, 503);
}

#[test]
fn srv_records_bring_ports_and_weights_and_the_best_priority_counts() {
    let names = NameServer::start();
    names.set_addresses("one.test", &[[127, 0, 0, 1]], 60);
    names.set_addresses("two.test", &[[127, 0, 0, 2]], 60);
    names.set_addresses("three.test", &[[127, 0, 0, 3]], 60);
    let (one, two) = (Server::start("one"), Server::start_at("two", "127.0.0.2:0"));
    names.set_services(
        "a.test",
        &[(1, 3, port(&one), "one.test"), (1, 1, port(&two), "two.test"), (2, 9, 1, "three.test")],
        60,
    );
    let gateway =
        Gateway::with(upstream("use_srv_name: true", &[("a.test:1".to_owned(), 100)]), "", resolver(&names));
    let bodies: Vec<_> = (0..8).map(|_| gateway.get("/x", &[])).collect();
    assert_eq!(bodies.iter().filter(|answer| answer.body == "one").count(), 6);
    let two_hosts: Vec<_> = bodies.iter().filter(|answer| answer.body == "two").collect();
    assert_eq!(two_hosts.len(), 2);
    assert_eq!(two_hosts[0].header("x-seen-host").unwrap(), format!("two.test:{}", port(&two)));

    // The same goes for a service whose host is no upstream's name.
    let gateway = Gateway::with(String::new(), "host: a.test, port: 1", resolver(&names));
    for _ in 0..4 {
        assert_eq!(gateway.get("/x", &[]).status, 200);
    }
}

#[test]
fn a_target_without_an_address_leaves_the_others_alone() {
    let names = NameServer::start();
    let server = Server::start("one");
    let targets = [("nobody.test:80".to_owned(), 100), (server.address(), 100)];
    let gateway = Gateway::with(upstream("", &targets), "", resolver(&names));
    for _ in 0..4 {
        assert_eq!(gateway.get("/x", &[]).body, "one");
    }
    assert_eq!(gateway.health_of("nobody.test:80"), HealthWord::DnsError);
    assert_eq!(gateway.health_of(&server.address()), HealthWord::Off);
}

#[test]
fn a_service_whose_host_does_not_exist_is_not_proxied_and_the_name_not_asked_for_again() {
    let names = NameServer::start();
    let gateway = Gateway::with(String::new(), "host: nobody.test", resolver(&names));
    for _ in 0..3 {
        let answer = gateway.get("/x", &[]);
        assert_eq!(answer.status, 503);
        assert!(answer.body.contains("\"message\":\"name resolution failed\""), "{}", answer.body);
        assert!(answer.header("x-kong-response-latency").is_some() && answer.header("via").is_none());
    }
    assert_eq!(names.asked("nobody.test"), 1);
}

#[test]
fn a_name_server_that_is_silent_is_waited_for_as_it_may_take_and_told_of() {
    let names = NameServer::start();
    names.set_silent(true);
    // How long a connection may take does not matter, for there is none to wait for.
    for service in ["host: a.test, connect_timeout: 60000", "host: a.test, connect_timeout: 1"] {
        let gateway = Gateway::with(String::new(), service, resolver(&names));
        let begun = tokio::time::Instant::now();
        let answer = gateway.get("/x", &[("Accept", "application/json")]);
        assert_eq!(answer.status, 500, "{service}");
        assert!(
            answer.body.contains("\"name resolution failed: no name server has an answer\""),
            "{}",
            answer.body
        );
        assert!(answer.header("via").is_none());
        let taken = begun.elapsed();
        assert!(
            (Duration::from_millis(200)..Duration::from_secs(5)).contains(&taken),
            "{service}: {taken:?}"
        );
    }
}

#[test]
fn a_service_whose_host_moves_is_followed_although_its_connections_are_kept() {
    let names = NameServer::start();
    names.set_addresses("a.test", &[[127, 0, 0, 1]], 1);
    let one = Server::start("one");
    let _two = Server::start_at("two", &format!("127.0.0.2:{}", port(&one)));
    let host = format!("host: a.test, port: {}", port(&one));
    let gateway = Gateway::with(String::new(), &host, resolver(&names));
    assert_eq!(gateway.get("/x", &[]).body, "one");
    names.set_addresses("a.test", &[[127, 0, 0, 2]], 60);
    eventually("the move is followed", || gateway.get("/x", &[]).body == "two");
    // The other worker's connection is looked at within a second, too.
    std::thread::sleep(Duration::from_millis(1200));
    for _ in 0..10 {
        assert_eq!(gateway.get("/x", &[]).body, "two");
    }
}

#[test]
fn records_that_are_good_for_no_time_are_asked_for_by_each_request() {
    let names = NameServer::start();
    let one = Server::start("one");
    let _two = Server::start_at("two", &format!("127.0.0.2:{}", port(&one)));
    let targets = [(format!("a.test:{}", port(&one)), 100)];
    let host = format!("host: a.test, port: {}", port(&one));
    for (upstream, service) in [(upstream("", &targets), ""), (String::new(), host.as_str())] {
        names.set_addresses("a.test", &[[127, 0, 0, 1]], 0);
        let gateway = Gateway::with(upstream, service, resolver(&names));
        // The first may be answered by what the gateway learns when it starts.
        assert_eq!(gateway.get("/x", &[]).body, "one");
        for _ in 0..3 {
            for (last, body) in [(2, "two"), (1, "one")] {
                names.set_addresses("a.test", &[[127, 0, 0, last]], 0);
                assert_eq!(gateway.get("/x", &[]).body, body, "{service}");
            }
        }
        // Without an answer, the last one is good for a while.
        names.set_silent(true);
        assert_eq!(gateway.get("/x", &[]).body, "one", "{service}");
        names.set_silent(false);
    }
}

#[test]
fn the_hosts_file_goes_before_name_servers() {
    let names = NameServer::start();
    names.set_addresses("a.test", &[[127, 0, 0, 9]], 60);
    let server = Server::start("one");
    let file = std::env::temp_dir().join(format!("moongate-hosts-names-{}", std::process::id()));
    std::fs::write(&file, "127.0.0.1 a.test b.test\n").unwrap();
    let resolver = ResolverOptions { hosts_file: Some(file.clone()), ..resolver(&names) };
    let targets = [(format!("a.test:{}", port(&server)), 100)];
    let gateway = Gateway::with(upstream("", &targets), "", resolver);
    std::fs::remove_file(file).unwrap();
    assert_eq!(gateway.get("/x", &[]).body, "one");
    assert_eq!(names.asked("a.test"), 0);
}
