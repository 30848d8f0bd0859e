use std::io::{Read, Write};
use std::net::TcpStream;

use moongate_balancer::Balancer;
use moongate_hooks::{BindError, Decision, FailurePolicy, HookError, HookSet, PluginRuntime, PluginSpec};
use moongate_model::Entities;
use uuid::Uuid;

use super::*;
use crate::{ListenAddress, Proxy, Snapshot, UpstreamSpec};

/// A runtime without plugins.
pub(super) struct NoPlugins;

impl PluginRuntime for NoPlugins {
    type Binding = ();

    fn bind(&self, spec: &PluginSpec<'_>) -> Result<Arc<()>, BindError> {
        Err(BindError::UnknownPlugin { name: spec.name.to_owned() })
    }

    fn hooks((): &()) -> HookSet {
        HookSet::default()
    }

    fn priority((): &()) -> i32 {
        0
    }

    fn on_failure((): &()) -> FailurePolicy {
        FailurePolicy::Closed
    }

    async fn on_request(
        &self,
        _: usize,
        (): &(),
        exchange: Box<moongate_hooks::Exchange>,
    ) -> (Box<moongate_hooks::Exchange>, Result<Decision, HookError>) {
        (exchange, Ok(Decision::Continue))
    }

    async fn on_response(
        &self,
        _: usize,
        (): &(),
        exchange: Box<moongate_hooks::Exchange>,
    ) -> (Box<moongate_hooks::Exchange>, Result<(), HookError>) {
        (exchange, Ok(()))
    }
}

/// A gateway with one service, whose host is `up.test`, for all paths.
pub(super) struct Gateway {
    proxy: Proxy<NoPlugins>,
    entities: Arc<Entities>,
}

/// An upstream `up.test`.
pub(super) fn upstream(settings: Settings, targets: &[(String, u32)]) -> UpstreamSpec {
    UpstreamSpec {
        id: Uuid::from_u128(1),
        name: "up.test".to_owned(),
        settings,
        targets: targets.iter().map(|(text, weight)| Target::parse(text, *weight)).collect(),
    }
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
    pub(super) fn start(upstreams: Vec<UpstreamSpec>, service: &str) -> Self {
        Self::with(upstreams, service, ResolverOptions { hosts_file: None, ..ResolverOptions::default() })
    }

    pub(super) fn with(upstreams: Vec<UpstreamSpec>, service: &str, resolver: ResolverOptions) -> Self {
        let host = if service.contains("host:") { "" } else { "host: up.test," };
        let routes = if service.contains("routes:") { "" } else { "routes: [{name: r, paths: [/]}]" };
        let text = format!("{{_format_version: '3.0', services: [{{name: s, {host} {service}, {routes}}}]}}");
        let entities = Arc::new(
            moongate_model::parse(&text.replace(",  ,", ",").replace(", ,", ",").replace(", }", "}"), 1)
                .unwrap()
                .entities,
        );
        let snapshot = Snapshot::with_upstreams(Arc::clone(&entities), upstreams, &NoPlugins).unwrap();
        let options = ProxyOptions {
            listen: vec![ListenAddress::new("127.0.0.1:0".parse().unwrap())],
            workers: 2,
            resolver,
            ..ProxyOptions::default()
        };
        Self { proxy: Proxy::start(options, Arc::new(NoPlugins), snapshot).unwrap(), entities }
    }

    pub(super) fn publish(&self, upstreams: Vec<UpstreamSpec>) {
        self.proxy
            .publish(Snapshot::with_upstreams(Arc::clone(&self.entities), upstreams, &NoPlugins).unwrap());
    }

    pub(super) fn balancer(&self) -> Arc<Balancer> {
        Arc::clone(self.proxy.snapshot().balancer(Uuid::from_u128(1)).unwrap())
    }

    /// The health of the upstream's targets.
    pub(super) fn health(&self) -> Vec<HealthWord> {
        self.balancer().status().targets.iter().map(|target| target.health).collect()
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
