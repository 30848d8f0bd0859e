//! `moongate plugin run`

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::RunArguments;
use super::test::scratch;
use crate::author::build;
use crate::author::cases::{Cases, declarative};
use crate::author::project::Project;
use crate::author::sources::Fingerprint;
use crate::cli::say;
use crate::logging;
use crate::properties::Properties;
use crate::trial::{Setup, Trial};

pub(super) fn run(arguments: &RunArguments) -> anyhow::Result<()> {
    let watched = Watched::open(&arguments.plugin)?;
    let config = config(arguments, &watched)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is started: a signal in the meantime ends what is there.
    let (mut interrupt, mut terminate) = runtime.block_on(async {
        Ok::<_, std::io::Error>((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?))
    })?;
    let file = watched.build()?;
    logging::start(&Properties::default());
    let upstream = EchoServer::start()?;
    let trial = Setup::new(scratch(&file).join("run"))
        .plugin(&file)
        .property(format!("proxy_listen=127.0.0.1:{}", arguments.port))
        .start()?;
    let Some(plugin) = trial.plugins().first().cloned() else { bail!("{}: is no plugin", file.display()) };
    trial.configure(&declarative(&plugin.name, &config, &upstream.url))?;
    introduce(&trial, &plugin.name, &file, &upstream.url, &watched);

    runtime.block_on(async {
        let ended = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        tokio::select! {
            () = ended => {}
            () = follow(&watched, &trial) => {}
        }
    });
    say("\nstopped");
    Ok(())
}

/// What is looked at for changes.
struct Watched {
    path: PathBuf,
    /// Nothing for a file that somebody else builds.
    project: Option<Project>,
}

impl Watched {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let project = if path.is_file() { None } else { Some(Project::open(path, None)?) };
        Ok(Self { path: path.to_owned(), project })
    }

    fn build(&self) -> anyhow::Result<PathBuf> {
        match &self.project {
            Some(project) => Ok(build::build(project)?),
            None => Ok(self.path.clone()),
        }
    }
}

/// Builds and installs after each change, for ever.
async fn follow(watched: &Watched, trial: &Trial) {
    let mut seen = Fingerprint::of(&watched.path);
    loop {
        tokio::time::sleep(PAUSE).await;
        let now = Fingerprint::of(&watched.path);
        if now == seen {
            continue;
        }
        // Editors write several files, one after the other.
        tokio::time::sleep(PAUSE).await;
        seen = Fingerprint::of(&watched.path);
        if watched.project.is_some() {
            say("\nchanged, building");
        }
        let installed = watched.build().and_then(|file| {
            trial.install(&file)?;
            Ok(file)
        });
        match installed {
            // The gateway's log tells whether it takes the new version.
            Ok(file) => say(&format!("built {}; the gateway takes it when it is good", file.display())),
            Err(error) => say(&format!("error: {error:#}\nthe version before goes on")),
        }
    }
}

fn config(arguments: &RunArguments, watched: &Watched) -> anyhow::Result<Map<String, Value>> {
    if let Some(text) = &arguments.config {
        return serde_json::from_str(text)
            .context("--config: is no JSON object, as {\"greeting\": \"hi\"} is one");
    }
    let cases = watched.project.as_ref().map(Project::cases).filter(|file| file.is_file());
    Ok(match cases {
        Some(file) => Cases::read(&file)?.config().clone(),
        None => Map::new(),
    })
}

fn introduce(trial: &Trial, name: &str, file: &Path, upstream: &str, watched: &Watched) {
    let (proxy, admin) = (trial.proxy(), trial.admin());
    let status = trial.status(file).unwrap_or_default();
    let text = |field: &str| status.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    say(&format!("\nMoongate runs {name} {} on every request.", text("version")));
    say(&format!("  proxy      http://{proxy}"));
    say(&format!("  Admin API  http://{admin}"));
    say(&format!("  upstream   {upstream}  (an echo server)"));
    say("\nTry:");
    say(&format!("  curl -i http://{proxy}/any/path"));
    for path in trial.admin_paths() {
        say(&format!("  curl -i http://{admin}{path}"));
    }
    say(&format!(
        "  curl http://{admin}/moongate/plugins/{name}      what is loaded, what was refused and why"
    ));
    say(&format!(
        "\nChanges of {} are taken while it runs. Ctrl-C stops everything.",
        watched.path.display()
    ));
}

/// The upstream, on a thread of its own for as long as this process lives.
struct EchoServer {
    url: String,
}

impl EchoServer {
    fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let server = runtime.block_on(echo_server::Server::bind(echo_server::Options::default()))?;
        let url = format!("http://{}", server.address());
        std::thread::Builder::new()
            .name("echo-server".to_owned())
            .spawn(move || runtime.block_on(server.serve(std::future::pending())))?;
        Ok(Self { url })
    }
}

const PAUSE: Duration = Duration::from_millis(200);
