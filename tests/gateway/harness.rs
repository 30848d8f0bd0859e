//! A gateway of the test's own: a process, a folder with its files, and an upstream that remembers.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Client, get};

/// The secret that the tests' tokens are signed with.
pub const SECRET: &str = "a-secret-of-the-tests";

/// What a gateway is started with.
#[derive(Default)]
pub struct Setup {
    routes: String,
    declarative: Option<String>,
    properties: Vec<String>,
    service: String,
    compiles: bool,
    plugins: Option<Vec<String>>,
    bundled: Vec<String>,
    tls: bool,
    bootstraps: bool,
    imports: bool,
    descriptors: Option<u32>,
}

impl Setup {
    pub fn new() -> Self {
        Self::default()
    }

    /// A route `/<name>` with a plugin.
    pub fn route(mut self, name: &str, plugin: &str, config: &str) -> Self {
        write!(
            self.routes,
            "  - name: {name}-route\n    paths: [/{name}]\n    plugins:\n    - name: {plugin}\n      config:\n        \
             {config}\n"
        )
        .unwrap();
        self
    }

    /// A route `/<name>` without a plugin.
    pub fn plain_route(mut self, name: &str) -> Self {
        writeln!(self.routes, "  - name: {name}-route\n    paths: [/{name}]").unwrap();
        self
    }

    /// Fields of the service, as YAML lines of the form `name: value`.
    pub fn service(mut self, field: &str) -> Self {
        writeln!(self.service, "  {field}").unwrap();
        self
    }

    /// The whole declarative configuration; `UPSTREAM` stands for the upstream's URL.
    pub fn declarative(mut self, text: &str) -> Self {
        self.declarative = Some(text.into());
        self
    }

    /// A plugin that comes with the gateway, beside those that all tests have.
    pub fn bundled(mut self, plugin: &str) -> Self {
        self.bundled.push(plugin.into());
        self
    }

    /// A line of the properties file.
    pub fn property(mut self, line: &str) -> Self {
        self.properties.push(line.into());
        self
    }

    /// The gateway compiles its plugins itself, instead of taking what others have compiled.
    pub fn compiles(mut self) -> Self {
        self.compiles = true;
        self
    }

    /// Those of the project's plugins that have these names, as far as they are built, instead of those that the tests
    /// are made for.
    pub fn plugins(mut self, names: &[&str]) -> Self {
        let names =
            names.iter().filter(|name| target().join("plugins").join(format!("{name}.wasm")).is_file());
        self.plugins = Some(names.map(|name| (*name).to_owned()).collect());
        self
    }

    /// Proxy and Admin API listen for TLS as well.
    pub fn over_tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// The database is prepared before the gateway starts.
    pub fn bootstrap(mut self) -> Self {
        self.bootstraps = true;
        self
    }

    /// The declarative configuration is brought into the database before the gateway starts.
    pub fn import(mut self) -> Self {
        self.imports = true;
        self
    }

    /// The gateway may have so many descriptors and no more.
    pub fn descriptors(mut self, limit: u32) -> Self {
        self.descriptors = Some(limit);
        self
    }

