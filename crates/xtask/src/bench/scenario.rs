//! What is asked of the proxies.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::http;
use crate::process::{self, Service};
use crate::token;

use super::contender::Stage;
use super::wrk::{self, Run};

/// See `cargo xtask bench --help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    #[value(name = "W0")]
    W0,
    #[value(name = "W1")]
    W1,
    #[value(name = "W1d")]
    W1d,
}

impl Scenario {
    pub(crate) const ALL: [Self; 3] = [Self::W0, Self::W1, Self::W1d];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::W0 => "W0",
            Self::W1 => "W1",
            Self::W1d => "W1d",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::W0 => "plain proxying",
            Self::W1 => "a JWT checked, one token",
            Self::W1d => "a JWT checked, many tokens in turn",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::W0 => "/",
            Self::W1 | Self::W1d => "/jwt",
        }
    }
}

/// The requests.
#[derive(Debug)]
pub(crate) struct Load {
    /// The header `Authorization` with a token that is good, and with one that has expired.
    good: String,
    expired: String,
    /// Makes wrk send a different token each time.
    script: PathBuf,
}

impl Load {
    pub(crate) fn prepare(directory: &Path) -> Result<Self> {
        let bearer = |user: &str, lifetime| -> Result<String> {
            Ok(format!("Bearer {}", token::signed(SECRET, &token::claims(user, lifetime)?)?))
        };
        let mut many = String::new();
        for number in 0..TOKENS {
            many.push_str(&bearer(&format!("user-{number}"), DAY)?);
            many.push('\n');
        }
        let (tokens, script) = (directory.join("tokens.txt"), directory.join("tokens.lua"));
        fs::write(&tokens, many).with_context(|| format!("cannot write {}", tokens.display()))?;
        fs::write(&script, SCRIPT).with_context(|| format!("cannot write {}", script.display()))?;
        Ok(Self { good: bearer(USER, DAY)?, expired: bearer(USER, -DAY)?, script })
    }

    /// Makes sure that a proxy does what is measured: one that skips the check would be the fastest.
    pub(crate) fn check(&self, scenario: Scenario, port: u16) -> Result<()> {
        let path = scenario.path();
        if scenario == Scenario::W0 {
            return expect_upstream(&http::get(port, path, &[])?);
        }
        for (what, headers) in [
            ("no token", None),
            ("an expired token", Some(self.expired.clone())),
            (
                "a bad signature",
                Some(format!("{}AAAA", self.good.get(..self.good.len() - 4).unwrap_or_default())),
            ),
        ] {
            let headers = headers.as_deref().map(|value| ("authorization", value));
            let status = http::get(port, path, headers.as_slice())?.status;
            ensure!(status == 401, "a request with {what} is answered with {status}");
        }
        let answer = http::get(port, path, &[("authorization", &self.good)])?;
        expect_upstream(&answer)?;
        ensure!(
            answer.header(CLAIM_HEADER) == Some(USER),
            "the answer lacks {CLAIM_HEADER}: {USER}\n{answer}"
        );
        Ok(())
    }

    /// Sends requests for `duration`, as fast as they are answered.
    pub(crate) fn run(
        &self,
        scenario: Scenario,
        port: u16,
        stage: &Stage,
        connections: u32,
        duration: Duration,
    ) -> Result<Run> {
        let program = process::find_program("wrk").context("wrk is gone")?;
        let mut command = stage.pinned(stage.cores.load, &program);
        command.args(["-t1", "--latency", "-c", &connections.to_string(), "-d"]);
        command.arg(format!("{}s", duration.as_secs()));
        match scenario {
            Scenario::W0 => {}
            Scenario::W1 => {
                command.args(["-H", &format!("Authorization: {}", self.good)]);
            }
            Scenario::W1d => {
                command.arg("-s").arg(&self.script);
            }
        }
        command.arg(format!("http://127.0.0.1:{port}{}", scenario.path()));
        let output =
            Service::start("wrk", command, &stage.directory.join("wrk.log"))?.finish(&stage.interrupt)?;
        wrk::read(&output)
    }
}

fn expect_upstream(answer: &http::Answer) -> Result<()> {
    ensure!(
        answer.status == 200 && answer.body == UPSTREAM_BODY,
        "this is not the upstream's answer:\n{answer}"
    );
    Ok(())
}

/// What the upstream answers.
pub(crate) const UPSTREAM_BODY: &str = r#"{"message":"hello from upstream"}"#;
pub(crate) const SECRET: &str = "moongate-bench-secret-0123456789abcdef";
pub(crate) const CLAIM: &str = "username";
pub(crate) const CLAIM_HEADER: &str = "JWT-username";
const USER: &str = "MichalJeczalik";
const DAY: i64 = 24 * 60 * 60;
/// More than any cache of tokens would pay for, and few enough for wrk to keep as ready requests.
const TOKENS: u32 = 4096;

/// Finds its tokens in the working directory. Requests are put together once, so that wrk does not become the
/// bottleneck.
const SCRIPT: &str = r#"local requests = {}
local next = 0

init = function()
  for token in io.lines("tokens.txt") do
    requests[#requests + 1] = wrk.format("GET", nil, { Host = "127.0.0.1", Authorization = token })
  end
end

request = function()
  next = next % #requests + 1
  return requests[next]
end
"#;
