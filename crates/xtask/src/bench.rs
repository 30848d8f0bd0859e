//! `cargo xtask bench`
//!
//! What a proxy costs is its own processor time per request. Requests per second depend on everything else on the
//! machine, so they are shown beside it and decide nothing. Proxies are measured in turn, round by round: a machine
//! that gets slower during the run then makes all of them slower.

mod admin;
mod contender;
mod h2load;
mod heads;
mod machine;
mod nginx;
mod peers;
mod postgres;
mod report;
mod scenario;
mod usage;
mod wrk;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::interrupt::Interrupt;
use crate::output::say;
use crate::plugins;
use crate::ports;
use crate::process;
use crate::workspace::Workspace;

use self::contender::{Contender, Stage, Workers};
use self::machine::Cores;
use self::report::{Report, Row};
use self::scenario::{Load, Scenario};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,

    /// How often each proxy is measured in each scenario
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Seconds of one measurement
    #[arg(long, value_name = "SECONDS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    duration: u32,

    /// Connections that send requests at the same time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,

    /// Measure HAProxy, Envoy and nginx with Lua as well, those that are installed
    #[arg(long)]
    peers: bool,

    /// Measure this program, built before, instead of building one; may be given several times, to compare them
    #[arg(long, value_name = "FILE")]
    gateway: Vec<PathBuf>,

    /// Measure W0 with two workers on two cores as well
    #[arg(long)]
    scaling: bool,

    /// What to measure
    #[arg(long, value_delimiter = ',', ignore_case = true, value_enum, default_values_t = Scenario::COMMON)]
    scenarios: Vec<Scenario>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Measure how long many entities take on Postgres: to come in, to start with, to list and to change
    Admin(admin::Args),
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if let Some(What::Admin(args)) = &args.what {
        return admin::run(workspace, args);
    }
    let h2load = args.scenarios.contains(&Scenario::H2).then_some(("h2load", "nghttp2-client"));
    let programs = [("nginx", "nginx"), ("wrk", "wrk"), ("taskset", "util-linux")];
    for (program, package) in programs.into_iter().chain(h2load) {
        if process::find_program(program).is_none() {
            bail!("{program} is not installed; on Debian: apt-get install {package}");
        }
    }
    plugins::build(workspace, None, false)?;
    let gateways = gateways(workspace, &args.gateway)?;

    let interrupt = Interrupt::watch()?;
    let [upstream] = ports::choose([("the upstream's port", 0)])?;
    let directory = workspace.scratch("bench")?;
    let stage = Stage {
        directory: directory.clone(),
        plugins: workspace.root.join("target/plugins"),
        cores: Cores::choose()?,
        upstream,
        identity: identity(&directory)?,
        interrupt,
    };
    let load = Load::prepare(&stage.directory)?;
    let mut report = Report::new(workspace, stage.cores);
    let busy = machine::busy(&stage.interrupt)? * 100.0;
    if busy > BUSY_PERCENT {
        report.note(format!(
            "Other programs used {busy:.0} % of the machine before the start, so the figures are high"
        ));
    }

    let awake = machine::keep_awake();
    if let Err(error) = &awake {
        report.note(format!(
            "Idle cores could fall asleep (/dev/cpu_dma_latency: {error}); in a virtual machine that makes a proxy that its \
             client waits for look dearer than it is"
        ));
    }

    let mut contenders = vec![nginx::proxy(&stage)?];
    for (name, program) in &gateways {
        contenders.push(contender::gateway(&stage, name, program, Workers::One)?);
        if args.scaling {
            let name = format!("{name} with two workers");
            contenders.push(contender::gateway(&stage, &name, program, Workers::Two)?);
        }
    }
    if args.peers {
        for peer in peers::start(&stage) {
            match peer {
                Ok(peer) => contenders.push(peer),
                Err(error) => report.note(format!("{error:#}")),
            }
        }
    }
    for difference in heads::differences(&stage, &contenders)? {
        report.note(difference);
    }
    // Only now, because the port was needed to look at what arrives at it.
    let _upstream = nginx::upstream(&stage)?;
    let plan = plan(&contenders, &args.scenarios);
    for &(index, scenario) in &plan {
        if let Some(contender) = contenders.get_mut(index) {
            measure(contender, scenario, &load, &stage, args.connections, WARM_UP)?;
        }
    }
    let mut rows: Vec<Row> = Vec::new();
    for round in 1..=args.rounds {
        for &(index, scenario) in &plan {
            let Some(contender) = contenders.get_mut(index) else { continue };
            let duration = Duration::from_secs(args.duration.into());
            let measured = measure(contender, scenario, &load, &stage, args.connections, duration)?;
            say!("round {round}  {:<4} {:<12} {measured}", scenario.name(), contender.name());
            match rows.iter_mut().find(|row| row.scenario == scenario && row.proxy == contender.name()) {
                Some(row) => row.measured.push(measured),
                None => {
                    let proxy = contender.name().to_owned();
                    rows.push(Row { scenario, proxy, base: index == 0, measured: vec![measured] });
                }
            }
        }
    }

    let report = report.finish(args, &rows);
    let file = stage.directory.join("latest.md");
    fs::write(&file, &report).with_context(|| format!("cannot write {}", file.display()))?;
    say!("\n{report}\nThe same is in {}.", workspace.relative(&file).display());
    Ok(())
}

