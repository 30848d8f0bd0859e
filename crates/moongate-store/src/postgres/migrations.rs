//! Migrations of the database.

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;

use super::connect::Connector;
use super::error::error;
use super::lease::{Lease, within};
use super::settings::PostgresSettings;
use super::tables::{adopt_within, one_at_a_time};
use crate::StoreError;
use crate::layout::Layout;
use crate::migrations::{Migration, Migrations, list, missing, taken};
use crate::sql::{Dialect, quoted};

/// Migrations of a Postgres database.
pub struct PostgresMigrations {
    connector: Connector,
}

impl PostgresMigrations {
    /// Migrations of a database. Does not connect yet.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the certificates of the authorities cannot be read.
    pub fn new(settings: PostgresSettings) -> Result<Self, StoreError> {
        Ok(Self { connector: Connector::new(settings)? })
    }

    async fn migrate(&self, layout: &Layout, bootstrap: bool) -> Result<Vec<Migration>, StoreError> {
        let schema = &self.connector.settings().schema;
        let pool = self.connector.pool()?;
        let lease = Lease::take(&pool).await?;
        let work = async {
            one_at_a_time(&lease).await?;
            let found = version(&lease).await?.unwrap_or(0);
            let steps: Vec<_> = missing(found)?.collect();
            match (bootstrap, found) {
                (true, 1..) => return Ok(Vec::new()),
                (false, 0) => return Err(StoreError::NeedsBootstrap),
                _ => {}
            }
            // Asked first: also to leave a schema as it is takes the right to make one.
            let is_there = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
            let row = lease.query_one(is_there, &[schema]).await.map_err(|failure| error(&failure))?;
            if !row.get::<_, bool>(0) {
                run(&lease, &format!("CREATE SCHEMA {}", quoted(schema))).await?;
            }
            run(&lease, TABLE).await?;
            for step in &steps {
                run(&lease, step.sql(Dialect::Postgres)).await?;
                let note = "INSERT INTO moongate_migrations (version, name) VALUES ($1, $2)";
                let number = i32::try_from(step.version).unwrap_or(i32::MAX);
                lease.execute(note, &[&number, &step.name]).await.map_err(|failure| error(&failure))?;
            }
            adopt_within(&lease, layout).await?;
            run(&lease, "COMMIT").await?;
            Ok(taken(&steps))
        };
        within(self.connector.settings().timeout * 12, work).await
    }
}

#[async_trait]
impl Migrations for PostgresMigrations {
    async fn list(&self) -> Result<Vec<Migration>, StoreError> {
        let pool = self.connector.pool()?;
        let lease = Lease::take(&pool).await?;
        let found = within(self.connector.settings().timeout, version(&lease)).await?;
        list(found.unwrap_or(0))
    }

    async fn bootstrap(&self, layout: &Layout) -> Result<bool, StoreError> {
        Ok(!self.migrate(layout, true).await?.is_empty())
    }

    async fn up(&self, layout: &Layout) -> Result<Vec<Migration>, StoreError> {
        self.migrate(layout, false).await
    }
}

/// The version of the database, `None` if it is empty.
pub(super) async fn version(client: &ClientWrapper) -> Result<Option<u32>, StoreError> {
    let table = "SELECT to_regclass('moongate_migrations') IS NOT NULL";
    let is_there: bool = client.query_one(table, &[]).await.map_err(|failure| error(&failure))?.get(0);
    if !is_there {
        return Ok(None);
    }
    let version = "SELECT max(version) FROM moongate_migrations";
    let version: Option<i32> =
        client.query_one(version, &[]).await.map_err(|failure| error(&failure))?.get(0);
    Ok(version.and_then(|version| u32::try_from(version).ok()))
}

async fn run(client: &ClientWrapper, sql: &str) -> Result<(), StoreError> {
    client.batch_execute(sql).await.map_err(|failure| error(&failure))
}

const TABLE: &str = "
CREATE TABLE IF NOT EXISTS moongate_migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT now()
);";
