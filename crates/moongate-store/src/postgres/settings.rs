//! Which database, and how to talk to it.

use std::fmt;
use std::time::Duration;

/// Which database, and how to talk to it.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// Name or address of the server, or the directory of its socket.
    pub host: String,
    /// Port of the server.
    pub port: u16,
    /// Who we are.
    pub user: String,
    /// The password, if one is needed.
    pub password: Option<String>,
    /// Name of the database.
    pub database: String,
    /// The schema in it which has the tables. It is made by a bootstrap.
    pub schema: String,
    /// Whether the connection is encrypted.
    pub tls: Tls,
    /// How many connections there are at most, beside one which listens.
    pub pool_size: usize,
    /// How long to wait for a connection, and for an answer. What reads everything may take twelve times as long.
    pub timeout: Duration,
    /// How often to look for changes of other nodes, in case that a notification was lost.
    pub poll: Duration,
}

/// Whether the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Tls {
    /// It is not.
    #[default]
    Off,
    /// It is if the server can.
    Preferred(Trust),
    /// It is, or there is none.
    Required(Trust),
}

/// Which certificates of servers are good.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// All, also of somebody in between. Keeps out only who just listens.
    Any,
    /// Those which the system trusts, if they have the name of the server.
    System,
    /// Those signed by one of these authorities (PEM), if they have the name of the server.
    Authorities(Vec<u8>),
    /// Those which the system trusts or one of these authorities (PEM) has signed, if they have the name of the server.
    SystemAnd(Vec<u8>),
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 5432,
            user: "moongate".to_owned(),
            password: None,
            database: "moongate".to_owned(),
            schema: "public".to_owned(),
            tls: Tls::Off,
            pool_size: 10,
            timeout: Duration::from_secs(5),
            poll: Duration::from_secs(2),
        }
    }
}

/// Without the password.
impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, user, database, schema, .. } = self;
        write!(f, "postgres://{user}@{host}:{port}/{database}?schema={schema}")
    }
}
