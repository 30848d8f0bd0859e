//! The gateway of a test.

use std::path::Path;
use std::thread;
use std::time::Duration;

use moongate::trial::{Trial, TrialError};
use serde_json::Value;
use tempfile::TempDir;

use crate::builder::Builder;
use crate::request::Request;
use crate::upstream::Upstream;

/// A running gateway. It ends with the test.
#[derive(Debug)]
pub struct Gateway {
    trial: Trial,
    upstream: Upstream,
    declarative: Value,
    /// After the gateway, whose files are in it.
    _folder: TempDir,
}

impl Gateway {
    /// A gateway that is about to be described.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(trial: Trial, folder: TempDir, upstream: Upstream, declarative: Value) -> Self {
        Self { trial, upstream, declarative, _folder: folder }
    }

    /// A GET request to be sent through the gateway.
    pub fn get(&self, target: &str) -> Request {
        self.request("GET", target)
    }

    /// A request of any method to be sent through the gateway.
    pub fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target, self.trial.proxy())
    }

    /// A request to be sent to the Admin API.
    pub fn admin(&self, method: &str, target: &str) -> Request {
        Request::new(method, target, self.trial.admin())
    }

    /// The upstream of requests whose route has none of its own.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The name in the manifest of the plugin that was loaded `position`-th, from 0.
    ///
    /// # Panics
    /// So many were not loaded.
    pub fn plugin_name(&self, position: usize) -> &str {
        match self.trial.plugins().get(position) {
            Some(plugin) => &plugin.name,
            None => panic!("only {} plugins were loaded", self.trial.plugins().len()),
        }
    }

    /// The declarative configuration that is served, to be changed and given to [`configure`](Self::configure).
    pub fn declarative(&self) -> &Value {
        &self.declarative
    }

    /// Serves from another declarative configuration.
    ///
    /// # Errors
    /// Why it is refused; the one before stays in use.
    pub fn configure(&self, declarative: &Value) -> Result<(), TrialError> {
        self.trial.configure(declarative)
    }

    /// Replaces a plugin by another version, and waits until the gateway has taken or refused it.
    ///
    /// # Errors
    /// Why it was refused; the version before serves on.
    ///
    /// # Panics
    /// The file cannot be copied, or the gateway has not looked at it within ten seconds.
    pub fn replace(&self, file: impl AsRef<Path>) -> Result<(), String> {
        let file = file.as_ref();
        let digest = |status: &Value| {
            ["digest", "last_error"].map(|field| status.get(field).cloned().unwrap_or_default())
        };
        let before = self.trial.status(file).as_ref().map(digest);
        if let Err(error) = self.trial.install(file) {
            panic!("{error}");
        }
        for _ in 0..ATTEMPTS {
            let status = self.trial.status(file);
            if let Some(status) = status.filter(|status| Some(digest(status)) != before) {
                return match status.get("state").and_then(Value::as_str) {
                    Some("ready") => Ok(()),
                    _ => Err(digest(&status)[1].as_str().unwrap_or_default().to_owned()),
                };
            }
            thread::sleep(PAUSE);
        }
        panic!("{}: the gateway has not noticed the file, or it has not changed", file.display())
    }
}

const ATTEMPTS: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(10);
