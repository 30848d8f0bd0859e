//! The declarative configuration of a node that has no database.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

/// Reads, replaces and writes down the declarative configuration.
#[async_trait]
pub trait Declarative: Send + Sync {
    /// Hash of the configuration in use, 32 hex digits; all zeros while there is none.
    fn hash(&self) -> String;

    /// Checks a configuration and serves from it, all of it or nothing.
    ///
    /// # Errors
    /// Why the old configuration stays in use.
    async fn load(&self, source: Source, options: LoadOptions) -> Result<Loaded, LoadError>;

    /// The configuration in use as YAML.
    ///
    /// # Errors
    /// What went wrong, for the log.
    async fn export(&self) -> Result<String, String>;
}

/// A configuration as it came.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// YAML or JSON that is not parsed yet.
    Text(String),
    /// What was in the JSON body of a request.
    Json(Value),
}

/// How to load a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadOptions {
    /// Do nothing when the same text is in use already.
    pub check_hash: bool,
    /// Report faults by entity.
    pub flatten_errors: bool,
}

/// What came of a configuration without faults.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Loaded {
    /// It is in use: its entities, by the name of the kind and then by id.
    Entities(Value),
    /// It was in use already.
    Unchanged,
}

/// Why a configuration is not in use.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum LoadError {
    /// It has faults.
    Invalid {
        /// The faults in one line.
        message: String,
        /// The faults by the name of the kind and the place; those that are in `flattened` are left out.
        fields: Value,
        /// The faults by entity, if they were asked for and the text could be parsed.
        flattened: Option<Vec<Value>>,
    },
    /// The router or a plugin cannot work with it.
    Refused(String),
    /// Another one is being loaded.
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// The node is about to end.
    Exiting,
    /// The workers did not take it over in time.
    TimedOut,
}

impl fmt::Debug for LoadError {
    /// Without the entities, which may have secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid { .. } => "Invalid",
            Self::Refused(_) => "Refused",
            Self::Busy { .. } => "Busy",
            Self::Exiting => "Exiting",
            Self::TimedOut => "TimedOut",
        })
    }
}
