//! `cargo xtask demo`

mod trial;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::console;
use crate::http;
use crate::interrupt::{Interrupt, Interrupted};
use crate::output::say;
use crate::plugins;
use crate::ports;
use crate::process::{self, Service};
use crate::workspace::Workspace;

use self::trial::Trial;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where the gateway listens for clients; 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    proxy_port: u16,

    /// Where the gateway's Admin API listens; 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 8001)]
    admin_port: u16,

    /// Where the console is served; 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 8002)]
    console_port: u16,

    /// Where the echo server listens, which the gateway passes requests to; 0 takes a free port
    #[arg(long, value_name = "PORT", default_value_t = 3000)]
    echo_port: u16,

    /// Send the requests, check the answers and stop
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let [proxy, admin, console, echo] = ports::choose([
        ("--proxy-port", args.proxy_port),
        ("--admin-port", args.admin_port),
        ("--console-port", args.console_port),
        ("--echo-port", args.echo_port),
    ])?;
    let declarative = read(&workspace.root.join("config/kong.yaml"))?;
    let secret = secret(&declarative)?;

    plugins::build(workspace, None, false)?;
    let has_console = !args.once && console::build_if_possible(workspace)?;
    let mut command = workspace.cargo();
    command.args(["build", "-p", "moongate", "-p", "echo-server"]);
    process::run(command)?;

    let directory = workspace.scratch("demo")?;
    write(&directory.join("kong.yaml"), &with_echo_port(&declarative, echo)?)?;
    write(&directory.join("moongate.yaml"), &properties(workspace, &directory, [proxy, admin, console]))?;

    let interrupt = Interrupt::watch()?;
    let shown_console = has_console.then_some(console);
    let outcome =
        serve(workspace, &directory, [proxy, admin, echo], shown_console, &secret, args.once, &interrupt);
    match outcome {
        Err(error) if error.is::<Interrupted>() && !args.once => {
            say!("\nstopped");
            Ok(())
        }
        outcome => outcome,
    }
}

fn serve(
    workspace: &Workspace,
    directory: &Path,
    [proxy, admin, echo]: [u16; 3],
    console: Option<u16>,
    secret: &str,
    once: bool,
    interrupt: &Interrupt,
) -> Result<()> {
    let programs = workspace.built.join("debug");
    let mut command = Command::new(programs.join("echo-server"));
    // Without the environment: whoever tries the demo sees the request and not the secrets of a shell.
    command.args(["--host", "127.0.0.1", "--no-environment", "--port", &echo.to_string()]);
    command.current_dir(directory);
    let mut upstream = Service::start("echo-server", command, &directory.join("echo-server.log"))?;
    upstream.wait_until(START_LIMIT, interrupt, || http::get(echo, "/", &[]).map(drop))?;

    let mut command = Command::new(programs.join("moongate"));
    command.args(["start", "-c"]).arg(directory.join("moongate.yaml")).current_dir(&workspace.root);
    for property in PROPERTIES {
        // The environment counts more than the file.
        command.env_remove(format!("MOONGATE_{}", property.to_uppercase()));
    }
    let mut gateway = Service::start("moongate", command, &directory.join("moongate.log"))?;
    gateway.wait_until(START_LIMIT, interrupt, || {
        let status = http::get(admin, "/status", &[])?.status;
        ensure!(status == 200, "the Admin API answers /status with {status}");
        // Whatever it answers: the path belongs to no route.
        http::get(proxy, "/", &[]).map(drop)
    })?;

    let trials = Trial::all(proxy, admin, secret)?;
    let outcome = if once {
        try_out(&trials)
    } else {
        introduce(workspace, directory, [proxy, admin, echo], console, &trials);
        watch(&mut [&mut gateway, &mut upstream], interrupt)
    };
    // Together, and the gateway first, so that no request meets an upstream that has gone.
    gateway.terminate();
    upstream.terminate();
    outcome
}

fn introduce(
    workspace: &Workspace,
    directory: &Path,
    [proxy, admin, echo]: [u16; 3],
    console: Option<u16>,
    trials: &[Trial],
) {
    say!("\nMoongate is running.");
    say!("  proxy      http://127.0.0.1:{proxy}");
    say!("  Admin API  http://127.0.0.1:{admin}");
    if let Some(console) = console {
        say!("  console    http://127.0.0.1:{console}");
    }
    say!("  upstream   http://127.0.0.1:{echo}  (an echo server)");
    let directory = workspace.relative(directory).display();
    say!("  files      {directory}: moongate.yaml, kong.yaml, and logs");
    say!("\nTry:");
    for trial in trials {
        say!("\n  # {}\n  {}", trial.title, trial.command());
    }
    say!("\n  # The plugins, their versions and what they may use.");
    say!("  curl http://127.0.0.1:{admin}/moongate/plugins");
    say!(
        "\nChange plugins/jwt-claims and run `cargo xtask plugins` elsewhere: the gateway goes on with the new one."
    );
    say!("Ctrl-C stops everything.");
}

