//! Command line of the echo server.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Parser;
use echo_server::{BindError, Options, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Answers every request with a JSON document that shows what was received.
///
/// A request can choose its answer, by query parameter or by header (the header counts when both are given):
///
///   echo_code      X-ECHO-CODE      status; one of a list such as 200-404-500 at random
///   echo_body      X-ECHO-BODY      this as the body, in place of the document
///   echo_env_body  X-ECHO-ENV-BODY  the value of this environment variable as the body
///   echo_header    X-ECHO-HEADER    response headers, such as "One:1, Two:2"
///   echo_time      X-ECHO-TIME      milliseconds to wait before answering
///   echo_file      X-ECHO-FILE      this file's content, or this directory's names
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES, verbatim_doc_comment)]
struct Cli {
    /// Port to listen on; 0 takes a free one, which is then printed
    #[arg(short, long, env = "PORT", default_value_t = 3000)]
    port: u16,

    /// Address or name to listen on; 0.0.0.0 for every interface. Whoever reaches the server can read its
    /// environment
    #[arg(long, default_value = "127.0.0.1")]
    host: String,

    /// Show the environment variables (the default)
    #[arg(long, overrides_with = "no_environment")]
    environment: bool,

    /// Leave the environment section out and ignore echo_env_body
    #[arg(long)]
    no_environment: bool,

    /// Let requests read files with echo_file
    #[arg(long)]
    enable_file: bool,

    /// Directory that echo_file is confined to
    #[arg(long, value_name = "DIR", default_value = ".", requires = "enable_file")]
    file_root: PathBuf,

    /// Longest delay that echo_time may ask for
    #[arg(long, value_name = "MILLISECONDS", default_value_t = Options::MAX_DELAY.as_secs() * 1000)]
    max_delay: u64,

    /// Largest request body; a larger one is answered with 413
    #[arg(long, value_name = "BYTES", default_value_t = Options::MAX_BODY)]
    max_body: usize,

    /// How long requests in flight may take to finish after SIGINT or SIGTERM; a second signal ends at once
    #[arg(long, value_name = "SECONDS", default_value_t = Options::DRAIN_TIMEOUT.as_secs())]
    drain_timeout: u64,

    /// Print a line per request
    #[arg(long)]
    log: bool,

    /// Ask the server that listens on --host and --port whether it answers, and exit with 0 or 1
    #[arg(long)]
    health: bool,
}

impl Cli {
    fn options(self) -> Options {
        Options {
            host: self.host,
            port: self.port,
            environment: (!self.no_environment).then(environment),
            file_root: self.enable_file.then_some(self.file_root),
            max_delay: Duration::from_millis(self.max_delay),
            max_body: self.max_body,
            drain_timeout: Duration::from_secs(self.drain_timeout),
            log: self.log,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = if cli.health { health(&cli.host, cli.port).await } else { run(cli.options()).await };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if let Some(BindError::AddressInUse { port, .. }) = error.downcast_ref() {
                let next = port.checked_add(1).unwrap_or(8080);
                eprintln!("hint: choose another with `--port {next}`, or any free one with `--port 0`");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<()> {
    // Before the address is printed: whoever waits for that line may send a signal right after it.
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let server = Server::bind(options).await?;
    say(&format!("echo-server is listening on http://{}", server.address()));

    let cut_off = server
        .serve(async move {
            either(&mut interrupt, &mut terminate).await;
            say("echo-server lets the requests in flight finish and stops");
            tokio::spawn(async move {
                either(&mut interrupt, &mut terminate).await;
                std::process::exit(1);
            });
        })
        .await;
    if cut_off > 0 {
        bail!("{cut_off} connections were still busy and have been cut off");
    }
    Ok(())
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

async fn health(host: &str, port: u16) -> Result<()> {
    let asking = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        stream.write_all(b"HEAD / HTTP/1.1\r\nhost: health\r\nconnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = tokio::time::timeout(HEALTH_LIMIT, asking)
        .await
        .with_context(|| format!("{host}:{port} did not answer within {} s", HEALTH_LIMIT.as_secs()))?
        .with_context(|| format!("cannot ask {host}:{port}"))?;
    if !answer.starts_with("HTTP/1.1 200") {
        bail!("{host}:{port} does not answer as an echo server does");
    }
    Ok(())
}

/// All environment variables; what is not UTF-8 in them is replaced.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect()
}

/// Prints a line, also when nobody reads any more.
fn say(line: &str) {
    drop(writeln!(std::io::stdout(), "{line}"));
}

const EXAMPLES: &str = "\
Examples:
  echo-server                            listen on 127.0.0.1:3000
  echo-server --port 0 --no-environment  a free port, no environment in the answers
  echo-server --host 0.0.0.0 --log       reachable from other machines, a line per request
  echo-server --enable-file --file-root ./public

  curl 'localhost:3000/any/path?color=blue'
  curl -i 'localhost:3000/?echo_code=200-500&echo_time=300'
  curl -i -H 'X-ECHO-BODY: {\"ok\":true}' -H 'X-ECHO-HEADER: One:1, Two:2' localhost:3000";

const HEALTH_LIMIT: Duration = Duration::from_secs(2);
