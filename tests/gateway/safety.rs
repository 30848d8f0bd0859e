//! What a plugin from strangers tries, and what stands against it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Client, Response, get};
use crate::harness::{Gateway, Setup, built_plugin};

/// A gateway whose requests to `/x` are the fixture's, with these grants.
fn gateway(grants: &str) -> Gateway {
    setup(grants).start()
}

fn setup(grants: &str) -> Setup {
    Setup::new()
        .route("x", "stranger", "{}")
        .plain_route("good")
        .bundled("stranger")
        .property(&format!("plugin_grants: {{stranger: [kv, counters, metrics, {grants}]}}"))
        // What it may take is not what is tried here, and this machine may be busy.
        .property("plugin_settings: {stranger: {cpu_budget: 5000}}")
}

const NOWHERE: &str = "{http-client: {hosts: []}}";
const THIS_MACHINE: &str = "{http-client: {hosts: ['127.0.0.1'], private: true}}";

/// Lets the fixture do something.
fn act(gateway: &Gateway, act: &str, on: &str) -> Response {
    get(gateway.proxy, "/x", &[("x-act", act), ("x-on", on)])
}

/// The fixture fails for this reason, and others are served.
fn is_stopped(gateway: &Gateway, what: &str, on: &str, reason: &str) {
    let answer = act(gateway, what, on);
    assert_eq!(answer.status, 500, "{what} {on}: {}", answer.text());
    let error = gateway.plugin("stranger")["last_error"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains(reason), "{what}: {error}");
    assert_eq!(get(gateway.proxy, "/good", &[]).status, 200);
}

#[test]
fn requests_to_this_machine_and_to_private_networks_are_refused_in_every_shape() {
    let hosts = "['*']";
    let gateway = gateway(&format!("{{http-client: {{hosts: {hosts}}}}}"));
    let port = gateway.admin.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "2130706433",
        "127.1",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.0.1",
    ] {
        let said = act(&gateway, "fetch", &format!("http://{host}:{port}/")).text();
        assert!(said.starts_with("not granted: "), "{host}: {said}");
    }
}

#[test]
fn only_granted_hosts_are_asked_and_redirects_are_not_followed() {
    let gateway = gateway("{http-client: {hosts: ['127.0.0.1'], private: true}}");
    let upstream = gateway.upstream_url();
    assert!(act(&gateway, "fetch", &upstream).text().starts_with("200"), "what is granted is asked");
    let by_name = upstream.replace("127.0.0.1", "localhost");
    let said = act(&gateway, "fetch", &by_name).text();
    assert!(said.contains("`localhost` is not among the granted hosts"), "{said}");
    // Whoever followed this would be answered 200.
    let answer =
        format!("HTTP/1.1 302 Found\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n", gateway.admin);
    let server = Server::start(answer);
    server.release();
    assert_eq!(act(&gateway, "fetch", &format!("http://{}/", server.address)).text(), "302 with 0 bytes");
    assert_eq!(server.asked(), 1);
}

