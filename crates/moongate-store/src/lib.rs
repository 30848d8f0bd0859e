//! Where the entities are kept: in memory, in one SQLite file, or in Postgres for several nodes.
//!
//! All stores work in the same way. A store holds a [`Dataset`]: every row in memory, with indexes for unique fields
//! and foreign keys, cheap to clone. A write is planned on the dataset (so that rules and errors are the same in each
//! store), shown to a [`Guard`] which may refuse it, made durable in one transaction, and only then visible. A read
//! first makes sure that the dataset is what the database has: another node may have written.
//!
//! What a person changes in the tables is not planned, but noticed: by triggers in Postgres, by a counter that SQLite has.
//! All entities are read again then.
//!
//! What tables there are is said by a [`Layout`], which is derived from the catalog of schemas.
#![deny(missing_docs)]

mod cell;
mod change;
mod clock;
mod collection;
mod dataset;
mod error;
mod fit;
mod follow;
mod history;
mod key;
mod layout;
mod memory;
mod migrations;
mod page;
mod plan;
mod postgres;
mod read_only;
mod record;
mod sharded;
mod sql;
mod sqlite;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use change::{Change, Effect, Outcome, Version, Written};
pub use clock::Clock;
pub use dataset::Dataset;
pub use error::StoreError;
pub use key::Key;
pub use layout::{Column, Foreign, Kind, Layout, OnDelete, Table, Unique};
pub use memory::MemoryStore;
pub use migrations::{Migration, Migrations};
pub use page::{
    Offset, OffsetError, Page, PageRequest, TagFilter, TagFilterError, TagOffset, TagPage, TagRow,
};
pub use postgres::{PostgresMigrations, PostgresSettings, PostgresStore, Tls, Trust};
pub use read_only::ReadOnlyStore;
pub use record::Record;
pub use sqlite::{SqliteMigrations, SqliteStore};
pub use store::{Guard, Status, Store, Unguarded};

/// One entity as it is written and read: a JSON object.
///
/// Foreign keys are `{"id": "<uuid>"}`. A row that was read has every field of its entity; those that were not given
/// are null.
pub type Row = serde_json::Map<String, serde_json::Value>;
