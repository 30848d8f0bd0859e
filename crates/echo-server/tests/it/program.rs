//! The program: what it prints, how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A running program; killed when the test ends.
struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    address: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(&["--port", "0"]).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let ready = line(&mut output);
        let address = ready.strip_prefix("echo-server is listening on http://");
        let address = address.unwrap_or_else(|| panic!("{ready}")).to_owned();
        Self { child, output, address }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    fn get(&self, target: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        stream
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_echo-server"));
    command.env_remove("PORT").args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn line(output: &mut impl BufRead) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn text(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn port_zero_prints_the_port_that_was_chosen() {
    let program = Program::start(&[]);
    assert!(program.address.starts_with("127.0.0.1:") && !program.address.ends_with(":0"));
    assert!(text(program.get("/")).starts_with("HTTP/1.1 200"));
}

#[test]
fn the_environment_is_shown_unless_it_is_hidden() {
    let variable = format!("\"PATH\":{}", serde_json::Value::from(std::env::var("PATH").unwrap()));
    assert!(text(Program::start(&[]).get("/")).contains(&variable));
    assert!(!text(Program::start(&["--no-environment"]).get("/")).contains(&variable));
    assert!(text(Program::start(&["--no-environment", "--environment"]).get("/")).contains(&variable));
}

#[test]
fn the_log_has_a_line_per_request() {
    let mut program = Program::start(&["--log"]);
    drop(text(program.get("/path?echo_code=404")));
    let line = line(&mut program.output);
    assert!(line.contains(" GET /path?echo_code=404 -> 404, "), "{line}");
}

#[test]
fn both_signals_let_a_request_finish_and_end_with_success() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut program = Program::start(&[]);
        let stream = program.get("/?echo_time=500");
        std::thread::sleep(std::time::Duration::from_millis(200));
        program.signal(signal);
        assert!(text(stream).starts_with("HTTP/1.1 200"));
        assert!(program.child.wait().unwrap().success());
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut program = Program::start(&[]);
    let stream = program.get("/?echo_time=30000");
    std::thread::sleep(std::time::Duration::from_millis(200));
    program.signal(Signal::SIGTERM);
    assert!(line(&mut program.output).contains("stops"));
    program.signal(Signal::SIGTERM);
    assert_eq!(program.child.wait().unwrap().code(), Some(1));
    drop(stream);
}

#[test]
fn a_taken_port_is_named_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = run(&["--port", &port.to_string()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{said}");
    assert!(said.contains("--port"), "{said}");
}

#[test]
fn the_port_can_come_from_the_environment() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = command(&[]).env("PORT", &port).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains(&port));
}

#[test]
fn health_tells_a_server_from_none() {
    let program = Program::start(&[]);
    let port = program.address.rsplit(':').next().unwrap().to_owned();
    assert!(run(&["--health", "--port", &port]).status.success());
    drop(program);
    let output = run(&["--health", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&port));
}

#[test]
fn a_file_root_needs_files_to_be_enabled() {
    let output = run(&["--port", "0", "--file-root", "/"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--enable-file"));
}

#[test]
fn the_help_has_examples_and_names_every_control() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    for wanted in ["Examples:", "X-ECHO-CODE", "echo_env_body", "echo_file", "--port", "[env: PORT="] {
        assert!(help.contains(wanted), "{wanted} is missing in:\n{help}");
    }
}
