//! What is asked of the proxies.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::http;
use crate::process::{self, Service};
use crate::token;

use super::contender::{Contender, Stage};
use super::h2load;
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
    Key,
    Limit,
    Transform,
    Three,
    Tls,
    H2,
    Body,
}

impl Scenario {
    pub(crate) const ALL: [Self; 10] = [
        Self::W0,
        Self::W1,
        Self::W1d,
        Self::Key,
        Self::Limit,
        Self::Transform,
        Self::Three,
        Self::Tls,
        Self::H2,
        Self::Body,
    ];

    /// What proxies of all kinds can do, and what is measured where nothing else is asked for.
    pub(crate) const COMMON: [Self; 3] = [Self::W0, Self::W1, Self::W1d];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::W0 => "W0",
            Self::W1 => "W1",
            Self::W1d => "W1d",
            Self::Key => "key",
            Self::Limit => "limit",
            Self::Transform => "transform",
            Self::Three => "three",
            Self::Tls => "tls",
            Self::H2 => "h2",
            Self::Body => "body",
        }
    }

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::W0 => "plain proxying",
            Self::W1 => "a JWT checked, one token",
            Self::W1d => "a JWT checked, many tokens in turn",
            Self::Key => "key-auth",
            Self::Limit => "rate-limiting, counted in memory",
            Self::Transform => "request-transformer, one header added",
            Self::Three => "key-auth, rate-limiting and request-transformer",
            Self::Tls => "plain proxying, clients over TLS",
            Self::H2 => "plain proxying, clients over HTTP/2 and TLS",
            Self::Body => "plain proxying, answers of 1 MiB",
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::W0 | Self::Tls | Self::H2 => "/",
            Self::W1 | Self::W1d => "/jwt",
            Self::Key => "/key",
            Self::Limit => "/limit",
            Self::Transform => "/transform",
            Self::Three => "/three",
            Self::Body => "/body",
        }
    }

    /// Whether clients speak TLS.
    fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::H2)
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
    pub(crate) fn check(&self, scenario: Scenario, contender: &Contender) -> Result<()> {
        let (port, path) = (contender.port, scenario.path());
        match scenario {
            Scenario::W0 => expect_upstream(&http::get(port, path, &[])?),
            Scenario::W1 | Scenario::W1d => self.check_tokens(port, path),
            Scenario::Key | Scenario::Limit | Scenario::Transform | Scenario::Three => {
                check_plugins(scenario, port)
            }
            Scenario::Body => {
                let length = http::get(port, path, &[])?.body.len();
                ensure!(length == BODY, "the answer has {length} bytes instead of {BODY}");
                Ok(())
            }
            // What the client of the measurement fails at is an error of the run.
            Scenario::Tls | Scenario::H2 => Ok(()),
        }
    }

    fn check_tokens(&self, port: u16, path: &str) -> Result<()> {
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
        contender: &Contender,
        stage: &Stage,
        connections: u32,
        duration: Duration,
    ) -> Result<Run> {
        let (scheme, port) = match contender.tls_port {
            Some(port) if scenario.is_secure() => ("https", port),
            _ => ("http", contender.port),
        };
        let name = if scenario == Scenario::H2 { "h2load" } else { "wrk" };
        let program = process::find_program(name).with_context(|| format!("{name} is gone"))?;
        let mut command = stage.pinned(stage.cores.load, &program);
        let seconds = duration.as_secs().to_string();
        match scenario {
            Scenario::H2 => {
                let streams = "4";
                command.args(["-c", &connections.to_string(), "-m", streams, "-D", &seconds]);
            }
            _ => {
                command.args(["-t1", "--latency", "-c", &connections.to_string(), "-d", &seconds]);
            }
        }
        match scenario {
            Scenario::W1 => {
                command.args(["-H", &format!("Authorization: {}", self.good)]);
            }
            Scenario::W1d => {
                command.arg("-s").arg(&self.script);
            }
            Scenario::Key | Scenario::Three => {
                command.args(["-H", &format!("apikey: {KEY}")]);
            }
            _ => {}
        }
        command.arg(format!("{scheme}://127.0.0.1:{port}{}", scenario.path()));
        let log = stage.directory.join(format!("{name}.log"));
        let output = Service::start(name, command, &log)?.finish(&stage.interrupt)?;
        match scenario {
            Scenario::H2 => h2load::read(&output),
            _ => wrk::read(&output),
        }
    }
}

/// Whether plugins refuse what they should and do what they should.
fn check_plugins(scenario: Scenario, port: u16) -> Result<()> {
    let path = scenario.path();
    let (keys, limits, transforms) = match scenario {
        Scenario::Key => (true, false, false),
        Scenario::Limit => (false, true, false),
        Scenario::Transform => (false, false, true),
        _ => (true, true, true),
    };
    if keys {
        let status = http::get(port, path, &[])?.status;
        ensure!(status == 401, "a request without a key is answered with {status}");
    }
    let answer = http::get(port, path, &[("apikey", KEY)])?;
    ensure!(answer.status == 200, "a good request is refused:\n{answer}");
    let is_limited = answer.header("ratelimit-remaining").is_some();
    ensure!(is_limited == limits, "the answer is not as rate-limiting leaves it:\n{answer}");
    let told = if transforms { ADDED } else { "" };
    ensure!(answer.body == format!("told {told}"), "the upstream was not told `{told}`:\n{answer}");
    Ok(())
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
/// What key-auth is shown.
pub(crate) const KEY: &str = "moongate-bench-key";
/// The header that request-transformer adds, and its value.
pub(crate) const ADDED_HEADER: &str = "x-bench";
pub(crate) const ADDED: &str = "added";
/// Bytes of a large answer.
pub(crate) const BODY: usize = 1024 * 1024;
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