/// Sends every request and compares the answers with what they should be.
fn try_out(trials: &[Trial]) -> Result<()> {
    let mut failed = 0;
    for trial in trials {
        say!("\n# {}\n$ {}", trial.title, trial.command());
        let checked = trial.send().and_then(|answer| {
            say!("{answer}");
            trial.check(&answer)
        });
        if let Err(error) = checked {
            failed += 1;
            eprintln!("error: {error:#}");
        }
    }
    if failed > 0 {
        bail!("{failed} of {} requests were not answered as they should be", trials.len());
    }
    say!("\nAll {} requests were answered as they should be.", trials.len());
    Ok(())
}

fn watch(services: &mut [&mut Service], interrupt: &Interrupt) -> Result<()> {
    loop {
        for service in &mut *services {
            service.check()?;
        }
        interrupt.sleep(WATCH_PAUSE)?;
    }
}

/// The properties that [`properties`] sets.
const PROPERTIES: [&str; 8] = [
    "database",
    "declarative_config",
    "proxy_listen",
    "admin_listen",
    "admin_gui_listen",
    "allow_debug_header",
    "plugin_dirs",
    "prefix",
];

/// Written as JSON, which is YAML as well and needs no rules for quoting paths.
fn properties(workspace: &Workspace, directory: &Path, [proxy, admin, console]: [u16; 3]) -> String {
    let properties = json!({
        "database": "off",
        "declarative_config": directory.join("kong.yaml"),
        "proxy_listen": format!("127.0.0.1:{proxy}"),
        "admin_listen": format!("127.0.0.1:{admin}"),
        "admin_gui_listen": format!("127.0.0.1:{console}"),
        // So that the console can show what plugins do.
        "allow_debug_header": "on",
        "plugin_dirs": [workspace.root.join("target/plugins")],
        "prefix": directory.join("moongate"),
    });
    format!("# Written by `cargo xtask demo`.\n{properties:#}\n")
}

fn with_echo_port(declarative: &str, port: u16) -> Result<String> {
    ensure!(declarative.contains(ECHO_URL), "config/kong.yaml has no service at {ECHO_URL}");
    Ok(declarative.replace(ECHO_URL, &format!("http://127.0.0.1:{port}")))
}

/// The secret of the jwt-claims plugin. A look at the line is enough for a file that lies in the same repository.
fn secret(declarative: &str) -> Result<String> {
    let value = declarative.lines().find_map(|line| line.trim().strip_prefix("secret:"));
    let value = value.context("config/kong.yaml has no `secret`")?;
    Ok(value.trim().trim_matches(['"', '\'']).to_owned())
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// As it stands in config/kong.yaml.
const ECHO_URL: &str = "http://127.0.0.1:3000";
/// The first start compiles the plugins, in a build that is hardly optimised.
const START_LIMIT: Duration = Duration::from_secs(120);
const WATCH_PAUSE: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo
  cargo xtask demo --proxy-port 9000 --admin-port 9001 --console-port 9002   when 8000 to 8002 are taken
  cargo xtask demo --once                                send the requests, check the answers, stop";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_has_what_the_demo_changes_and_needs() {
        let workspace = Workspace::load().unwrap();
        let declarative = read(&workspace.root.join("config/kong.yaml")).unwrap();
        assert_eq!(secret(&declarative).unwrap(), "moongate-demo-secret");
        let changed = with_echo_port(&declarative, 4321).unwrap();
        assert!(changed.contains("url: http://127.0.0.1:4321\n"), "{changed}");
        assert!(!changed.contains(":3000"), "{changed}");
    }

    #[test]
    fn the_properties_that_are_set_are_those_taken_from_the_environment() {
        let workspace = Workspace::load().unwrap();
        let text = properties(&workspace, Path::new("/demo"), [1, 2, 3]);
        let json: serde_json::Value = serde_json::from_str(text.split_once('\n').unwrap().1).unwrap();
        let mut expected = PROPERTIES.to_vec();
        expected.sort_unstable();
        assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), expected);
    }
}
