//! The proxies that are measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::http;
use crate::interrupt::Interrupt;
use crate::ports;
use crate::process::{self, Service};

use super::machine::Cores;
use super::scenario::{ADDED, ADDED_HEADER, CLAIM, CLAIM_HEADER, KEY, SECRET, Scenario};

/// What all proxies of a run have in common.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) directory: PathBuf,
    pub(crate) plugins: PathBuf,
    pub(crate) cores: Cores,
    /// Port of the server that answers.
    pub(crate) upstream: u16,
    /// Certificate and key for listeners with TLS.
    pub(crate) identity: [PathBuf; 2],
    pub(crate) interrupt: Interrupt,
}

impl Stage {
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let file = self.directory.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }

    /// A program that stays on one core.
    pub(crate) fn pinned(&self, core: usize, program: &Path) -> Command {
        self.on_cores(&core.to_string(), program)
    }

    /// A program that stays on some cores.
    fn on_cores(&self, cores: &str, program: &Path) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", cores]).arg(program).current_dir(&self.directory);
        command
    }
}

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) port: u16,
    /// Where it speaks TLS, if it does.
    pub(crate) tls_port: Option<u16>,
    service: Service,
    scenarios: &'static [Scenario],
}

impl Contender {
    /// Starts a proxy that listens on `port`, and returns once it answers.
    pub(crate) fn start(
        name: &str,
        command: Command,
        port: u16,
        scenarios: &'static [Scenario],
        stage: &Stage,
    ) -> Result<Self> {
        let log = stage.directory.join(format!("{}.log", name.replace(['+', ' '], "-")));
        let mut service = Service::start(name, command, &log)?;
        // With an error, as long as the upstream is not there.
        service.wait_until(START_LIMIT, &stage.interrupt, || http::get(port, "/", &[]).map(drop))?;
        Ok(Self { port, tls_port: None, service, scenarios })
    }

    pub(crate) fn name(&self) -> &str {
        self.service.name()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.service.pid()
    }

    /// With a port for TLS.
    pub(crate) fn with_tls(self, port: u16) -> Self {
        Self { tls_port: Some(port), ..self }
    }

    pub(crate) fn check(&mut self) -> Result<()> {
        self.service.check()
    }

    pub(crate) fn takes_part_in(&self, scenario: Scenario) -> bool {
        self.scenarios.contains(&scenario)
    }
}

/// The gateway, but for `workers` as it comes: with its access log, and with a thousand routes.
pub(crate) fn gateway(stage: &Stage, name: &str, program: &Path, workers: Workers) -> Result<Contender> {
    let [proxy, tls, admin] =
        ports::choose([("the proxy's port", 0), ("its port for TLS", 0), ("the Admin API's port", 0)])?;
    let [certificate, key] = &stage.identity;
    let declarative = declarative(stage);
    let properties = json!({
        "database": "off",
        "declarative_config": stage.write(&format!("{name}-kong.yaml"), &format!("{declarative:#}\n"))?,
        "proxy_listen": format!("127.0.0.1:{proxy}, 127.0.0.1:{tls} ssl http2"),
        "ssl_cert": certificate,
        "ssl_cert_key": key,
        "admin_listen": format!("127.0.0.1:{admin}"),
        "admin_gui_listen": "off",
        "status_listen": "off",
        "plugin_dirs": [&stage.plugins],
        "prefix": stage.directory.join(name),
        "workers": if workers == Workers::One { 1 } else { 2 },
    });
    let properties = stage.write(&format!("{name}.yaml"), &format!("{properties:#}\n"))?;
    let (cores, scenarios) = match workers {
        Workers::One => (stage.cores.proxy.to_string(), &Scenario::ALL[..]),
        Workers::Two => (format!("{},{}", stage.cores.load, stage.cores.proxy), &[Scenario::W0][..]),
    };
    let mut command = stage.on_cores(&cores, program);
    command.args(["start", "-c"]).arg(properties);
    process::forget_properties(&mut command);
    Ok(Contender::start(name, command, proxy, scenarios, stage)?.with_tls(tls))
}

/// How many workers a gateway has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workers {
    One,
    /// On two cores, of which one is also the client's.
    Two,
}

fn declarative(stage: &Stage) -> Value {
    let jwt = json!({
        "name": "jwt-claims",
        "config": { "algorithms": ["HS256"], "secret": SECRET, "claims": { CLAIM: CLAIM_HEADER } },
    });
    let key = json!({ "name": "key-auth" });
    let limit = json!({ "name": "rate-limiting", "config": { "policy": "local", "hour": 1_000_000_000 } });
    let transform = json!({
        "name": "request-transformer",
        "config": { "add": { "headers": [format!("{ADDED_HEADER}:{ADDED}")] } },
    });
    let route = |name: &str, plugins: Vec<&Value>| json!({ "name": name, "paths": [format!("/{name}")], "plugins": plugins });
    let base = format!("http://127.0.0.1:{}", stage.upstream);
    let mut plain = vec![json!({ "name": "plain", "paths": ["/"] }), route("jwt", vec![&jwt])];
    plain.extend((0..OTHER_ROUTES).map(|number| json!({ "paths": [other_path(number)] })));
    json!({
        "_format_version": "3.0",
        "services": [
            { "name": "upstream", "url": &base, "routes": plain },
            { "name": "large", "url": format!("{base}/body"), "routes": [route("body", vec![])] },
            { "name": "told", "url": format!("{base}/told"), "routes": [
                route("key", vec![&key]),
                route("limit", vec![&limit]),
                route("transform", vec![&transform]),
                route("three", vec![&key, &limit, &transform]),
            ] },
        ],
        "consumers": [{ "username": "bench", "keyauth_credentials": [{ "key": KEY }] }],
    })
}

/// Routes that no request takes, so that there are a thousand.
pub(crate) const OTHER_ROUTES: usize = 993;

/// The path of such a route.
pub(crate) fn other_path(number: usize) -> String {
    format!("/shop-{}/items-{number}", number % 40)
}

const START_LIMIT: Duration = Duration::from_secs(60);
