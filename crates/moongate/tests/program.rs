//! The program as its users meet it: what it prints, and how it ends.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail loudly")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

/// The program, in a directory of its own and without an environment that could configure it.
fn program(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moongate"));
    command.current_dir(directory).env_clear();
    command
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    program(directory).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn assert_fails(output: &Output, message: &str) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(text(&output.stderr), format!("error: {message}\n"));
    assert_eq!(text(&output.stdout), "");
}

/// A gateway on free ports that is stopped at the end of a test.
struct Running {
    directory: TempDir,
    child: Child,
    log: Option<ChildStderr>,
    proxy: String,
    admin: String,
}

impl Running {
    fn start(declarative: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("kong.yaml"), declarative).unwrap();
        let properties = "\
declarative_config: kong.yaml
proxy_listen: 127.0.0.1:0
admin_listen: 127.0.0.1:0
admin_gui_listen: 127.0.0.1:0
workers: 1
shutdown_timeout: 5
";
        fs::write(directory.path().join("moongate.yaml"), properties).unwrap();
        let mut child = program(directory.path())
            .arg("start")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let Some(first) = lines.next() else {
            let mut log = String::new();
            child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
            panic!("does not start: {log}");
        };
        assert_eq!(first, format!("Moongate {} started", env!("CARGO_PKG_VERSION")));
        let address = |line: Option<String>, what: &str| {
            let line = line.unwrap();
            let (name, url) = line.trim().split_once("  ").unwrap();
            assert_eq!(name, what);
            url.trim().strip_prefix("http://").unwrap().to_owned()
        };
        let (proxy, admin) = (address(lines.next(), "proxy"), address(lines.next(), "Admin API"));
        let log = child.stderr.take();
        Self { directory, child, log, proxy, admin }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run(self.directory.path(), arguments)
    }

    fn prefix(&self) -> std::path::PathBuf {
        self.directory.path().join(".moongate")
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// The exit code and the log of a gateway that was told to end.
    fn end(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.log.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const EMPTY: &str = "_format_version: '3.0'\n";

const ONE_ROUTE: &str = "\
_format_version: '3.0'
services:
  - name: nowhere
    url: http://127.0.0.1:9
    retries: 0
    routes:
      - name: one
        paths: [/one]
";

#[test]
fn every_command_has_a_help_text_with_examples() {
    let directory = tempfile::tempdir().unwrap();
    for command in ["start", "check", "version", "health", "reload", "quit", "stop"] {
        let output = run(directory.path(), &[command, "--help"]);
        assert!(output.status.success());
        let help = text(&output.stdout);
        assert!(help.contains(&format!("Examples:\n  moongate {command}")), "{help}");
    }
    let start = run(directory.path(), &["start", "--help"]);
    assert!(text(&start.stdout).contains("\n  log_level: \"info\"\n"), "{}", text(&start.stdout));
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["begin"][..], &["start", "--fast"], &["check", "a.yaml", "-c", "b.yaml"], &[]] {
        assert_eq!(run(directory.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn the_version_stands_alone_for_scripts() {
    let directory = tempfile::tempdir().unwrap();
    let output = run(directory.path(), &["version"]);
    assert_eq!(text(&output.stdout), format!("{}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn commands_for_a_running_gateway_say_that_there_is_none() {
    let directory = tempfile::tempdir().unwrap();
    for command in ["health", "reload", "quit", "stop"] {
        let output = run(directory.path(), &[command, "--prefix", "gate"]);
        assert_fails(&output, "Moongate is not running at gate");
    }
}

#[test]
fn check_tells_what_is_wrong_and_leaves_no_traces() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("kong.yaml"), EMPTY).unwrap();
    fs::write(at.join("gate.yaml"), "declarative_config: kong.yaml\n").unwrap();
    let output = run(at, &["check", "gate.yaml"]);
    assert_eq!(text(&output.stdout), "configuration at gate.yaml is valid\n", "{output:?}");
    assert!(output.status.success());

    fs::write(at.join("gate.yaml"), "declarative_config: kong.yaml\nlog_levels: info\nworkers: 0\n").unwrap();
    let output = run(at, &["check", "-c", "gate.yaml"]);
    let expected = "\
gate.yaml:2: `log_levels` is no property; did you mean `log_level`?
error: gate.yaml:3: workers `0` is no whole number from 1 to 1024, and not `auto`";
    assert_fails(&output, expected);

    fs::write(at.join("kong.yaml"), "_format_version: '3.0'\nplugins:\n  - name: nobody\n").unwrap();
    let output = run(at, &["check", "--set", "declarative_config=kong.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("plugin 'nobody' not enabled"), "{output:?}");

    fs::create_dir(at.join("plugins")).unwrap();
    fs::write(at.join("plugins/text.wasm"), "hello").unwrap();
    let output = run(at, &["check", "--set", "plugin_dirs=plugins"]);
    let expected = "plugin refused: plugins/text.wasm is not a WebAssembly component but some other kind of file; \
                    `moongate plugin build` makes one";
    assert_fails(&output, expected);
    assert!(!at.join(".moongate").exists());
}

#[test]
fn a_gateway_starts_answers_reloads_and_quits() {
    let gateway = Running::start(EMPTY);
    assert!(get(&gateway.proxy, "/one").contains("no Route matched with those values"));
    let information = get(&gateway.admin, "/");
    assert!(information.contains(&format!("\"listener\":\"{}\"", gateway.proxy)), "{information}");
    let node_id = fs::read_to_string(gateway.prefix().join("node_id")).unwrap();
    assert!(information.contains(node_id.trim()));
    assert!(gateway.prefix().join("compile-cache").is_dir());

    let health = gateway.run(&["health"]);
    assert_eq!(text(&health.stdout), "Moongate is healthy at .moongate\n", "{health:?}");
    assert_eq!(health.status.code(), Some(0));

    let kong = gateway.directory.path().join("kong.yaml");
    fs::write(&kong, ONE_ROUTE).unwrap();
    let reload = gateway.run(&["reload"]);
    assert_eq!(text(&reload.stdout), "Moongate reloaded\n", "{reload:?}");
    assert!(get(&gateway.proxy, "/one").starts_with("HTTP/1.1 502"));
    assert!(get(&gateway.admin, "/services").contains("\"nowhere\""));

    fs::write(&kong, "_format_version: '3.0'\nservices:\n  - nam: x\n").unwrap();
    let reload = gateway.run(&["reload"]);
    assert_eq!(reload.status.code(), Some(1));
    let message = text(&reload.stderr);
    assert!(message.starts_with("error: not reloaded, requests are served as before: kong.yaml: the declarative configuration is wrong\n  "), "{message}");
    assert!(get(&gateway.proxy, "/one").starts_with("HTTP/1.1 502"));

    let quit = gateway.run(&["quit"]);
    assert_eq!(text(&quit.stdout), "Moongate stopped (gracefully)\n", "{quit:?}");
    assert!(!gateway.prefix().join("moongate.pid").exists());
    let (code, log) = gateway.end();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn a_second_gateway_of_a_prefix_is_refused() {
    let gateway = Running::start(EMPTY);
    let second = gateway.run(&["start"]);
    assert_eq!(second.status.code(), Some(1));
    let refused = format!("error: a gateway (pid {}) already runs at .moongate; ", gateway.child.id());
    assert!(text(&second.stderr).contains(&refused), "{second:?}");
    assert_eq!(gateway.run(&["health"]).status.code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_named_with_its_property() {
    let directory = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (property, other) in [("proxy_listen", "admin_listen"), ("admin_listen", "proxy_listen")] {
        let output = program(directory.path())
            .args(["start", "--set", &format!("{property}={address}"), "--set", &format!("{other}=off")])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let log = text(&output.stderr);
        assert!(
            log.contains(&format!("error: {property}: cannot listen on {address}: Address already in use")),
            "{log}"
        );
        assert!(log.contains(&format!("--set {property}=127.0.0.1:")), "{log}");
        assert!(!directory.path().join(".moongate/moongate.pid").exists());
    }
}

#[test]
fn a_hangup_reloads_and_a_refused_configuration_is_in_the_log() {
    let gateway = Running::start(ONE_ROUTE);
    fs::write(gateway.directory.path().join("kong.yaml"), "nonsense").unwrap();
    gateway.signal(Signal::SIGHUP);
    // The reload of the command comes after that of the signal, or is the same.
    assert_eq!(gateway.run(&["reload"]).status.code(), Some(1));
    assert!(get(&gateway.proxy, "/one").starts_with("HTTP/1.1 502"));
    gateway.signal(Signal::SIGTERM);
    let (code, log) = gateway.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("SIGHUP, the configuration is read again"), "{log}");
    assert!(log.contains("reload refused, requests are served as before"), "{log}");
}

/// An upstream that takes a request and never answers, and a client that waits for it.
fn hang(gateway: &Running, upstream: &TcpListener) -> (TcpStream, TcpStream) {
    let mut client = TcpStream::connect(&gateway.proxy).unwrap();
    client.write_all(b"GET /one HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    (client, upstream.accept().unwrap().0)
}

#[test]
fn a_request_in_flight_is_finished_by_quit_and_cut_off_by_stop() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let declarative = ONE_ROUTE.replace("127.0.0.1:9", &upstream.local_addr().unwrap().to_string());

    let gateway = Running::start(&declarative);
    let (mut client, mut served) = hang(&gateway, &upstream);
    gateway.signal(Signal::SIGTERM);
    std::thread::sleep(std::time::Duration::from_millis(200));
    served.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("done"), "{answer}");
    let (code, log) = gateway.end();
    assert_eq!(code, Some(0), "{log}");

    let gateway = Running::start(&declarative);
    let (_client, _served) = hang(&gateway, &upstream);
    let stop = gateway.run(&["stop"]);
    assert_eq!(text(&stop.stdout), "Moongate stopped\n", "{stop:?}");
    let (code, log) = gateway.end();
    assert_eq!(code, Some(1));
    assert!(log.ends_with("error: ended at once by a second signal; requests have been cut off\n"), "{log}");
}
