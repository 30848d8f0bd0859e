//! The proxies that are measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use crate::http;
use crate::interrupt::Interrupt;
use crate::ports;
use crate::process::Service;

use super::machine::Cores;
use super::scenario::{CLAIM, CLAIM_HEADER, SECRET, Scenario};

/// What all proxies of a run have in common.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) directory: PathBuf,
    pub(crate) plugins: PathBuf,
    pub(crate) cores: Cores,
    /// Port of the server that answers.
    pub(crate) upstream: u16,
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
        let mut command = Command::new("taskset");
        command.arg("-c").arg(core.to_string()).arg(program).current_dir(&self.directory);
        command
    }
}

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) port: u16,
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
        Ok(Self { port, service, scenarios })
    }

    pub(crate) fn name(&self) -> &str {
        self.service.name()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.service.pid()
    }

    pub(crate) fn check(&mut self) -> Result<()> {
        self.service.check()
    }

    pub(crate) fn takes_part_in(&self, scenario: Scenario) -> bool {
        self.scenarios.contains(&scenario)
    }
}

/// The gateway with one worker, otherwise as it comes.
pub(crate) fn gateway(stage: &Stage, name: &str, program: &Path) -> Result<Contender> {
    let [proxy, admin] = ports::choose([("the proxy's port", 0), ("the Admin API's port", 0)])?;
    let jwt = json!({
        "name": "jwt-claims",
        "config": { "algorithms": ["HS256"], "secret": SECRET, "claims": { CLAIM: CLAIM_HEADER } },
    });
    let declarative = json!({
        "_format_version": "3.0",
        "services": [{
            "name": "upstream",
            "url": format!("http://127.0.0.1:{}", stage.upstream),
            "routes": [
                { "name": "plain", "paths": ["/"] },
                { "name": "jwt", "paths": ["/jwt"], "plugins": [jwt] },
            ],
        }],
    });
    let properties = json!({
        "database": "off",
        "declarative_config": stage.write(&format!("{name}-kong.yaml"), &format!("{declarative:#}\n"))?,
        "proxy_listen": format!("127.0.0.1:{proxy}"),
        "admin_listen": format!("127.0.0.1:{admin}"),
        "admin_gui_listen": "off",
        "plugin_dirs": [&stage.plugins],
        "prefix": stage.directory.join(name),
        "workers": 1,
    });
    let properties = stage.write(&format!("{name}.yaml"), &format!("{properties:#}\n"))?;
    let mut command = stage.pinned(stage.cores.proxy, program);
    command.args(["start", "-c"]).arg(properties);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MOONGATE_") {
            command.env_remove(name);
        }
    }
    Contender::start(name, command, proxy, &Scenario::ALL, stage)
}

const START_LIMIT: Duration = Duration::from_secs(60);
