//! A gateway for an hour: what authors try and test their plugins with.
//!
//! A [`Trial`] is the real gateway on free ports of this machine, with the plugins that it was given, a configuration
//! that can be exchanged while it runs, and an [`Upstream`] that remembers what reached it. `moongate plugin run` and
//! `moongate plugin test` use it, and the crate `moongate-testing` makes it comfortable for tests in Rust.

mod client;
mod compiled;
mod upstream;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use moongate_hooks::PluginCatalog as _;
use moongate_plugin_host::Grants;
use serde_json::{Value, json};

use crate::properties::{Properties, PropertiesError, Sources};
use crate::{Gateway, StartError};

pub use client::{Call, Response};
pub use upstream::{Answer, Received, Upstream};

/// Why a trial does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A property is wrong.
    #[error(transparent)]
    Properties(#[from] PropertiesError),
    /// The gateway does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A plugin was refused.
    #[error("{}: the plugin is refused: it {reason}", file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The configuration was refused.
    #[error("the configuration is refused: {0}")]
    Configuration(String),
}

/// What a trial is started with.
#[derive(Debug, Default)]
pub struct Setup {
    folder: PathBuf,
    plugins: Vec<PathBuf>,
    settings: Vec<String>,
    cache: Option<PathBuf>,
}

/// A running gateway with the plugins of its author.
#[derive(Debug)]
pub struct Trial {
    /// Before the rest, so that it has ended when the files go.
    gateway: Gateway,
    folder: PathBuf,
    plugins: Vec<Loaded>,
    cache: Option<PathBuf>,
}

/// A plugin of a trial.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The file that it came from.
    pub file: PathBuf,
    /// The name in its manifest.
    pub name: String,
}

impl Setup {
    /// A trial whose files are in `folder`, which is made if it is not there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), ..Self::default() }
    }

    /// Adds a plugin. Where its file has the name of the plugin, it is granted everything, unless the property
    /// `plugin_grants` says what.
    #[must_use]
    pub fn plugin(mut self, file: impl Into<PathBuf>) -> Self {
        self.plugins.push(file.into());
        self
    }

    /// Sets a property of the gateway, as `name=value`; over what a trial sets itself.
    #[must_use]
    pub fn property(mut self, setting: impl Into<String>) -> Self {
        self.settings.push(setting.into());
        self
    }

    /// Shares what is compiled with other trials, through this directory.
    #[must_use]
    pub fn compile_cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache = Some(directory.into());
        self
    }

    /// Starts the gateway with the plugins and without any routes; it serves when this returns.
    ///
    /// Blocks while plugins compile. Must not be called from asynchronous code.
    ///
    /// # Errors
    /// See [`TrialError`]; a plugin that is refused is one of them.
    pub fn start(self) -> Result<Trial, TrialError> {
        let Self { folder, plugins, settings, cache } = self;
        let directory = folder.join("plugins");
        if directory.is_dir() {
            // What an earlier trial left behind.
            fs::remove_dir_all(&directory).map_err(at(&directory))?;
        }
        fs::create_dir_all(&directory).map_err(at(&directory))?;
        for file in &plugins {
            install(file, &directory)?;
        }
        let declarative = folder.join("kong.yaml");
        fs::write(&declarative, document(&json!({}))).map_err(at(&declarative))?;
        let prefix = folder.join("prefix");
        if let Some(cache) = &cache {
            compiled::lend(cache, &prefix).map_err(at(cache))?;
        }

        let mut all = vec![
            "proxy_listen=127.0.0.1:0".to_owned(),
            "admin_listen=127.0.0.1:0".to_owned(),
            "status_listen=off".to_owned(),
            "workers=1".to_owned(),
            "database=off".to_owned(),
            format!("declarative_config={}", declarative.display()),
            format!("plugin_dirs={}", directory.display()),
            format!("prefix={}", prefix.display()),
        ];
        all.extend(settings);
        let sources = Sources { settings: all, ..Sources::default() };
        let mut properties = Properties::load(&sources)?.properties;
        for file in &plugins {
            // What an operator will have to grant is for `moongate plugin inspect` to tell.
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            properties.plugin_grants.entry(name).or_insert_with(Grants::all);
        }
        let gateway = Gateway::start(properties, None)?;
        let mut trial = Trial { gateway, folder, plugins: Vec::new(), cache };
        trial.plugins = plugins.iter().map(|file| trial.loaded(file)).collect::<Result<_, _>>()?;
        Ok(trial)
    }
}

