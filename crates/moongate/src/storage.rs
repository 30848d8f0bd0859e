//! The database that the properties name.

use std::sync::Arc;

use moongate_schema::Catalog;
use moongate_store::{
    Layout, MemoryStore, Migrations, PostgresMigrations, PostgresSettings, PostgresStore, SqliteMigrations,
    SqliteStore, Store, StoreError, Tls, Trust,
};
use tokio::runtime::Runtime;

use crate::priority;
use crate::properties::{Database, Properties};

/// What connections and followers of a database run on. It outlives them.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("configuration")
        .on_thread_start(priority::stand_back)
        .enable_all()
        .build()
}

/// Opens the database, or makes an empty store in memory.
pub(crate) async fn open(properties: &Properties, catalog: &Catalog) -> Result<Arc<dyn Store>, StoreError> {
    let layout = Arc::new(Layout::of(catalog));
    Ok(match properties.chosen_database() {
        Database::Postgres => Arc::new(PostgresStore::open(postgres(properties)?, layout).await?),
        Database::Sqlite => Arc::new(SqliteStore::open(&properties.sqlite_file(), layout).await?),
        Database::Off | Database::Auto => Arc::new(MemoryStore::new(layout)),
    })
}

/// What prepares the database, if there is one.
pub(crate) fn migrations(properties: &Properties) -> Result<Option<Box<dyn Migrations>>, StoreError> {
    Ok(match properties.chosen_database() {
        Database::Postgres => Some(Box::new(PostgresMigrations::new(postgres(properties)?)?)),
        Database::Sqlite => Some(Box::new(SqliteMigrations::new(&properties.sqlite_file()))),
        Database::Off | Database::Auto => None,
    })
}

fn postgres(properties: &Properties) -> Result<PostgresSettings, StoreError> {
    let tls = match (properties.pg_ssl, properties.pg_ssl_verify) {
        (false, _) => Tls::Off,
        (true, false) => Tls::Required(Trust::Any),
        (true, true) => Tls::Required(trust(properties)?),
    };
    Ok(PostgresSettings {
        host: properties.pg_host.clone(),
        port: properties.pg_port,
        user: properties.pg_user.clone(),
        password: properties.pg_password.clone(),
        database: properties.pg_database.clone(),
        schema: properties.pg_schema.clone(),
        tls,
        pool_size: properties.pg_pool_size.max(1),
        timeout: properties.pg_timeout,
        ..PostgresSettings::default()
    })
}

/// Whose certificate a server has to show.
fn trust(properties: &Properties) -> Result<Trust, StoreError> {
    let trusted = &properties.lua_ssl_trusted_certificate;
    let mut pem = Vec::new();
    for authority in &trusted.certificates {
        let text = authority.read().map_err(|why| StoreError::Unavailable {
            why: format!("lua_ssl_trusted_certificate cannot be read: {why}"),
        })?;
        pem.extend(text.into_bytes());
        pem.push(b'\n');
    }
    Ok(match (trusted.system, pem.is_empty()) {
        (true, true) => Trust::System,
        (true, false) => Trust::SystemAnd(pem),
        (false, _) => Trust::Authorities(pem),
    })
}