/// The gateways to measure, with what to call them: those that are given, or one built now.
fn gateways(workspace: &Workspace, given: &[PathBuf]) -> Result<Vec<(String, PathBuf)>> {
    if given.is_empty() {
        let mut command = workspace.cargo();
        command.args(["build", "--release", "-p", "moongate"]);
        process::run(command)?;
        return Ok(vec![("moongate".to_owned(), workspace.built.join("release/moongate"))]);
    }
    given
        .iter()
        .map(|file| {
            let program = file.canonicalize().with_context(|| format!("cannot find {}", file.display()))?;
            let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name, program))
        })
        .collect()
}

/// A certificate that nobody trusts, and its key.
fn identity(directory: &Path) -> Result<[PathBuf; 2]> {
    let made =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).context("cannot make a certificate")?;
    let files = ["tls.crt", "tls.key"].map(|name| directory.join(name));
    for (file, text) in files.iter().zip([made.cert.pem(), made.signing_key.serialize_pem()]) {
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(files)
}

/// Which proxies are measured in which scenarios, in the order of one round. nginx's plain proxying is always
/// there, because everything is compared with it.
fn plan(contenders: &[Contender], scenarios: &[Scenario]) -> Vec<(usize, Scenario)> {
    let mut plan = Vec::new();
    for scenario in Scenario::ALL {
        for (index, contender) in contenders.iter().enumerate() {
            let base = index == 0 && scenario == Scenario::W0;
            if base || scenarios.contains(&scenario) && contender.takes_part_in(scenario) {
                plan.push((index, scenario));
            }
        }
    }
    plan
}

/// Loads one proxy for `duration` while the others have nothing to do.
fn measure(
    contender: &mut Contender,
    scenario: Scenario,
    load: &Load,
    stage: &Stage,
    connections: u32,
    duration: Duration,
) -> Result<report::Measured> {
    let name = contender.name().to_owned();
    let context = || format!("{name} in scenario {}", scenario.name());
    contender.check()?;
    load.check(scenario, contender).with_context(context)?;
    let processes = usage::serving(contender.pid()).with_context(context)?;
    let before = usage::total(&processes).with_context(context)?;
    let run = load.run(scenario, contender, stage, connections, duration).with_context(context)?;
    let after = usage::total(&processes).with_context(context)?;
    let used = after.processor_time.saturating_sub(before.processor_time);
    Ok(report::Measured {
        requests_per_second: run.requests_per_second,
        median: run.median,
        p99: run.p99,
        processor_time: used.div_f64(run.requests.max(1.0)),
        memory: after.memory,
    })
}

/// Above what a machine at rest does.
const BUSY_PERCENT: f64 = 10.0;
/// Long enough for connections to open and pools to fill.
const WARM_UP: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Scenarios:
  W0         plain proxying of GET /, no plugin
  W1         jwt-claims checks a token (HS256, exp) and turns a claim into a header; one token
  W1d        the same with many different tokens in turn
  key        key-auth finds the consumer of a key
  limit      rate-limiting counts in memory
  transform  request-transformer adds a header
  three      these three together
  tls        W0 with clients over TLS
  h2         W0 with clients over HTTP/2 and TLS; needs h2load
  body       answers of 1 MiB

Examples:
  cargo xtask bench
  cargo xtask bench --rounds 5 --duration 15 --peers
  cargo xtask bench --scenarios W0,W1,three,tls,body --scaling
  cargo xtask bench --gateway before --gateway after   two programs that were built before, side by side
  cargo xtask bench admin

nginx and wrk must be installed: apt-get install nginx wrk";