#[test]
fn values_and_counters_of_one_plugin_are_out_of_reach_of_another() {
    let all = "[consumers, counters, crypto, entities, kv, metrics, secrets, {http-client: {hosts: []}}]";
    let gateway = Setup::new()
        .route("x", "stranger", "{}")
        .route("other", "every-hook", "{}")
        .bundled("stranger")
        .bundled("every-hook")
        .property(&format!("plugin_grants: {{stranger: [kv, counters, metrics, {{http-client: {{hosts: []}}}}], every-hook: {all}}}"))
        .start();
    assert_eq!(get(gateway.proxy, "/other", &[]).header("x-count").as_deref(), Some("1"));
    let began = Instant::now();
    while get(gateway.status, "/every-hook/kept", &[]).json()["ticks"] == "" {
        assert!(began.elapsed() < Duration::from_secs(10), "the fixture keeps nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    // The names that the other one uses.
    assert_eq!(act(&gateway, "kept", "ticks").text(), "nothing");
    assert_eq!(act(&gateway, "counted", "requests").text(), "0");
    assert_eq!(act(&gateway, "keep", "ticks").text(), "true");
    assert!(act(&gateway, "count", "requests").text().starts_with("1 of"));
    assert_eq!(act(&gateway, "counted", "requests").text(), "1");
    assert_eq!(get(gateway.proxy, "/other", &[]).header("x-count").as_deref(), Some("2"));
}

#[test]
fn what_is_handed_over_and_held_has_bounds() {
    let gateway = gateway("{http-client: {hosts: []}}");
    is_stopped(&gateway, "hand-over", "9000000", "hostcall");
    let gateway = self::gateway("{http-client: {hosts: []}}");
    is_stopped(&gateway, "open", "30000", "handle");
}

#[test]
fn what_is_kept_has_bounds_that_the_plugin_is_told() {
    let gateway = gateway("{http-client: {hosts: []}}");
    // 16 MiB, keys and what is around them included.
    let said = act(&gateway, "hoard", "1000000").text();
    assert_eq!(said, "16 kept, the next is there: false");
    for (what, on) in [("long-header", "200000"), ("many-headers", "5000"), ("many-edits", "5000")] {
        let said = act(&gateway, what, on).text();
        assert!(said.contains("too large") || said.contains("no room"), "{what}: {said}");
    }
    let said = act(&gateway, "many-headers", "10").text();
    assert_eq!(said, "done");
}

#[test]
fn a_grant_for_one_plugin_is_none_for_another() {
    let gateway = Setup::new()
        .bundled("stranger")
        .property("plugin_grants: {every-hook: [counters, kv, metrics, {http-client: {hosts: ['*']}}]}")
        .start();
    let status = gateway.wait_for_plugin("stranger", |status| status["state"] == "refused");
    let told = status["last_error"].as_str().unwrap();
    assert!(told.contains("add `counters` to `plugin_grants.stranger`"), "{told}");
}

#[test]
fn a_granted_host_that_is_this_machine_is_refused_until_private_addresses_are_granted() {
    let hosts = "hosts: [localhost, '127.0.0.1', '::1', '169.254.169.254']";
    let gateway = gateway(&format!("{{http-client: {{{hosts}}}}}"));
    let port = gateway.upstream_url().rsplit_once(':').unwrap().1.to_owned();
    for (host, name, address) in [
        ("localhost", "localhost", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1", "::1"),
        ("169.254.169.254", "169.254.169.254", "169.254.169.254"),
    ] {
        let said = act(&gateway, "fetch", &format!("http://{host}:{port}/")).text();
        let wanted =
            format!("`{name}` leads to {address}, and addresses of private networks are not granted");
        assert_eq!(said, format!("not granted: {wanted}"));
    }
    assert_eq!(gateway.upstream_requests(), 0);
    let gateway = self::gateway(&format!("{{http-client: {{{hosts}, private: true}}}}"));
    let url = gateway.upstream_url();
    for url in [&url, &url.replace("127.0.0.1", "localhost")] {
        assert_eq!(act(&gateway, "fetch", url).text(), "200 with 10 bytes", "{url}");
    }
    assert_eq!(gateway.upstream_requests(), 2);
}

#[test]
fn a_host_that_is_not_granted_is_not_asked_however_the_url_is_dressed() {
    let gateway = gateway("{http-client: {hosts: [granted.test, '*.below.test'], private: true}}");
    let address = gateway.upstream_url().split_off("http://".len());
    let port = address.rsplit_once(':').unwrap().1;
    for (url, host) in [
        (format!("http://{address}/"), "127.0.0.1"),
        (format!("http://granted.test@{address}/"), "127.0.0.1"),
        (format!("http://granted.test:80@{address}/"), "127.0.0.1"),
        (format!("http://{address}/?@granted.test"), "127.0.0.1"),
        (format!("http://granted.test.localhost:{port}/"), "granted.test.localhost"),
        (format!("http://below.test:{port}/"), "below.test"),
    ] {
        let said = act(&gateway, "fetch", &url).text();
        assert_eq!(said, format!("not granted: `{host}` is not among the granted hosts"), "{url}");
    }
    for url in ["file:///etc/passwd", "gopher://granted.test/", "unix:/var/run/docker.sock", "/relative"] {
        let said = act(&gateway, "fetch", url).text();
        assert!(said.starts_with("invalid URL: "), "{url}: {said}");
    }
    assert_eq!(gateway.upstream_requests(), 0);
}

#[test]
fn configurations_and_workers_of_one_plugin_share_values_and_counters() {
    let gateway = setup(NOWHERE).route("y", "stranger", "label: another").property("workers: 2").start();
    let at = |path: &str, act: &str| {
        get(gateway.proxy, path, &[("x-act", act), ("x-on", "shared"), ("x-value", "v")])
    };
    assert_eq!(at("/x", "keep").text(), "true");
    let kept = at("/y", "kept");
    assert_eq!((kept.header("x-label").as_deref(), kept.text().as_str()), (Some("another"), "v"));
    // Each worker has instances of its own, which know what they served themselves.
    for total in 1..1_000_u64 {
        let said = at(if total % 2 == 0 { "/x" } else { "/y" }, "count").text();
        let (counted, here) = said.split_once(" of which ").unwrap();
        assert_eq!(counted, total.to_string());
        if here.strip_suffix(" here").unwrap().parse::<u64>().unwrap() < total {
            return;
        }
    }
    panic!("one worker served all requests");
}

#[test]
fn handles_are_bounded_in_every_hook() {
    let gateway = gateway(NOWHERE);
    assert_eq!(act(&gateway, "hold", "10000").status, 200);
    is_stopped(&gateway, "hold", "20001", "handle");
}

#[test]
fn bounds_let_through_what_is_just_within() {
    let gateway = gateway(NOWHERE);
    let too_large = "header is too large, or there are too many";
    for (what, on, said) in [
        ("hand-over", "8000000", "handed over"),
        ("open", "10000", "opened"),
        ("long-header", "65536", "done"),
        ("long-header", "65537", too_large),
        ("many-headers", "990", "done"),
        ("many-headers", "1000", too_large),
        ("many-edits", "1000", "done"),
        ("many-edits", "1001", too_large),
        ("answer-with-headers", "1000", "answered"),
        ("context", "65536", "true"),
        ("context", "65537", "false"),
    ] {
        let answer = act(&gateway, what, on);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, said),
            "{what} {on}: {}",
            gateway.plugin("stranger")
        );
    }
}

#[test]
fn an_answer_has_only_so_many_headers() {
    is_stopped(&gateway(NOWHERE), "answer-with-headers", "1001", "answered with 1001 headers");
}

#[test]
fn a_body_is_read_up_to_the_limit_whatever_a_plugin_asks_for() {
    let gateway = setup(NOWHERE).start();
    let send = |size: usize| {
        let mut client = Client::connect(gateway.proxy);
        let head = format!("POST /x HTTP/1.1\r\nhost: h\r\nx-act: read\r\ncontent-length: {size}\r\n\r\n");
        client.send(head.as_bytes()).unwrap();
        // The rest of what is too large may not be waited for.
        let _ = client.send(&vec![b'x'; size]);
        client.receive().unwrap().text()
    };
    assert_eq!(send(16 * 1024 * 1024), "done");
    assert_eq!(send(16 * 1024 * 1024 + 1), "body is too large");
}

#[test]
fn a_line_of_the_log_is_cut_at_its_limit() {
    let gateway = gateway(NOWHERE);
    for what in ["say", "print"] {
        assert_eq!(act(&gateway, what, "5000").status, 200);
    }
    let log = gateway.stop();
    for level in ["WARN", "INFO"] {
        let lines = log.lines().filter(|line| line.contains(level) && line.contains("mmmm"));
        let longest = lines.map(|line| line.split(|c| c != 'm').map(str::len).max().unwrap_or(0)).max();
        assert_eq!(longest, Some(4096), "{level}");
    }
}

#[test]
fn an_instance_that_grew_beyond_half_of_its_memory_is_not_used_again() {
    let gateway = gateway(NOWHERE);
    let grow = |size: &str| act(&gateway, "grow", size).text();
    assert_eq!([grow("1000"), grow("1000"), grow("40000000")], ["1", "2", "3"]);
    assert_eq!([grow("1000"), grow("1000")], ["1", "2"]);
}

#[test]
fn series_beyond_the_limit_are_dropped_and_counted() {
    let gateway = setup(NOWHERE).start();
    assert_eq!(act(&gateway, "measure", "10003").text(), "measured");
    let metrics = get(gateway.status, "/metrics", &[]).text();
    assert_eq!(metrics.lines().filter(|line| line.starts_with("stranger_series{")).count(), 10_000);
    assert!(metrics.contains("moongate_plugin_series_dropped_total{plugin=\"stranger\"} 3\n"));
}

#[test]
fn a_response_of_another_server_has_a_limit() {
    let gateway = gateway(THIS_MACHINE);
    let fetch =
        |size: u32| act(&gateway, "fetch", &format!("{}/?size={size}", gateway.upstream_url())).text();
    assert_eq!(fetch(1_048_576), "200 with 1048576 bytes");
    assert_eq!(fetch(1_048_577), "response is too large");
}

#[test]
fn only_so_many_requests_of_a_plugin_are_under_way_and_instances_at_work() {
    let gateway = gateway(THIS_MACHINE);
    let server = Server::start("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok".into());
    let url = format!("http://{}/", server.address);
    let mut waiting: Vec<_> = (0..64).map(|_| Client::connect(gateway.proxy)).collect();
    for client in &mut waiting {
        let head = format!("GET /x HTTP/1.1\r\nhost: h\r\nx-act: fetch\r\nx-on: {url}\r\n\r\n");
        client.send(head.as_bytes()).unwrap();
    }
    server.wait_for(64);
    // All instances of the worker are busy.
    is_stopped(&gateway, "fetch", &url, "all 64 instances are busy");
    // The Admin API has instances of its own, but its request is the 65th.
    let mut admin = Client::connect(gateway.admin);
    let head =
        format!("POST /stranger/fetch HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{url}", url.len());
    admin.send(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.asked(), 64);
    server.release();
    assert_eq!(admin.receive().unwrap().text(), "200 with 2 bytes");
    assert_eq!(server.asked(), 65);
    for client in &mut waiting {
        assert_eq!(client.receive().unwrap().text(), "200 with 2 bytes");
    }
}

/// The fixture `noop` with so many instances of another module within.
fn extended(module: &str, instances: u8) -> Vec<u8> {
    let mut bytes = built_plugin("noop");
    let modules = sections(&bytes).iter().filter(|(id, _)| *id == CORE_MODULE).count();
    let module = wat::parse_str(module).unwrap();
    append(&mut bytes, CORE_MODULE, &module);
    let mut content = leb(u32::from(instances));
    for _ in 0..instances {
        content.push(0);
        content.extend(leb(u32::try_from(modules).unwrap()));
        content.push(0);
    }
    append(&mut bytes, CORE_INSTANCE, &content);
    bytes
}

const CORE_MODULE: u8 = 1;
const CORE_INSTANCE: u8 = 2;

/// Kind and size of each section of a component.
fn sections(bytes: &[u8]) -> Vec<(u8, usize)> {
    let (mut all, mut at) = (Vec::new(), 8);
    while at < bytes.len() {
        let id = bytes[at];
        let (mut size, mut shift) = (0, 0);
        loop {
            at += 1;
            size |= usize::from(bytes[at] & 0x7f) << shift;
            shift += 7;
            if bytes[at] < 0x80 {
                break;
            }
        }
        at += 1 + size;
        all.push((id, size));
    }
    all
}

fn append(component: &mut Vec<u8>, id: u8, content: &[u8]) {
    component.push(id);
    component.extend(leb(u32::try_from(content.len()).unwrap()));
    component.extend(content);
}

/// A number as WebAssembly writes it.
fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A plugin with so many instances of a module more is taken, and one with those of another is refused with a reason.
fn is_limited(within: (&str, u8), beyond: (&str, u8), reason: &str) {
    let gateway = Setup::new().plugins(&[]).bundled("noop").route("x", "noop", "{}").start();
    gateway.install("noop.wasm", &extended(within.0, within.1));
    gateway.wait_for_plugin("noop", |status| status["generation"] == 2);
    gateway.install("noop.wasm", &extended(beyond.0, beyond.1));
    let status = gateway.wait_for_plugin("noop", |status| status["state"] == "refused");
    let told = status["last_error"].as_str().unwrap();
    assert!(told.contains(reason), "{told}");
    assert_eq!(get(gateway.proxy, "/x", &[]).status, 200);
}

#[test]
fn a_component_has_only_so_many_core_instances() {
    is_limited(("(module)", 40), ("(module)", 65), "exceeds the configured maximum of 64");
}

#[test]
fn a_component_has_only_so_many_memories() {
    let module = "(module (memory 1))";
    is_limited((module, 3), (module, 5), "exceeds the configured maximum of 4");
}

#[test]
fn a_component_has_only_so_many_tables() {
    let module = "(module (table 1 funcref))";
    is_limited((module, 10), (module, 21), "exceeds the configured maximum of 20");
}

#[test]
fn memories_of_a_component_are_limited_together() {
    let module = "(module (memory 600))";
    is_limited((module, 1), (module, 2), "memory minimum size of 600 pages exceeds memory limits");
}

#[test]
fn a_memory_has_only_so_many_pages() {
    is_limited(
        ("(module (memory 1000))", 1),
        ("(module (memory 1025))", 1),
        "memory minimum size of 1025 pages exceeds memory limits",
    );
}

#[test]
fn a_table_has_only_so_many_elements() {
    let reason = "a minimum element size of 100001 which exceeds the limit of 100000";
    is_limited(("(module (table 100000 funcref))", 1), ("(module (table 100001 funcref))", 1), reason);
}

#[test]
fn random_bytes_of_one_call_are_limited() {
    let gateway = gateway(NOWHERE);
    assert_eq!(act(&gateway, "random", "65536").text(), "65536 random bytes");
    is_stopped(&gateway, "random", "65537", "65536");
}

/// A server that answers each request with the same text, once it is told to.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicU64>,
    released: Arc<AtomicBool>,
}

impl Server {
    fn start(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, released) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (theirs, told) = (Arc::clone(&asked), Arc::clone(&released));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (asked, released, answer) = (Arc::clone(&theirs), Arc::clone(&told), answer.clone());
                std::thread::spawn(move || {
                    let mut head = [0; 4096];
                    if stream.read(&mut head).is_ok_and(|read| read > 0) {
                        asked.fetch_add(1, Ordering::SeqCst);
                        while !released.load(Ordering::SeqCst) {
                            std::thread::sleep(Duration::from_millis(5));
                        }
                        let _ = stream.write_all(answer.as_bytes());
                    }
                });
            }
        });
        Self { address, asked, released }
    }

    /// Requests that have come.
    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    fn wait_for(&self, requests: u64) {
        let began = Instant::now();
        while self.asked() < requests {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "{} of {requests} requests came",
                self.asked()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
    }
}
