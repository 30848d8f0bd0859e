//! A Postgres server for a measurement, of its own.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::process;

/// A server with a directory of its own, which is stopped and removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Postgres {
    programs: PathBuf,
    directory: PathBuf,
    /// Whom it runs as: Postgres refuses root.
    owner: Option<(u32, u32)>,
    pub(crate) port: u16,
}

impl Postgres {
    /// Starts a server with its usual settings, whose user and database are `moongate` and which asks for no password.
    pub(crate) fn start(port: u16) -> Result<Self> {
        let programs =
            programs().context("Postgres is not installed; on Debian: apt-get install postgresql")?;
        // Outside of the workspace, which belongs to somebody else.
        let directory = std::env::temp_dir().join(format!("moongate-bench-{}", std::process::id()));
        fs::create_dir(&directory).with_context(|| format!("cannot make {}", directory.display()))?;
        let server = Self { programs, directory, owner: owner()?, port };
        if let Some((user, group)) = server.owner {
            chown(&server.directory, Some(user), Some(group)).context("cannot give a directory away")?;
        }
        let mut command = server.command("initdb");
        command.args(["--auth=trust", "--username=moongate", "--encoding=UTF8", "--locale=C", "--pgdata"]);
        server.run(command.arg(server.data()))?;
        let mut command = server.command("pg_ctl");
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 -k {}", server.directory.display());
        command.args(["start", "-w", "-o", &options, "-D"]).arg(server.data());
        server.run(command.arg("-l").arg(server.directory.join("server.log")))?;
        let mut command = server.command("createdb");
        command.args(["-h", "127.0.0.1", "-U", "moongate", "-p", &port.to_string(), "moongate"]);
        server.run(&mut command)?;
        Ok(server)
    }

    /// `postgres (PostgreSQL) 15.14`
    pub(crate) fn version(&self) -> Result<String> {
        let mut command = self.command("postgres");
        command.arg("--version");
        Ok(String::from_utf8_lossy(&process::capture(command)?).trim().to_owned())
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(&self.directory).env("LC_ALL", "C");
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// Runs a program whose output matters only if it fails.
    fn run(&self, command: &mut Command) -> Result<()> {
        // Into a file: the server would keep a pipe open.
        let log = self.directory.join("output.log");
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = output.try_clone().context("cannot write a log")?;
        let shown = process::shown(command);
        let status = command.stdin(Stdio::null()).stdout(output).stderr(errors).status();
        let status = status.with_context(|| format!("cannot start {shown}"))?;
        ensure!(status.success(), "`{shown}` failed:\n{}", fs::read_to_string(&log).unwrap_or_default());
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let mut command = self.command("pg_ctl");
        command.args(["stop", "-m", "immediate", "-D"]).arg(self.data());
        let _ = self.run(&mut command);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Where the newest version is.
fn programs() -> Option<PathBuf> {
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions.map(|entry| entry.path()).max_by_key(|path| number(path));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = debian.map(|path| path.join("bin")).into_iter().chain(std::env::split_paths(&path));
    directories.into_iter().find(|directory| directory.join("initdb").is_file())
}

fn owner() -> Result<Option<(u32, u32)>> {
    if fs::metadata("/proc/self").context("cannot look at /proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let ids = |name: &str| {
        let mut fields =
            users.lines().map(|line| line.split(':')).find(|line| line.clone().next() == Some(name))?;
        Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    match ids("postgres").or_else(|| ids("nobody")) {
        Some(owner) => Ok(Some(owner)),
        None => bail!("there is no user `postgres` or `nobody` to run Postgres as"),
    }
}