    /// Starts the gateway and waits until it serves.
    pub fn start(self) -> Gateway {
        let folder = TempDir::new().unwrap();
        let upstream = Upstream::start();
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        let names = self
            .plugins
            .unwrap_or_else(|| ["probe", "one-header", "noop", "jwt-claims"].map(str::to_owned).to_vec());
        for name in names.iter().chain(&self.bundled) {
            fs::write(plugins.join(format!("{name}.wasm")), built_plugin(name)).unwrap();
        }
        let url = format!("http://{}", upstream.address);
        let declarative = self.declarative.unwrap_or_else(|| {
            format!(
                "_format_version: '3.0'\nservices:\n- name: echo\n  url: UPSTREAM\n{}  routes:\n{}",
                self.service, self.routes
            )
        });
        fs::write(folder.path().join("kong.yaml"), declarative.replace("UPSTREAM", &url)).unwrap();
        let mut properties = format!(
            "proxy_listen: 127.0.0.1:0{1}\nadmin_listen: 127.0.0.1:0{1}\nstatus_listen: 127.0.0.1:0\nadmin_gui_listen: 127.0.0.1:0\n\
             plugin_dirs: [{0}/plugins]\nprefix: {0}/prefix\n",
            folder.path().display(),
            if self.tls { ", 127.0.0.1:0 http2 ssl" } else { "" }
        );
        if !self.properties.iter().any(|line| line.starts_with("workers:")) {
            properties.push_str("workers: 1\n");
        }
        // A test that names a database gets what is in it.
        if !self.properties.iter().any(|line| line.starts_with("database:")) {
            let file = folder.path().join("kong.yaml");
            writeln!(properties, "database: 'off'\ndeclarative_config: {}", file.display()).unwrap();
        }
        for line in &self.properties {
            writeln!(properties, "{line}").unwrap();
        }
        fs::write(folder.path().join("moongate.yaml"), properties).unwrap();
        if !self.compiles {
            CompiledPlugins::lend(folder.path());
        }
        if self.bootstraps {
            command(folder.path(), &["migrations", "bootstrap"]);
        }
        if self.imports {
            let file = folder.path().join("kong.yaml").display().to_string();
            command(folder.path(), &["config", "db_import", &file]);
        }
        Gateway::spawn(folder, upstream, !self.compiles, self.descriptors)
    }
}

