//! Plugins are compiled by a process of their own.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::client::get;
use crate::harness::{Gateway, Setup, built_plugin, marked_plugin};

fn gateway() -> Gateway {
    Setup::new().compiles().route("tagged", "one-header", "name: x-version").start()
}

/// The fields of a process's `stat` behind its name: state, parent and so on.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

/// CPU time of the children that a process has waited for, in clock ticks.
fn childrens_time(pid: u32) -> u64 {
    let fields = stat(pid).unwrap();
    fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap()
}

/// A process whose parent is this one.
fn child_of(parent: u32) -> Option<u32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.find(|pid| stat(*pid).is_some_and(|fields| fields[1] == parent.to_string()))
}

#[test]
fn another_process_compiles() {
    let gateway = gateway();
    let before = childrens_time(gateway.pid());
    gateway.install("one-header.wasm", &marked_plugin(1_234));
    let version = "version-marker-1234";
    let started = Instant::now();
    while get(gateway.proxy, "/tagged", &[]).header("x-version").unwrap() != version {
        assert!(started.elapsed() < Duration::from_secs(10), "{version} does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(childrens_time(gateway.pid()) > before);
}

#[test]
fn a_compiler_that_dies_costs_no_more_than_its_plugin() {
    let gateway = gateway();
    let serves = || assert_eq!(get(gateway.proxy, "/tagged", &[]).status, 200);
    let (done, killed) = (AtomicBool::new(false), AtomicU32::new(0));
    let status = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let child = child_of(gateway.pid()).map(|child| Pid::from_raw(i32::try_from(child).unwrap()));
                // One that has ended meanwhile is none.
                if child.is_some_and(|child| kill(child, Signal::SIGKILL).is_ok()) {
                    killed.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        gateway.install("one-header.wasm", &marked_plugin(1_234));
        let status = gateway.wait_for_plugin("one-header", |status| status["state"] == "refused");
        done.store(true, Ordering::Relaxed);
        status
    });
    assert!(killed.into_inner() >= 2);
    let told = status["last_error"].as_str().unwrap();
    assert!(told.contains("the compiler ended with signal: 9"), "{told}");
    serves();
    gateway.install("one-header.wasm", &marked_plugin(7));
    gateway.wait_for_plugin("one-header", |status| status["state"] == "ready");
    serves();
}

fn compiler(component: &[u8], output: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moongate"));
    command
        .args(["compile-plugin", &std::process::id().to_string()])
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(component).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_compiler_tells_what_is_wrong_by_its_exit_code() {
    let good = built_plugin("noop");
    let output = compiler(&good, Stdio::piped());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.starts_with(b"\x7fELF"));

    let output = compiler(good.get(..good.len() / 2).unwrap(), Stdio::piped());
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b""[..]));
    assert!(!output.stderr.is_empty());

    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = compiler(&good, full.into());
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8(output.stderr).unwrap().contains("No space left"));
}

#[test]
fn nobody_but_a_gateway_is_served_by_the_compiler() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moongate"));
    let output = command.args(["compile-plugin", "1"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
}