impl Trial {
    /// Serves from another configuration: a declarative one, whose format version is filled in.
    ///
    /// # Errors
    /// Why it is refused. The one before stays in use then.
    pub fn configure(&self, declarative: &Value) -> Result<(), TrialError> {
        let file = self.folder.join("kong.yaml");
        fs::write(&file, document(declarative)).map_err(at(&file))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| TrialError::Configuration(error.to_string()))?;
        runtime.block_on(self.gateway.reload()).map_err(TrialError::Configuration)
    }

    /// The gateway itself.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The plugins, in the order in which they were given.
    pub fn plugins(&self) -> &[Loaded] {
        &self.plugins
    }

    /// Replaces the file of a plugin that is there, or adds one. The gateway sees it within a second.
    ///
    /// # Errors
    /// The file cannot be copied.
    pub fn install(&self, file: &Path) -> Result<(), TrialError> {
        install(file, &self.folder.join("plugins")).map(drop)
    }

    /// Where clients send requests.
    pub fn proxy(&self) -> SocketAddr {
        first(self.gateway.proxy_addresses())
    }

    /// Where the Admin API answers.
    pub fn admin(&self) -> SocketAddr {
        first(self.gateway.admin_addresses())
    }

    /// What the Admin API says of the plugin that comes from this file, which is known by its name alone.
    pub fn status(&self, file: &Path) -> Option<Value> {
        let all = Call::new("GET", "/moongate/plugins").send(self.admin()).ok()?.json()?;
        let list = all.get("data").cloned().unwrap_or(all);
        let of_file = |plugin: &&Value| {
            let known = plugin.get("file").and_then(Value::as_str).map(Path::new);
            known.is_some_and(|known| known.file_name() == file.file_name())
        };
        list.as_array()?.iter().find(of_file).cloned()
    }

    /// The endpoints of the Admin API that plugins answer to GET.
    pub fn admin_paths(&self) -> Vec<String> {
        let routes = self.gateway.plugin_host().admin_routes();
        routes.into_iter().filter(|route| route.method == "GET").map(|route| route.path).collect()
    }

    fn loaded(&self, file: &Path) -> Result<Loaded, TrialError> {
        let refused = |reason: String| TrialError::Refused { file: file.to_owned(), reason };
        let status = self.status(file).ok_or_else(|| refused("was not found by the gateway".to_owned()))?;
        let text = |field: &str| status.get(field).and_then(Value::as_str).map(str::to_owned);
        if text("state").as_deref() != Some("ready") {
            return Err(refused(text("last_error").unwrap_or_else(|| "is not ready".to_owned())));
        }
        let name = text("name").ok_or_else(|| refused("has no name".to_owned()))?;
        Ok(Loaded { file: file.to_owned(), name })
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(cache) = &self.cache {
            // Who starts next compiles again if this fails.
            let _ = compiled::keep(&self.folder.join("prefix"), cache);
        }
    }
}

/// Puts a file in place in one step, so that the gateway never reads half of it.
fn install(file: &Path, directory: &Path) -> Result<PathBuf, TrialError> {
    let name = file.file_name().unwrap_or(file.as_os_str());
    let target = directory.join(name);
    let mut temporary = name.to_owned();
    temporary.push(".tmp");
    let temporary = directory.join(temporary);
    fs::copy(file, &temporary).map_err(at(file))?;
    fs::rename(&temporary, &target).map_err(at(&target))?;
    Ok(target)
}

/// JSON is YAML as well.
fn document(declarative: &Value) -> String {
    let mut document = declarative.clone();
    if let Value::Object(members) = &mut document {
        members.entry("_format_version").or_insert_with(|| json!("3.0"));
    }
    document.to_string()
}

fn first(addresses: &[SocketAddr]) -> SocketAddr {
    addresses.first().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> TrialError {
    let path = path.to_owned();
    move |source| TrialError::File { path, source }
}