/// Runs a command with the properties of a gateway that is not yet started.
fn command(folder: &Path, words: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moongate"));
    let output = command.args(words).arg("-c").arg(folder.join("moongate.yaml")).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A running gateway.
pub struct Gateway {
    pub proxy: SocketAddr,
    pub admin: SocketAddr,
    pub status: SocketAddr,
    /// Where the proxy speaks TLS, if it does.
    pub tls: Option<SocketAddr>,
    /// Where the Admin API speaks TLS, if it does.
    pub admin_tls: Option<SocketAddr>,
    child: Child,
    log: Arc<Mutex<String>>,
    folder: TempDir,
    upstream: Upstream,
    /// Whether what it compiled is kept for others.
    shares: bool,
}

impl Gateway {
    fn spawn(folder: TempDir, upstream: Upstream, shares: bool, descriptors: Option<u32>) -> Self {
        let mut command = match descriptors {
            None => Command::new(env!("CARGO_BIN_EXE_moongate")),
            Some(limit) => {
                let mut shell = Command::new("sh");
                let script = format!("ulimit -n {limit} && exec \"$0\" \"$@\"");
                shell.args(["-c", &script, env!("CARGO_BIN_EXE_moongate")]);
                shell
            }
        };
        let mut child = command
            .arg("start")
            .arg("-c")
            .arg(folder.path().join("moongate.yaml"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = mpsc::channel();
        let streams: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for stream in streams {
            let (log, sender) = (Arc::clone(&log), sender.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    log.lock().push_str(&line);
                    log.lock().push('\n');
                    let _ = sender.send(line);
                }
            });
        }
        drop(sender);
        let (mut proxy, mut tls, mut admin, mut admin_tls, mut status) = (None, None, None, None, None);
        while status.is_none() {
            let Ok(line) = lines.recv_timeout(Duration::from_secs(60)) else {
                let _ = child.kill();
                panic!("the gateway did not start:\n{}", log.lock());
            };
            if line.starts_with("  proxy ") {
                (proxy, tls) = (address_after(&line, "http://"), address_after(&line, "https://"));
            } else if line.starts_with("  Admin API ") {
                (admin, admin_tls) = (address_after(&line, "http://"), address_after(&line, "https://"));
            } else if line.starts_with("  status ") {
                status = address_after(&line, "http://");
            }
        }
        let (proxy, admin, status) = (proxy.unwrap(), admin.unwrap(), status.unwrap());
        Self { proxy, admin, status, tls, admin_tls, child, log, folder, upstream, shares }
    }

    /// The status that the Admin API shows of a plugin.
    pub fn plugin(&self, name: &str) -> Value {
        get(self.admin, &format!("/moongate/plugins/{name}"), &[]).json()
    }

    /// Waits until `condition` holds for a plugin's status.
    pub fn wait_for_plugin(&self, name: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let status = self.plugin(name);
            if condition(&status) {
                return status;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{name} stays {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Puts a file into the plugin directory as editors and `cp` to a temporary name do: whole, at once.
    pub fn install(&self, name: &str, bytes: &[u8]) {
        let temporary = self.folder.path().join(name);
        fs::write(&temporary, bytes).unwrap();
        fs::rename(temporary, self.plugin_path(name)).unwrap();
    }

    pub fn plugin_path(&self, name: &str) -> PathBuf {
        self.folder.path().join("plugins").join(name)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces the file of the declarative configuration, as editors do. `UPSTREAM` stands for the upstream's URL.
    pub fn declare(&self, text: &str) {
        let temporary = self.folder.path().join("kong.yaml.new");
        fs::write(&temporary, text.replace("UPSTREAM", &self.upstream_url())).unwrap();
        fs::rename(temporary, self.folder.path().join("kong.yaml")).unwrap();
    }

    /// Waits until the log has a line with this text.
    pub fn wait_for_log(&self, text: &str) {
        let started = Instant::now();
        while !self.log.lock().contains(text) {
            assert!(started.elapsed() < Duration::from_secs(20), "`{text}` is not in\n{}", self.log.lock());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks for a reload, and tells what came of it.
    pub fn reload(&self) -> (u16, Value) {
        let mut client = Client::connect(self.admin);
        client.send(b"POST /moongate/reload HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").unwrap();
        let answer = client.receive().unwrap();
        (answer.status, answer.json())
    }

    /// The upstream, as a URL.
    pub fn upstream_url(&self) -> String {
        format!("http://{}", self.upstream.address)
    }

    /// Sends a request with a JSON body to the Admin API.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> crate::client::Response {
        self.try_ask(method, path, body).unwrap()
    }

    /// Writes an entity over the Admin API, and gives it as it is now.
    #[track_caller]
    pub fn write(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, &body);
        assert!([200, 201].contains(&answer.status), "{method} {path}: {}", answer.text());
        answer.json()
    }

    /// As [`Gateway::ask`], of a gateway that may be gone.
    pub fn try_ask(
        &self,
        method: &str,
        path: &str,
        body: &Value,
    ) -> std::io::Result<crate::client::Response> {
        let body = body.to_string();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut client = Client::try_connect(self.admin)?;
        client.send((head + &body).as_bytes())?;
        client.receive()
    }

    /// Requests that reached the upstream.
    pub fn upstream_requests(&self) -> u64 {
        self.upstream.seen.requests.load(Ordering::SeqCst)
    }

    /// The head of the request that reached the upstream last, byte by byte.
    pub fn last_upstream_head(&self) -> Vec<u8> {
        self.upstream.seen.last_head.lock().clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory of the process, in bytes.
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.pid()).unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
    }

    /// Waits for the process to end; says whether it ended well.
    pub fn wait(&mut self, patience: Duration) -> bool {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(started.elapsed() < patience, "the gateway does not end:\n{}", self.log.lock());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the gateway and gives its output.
    pub fn stop(mut self) -> String {
        self.signal(nix::sys::signal::Signal::SIGTERM);
        self.wait(Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
        self.log.lock().clone()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if self.shares {
            CompiledPlugins::keep(self.folder.path());
        }
        if std::thread::panicking() {
            eprintln!("the gateway's output:\n{}", self.log.lock());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Compiled plugins that the gateways of all tests share, for each would otherwise compile the same ones.
struct CompiledPlugins;

impl CompiledPlugins {
    /// Puts what is there into the cache of a gateway that is about to start.
    fn lend(folder: &Path) {
        let own = folder.join("prefix/compile-cache");
        fs::create_dir_all(&own).unwrap();
        fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
        Self::copy(&Self::shared(), &own);
    }

    /// Keeps what a gateway has compiled.
    fn keep(folder: &Path) {
        let shared = Self::shared();
        fs::create_dir_all(&shared).unwrap();
        Self::copy(&folder.join("prefix/compile-cache"), &shared);
    }

    fn copy(from: &Path, to: &Path) {
        for entry in fs::read_dir(from).into_iter().flatten().flatten() {
            let (source, target) = (entry.path(), to.join(entry.file_name()));
            if source.extension().is_some_and(|extension| extension == "cwasm") && !target.exists() {
                let temporary = target.with_extension(format!("tmp{}", std::process::id()));
                if fs::copy(&source, &temporary).is_ok() {
                    fs::rename(temporary, target).unwrap();
                }
            }
        }
    }

    fn shared() -> PathBuf {
        target().join("test-compile-cache")
    }
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

/// The address in the first URL of this scheme.
fn address_after(line: &str, scheme: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(scheme)?;
    let text: String = rest.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
    text.parse().ok()
}

/// A plugin that `cargo xtask plugins --fixtures` built.
pub fn built_plugin(name: &str) -> Vec<u8> {
    ["plugins", "test-plugins"]
        .iter()
        .find_map(|folder| fs::read(target().join(folder).join(format!("{name}.wasm"))).ok())
        .unwrap_or_else(|| panic!("plugin {name} is not built; run `cargo xtask plugins --fixtures`"))
}

/// The one-header plugin with another default value, and so with another digest.
pub fn marked_plugin(number: u32) -> Vec<u8> {
    let mut bytes = built_plugin("one-header");
    let marker = b"version-marker-0000";
    let places: Vec<_> =
        (0..bytes.len() - marker.len()).filter(|at| &bytes[*at..*at + marker.len()] == marker).collect();
    assert!(!places.is_empty(), "one-header has lost its marker");
    for at in places {
        bytes[at..at + marker.len()].copy_from_slice(format!("version-marker-{number:04}").as_bytes());
    }
    bytes
}

/// A token of the workshop's user that expires in so many seconds.
pub fn token(expires_in: i64) -> String {
    token_signed_with(SECRET, expires_in)
}

/// A token for jwt-claims that expires so many seconds from now.
pub fn token_signed_with(secret: &str, expires_in: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims =
        serde_json::json!({ "username": "MichalJeczalik", "exp": i64::try_from(now).unwrap() + expires_in });
    let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}

/// An upstream that answers as the query says: `echo_code`, `size` (bytes of body), `sleep` (milliseconds) and
/// `drop` (closes without an answer).
struct Upstream {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    requests: AtomicU64,
    last_head: Mutex<Vec<u8>>,
}

impl Upstream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let theirs = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&theirs);
                std::thread::spawn(move || answer_all(&stream, &seen));
            }
        });
        Self { address, seen }
    }
}

fn answer_all(stream: &TcpStream, seen: &Seen) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::with_capacity(256 * 1024, stream);
    let mut writer = stream;
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head).ok()? == 0 {
                return None;
            }
        }
        let text = String::from_utf8_lossy(&head).to_lowercase();
        let field = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        *seen.last_head.lock() = head.clone();
        seen.requests.fetch_add(1, Ordering::SeqCst);
        let received = if let Some(length) = field("content-length") {
            std::io::copy(&mut (&mut reader).take(length.parse().ok()?), &mut std::io::sink()).ok()?
        } else if field("transfer-encoding").is_some() {
            skip_chunks(&mut reader)?
        } else {
            0
        };
        let target = text.split(' ').nth(1)?.to_owned();
        let argument = |name: &str| -> Option<u64> {
            let query = target.split_once('?')?.1;
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
        };
        if let Some(pause) = argument("sleep") {
            std::thread::sleep(Duration::from_millis(pause));
        }
        if argument("drop").is_some() {
            return None;
        }
        let status = argument("echo_code").unwrap_or(200);
        let size = argument("size");
        let body = format!("received {received}");
        let length = size.unwrap_or(body.len() as u64);
        write!(writer, "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\nx-upstream: yes\r\n\r\n")
            .ok()?;
        match size {
            Some(size) => {
                std::io::copy(&mut std::io::repeat(b'm').take(size), &mut writer).ok()?;
            }
            None => writer.write_all(body.as_bytes()).ok()?,
        }
    }
}

fn skip_chunks(reader: &mut impl BufRead) -> Option<u64> {
    let mut count = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = u64::from_str_radix(line.trim(), 16).ok()?;
        std::io::copy(&mut reader.take(size), &mut std::io::sink()).ok()?;
        reader.read_line(&mut line).ok()?;
        count += size;
        if size == 0 {
            return Some(count);
        }
    }
}
