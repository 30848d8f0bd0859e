//! Follows docs/workshop.md: runs its commands and compares what they print with what the page says.
//!
//! With WORKSHOP_WRITE in the environment, what the commands print is written into the page instead.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod page;
mod ports;
mod shell;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use moongate_store::testing::PostgresServer;

use crate::page::{Page, Part};
use crate::ports::Ports;
use crate::shell::Shell;

#[test]
fn the_workshop_does_what_its_page_says() {
    for program in ["bash", "curl", "jq"] {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
        if !found {
            assert!(std::env::var_os("CI").is_none(), "{program} is not installed");
            eprintln!("skipped: {program} is not installed");
            return;
        }
    }
    let Some(postgres) = PostgresServer::start().unwrap() else { return };
    postgres.psql("alter user moongate password 'moongate'").unwrap();
    let ports = Ports::choose(&[
        (8000, None),
        (8001, None),
        (3000, None),
        (8100, None),
        (5432, Some(postgres.port())),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let workshop = prepare(folder.path(), &ports);

    let file = checkout().join("docs/workshop.md");
    let page = Page::read(&fs::read_to_string(&file).unwrap());
    let mut shell = Shell::start(&workshop, &[folder.path().join("bin"), postgres.programs().to_owned()]);
    let (mut written, mut wrong) = (page.clone(), Vec::new());
    for (part, written) in page.parts.iter().zip(&mut written.parts) {
        match part {
            Part::File { path, text } => {
                let path = workshop.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let crates = checkout().join("crates").display().to_string();
                fs::write(path, ports.reach(text).replace("../../crates", &crates)).unwrap();
            }
            Part::Command { line, text, output } => {
                let (code, said) = shell.run(&ports.reach(text));
                let said = ports.name(&said);
                if code != 0 {
                    wrong.push(format!("line {line}: `{text}` ends with {code} and says\n{said}"));
                } else if page.masked(output) != page.masked(&said) {
                    wrong.push(format!("line {line}: `{text}` should print\n{output}\nand prints\n{said}"));
                }
                if let Part::Command { output, .. } = written {
                    *output = said;
                }
            }
            Part::Text(_) => {}
        }
    }
    if std::env::var_os("WORKSHOP_WRITE").is_some() {
        fs::write(file, written.to_string()).unwrap();
        return;
    }
    assert!(wrong.is_empty(), "docs/workshop.md\n{}", wrong.join("\n\n"));
}

#[test]
fn the_composed_services_are_those_that_the_page_names() {
    let text = fs::read_to_string(checkout().join("docker-compose.yml")).unwrap();
    let composed: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let page = fs::read_to_string(checkout().join("docs/workshop.md")).unwrap();
    let used: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("docker compose exec ")?.split(' ').next())
        .collect();
    assert!(!used.is_empty());
    for service in used {
        assert!(composed["services"].get(service).is_some(), "docker-compose.yml has no service {service}");
    }
    for (name, service) in composed["services"].as_mapping().unwrap() {
        for other in service.get("depends_on").and_then(|on| on.as_mapping()).into_iter().flatten() {
            assert!(composed["services"].get(other.0).is_some(), "{name:?} depends on {:?}", other.0);
        }
        for volume in service.get("volumes").and_then(|volumes| volumes.as_sequence()).into_iter().flatten() {
            if let Some(source) = volume.get("source").and_then(|source| source.as_str())
                && let Some(inside) = source.strip_prefix("./")
            {
                assert!(checkout().join(inside).exists(), "{name:?} mounts {source}, which is not there");
            }
        }
    }
}

/// A checkout as far as the page uses one, and the folder in it to play in.
fn prepare(root: &Path, ports: &Ports) -> PathBuf {
    let workshop = root.join("workshop");
    for folder in [root.join("bin"), root.join("config"), workshop.join("plugins"), workshop.join("hello")] {
        fs::create_dir_all(folder).unwrap();
    }
    let gateway = Path::new(env!("CARGO_BIN_EXE_moongate"));
    let echo = gateway.with_file_name("echo-server");
    assert!(echo.is_file(), "{} is not built; `cargo build -p echo-server` does it", echo.display());
    symlink(gateway, root.join("bin/moongate")).unwrap();
    symlink(echo, root.join("bin/echo-server")).unwrap();
    symlink(checkout().join("target"), root.join("target")).unwrap();
    // What one run of the test has compiled, the next one need not.
    let compiled = checkout().join("target/workshop");
    fs::create_dir_all(&compiled).unwrap();
    symlink(compiled, workshop.join("hello/target")).unwrap();
    fs::copy(checkout().join("Cargo.lock"), workshop.join("hello/Cargo.lock")).unwrap();
    let declared = fs::read_to_string(checkout().join("config/kong.yaml")).unwrap();
    fs::write(root.join("config/kong.yaml"), ports.reach(&declared)).unwrap();
    workshop
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
