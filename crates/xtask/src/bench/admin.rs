//! `cargo xtask bench admin`
//!
//! How long an operator waits who has many entities: to bring them into Postgres, to start, to list them, and for one
//! change.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::clock::Stopwatch;
use crate::http;
use crate::interrupt::Interrupt;
use crate::output::say;
use crate::ports;
use crate::process::{self, Service};
use crate::workspace::Workspace;

use super::machine::{self, Cores};
use super::postgres::Postgres;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Services, each with one route
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    entities: u32,

    /// Changes that are measured
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    changes: u32,

    /// The gateway to measure; a release build of this checkout unless given
    #[arg(long, value_name = "FILE")]
    gateway: Option<PathBuf>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let gateway = match &args.gateway {
        Some(gateway) => gateway.clone(),
        None => {
            let mut command = workspace.cargo();
            command.args(["build", "--release", "-p", "moongate"]);
            process::run(command)?;
            workspace.built.join("release/moongate")
        }
    };
    let interrupt = Interrupt::watch()?;
    let directory = workspace.scratch("bench-admin")?;
    let busy = machine::busy(&interrupt)? * 100.0;
    let [admin, proxy, port] = ports::choose([("the Admin API", 0), ("the proxy", 0), ("Postgres", 0)])?;
    let postgres = Postgres::start(port)?;
    let declared = directory.join("kong.json");
    write(&declared, &declaration(args.entities).to_string())?;
    let properties = directory.join("moongate.yaml");
    let text = json!({
        "database": "postgres",
        "pg_port": postgres.port,
        "admin_listen": format!("127.0.0.1:{admin}"),
        "proxy_listen": format!("127.0.0.1:{proxy}"),
        "prefix": directory.join("moongate"),
    });
    write(&properties, &format!("{text:#}\n"))?;
    let command = |words: &[&str]| {
        let mut command = Command::new(&gateway);
        command.args(words).arg("-c").arg(&properties);
        process::forget_properties(&mut command);
        command
    };
    process::run(command(&["migrations", "bootstrap"]))?;

    let mut figures = Vec::new();
    let mut figure = |what: &str, taken: String| {
        say!("{what}: {taken}");
        figures.push((what.to_owned(), taken));
    };
    let watch = Stopwatch::start();
    let path = declared.display().to_string();
    process::run(command(&["config", "db_import", &path]))?;
    figure("`moongate config db_import`", seconds(watch.elapsed()));

    let watch = Stopwatch::start();
    let mut service = Service::start("moongate", command(&["start"]), &directory.join("moongate.log"))?;
    service.wait_until(START_LIMIT, &interrupt, || http::get(admin, "/status", &[]).map(drop))?;
    figure("Start, until the Admin API answers", seconds(watch.elapsed()));

    let watch = Stopwatch::start();
    let (found, slowest) = list(admin)?;
    ensure!(found == args.entities as usize, "{found} services are listed, and not {}", args.entities);
    figure("All services listed, 1,000 a page", seconds(watch.elapsed()));
    figure("The slowest page", milliseconds(slowest));

    let mut changes = Vec::new();
    for number in 0..args.changes {
        interrupt.sleep(Duration::ZERO)?;
        let name = format!("r{}", u64::from(number) * 7919 % u64::from(args.entities));
        let path = format!("/changed/{number}");
        let watch = Stopwatch::start();
        let answer = http::patch(admin, &format!("/routes/{name}"), &json!({"paths": [path]}))?;
        changes.push(watch.elapsed());
        ensure!(answer.status == 200, "a change is answered with {}: {}", answer.status, answer.body);
    }
    changes.sort();
    figure("One change of a route, until it is answered and live: median", milliseconds(at(&changes, 50)));
    figure("The same: 99th percentile", milliseconds(at(&changes, 99)));
    service.check()?;

    let mut report = String::new();
    for line in machine::describe(workspace, Cores::choose()?) {
        writeln!(report, "{line}")?;
    }
    writeln!(report, "Database: {}, on the same machine\n", postgres.version()?)?;
    writeln!(report, "| {} services with a route each | |\n| --- | --- |", args.entities)?;
    for (what, taken) in figures {
        writeln!(report, "| {what} | {taken} |")?;
    }
    if busy > super::BUSY_PERCENT {
        writeln!(
            report,
            "\nOther programs used {busy:.0} % of the machine before the start, so the figures are high."
        )?;
    }
    let file = directory.join("latest.md");
    write(&file, &report)?;
    say!("\n{report}\nThe same is in {}.", workspace.relative(&file).display());
    Ok(())
}

fn declaration(count: u32) -> Value {
    let service = |number: u32| {
        json!({
            "name": format!("s{number}"),
            "url": format!("http://upstream-{number}.test:8080/base"),
            "routes": [{ "name": format!("r{number}"), "paths": [format!("/path/{number}")] }],
        })
    };
    json!({ "_format_version": "3.0", "services": (0..count).map(service).collect::<Vec<_>>() })
}

/// Follows the pages of the services. How many there are, and what the slowest page took.
fn list(admin: u16) -> Result<(usize, Duration)> {
    let (mut found, mut slowest) = (0, Duration::ZERO);
    let mut next = Some("/services?size=1000".to_owned());
    while let Some(path) = next {
        let watch = Stopwatch::start();
        let answer = http::get(admin, &path, &[])?;
        slowest = slowest.max(watch.elapsed());
        ensure!(answer.status == 200, "{path} is answered with {}: {}", answer.status, answer.body);
        let page: Value = serde_json::from_str(&answer.body).context("a page is no JSON")?;
        found += page.get("data").and_then(Value::as_array).map_or(0, Vec::len);
        // It leads to the next page, and forgets how large pages are to be.
        next = page
            .get("next")
            .and_then(Value::as_str)
            .map(|next| if next.contains("size=") { next.to_owned() } else { format!("{next}&size=1000") });
    }
    Ok((found, slowest))
}

/// So many per cent are not slower.
fn at(sorted: &[Duration], percent: usize) -> Duration {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn write(file: &std::path::Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

const START_LIMIT: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times: Vec<_> = (1..=10).map(Duration::from_millis).collect();
        assert_eq!(at(&times, 50), Duration::from_millis(6));
        assert_eq!(at(&times, 99), Duration::from_millis(10));
        assert_eq!(at(&[], 50), Duration::ZERO);
    }
}
