//! A gateway without plugins.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use moongate_balancer::HealthWord;
use moongate_hooks::{
    BindError, Decision, Exchange, FailurePolicy, HookError, HookSet, PluginRuntime, PluginSpec,
};
use moongate_model::Entities;
use moongate_proxy::{ListenAddress, Proxy, ProxyOptions, Snapshot, TlsIdentity, TlsOptions, self_signed};
use uuid::Uuid;

/// Has a plain listener, one for TLS and HTTP/2, and a plain one for HTTP/2.
pub struct Gateway {
    proxy: Proxy<NoPlugins>,
}

impl Gateway {
    pub fn start(entities: Entities) -> Self {
        Self::start_with(entities, |_| {})
    }

    pub fn start_with(entities: Entities, change: impl FnOnce(&mut ProxyOptions)) -> Self {
        let plain = ListenAddress::new((Ipv4Addr::LOCALHOST, 0).into());
        let (cert, key) = self_signed().unwrap();
        let mut options = ProxyOptions {
            listen: vec![
                plain,
                ListenAddress { tls: true, http2: true, ..plain },
                ListenAddress { http2: true, ..plain },
            ],
            workers: 2,
            tls: TlsOptions {
                default_certificates: vec![TlsIdentity::from_pem(&cert, &key).unwrap()],
                ..TlsOptions::default()
            },
            ..ProxyOptions::default()
        };
        change(&mut options);
        let proxy = Proxy::start(options, Arc::new(NoPlugins), snapshot(entities)).unwrap();
        Self { proxy }
    }

    pub fn plain(&self) -> SocketAddr {
        self.proxy.addresses()[0]
    }

    pub fn tls(&self) -> SocketAddr {
        self.proxy.addresses()[1]
    }

    pub fn plain_http2(&self) -> SocketAddr {
        self.proxy.addresses()[2]
    }

    /// The listener for streams at this position.
    pub fn stream(&self, position: usize) -> SocketAddr {
        self.proxy.stream_addresses()[position]
    }

    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.proxy.shutdown(timeout)
    }

    pub fn publish(&self, entities: Entities) {
        self.proxy.publish(snapshot(entities));
    }

    /// The health of an upstream's first target.
    pub fn target_health(&self, upstream: Uuid) -> HealthWord {
        self.targets_health(upstream)[0]
    }

    /// The health of the targets of an upstream.
    pub fn targets_health(&self, upstream: Uuid) -> Vec<HealthWord> {
        let status = self.proxy.snapshot().balancer(upstream).unwrap().status();
        status.targets.iter().map(|target| target.health).collect()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.proxy.shutdown(Duration::ZERO);
    }
}

fn snapshot(entities: Entities) -> Snapshot<NoPlugins> {
    Snapshot::build(Arc::new(entities), &NoPlugins).unwrap()
}

struct NoPlugins;

impl PluginRuntime for NoPlugins {
    type Binding = Infallible;

    fn bind(&self, spec: &PluginSpec<'_>) -> Result<Arc<Infallible>, BindError> {
        Err(BindError::UnknownPlugin { name: spec.name.to_owned() })
    }

    fn hooks(binding: &Infallible) -> HookSet {
        match *binding {}
    }

    fn priority(binding: &Infallible) -> i32 {
        match *binding {}
    }

    fn on_failure(binding: &Infallible) -> FailurePolicy {
        match *binding {}
    }

    async fn on_early_request(
        &self,
        _: usize,
        binding: &Infallible,
        _: Box<Exchange>,
    ) -> (Box<Exchange>, Result<Decision, HookError>) {
        match *binding {}
    }

    async fn on_request(
        &self,
        _: usize,
        binding: &Infallible,
        _: Box<Exchange>,
    ) -> (Box<Exchange>, Result<Decision, HookError>) {
        match *binding {}
    }

    async fn on_response_body(
        &self,
        _: usize,
        binding: &Infallible,
        _: Box<Exchange>,
        _: bytes::Bytes,
        _: bool,
    ) -> (Box<Exchange>, Result<Option<bytes::Bytes>, HookError>) {
        match *binding {}
    }

    fn entity(&self, _: &str, _: &str) -> Option<String> {
        None
    }

    fn log(&self, binding: &Arc<Infallible>, _: &Arc<str>) {
        match **binding {}
    }

    async fn on_response(
        &self,
        _: usize,
        binding: &Infallible,
        _: Box<Exchange>,
    ) -> (Box<Exchange>, Result<(), HookError>) {
        match *binding {}
    }
}
