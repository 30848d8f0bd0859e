//! `cargo xtask soak`

mod load;
mod process;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::clock::Stopwatch;
use crate::http;
use crate::interrupt::Interrupt;
use crate::output::say;
use crate::plugins;
use crate::ports;
use crate::process::{self as processes, Service};
use crate::token;
use crate::workspace::Workspace;

use self::load::Load;
use self::process::Resources;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How long
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    seconds: u64,

    /// How often a plugin is replaced; as often as fits 1,000 in ten minutes unless given
    #[arg(long, value_name = "N")]
    reloads: Option<u32>,

    /// Connections that send requests all the time
    #[arg(long, value_name = "N", default_value_t = 16)]
    connections: usize,

    /// The gateway; a debug build of this checkout unless given
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

impl Args {
    /// A run of so many seconds.
    pub(crate) fn of_seconds(seconds: u64) -> Self {
        Self { seconds, reloads: None, connections: 16, program: None }
    }

    fn reloads(&self) -> u32 {
        let scaled = u32::try_from(self.seconds * 1_000 / 600).unwrap_or(u32::MAX);
        self.reloads.unwrap_or(scaled).max(10)
    }
}

/// Replaces plugins while requests are sent, and looks whether one fails or anything grows.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    plugins::build(workspace, None, true)?;
    let mut command = workspace.cargo();
    command.args(["build", "-p", "echo-server"]);
    if args.program.is_none() {
        command.args(["-p", "moongate"]);
    }
    processes::run(command)?;
    let interrupt = Interrupt::watch()?;
    let directory = workspace.scratch("soak")?;
    let site = Site::prepare(workspace, &directory)?;
    let [proxy, admin, echo] = ports::choose([("proxy", 0), ("admin", 0), ("echo", 0)])?;
    let programs = workspace.built.join("debug");
    let program = args.program.clone().unwrap_or_else(|| programs.join("moongate"));

    let mut command = Command::new(programs.join("echo-server"));
    command.args(["--host", "127.0.0.1", "--no-environment", "--port", &echo.to_string()]);
    let mut upstream = Service::start("echo-server", command, &directory.join("echo-server.log"))?;
    upstream.wait_until(START_LIMIT, &interrupt, || http::get(echo, "/", &[]).map(drop))?;
    let mut gateway = site.start(&program, [proxy, admin, echo])?;
    gateway.wait_until(START_LIMIT, &interrupt, || {
        let status = http::get(proxy, "/", &[])?.status;
        ensure!(status == 401, "the gateway answers {status} to a request without a token");
        Ok(())
    })?;

    let token = token::signed(SECRET, &token::claims("soak", 2 * 3600)?)?;
    let load = Load::start(proxy, &token, args.connections)?;
    let outcome = replace(args, &site, admin, &gateway, &load, &interrupt);
    let traffic = load.stop()?;
    let (samples, slowest) = outcome?;
    gateway.check()?;
    gateway.terminate();
    upstream.terminate();

    report(args, &samples, slowest, &traffic)
}

/// The files of the gateway.
struct Site {
    directory: PathBuf,
    /// The plugins as they were built, by name.
    built: Vec<(&'static str, Vec<u8>)>,
}

impl Site {
    fn prepare(workspace: &Workspace, directory: &Path) -> Result<Self> {
        for leftover in ["plugins", "prefix"] {
            let leftover = directory.join(leftover);
            if leftover.is_dir() {
                fs::remove_dir_all(&leftover)
                    .with_context(|| format!("cannot empty {}", leftover.display()))?;
            }
        }
        fs::create_dir_all(directory.join("plugins")).context("cannot make the plugin directory")?;
        let mut built = Vec::new();
        for (name, set) in
            [("jwt-claims", "plugins"), ("one-header", "test-plugins"), ("noop", "test-plugins")]
        {
            let file = workspace.root.join("target").join(set).join(format!("{name}.wasm"));
            built.push((name, fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?));
        }
        let site = Self { directory: directory.to_owned(), built };
        for turn in 0..site.built.len() {
            site.install(u32::try_from(turn)?)?;
        }
        Ok(site)
    }

