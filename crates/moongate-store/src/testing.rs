//! A Postgres server for tests, of their own.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::postgres::PostgresSettings;

/// A server with a directory and a port of its own, stopped and removed when this is dropped.
#[derive(Debug)]
pub struct PostgresServer {
    /// Where its programs are.
    programs: PathBuf,
    /// Whose process it is, if we may not run it ourselves.
    owner: Option<(u32, u32)>,
    directory: tempfile::TempDir,
    port: u16,
}

impl PostgresServer {
    /// Starts a server. `None` if Postgres is not installed, of which it tells on stderr.
    ///
    /// # Errors
    /// If it does not start. Also if it is not installed and there is an environment variable `CI`.
    pub fn start() -> io::Result<Option<Self>> {
        Self::start_with(&[], &[])
    }

    /// As [`PostgresServer::start`], with files in its data directory and with settings.
    ///
    /// # Errors
    /// As of [`PostgresServer::start`].
    pub fn start_with(files: &[(&str, &[u8])], settings: &[(&str, &str)]) -> io::Result<Option<Self>> {
        let Some(programs) = programs() else {
            let hint = "Postgres is not installed: `apt-get install postgresql`, or tell where `initdb` is with \
                        MOONGATE_TEST_POSTGRES";
            if std::env::var_os("CI").is_some() {
                return Err(io::Error::new(io::ErrorKind::NotFound, hint));
            }
            writeln!(io::stderr(), "skipped: {hint}")?;
            return Ok(None);
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let directory = tempfile::Builder::new().prefix("moongate-postgres-").tempdir()?;
        let server = Self { programs, owner: owner()?, directory, port };
        server.prepare(files, settings)?;
        server.resume()?;
        server.psql_in("postgres", "CREATE DATABASE moongate")?;
        Ok(Some(server))
    }

    /// How to connect, with tables in `schema`.
    pub fn settings(&self, schema: &str) -> PostgresSettings {
        PostgresSettings {
            port: self.port,
            password: Some(PASSWORD.to_owned()),
            schema: schema.to_owned(),
            poll: Duration::from_secs(1),
            ..PostgresSettings::default()
        }
    }

    /// The port on 127.0.0.1. User and database are `moongate`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The password of the user.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// The directory of its programs, such as `psql`.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// What `psql` prints for `sql`, without headers.
    ///
    /// # Errors
    /// What it has to complain.
    pub fn psql(&self, sql: &str) -> io::Result<String> {
        self.psql_in("moongate", sql)
    }

    /// Stops the server, as an operator would. Connections are cut.
    ///
    /// # Errors
    /// If it cannot be stopped.
    pub fn stop(&self) -> io::Result<()> {
        self.control(&["-m", "fast", "stop"])
    }

    /// Starts it again after [`PostgresServer::stop`].
    ///
    /// # Errors
    /// If it does not start.
    pub fn resume(&self) -> io::Result<()> {
        self.control(&["start"])
    }

    fn prepare(&self, files: &[(&str, &[u8])], settings: &[(&str, &str)]) -> io::Result<()> {
        let root = self.directory.path();
        self.give(root)?;
        let password = root.join("password");
        fs::write(&password, PASSWORD)?;
        self.give(&password)?;
        let mut command = self.command("initdb");
        command.args([
            "--no-sync",
            "--auth=scram-sha-256",
            "--username=moongate",
            "--encoding=UTF8",
            "--locale=C",
        ]);
        command.arg("--pgdata").arg(self.data()).arg("--pwfile").arg(&password);
        self.run(&mut command)?;
        for (name, content) in files {
            let path = self.data().join(name);
            fs::write(&path, content)?;
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
            self.give(&path)?;
        }
        let sockets = root.display().to_string();
        let port = self.port.to_string();
        // Only the machine's end could lose what is not synced, and nobody would miss it.
        let own = [
            ("port", &*port),
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", &*sockets),
            ("fsync", "off"),
        ];
        let mut file = File::options().append(true).open(self.data().join("postgresql.conf"))?;
        for (name, value) in own.iter().chain(settings) {
            writeln!(file, "{name} = '{value}'")?;
        }
        Ok(())
    }

    fn psql_in(&self, database: &str, sql: &str) -> io::Result<String> {
        let mut command = self.command("psql");
        command.args(["-h", "127.0.0.1", "-U", "moongate", "-d", database, "-p"]).arg(self.port.to_string());
        command.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]).env("PGPASSWORD", PASSWORD);
        let output = command.stdin(Stdio::null()).output()?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    fn control(&self, arguments: &[&str]) -> io::Result<()> {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data()).arg("-l").arg(self.directory.path().join("server.log")).arg("-w");
        self.run(command.args(arguments))
    }

    fn run(&self, command: &mut Command) -> io::Result<()> {
        // Into a file: the server would keep a pipe open.
        let log = self.directory.path().join("output.log");
        let output = File::create(&log)?;
        let status = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).status()?;
        if status.success() {
            return Ok(());
        }
        let said = fs::read_to_string(log)?;
        let server = fs::read_to_string(self.directory.path().join("server.log")).unwrap_or_default();
        Err(io::Error::other(format!("{command:?}: {status}\n{said}\n{server}")))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.directory.path()).env("LC_ALL", "C");
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        match self.owner {
            Some((user, group)) => chown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let _ = self.control(&["-m", "immediate", "stop"]);
    }
}

/// Where the newest version is.
fn programs() -> Option<PathBuf> {
    if let Some(directory) = std::env::var_os("MOONGATE_TEST_POSTGRES") {
        return Some(directory.into());
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number =
        |path: &Path| path.file_name().and_then(OsStr::to_str).and_then(|name| name.parse::<u32>().ok());
    let debian =
        versions.map(|entry| entry.path()).max_by_key(|path| number(path)).map(|path| path.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian
        .into_iter()
        .chain(std::env::split_paths(&path))
        .find(|directory| directory.join("initdb").is_file())
}

/// Whom to run the server as: Postgres refuses root.
fn owner() -> io::Result<Option<(u32, u32)>> {
    use std::os::unix::fs::MetadataExt as _;
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let mut fields =
            users.lines().map(|line| line.split(':')).find(|line| line.clone().next() == Some(name))?;
        Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let found = ids("postgres").or_else(|| ids("nobody"));
    found.map(Some).ok_or_else(|| io::Error::other("there is no user `postgres` or `nobody`"))
}

const PASSWORD: &str = "of no secrecy";
