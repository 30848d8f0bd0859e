use std::io::{Read, Write};
use std::net::TcpStream;

use moongate_balancer::Balancer;
use moongate_model::core::RouterFlavor;
use moongate_model::{Entities, Format};
use moongate_schema::{Context, SystemRandomness};
use uuid::Uuid;

use super::*;
use crate::idle_plugins::IdlePlugins;
use crate::{ListenAddress, Proxy, Snapshot};

/// A gateway with one service, whose host is `up.test`, for all paths.
pub(super) struct Gateway {
    proxy: Proxy<IdlePlugins>,
    service: String,
}

/// An upstream `up.test`; `fields` are its settings.
pub(super) fn upstream(fields: &str, targets: &[(String, u32)]) -> String {
    let target = |(text, weight): &(String, u32)| format!("{{target: '{text}', weight: {weight}}}");
    let targets: Vec<_> = targets.iter().map(target).collect();
    let comma = if fields.is_empty() { "" } else { "," };
    format!("{{name: up.test, id: {ID}, {fields}{comma} targets: [{}]}}", targets.join(", "))
}

/// The entities that a declarative configuration declares.
pub(crate) fn declared(text: &str) -> Entities {
    let catalog = moongate_model::core::catalog(RouterFlavor::default()).build().unwrap();
    let context = Context::new(1_700_000_000_000, &SystemRandomness);
    let declaration = moongate_model::parse(text, Format::Auto, &catalog, &context).unwrap();
    Entities::from_rows(&declaration.rows).unwrap()
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }
}

impl Gateway {
    /// `service` has further fields of the service, separated by commas.
    pub(super) fn start(upstream: String, service: &str) -> Self {
        Self::with(upstream, service, ResolverOptions { hosts_file: None, ..ResolverOptions::default() })
    }

    pub(super) fn with(upstream: String, service: &str, resolver: ResolverOptions) -> Self {
        let mut fields = vec!["name: s"];
        fields.extend((!service.contains("host:")).then_some("host: up.test"));
        fields.extend((!service.contains("routes:")).then_some("routes: [{name: r, paths: [/]}]"));
        fields.extend((!service.is_empty()).then_some(service));
        let service = fields.join(", ");
        let options = ProxyOptions {
            listen: vec![ListenAddress::new("127.0.0.1:0".parse().unwrap())],
            workers: 2,
            resolver,
            ..ProxyOptions::default()
        };
        let snapshot = snapshot(&service, &upstream);
        Self { proxy: Proxy::start(options, Arc::default(), snapshot).unwrap(), service }
    }

    pub(super) fn publish(&self, upstream: String) {
        self.proxy.publish(snapshot(&self.service, &upstream));
    }

    pub(super) fn balancer(&self) -> Arc<Balancer> {
        Arc::clone(self.proxy.snapshot().balancer(ID).unwrap())
    }

    /// The health of the upstream's targets.
    pub(super) fn health(&self) -> Vec<HealthWord> {
        self.balancer().status().targets.iter().map(|target| target.health).collect()
    }

    /// The health of one target.
    pub(super) fn health_of(&self, target: &str) -> HealthWord {
        let (host, port) = target.rsplit_once(':').unwrap();
        let targets = self.balancer().status().targets;
        let found = targets.iter().find(|known| known.host == host && known.port.to_string() == port);
        found.unwrap().health
    }

    /// Where clients connect to.
    pub(super) fn address(&self) -> std::net::SocketAddr {
        self.proxy.addresses()[0]
    }

    pub(super) fn get(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", target, headers, "")
    }

    pub(super) fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: gw.test\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        text.push_str(body);
        let mut stream = TcpStream::connect(self.proxy.addresses()[0]).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }
}

fn snapshot(service: &str, upstream: &str) -> Snapshot<IdlePlugins> {
    let text = format!("{{_format_version: '3.0', services: [{{{service}}}], upstreams: [{upstream}]}}");
    Snapshot::build(Arc::new(declared(&text)), &IdlePlugins::default()).unwrap()
}

/// The upstream's id.
const ID: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0001);

impl Drop for Gateway {
    fn drop(&mut self) {
        self.proxy.shutdown(Duration::from_millis(100));
    }
}

/// Waits until something is so.
pub(super) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("never happened: {what}");
}