    /// Puts another version of the plugin whose turn it is in place, in one step, and gives its name.
    fn install(&self, turn: u32) -> Result<&'static str> {
        let position = usize::try_from(turn)? % self.built.len();
        let (name, bytes) = self.built.get(position).context("there are no plugins")?;
        let mut version = bytes.clone();
        // A custom section that nobody reads: the same plugin, and another digest.
        version.extend([0, 9, 4]);
        version.extend(b"soak");
        version.extend(turn.to_le_bytes());
        let file = self.directory.join("plugins").join(format!("{name}.wasm"));
        let temporary = self.directory.join(format!("{name}.tmp"));
        fs::write(&temporary, version)
            .and_then(|()| fs::rename(&temporary, &file))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(name)
    }

    fn start(&self, program: &Path, [proxy, admin, echo]: [u16; 3]) -> Result<Service> {
        let declarative = json!({
            "_format_version": "3.0",
            "services": [{
                "name": "echo",
                "url": format!("http://127.0.0.1:{echo}"),
                "routes": [{
                    "name": "all",
                    "paths": ["/"],
                    "plugins": [
                        {"name": "jwt-claims", "config": {"secret": SECRET, "claims": {"username": "x-user"}}},
                        {"name": "one-header", "config": {}},
                        {"name": "noop", "config": {}},
                    ],
                }],
            }],
        });
        let properties = json!({
            "database": "off",
            "declarative_config": self.directory.join("kong.yaml"),
            "proxy_listen": format!("127.0.0.1:{proxy}"),
            "admin_listen": format!("127.0.0.1:{admin}"),
            "status_listen": "off",
            "admin_gui_listen": "off",
            "plugin_dirs": [self.directory.join("plugins")],
            "prefix": self.directory.join("prefix"),
            "plugin_grants": {"jwt-claims": ["crypto"]},
        });
        let properties_file = self.directory.join("moongate.yaml");
        for (file, text) in [(&self.directory.join("kong.yaml"), declarative), (&properties_file, properties)]
        {
            fs::write(file, text.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
        }
        let mut command = Command::new(program);
        command.args(["start", "-c"]).arg(&properties_file);
        processes::forget_properties(&mut command);
        Service::start("moongate", command, &self.directory.join("moongate.log"))
    }
}

/// Replaces plugins one after the other, and gives what the gateway used after each, and the slowest replacement.
fn replace(
    args: &Args,
    site: &Site,
    admin: u16,
    gateway: &Service,
    load: &Load,
    interrupt: &Interrupt,
) -> Result<(Vec<Resources>, Duration)> {
    let reloads = args.reloads();
    let pause = Duration::from_secs(args.seconds) / reloads;
    let watch = Stopwatch::start();
    let mut samples = Vec::new();
    let mut slowest = Duration::ZERO;
    let versions = u32::try_from(site.built.len())?;
    for reload in 0..reloads {
        let one = Stopwatch::start();
        let name = site.install(versions + reload)?;
        // Each plugin went live once at the start.
        let wanted = u64::from(reload / versions) + 2;
        while generation(admin, name)? < wanted {
            load.check()?;
            ensure!(
                one.elapsed() < RELOAD_LIMIT,
                "{name} has not been replaced after {} s",
                RELOAD_LIMIT.as_secs()
            );
            interrupt.sleep(Duration::from_millis(20))?;
        }
        slowest = slowest.max(one.elapsed());
        samples.push(Resources::of(gateway.pid())?);
        load.check()?;
        if (reload + 1) % (reloads / 10).max(1) == 0 {
            let now = samples.last().copied().unwrap_or_default();
            say!(
                "{:>5} of {reloads} reloads, {} requests, {} MiB, {} descriptors",
                reload + 1,
                load.requests(),
                now.memory / MIB,
                now.descriptors
            );
        }
        interrupt.sleep((pause * (reload + 1)).saturating_sub(watch.elapsed()))?;
    }
    Ok((samples, slowest))
}

fn generation(admin: u16, name: &str) -> Result<u64> {
    let answer = http::get(admin, &format!("/moongate/plugins/{name}"), &[])?;
    let status: Value = serde_json::from_str(&answer.body)
        .with_context(|| format!("the Admin API says of {name}: {}", answer.body))?;
    if status.get("state").and_then(Value::as_str) != Some("ready") {
        bail!("{name} was refused: {status}");
    }
    status.get("generation").and_then(Value::as_u64).context("a plugin has no generation")
}

/// Compares what the gateway used early and late.
fn report(args: &Args, samples: &[Resources], slowest: Duration, traffic: &load::Traffic) -> Result<()> {
    // The first tenth fills pools and caches.
    let settled = samples.get(samples.len() / 10..).unwrap_or_default();
    let part = (settled.len() / 5).max(1);
    let early = Resources::typical(settled.get(..part).unwrap_or_default());
    let late = Resources::typical(settled.get(settled.len().saturating_sub(part)..).unwrap_or_default());
    say!(
        "\n{} reloads in {} s, the slowest live after {} ms",
        samples.len(),
        args.seconds,
        slowest.as_millis()
    );
    say!("{} requests, {} failed", traffic.requests, traffic.failures.len());
    say!(
        "memory       {} MiB after the first tenth, {} MiB at the end",
        early.memory / MIB,
        late.memory / MIB
    );
    say!("descriptors  {} after the first tenth, {} at the end", early.descriptors, late.descriptors);
    for failure in traffic.failures.iter().take(10) {
        say!("  {failure}");
    }
    ensure!(traffic.failures.is_empty(), "{} requests failed", traffic.failures.len());
    ensure!(traffic.requests > samples.len() as u64, "there was hardly any load");
    // It goes up and down by a tenth with what compiles; a leak of a plugin each time would be far more.
    let allowed = early.memory + early.memory / 5 + 8 * MIB;
    ensure!(late.memory <= allowed, "memory grew from {} to {} bytes", early.memory, late.memory);
    ensure!(
        late.descriptors <= early.descriptors + 2,
        "descriptors grew from {} to {}",
        early.descriptors,
        late.descriptors
    );
    Ok(())
}

const SECRET: &str = "a-secret-of-the-soak";
const MIB: u64 = 1024 * 1024;
/// The first start compiles, in a build that is hardly optimised.
const START_LIMIT: Duration = Duration::from_secs(120);
/// Compiling takes its time where others want the processor too; how long it took is in the report.
const RELOAD_LIMIT: Duration = Duration::from_secs(120);

const EXAMPLES: &str = "\
Examples:
  cargo xtask soak                              ten minutes, 1,000 reloads of three plugins
  cargo xtask soak --seconds 60                 a minute, 100 reloads; `cargo xtask test soak` does this
  cargo xtask soak --program target/release/moongate";

#[cfg(test)]
mod tests {
    use super::*;

