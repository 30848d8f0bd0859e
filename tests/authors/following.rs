//! `moongate plugin run`: a gateway that follows what its author writes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use moongate::trial::{Call, Response};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::workplace::{Workplace, shown};

/// The program while it runs, and what it says.
struct Following {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
    proxy: SocketAddr,
    admin: SocketAddr,
}

impl Following {
    fn start(place: &Workplace, plugin: &str) -> Self {
        let mut command = place.command(env!("CARGO_BIN_EXE_moongate"));
        command.args(["plugin", "run", plugin]).stdout(Stdio::piped()).stderr(Stdio::null());
        // So that the tools that it starts can be ended with it when the test fails.
        let mut child = command.process_group(0).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut following = Self { child, lines, said: Vec::new(), proxy: nowhere, admin: nowhere };
        following.wait_to_hear("Ctrl-C stops everything");
        following.proxy = following.address("  proxy");
        following.admin = following.address("  Admin API");
        following
    }

    fn wait_to_hear(&mut self, words: &str) {
        // The first build is of everything that plugins in Rust depend on.
        let limit = Instant::now() + Duration::from_secs(400);
        loop {
            let line = self.lines.recv_timeout(limit.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("`{words}` was not said, but {:#?}", self.said));
            self.said.push(line);
            if self.said.last().unwrap().contains(words) {
                return;
            }
        }
    }

    fn address(&self, title: &str) -> SocketAddr {
        let line = self.said.iter().find(|line| line.starts_with(title)).unwrap();
        line.split_once("http://").unwrap().1.trim().parse().unwrap()
    }

    fn ask(&self) -> Response {
        let answer = Call::new("GET", "/any/path").send(self.proxy).unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text());
        answer
    }

    /// Waits for an answer with this header.
    fn wait_for_header(&self, name: &str, value: &str) {
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            let answer = self.ask();
            if answer.header(name).as_deref() == Some(value) {
                return;
            }
            assert!(Instant::now() < limit, "no {name} of {value}, but {:?}", answer.headers());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What Ctrl-C does, as far as it reaches this process alone.
    fn interrupt(mut self) -> (ExitStatus, Vec<String>) {
        kill(self.pid(), Signal::SIGINT).unwrap();
        let limit = Instant::now() + Duration::from_secs(20);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < limit, "it goes on");
            std::thread::sleep(Duration::from_millis(20));
        };
        let said = self.said.drain(..).chain(self.lines.iter()).collect();
        (status, said)
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}

/// A new plugin in Rust, and the file that it is written in.
///
/// Of a name that no other test has: builds share a target directory, and what comes of them lies there by its name.
fn written(place: &Workplace) -> PathBuf {
    let output = place.moongate(&["plugin", "new", "herald"]);
    assert!(output.status.success(), "{}", shown(&output));
    place.path("herald/src/lib.rs")
}

#[test]
fn what_is_saved_is_built_and_served_and_ctrl_c_ends_it() {
    let place = Workplace::new();
    let source = written(&place);
    let text = fs::read_to_string(&source).unwrap();
    let mut running = Following::start(&place, "herald");

    // With the configuration of the project's cases, in front of an echo server.
    let answer = running.ask();
    assert_eq!(answer.header("x-herald").as_deref(), Some("hello"));
    assert!(answer.text().contains("x-greeting"), "{}", answer.text());
    assert_eq!(Call::new("GET", "/herald/ping").send(running.admin).unwrap().text(), "PONG");

    let louder = text.replace(
        "response.set_header(\"x-herald\", &self.0.greeting)",
        "response.set_header(\"x-herald\", self.0.greeting.to_uppercase())",
    );
    assert_ne!(louder, text);
    fs::write(&source, louder).unwrap();
    running.wait_to_hear("the gateway takes it when it is good");
    running.wait_for_header("x-herald", "HELLO");

    fs::write(&source, "this is no Rust").unwrap();
    running.wait_to_hear("the version before goes on");
    running.wait_for_header("x-herald", "HELLO");

    fs::write(&source, &text).unwrap();
    running.wait_to_hear("the gateway takes it when it is good");
    running.wait_for_header("x-herald", "hello");

    let (proxy, admin) = (running.proxy, running.admin);
    let (status, said) = running.interrupt();
    assert!(status.success(), "{status}");
    assert_eq!(said.last().map(String::as_str), Some("stopped"), "{said:#?}");
    for address in [proxy, admin] {
        assert!(TcpStream::connect(address).is_err(), "something listens on {address}");
    }
}
