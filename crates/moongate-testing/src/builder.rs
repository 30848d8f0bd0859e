//! What a gateway is started with.

use std::path::PathBuf;

use moongate::trial::{Setup, TrialError};
use serde_json::{Map, Value, json};

use crate::gateway::Gateway;
use crate::target;
use crate::upstream::Upstream;

/// What a gateway is started with; made by [`Gateway::builder`].
///
/// Calls read from the outside in: [`route`](Self::route) begins a route, and what follows belongs to it.
/// [`plugin`](Self::plugin) adds a plugin to the route, or to all requests before the first route, and
/// [`config`](Self::config) is the configuration of the plugin named last.
#[derive(Debug, Default)]
#[must_use = "nothing is started before `start`"]
pub struct Builder {
    files: Vec<PathBuf>,
    global: Vec<Configured>,
    routes: Vec<Route>,
    upstream: Option<Upstream>,
    properties: Vec<String>,
    entities: Map<String, Value>,
}

#[derive(Debug)]
struct Configured {
    plugin: Named,
    config: Value,
}

/// A plugin, as the test knows it.
#[derive(Debug)]
enum Named {
    /// By the position of its file.
    File(usize),
    /// By the name in its manifest.
    Name(String),
}

#[derive(Debug)]
struct Route {
    path: String,
    upstream: Option<Upstream>,
    plugins: Vec<Configured>,
}

impl Builder {
    /// Loads a plugin and runs it: on the route begun last, or on all requests where there is none.
    pub fn plugin(mut self, file: impl Into<PathBuf>) -> Self {
        let file = file.into();
        let position = self.files.iter().position(|known| *known == file).unwrap_or_else(|| {
            self.files.push(file);
            self.files.len() - 1
        });
        self.run(Named::File(position))
    }

    /// Runs a plugin again that was loaded before, by its name, with another configuration.
    pub fn plugin_again(self, name: &str) -> Self {
        self.run(Named::Name(name.to_owned()))
    }

    /// The configuration of the plugin named last; `{}` unless given.
    ///
    /// # Panics
    /// No plugin was named yet.
    pub fn config(mut self, config: Value) -> Self {
        let plugins = self.routes.last_mut().map_or(&mut self.global, |route| &mut route.plugins);
        match plugins.last_mut() {
            Some(plugin) => plugin.config = config,
            None => panic!("`config` belongs behind `plugin`"),
        }
        self
    }

    /// Begins a route for the paths that begin with `path`. Without any there is one for all paths.
    pub fn route(mut self, path: &str) -> Self {
        self.routes.push(Route { path: path.to_owned(), upstream: None, plugins: Vec::new() });
        self
    }

    /// Where requests go: those of the route begun last, or all where there is none. A new one that echoes unless
    /// given.
    pub fn upstream(mut self, upstream: &Upstream) -> Self {
        let place = self.routes.last_mut().map_or(&mut self.upstream, |route| &mut route.upstream);
        *place = Some(upstream.clone());
        self
    }

    /// Sets a property of the gateway, as in `log_level=debug`.
    pub fn property(mut self, setting: impl Into<String>) -> Self {
        self.properties.push(setting.into());
        self
    }

    /// Adds entities of a kind, as a declarative configuration has them: `("consumers", json!([{"username": "anna"}]))`.
    pub fn entities(mut self, kind: &str, entities: Value) -> Self {
        self.entities.insert(kind.to_owned(), entities);
        self
    }

    /// Starts the gateway; it serves when this returns.
    ///
    /// # Panics
    /// It does not start, with the reason.
    pub fn start(self) -> Gateway {
        self.try_start().unwrap_or_else(|error| panic!("the gateway does not start: {error}"))
    }

    /// Starts the gateway, for tests of what must not start.
    ///
    /// # Errors
    /// A plugin or the configuration is refused.
    ///
    /// # Panics
    /// Something that has nothing to do with either goes wrong: there is no temporary directory, no free port.
    pub fn try_start(mut self) -> Result<Gateway, TrialError> {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary directory: {error}"));
        let mut setup = Setup::new(folder.path()).compile_cache(target::compile_cache());
        for file in &self.files {
            setup = setup.plugin(file);
        }
        for property in std::mem::take(&mut self.properties) {
            setup = setup.property(property);
        }
        let trial = setup.start()?;
        let names: Vec<_> = trial.plugins().iter().map(|plugin| plugin.name.clone()).collect();
        let upstream = self.upstream.take().unwrap_or_else(Upstream::start);
        let declarative = self.declarative(&names, &upstream);
        trial.configure(&declarative)?;
        Ok(Gateway::new(trial, folder, upstream, declarative))
    }

    fn run(mut self, plugin: Named) -> Self {
        let plugins = self.routes.last_mut().map_or(&mut self.global, |route| &mut route.plugins);
        plugins.push(Configured { plugin, config: json!({}) });
        self
    }

    fn declarative(&self, names: &[String], upstream: &Upstream) -> Value {
        let plugins = |configured: &[Configured]| -> Value {
            configured
                .iter()
                .map(|Configured { plugin, config }| {
                    let name = match plugin {
                        Named::File(position) => names.get(*position).cloned().unwrap_or_default(),
                        Named::Name(name) => name.clone(),
                    };
                    json!({"name": name, "config": config})
                })
                .collect()
        };
        let everything = [Route { path: "/".to_owned(), upstream: None, plugins: Vec::new() }];
        let routes = if self.routes.is_empty() { everything.as_slice() } else { &self.routes };
        let services: Value = routes
            .iter()
            .enumerate()
            .map(|(number, route)| {
                json!({
                    "name": format!("service-{number}"),
                    "url": route.upstream.as_ref().unwrap_or(upstream).url(),
                    "routes": [{
                        "name": format!("route-{number}"),
                        "paths": [route.path],
                        "strip_path": false,
                        "plugins": plugins(&route.plugins),
                    }],
                })
            })
            .collect();
        let mut declarative = self.entities.clone();
        declarative.insert("plugins".to_owned(), plugins(&self.global));
        declarative.insert("services".to_owned(), services);
        declarative.into()
    }
}