    fn growing(step: u64, descriptors: usize) -> Vec<Resources> {
        (0..100)
            .map(|n| Resources { memory: 50 * MIB + n * step, descriptors: 40 + n as usize * descriptors })
            .collect()
    }

    fn outcome(samples: &[Resources], failures: &[&str]) -> Result<()> {
        let failures = failures.iter().map(|failure| (*failure).to_owned()).collect();
        let traffic = load::Traffic { requests: 10_000, failures };
        report(&Args::of_seconds(60), samples, Duration::from_millis(300), &traffic)
    }

    #[test]
    fn what_grows_or_fails_is_found() {
        assert!(outcome(&growing(0, 0), &[]).is_ok());
        assert!(outcome(&growing(MIB, 0), &[]).unwrap_err().to_string().starts_with("memory grew"));
        assert!(outcome(&growing(0, 1), &[]).unwrap_err().to_string().starts_with("descriptors grew"));
        assert_eq!(outcome(&growing(0, 0), &["502"]).unwrap_err().to_string(), "1 requests failed");
    }

    #[test]
    fn reloads_are_scaled_to_the_time() {
        assert_eq!(Args::of_seconds(600).reloads(), 1_000);
        assert_eq!(Args::of_seconds(60).reloads(), 100);
        assert_eq!(Args::of_seconds(1).reloads(), 10);
    }
}
