//! How a gateway runs: typed, and read from a file, the environment and the command line.
//!
//! Every property stands once, in [`table`], from which all three sources, the messages, the help and `GET /`
//! are made. A later source counts more than an earlier one, but a wrong value is an error wherever it
//! stands.

mod dns;
mod error;
mod grants;
mod lines;
mod listen;
mod logs;
mod plugins;
mod sources;
mod spellings;
mod suggest;
mod table;
mod tls;
mod value;
mod words;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde_json::{Value as Json, json};

pub use error::{Place, PropertiesError, PropertyProblem};
pub use listen::Listener;
pub use sources::{Loaded, Sources};
pub use table::Properties;
pub(crate) use table::TABLE;
pub use tls::{CipherSuite, Pem, Trust};

impl Properties {
    /// Reads the properties from `sources`.
    ///
    /// # Errors
    /// Everything that is wrong in any of them.
    pub fn load(sources: &Sources) -> Result<Loaded, PropertiesError> {
        let (loaded, problems) = sources.read();
        if problems.is_empty() { Ok(loaded) } else { Err(PropertiesError { problems }) }
    }

    /// Reads alone what a command needs to reach a gateway that runs, whose file may just be being edited: `prefix` and
    /// `admin_token`.
    ///
    /// # Errors
    /// What is wrong with these, or keeps a file from being read.
    pub fn load_contact(sources: &Sources) -> Result<Contact, PropertiesError> {
        let (loaded, mut problems) = sources.read();
        let Self { prefix, admin_token, .. } = loaded.properties;
        problems
            .retain(|problem| matches!(problem.property.as_deref(), None | Some("prefix" | "admin_token")));
        if problems.is_empty() {
            Ok(Contact { prefix, admin_token })
        } else {
            Err(PropertiesError { problems })
        }
    }

    /// What is written in the properties and changes nothing in this version.
    pub fn without_effect(&self) -> Vec<String> {
        let listeners = [
            ("proxy_listen", &self.proxy_listen),
            ("stream_listen", &self.stream_listen),
            ("admin_listen", &self.admin_listen),
            ("status_listen", &self.status_listen),
        ];
        let flags = listeners.into_iter().flat_map(|(name, listeners)| {
            listeners.iter().flat_map(move |listener| {
                listener.without_effect.iter().map(move |flag| {
                    format!("{name}: `{flag}` of {} has no effect in this version", listener.address)
                })
            })
        });
        flags.collect()
    }

    /// Whether nobody has said anything about `status_listen`.
    pub(crate) fn has_default_status(&self) -> bool {
        self.status_listen == table::default_status_listeners()
    }

    /// Where entities are kept.
    pub(crate) fn chosen_database(&self) -> Database {
        match (self.database, &self.declarative_config) {
            (Database::Auto, Some(_)) => Database::Off,
            (Database::Auto, None) => Database::Sqlite,
            (chosen, _) => chosen,
        }
    }

    /// The file that the entities are in.
    pub(crate) fn sqlite_file(&self) -> PathBuf {
        self.sqlite_path.clone().unwrap_or_else(|| self.prefix.join("moongate.sqlite"))
    }

    /// The number of workers.
    pub(crate) fn worker_count(&self) -> usize {
        match self.workers {
            Workers::Auto => std::thread::available_parallelism().map_or(1, usize::from),
            Workers::Fixed(number) => number,
        }
    }

    /// All properties under their names, as the Admin API shows them.
    pub(crate) fn to_json(&self) -> Json {
        let shown = TABLE.iter().map(|property| (property.name.to_owned(), (property.show)(self)));
        let mut shown: serde_json::Map<_, _> = shown.collect();
        // What Kong's clients look for to know what kind of node they talk to.
        shown.insert("role".to_owned(), json!("traditional"));
        // The kinds of vaults are built in.
        shown.insert("vaults".to_owned(), json!(["bundled"]));
        shown.insert("loaded_vaults".to_owned(), json!({"env": true}));
        shown.insert("database".to_owned(), words::show_database(&self.chosen_database()));
        shown.into()
    }
}

/// What a command needs to reach a gateway that runs.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// The directory that tells where the gateway is.
    pub prefix: PathBuf,
    /// What its Admin API asks for.
    pub admin_token: Option<String>,
}

impl std::fmt::Debug for Contact {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Where entities are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Database {
    /// In memory if there is a declarative configuration, otherwise in SQLite.
    Auto,
    /// In memory, read from the declarative configuration.
    Off,
    /// In one file.
    Sqlite,
    /// In a database that several nodes can share.
    Postgres,
}

/// How many threads serve requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// One for each CPU that the process may use.
    Auto,
    /// So many.
    Fixed(usize),
}

/// The least important messages that are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the levels")]
pub enum LogLevel {
    Debug,
    Info,
    Notice,
    Warn,
    Error,
    Crit,
    Alert,
    Emerg,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
