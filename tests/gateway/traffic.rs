//! The plugins that count and log, with what stands behind them.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::get;
use crate::harness::{Gateway, Setup};

/// A Redis server of the test's own.
struct RedisServer {
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl RedisServer {
    /// `None` if Redis is not installed, of which it tells; a failure where there is a variable `CI`.
    fn start() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let started = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", "secret"])
            .args(["--port", &port.to_string()])
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn();
        let Ok(process) = started else {
            let hint = "Redis is not installed: `apt-get install redis-server`";
            assert!(std::env::var_os("CI").is_none(), "{hint}");
            eprintln!("skipped: {hint}");
            return None;
        };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "Redis does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(Self { port, process, _folder: folder })
    }

    fn config(&self, more: &str) -> String {
        format!(
            "{{hour: 2, limit_by: ip, policy: redis, redis: {{host: 127.0.0.1, port: {}, password: secret}}{more}}}",
            self.port
        )
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A gateway with one route `/<name>` for each configuration of a plugin.
fn gateway(plugin: &str, routes: &[(&str, &str)]) -> Gateway {
    let setup = routes.iter().fold(Setup::new(), |setup, (name, config)| setup.route(name, plugin, config));
    setup.bundled(plugin).start()
}

/// Status, and what is left of the limit.
fn limited(gateway: &Gateway, path: &str) -> (u16, Option<String>) {
    let answer = get(gateway.proxy, path, &[]);
    (answer.status, answer.header("x-ratelimit-remaining-hour"))
}

fn left(left: &str) -> Option<String> {
    Some(left.to_owned())
}

#[test]
fn gateways_that_share_redis_count_together_and_apart_without_it() {
    let Some(redis) = RedisServer::start() else { return };
    let (tolerant, strict) = (redis.config(""), redis.config(", fault_tolerant: false"));
    // One route each, of the same id in both gateways.
    let routes = [("tolerant", tolerant.as_str()), ("strict", strict.as_str())];
    let (one, other) = (gateway("rate-limiting", &routes), gateway("rate-limiting", &routes));
    assert_eq!(limited(&one, "/tolerant"), (200, left("1")));
    assert_eq!(limited(&other, "/tolerant"), (200, left("0")));
    for gateway in [&one, &other] {
        assert_eq!(limited(gateway, "/tolerant"), (429, left("0")));
    }
    drop(redis);
    assert_eq!(limited(&one, "/tolerant"), (200, None));
    assert_eq!(limited(&one, "/strict"), (500, None));
}

#[test]
fn each_route_counts_for_itself_though_the_configurations_are_equal() {
    let config = "{hour: 1, limit_by: ip}";
    let gateway = gateway("rate-limiting", &[("one", config), ("other", config)]);
    for path in ["/one", "/other"] {
        assert_eq!(limited(&gateway, path), (200, left("0")), "{path}");
        assert_eq!(limited(&gateway, path), (429, left("0")), "{path}");
    }
}

#[test]
fn without_a_database_nodes_cannot_share_counters_in_it() {
    let gateway = gateway("rate-limiting", &[]);
    let schema = get(gateway.admin, "/schemas/plugins/rate-limiting", &[]).text();
    assert!(schema.contains(r#"["local","redis"]"#), "{schema}");
}

#[test]
fn a_record_of_each_request_reaches_the_server() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("{{http_endpoint: 'http://{}/records'}}", server.local_addr().unwrap());
    let gateway = gateway("http-log", &[("logged", &endpoint)]);
    assert_eq!(get(gateway.proxy, "/logged?x=1", &[]).status, 200);
    let (mut connection, _) = server.accept().unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !request.ends_with('}') {
        let length = std::io::Read::read(&mut connection, &mut buffer).unwrap();
        assert_ne!(length, 0, "{request}");
        request.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    assert!(request.starts_with("POST /records HTTP/1.1\r\n"), "{request}");
    let (_, record) = request.split_once("\r\n\r\n").unwrap();
    let record: serde_json::Value = serde_json::from_str(record).unwrap();
    assert_eq!(record["response"]["status"], 200);
    assert_eq!(record["route"]["name"], "logged-route");
    std::io::Write::write_all(&mut connection, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
}

#[test]
fn records_that_wait_are_handed_over_when_the_gateway_stops_or_their_loss_is_told() {
    let waiting = |endpoint: std::net::SocketAddr| {
        let queue = "{max_batch_size: 50, max_coalescing_delay: 3600}";
        let config = format!("{{http_endpoint: 'http://{endpoint}/records', queue: {queue}}}");
        let gateway = gateway("http-log", &[("logged", &config)]);
        for _ in 0..3 {
            assert_eq!(get(gateway.proxy, "/logged", &[]).status, 200);
        }
        gateway
    };
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let gateway = waiting(server.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut connection, _) = server.accept().unwrap();
        let mut request = String::new();
        let mut buffer = [0; 4096];
        while request.matches("\"route\"").count() < 3 || !request.ends_with(']') {
            let length = std::io::Read::read(&mut connection, &mut buffer).unwrap();
            assert_ne!(length, 0, "{request}");
            request.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
        std::io::Write::write_all(&mut connection, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let log = gateway.stop();
    served.join().unwrap();
    assert!(!log.contains("log records"), "{log}");

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let log = waiting(nobody).stop();
    assert!(log.contains("log records dropped") && log.contains("records=3"), "{log}");
}
