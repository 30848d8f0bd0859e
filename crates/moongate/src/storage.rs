//! The database that the properties name.

use std::sync::Arc;

use moongate_schema::Catalog;
use moongate_store::{
    Layout, MemoryStore, Migrations, PostgresMigrations, PostgresSettings, PostgresStore, SqliteMigrations,
    SqliteStore, Store, StoreError, Tls, Trust,
};
use tokio::runtime::Runtime;

use crate::properties::{Database, Properties};

/// What connections and followers of a database run on. It outlives them.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("configuration")
        .enable_all()
        .build()
}

/// Opens the database, or makes an empty store in memory.
pub(crate) async fn open(properties: &Properties, catalog: &Catalog) -> Result<Arc<dyn Store>, StoreError> {
    let layout = Arc::new(Layout::of(catalog));
    Ok(match properties.chosen_database() {
        Database::Postgres => Arc::new(PostgresStore::open(postgres(properties), layout).await?),
        Database::Sqlite => Arc::new(SqliteStore::open(&properties.sqlite_file(), layout).await?),
        Database::Off | Database::Auto => Arc::new(MemoryStore::new(layout)),
    })
}

/// What prepares the database, if there is one.
pub(crate) fn migrations(properties: &Properties) -> Result<Option<Box<dyn Migrations>>, StoreError> {
    Ok(match properties.chosen_database() {
        Database::Postgres => Some(Box::new(PostgresMigrations::new(postgres(properties))?)),
        Database::Sqlite => Some(Box::new(SqliteMigrations::new(&properties.sqlite_file()))),
        Database::Off | Database::Auto => None,
    })
}

fn postgres(properties: &Properties) -> PostgresSettings {
    let tls = match (properties.pg_ssl, properties.pg_ssl_verify) {
        (false, _) => Tls::Off,
        (true, false) => Tls::Required(Trust::Any),
        (true, true) => Tls::Required(Trust::System),
    };
    PostgresSettings {
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
    }
}
