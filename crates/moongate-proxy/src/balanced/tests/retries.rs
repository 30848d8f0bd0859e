use super::*;

#[test]
fn a_refused_target_is_followed_by_another_also_for_requests_with_a_body() {
    let server = Server::start("a");
    let targets = [(server.address(), 100), (nobody(), 100)];
    let gateway = Gateway::start(upstream("", &targets), "retries: 5");
    for _ in 0..6 {
        let answer = gateway.send("POST", "/x", &[], "x");
        assert_eq!((answer.status, answer.body.as_str()), (200, "a"));
        assert_eq!(answer.header("x-seen-host").unwrap(), server.address());
    }
}

#[test]
fn without_retries_a_refused_target_is_a_bad_gateway() {
    let passive = passive("tcp_failures: 1");
    let gateway = Gateway::start(upstream(&passive, &[(nobody(), 100)]), "retries: 0");
    for _ in 0..3 {
        let answer = gateway.get("/x", &[("Accept", "application/json")]);
        assert_eq!(answer.status, 502, "a last try does not count as a refusal");
        assert!(answer.body.contains("An invalid response was received from the upstream server"));
        for name in ["x-kong-proxy-latency", "x-kong-upstream-latency", "via"] {
            assert!(answer.header(name).is_some(), "{name}");
        }
    }
}

#[test]
fn a_refusal_counts_when_another_try_follows() {
    let passive = passive("tcp_failures: 1");
    let gateway = Gateway::start(upstream(&passive, &[(nobody(), 100)]), "retries: 1");
    assert_eq!(gateway.get("/x", &[]).status, 502);
    assert_eq!(gateway.get("/x", &[]).status, 503);
    assert_eq!(gateway.health(), [HealthWord::Unhealthy]);
}

#[test]
fn a_slow_target_is_a_gateway_timeout_and_a_request_that_may_be_repeated_goes_to_the_next() {
    let server = Server::start("a");
    let one = [(server.address(), 100)];
    let gateway = Gateway::start(upstream("", &one), "retries: 1, read_timeout: 150");
    let answer = gateway.get("/x?delay=500", &[("Accept", "application/json")]);
    assert_eq!(answer.status, 504);
    assert!(answer.body.contains("The upstream server is timing out"));
    assert_eq!(server.seen().len(), 2);

    let answer = gateway.send("POST", "/x?delay=500", &[], "x");
    assert_eq!(answer.status, 504);
    assert_eq!(server.seen().len(), 3, "a POST that was sent is not repeated");
}

#[test]
fn timeouts_open_the_breaker() {
    let server = Server::start("a");
    let passive = passive("timeouts: 2");
    let gateway =
        Gateway::start(upstream(&passive, &[(server.address(), 100)]), "retries: 0, read_timeout: 100");
    assert_eq!(gateway.get("/x?delay=400", &[]).status, 504);
    assert_eq!(gateway.get("/x?delay=400", &[]).status, 504);
    assert_eq!(gateway.get("/x", &[]).status, 503);
}

#[test]
fn a_hashed_request_goes_to_the_next_target_on_the_ring_when_its_own_is_refused() {
    let server = Server::start("a");
    let targets = [(server.address(), 100), (nobody(), 100)];
    let gateway = Gateway::start(upstream("hash_on: path", &targets), "retries: 1");
    for number in 0..10 {
        assert_eq!(gateway.get(&format!("/{number}"), &[]).body, "a");
    }
}
