//! Migrations of the file.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::connection::{error, open};
use super::tables::{adopt, begin};
use super::thread::Thread;
use crate::StoreError;
use crate::layout::Layout;
use crate::migrations::{Migration, Migrations, list, missing, taken};
use crate::sql::Dialect;

/// Migrations of a SQLite file. [`SqliteStore::open`](super::SqliteStore::open) makes them by itself.
#[derive(Debug)]
pub struct SqliteMigrations {
    path: PathBuf,
}

impl SqliteMigrations {
    /// Migrations of the file at `path`, which need not be there yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    async fn migrate(&self, layout: &Layout, only_empty: bool) -> Result<Vec<Migration>, StoreError> {
        let layout = layout.clone();
        let migrate = move |connection: &mut Connection| {
            let taken = take_missing(connection, only_empty)?;
            if !taken.is_empty() {
                adopt(connection, &layout)?;
            }
            Ok(taken)
        };
        Thread::start(open(&self.path)?)?.run(migrate).await
    }
}

#[async_trait]
impl Migrations for SqliteMigrations {
    async fn list(&self) -> Result<Vec<Migration>, StoreError> {
        if !self.path.exists() {
            return list(0);
        }
        list(version(&open(&self.path)?).map_err(error)?)
    }

    async fn bootstrap(&self, layout: &Layout) -> Result<bool, StoreError> {
        Ok(!self.migrate(layout, true).await?.is_empty())
    }

    async fn up(&self, layout: &Layout) -> Result<Vec<Migration>, StoreError> {
        if !self.path.exists() || version(&open(&self.path)?).map_err(error)? == 0 {
            return Err(StoreError::NeedsBootstrap);
        }
        self.migrate(layout, false).await
    }
}

/// Takes the steps that are missing; with `only_empty` only if the file has none.
fn take_missing(connection: &mut Connection, only_empty: bool) -> Result<Vec<Migration>, StoreError> {
    let transaction = begin(connection, TransactionBehavior::Immediate)?;
    let found = version(&transaction).map_err(error)?;
    let steps: Vec<_> = missing(found)?.collect();
    if only_empty && found > 0 {
        return Ok(Vec::new());
    }
    let run = || {
        transaction.execute_batch(TABLE)?;
        for step in &steps {
            transaction.execute_batch(step.sql(Dialect::Sqlite))?;
            let note = "INSERT INTO moongate_migrations (version, name) VALUES (?1, ?2)";
            transaction.execute(note, params![step.version, step.name])?;
        }
        Ok(())
    };
    run().and_then(|()| transaction.commit()).map_err(error)?;
    Ok(taken(&steps))
}

/// The version of a file, 0 if it is empty.
fn version(connection: &Connection) -> rusqlite::Result<u32> {
    let table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'moongate_migrations'";
    if connection.query_row(table, (), |_| Ok(())).optional()?.is_none() {
        return Ok(0);
    }
    let version = "SELECT coalesce(max(version), 0) FROM moongate_migrations";
    connection.query_row(version, (), |row| row.get(0))
}

const TABLE: &str = "
CREATE TABLE IF NOT EXISTS moongate_migrations (
  version INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at INTEGER NOT NULL DEFAULT (unixepoch())
);";
