//! The steps from an empty database to one that this program works with.
//!
//! They only go forward. The tables of entities are not part of them: those follow the layout, see
//! [`Store::adopt`](crate::Store::adopt).

use async_trait::async_trait;

use crate::StoreError;
use crate::layout::Layout;
use crate::sql::Dialect;

/// Prepares a database.
#[async_trait]
pub trait Migrations: Send + Sync {
    /// All steps that are known, in their order, and which of them the database has.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], and [`StoreError::TooNew`] if the database has steps that are not known.
    async fn list(&self) -> Result<Vec<Migration>, StoreError>;

    /// Makes all tables in an empty database. `false` if it has been done before. When two processes do so at once,
    /// one does and the other waits.
    ///
    /// # Errors
    /// As of [`Migrations::list`].
    async fn bootstrap(&self, layout: &Layout) -> Result<bool, StoreError>;

    /// Takes the steps that are missing, and returns them.
    ///
    /// # Errors
    /// As of [`Migrations::list`], and [`StoreError::NeedsBootstrap`].
    async fn up(&self, layout: &Layout) -> Result<Vec<Migration>, StoreError>;
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// Its number. The version of a database is the number of the last step it has.
    pub version: u32,
    /// What it is for, in one word.
    pub name: &'static str,
    /// Whether the database has it.
    pub applied: bool,
}

/// One step, in SQL.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) version: u32,
    pub(crate) name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

impl Step {
    pub(crate) fn sql(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }

    fn with(&self, applied: bool) -> Migration {
        Migration { version: self.version, name: self.name, applied }
    }
}

/// The version that this program works with.
pub(crate) fn latest() -> u32 {
    STEPS.last().map_or(0, |step| step.version)
}

/// Whether this program works with a database of version `found`, which is `None` if it is empty.
pub(crate) fn check(found: Option<u32>) -> Result<(), StoreError> {
    match found {
        None | Some(0) => Err(StoreError::NeedsBootstrap),
        Some(found) if found > latest() => Err(StoreError::TooNew { found, known: latest() }),
        Some(found) if found < latest() => Err(StoreError::NeedsMigration { found, wanted: latest() }),
        Some(_) => Ok(()),
    }
}

/// The steps that a database of version `found` lacks.
pub(crate) fn missing(found: u32) -> Result<impl Iterator<Item = &'static Step>, StoreError> {
    if found > latest() {
        return Err(StoreError::TooNew { found, known: latest() });
    }
    Ok(STEPS.iter().filter(move |step| step.version > found))
}

/// All steps as they are for a database of version `found`.
pub(crate) fn list(found: u32) -> Result<Vec<Migration>, StoreError> {
    drop(missing(found)?);
    Ok(STEPS.iter().map(|step| step.with(step.version <= found)).collect())
}

/// The steps `missing` as they are after they were taken.
pub(crate) fn taken(steps: &[&Step]) -> Vec<Migration> {
    steps.iter().map(|step| step.with(true)).collect()
}

static STEPS: &[Step] = &[Step {
    version: 1,
    name: "changes",
    sqlite: include_str!("../migrations/sqlite/001_changes.sql"),
    postgres: include_str!("../migrations/postgres/001_changes.sql"),
}];
