//! A gateway that runs while a plugin is written.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use moongate::trial::{Call, Upstream};
use serde_json::json;

use crate::workplace::Workplace;

/// The program, with the directory `plugins` of a workplace.
pub struct Running {
    child: Child,
    proxy: SocketAddr,
    admin: SocketAddr,
    upstream: Upstream,
    declarative: PathBuf,
}

impl Running {
    pub fn start(place: &Workplace) -> Self {
        let upstream = Upstream::start().unwrap();
        let declarative = place.path("kong.yaml");
        fs::write(&declarative, "_format_version: '3.0'\n").unwrap();
        let mut command = place.command(env!("CARGO_BIN_EXE_moongate"));
        command.arg("start").args([
            "--set",
            "database=off",
            "--set",
            "declarative_config=kong.yaml",
            "--set",
            "proxy_listen=127.0.0.1:0",
            "--set",
            "admin_listen=127.0.0.1:0",
            "--set",
            "plugin_dirs=plugins",
            "--set",
            "workers=1",
        ]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut addresses = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            addresses.extend(
                line.split_once("http://").and_then(|(_, address)| address.trim().parse::<SocketAddr>().ok()),
            );
            if addresses.len() == 2 {
                break;
            }
        }
        assert_eq!(addresses.len(), 2, "the gateway did not start");
        Self { child, proxy: addresses[0], admin: addresses[1], upstream, declarative }
    }

    /// Waits until a plugin is ready.
    pub fn wait_for(&self, plugin: &str) {
        let started = Instant::now();
        loop {
            let status = Call::new("GET", &format!("/moongate/plugins/{plugin}")).send(self.admin).unwrap();
            if status.json().is_some_and(|status| status["state"] == "ready") {
                return;
            }
            // CPython takes its time to be compiled by a build that is hardly optimised.
            assert!(started.elapsed() < Duration::from_secs(180), "{plugin}: {}", status.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Serves everything with a plugin.
    pub fn serve(&self, plugin: &str, config: &str) {
        let config: serde_json::Value = serde_json::from_str(config).unwrap();
        let declarative = json!({
            "_format_version": "3.0",
            "plugins": [{"name": plugin, "config": config}],
            "services": [{"name": "all", "url": self.upstream.url(), "routes": [{"paths": ["/"]}]}],
        });
        fs::write(&self.declarative, declarative.to_string()).unwrap();
        let answer = Call::new("POST", "/moongate/reload").send(self.admin).unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text());
    }

    /// Head and body of the answer to a request that must succeed.
    pub fn ask(&self, path: &str) -> String {
        self.exchange(self.proxy, path)
    }

    pub fn ask_admin(&self, path: &str) -> String {
        let answer = Call::new("GET", path).send(self.admin).unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer.text()
    }

    /// Whether the request that reached the upstream last had this line.
    pub fn upstream_saw(&self, line: &str) -> bool {
        let request = self.upstream.requests().pop().unwrap();
        request
            .headers
            .iter()
            .any(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)) == line)
    }

    fn exchange(&self, to: SocketAddr, path: &str) -> String {
        let answer = Call::new("GET", path).send(to).unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text());
        let head: String = answer
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value)))
            .collect();
        head + &answer.text()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
