//! The file of a SQLite store.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moongate_model::core::{RouterFlavor, catalog};
use moongate_store::{
    Dataset, Layout, Migrations as _, SqliteMigrations, SqliteStore, Store as _, StoreError,
};

use crate::durable::eventually;
use crate::place::Place;
use crate::rows::{insert, layout};

async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, Arc::new(layout())).await
}

#[tokio::test]
async fn the_file_is_for_its_owner_only() {
    let place = Place::sqlite();
    let store = place.open().await;
    store.write(vec![insert("services", serde_json::json!({}))]).await.unwrap();
    let directory = place.file().parent().unwrap().to_owned();
    let mut files = 0;
    for file in fs::read_dir(directory).unwrap().flatten() {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        files += 1;
    }
    assert_eq!(files, 3);
}

#[tokio::test]
async fn what_is_no_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    let text = "no database at all, ".repeat(100);
    fs::write(&path, &text).unwrap();
    assert!(matches!(open(&path).await, Err(StoreError::Corrupt(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let nowhere = open(&directory.path().join("nowhere/entities.db")).await;
    assert!(matches!(nowhere, Err(StoreError::Unavailable { .. })), "{nowhere:?}");
}

#[tokio::test]
async fn a_file_is_migrated_when_it_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("entities.db");
    let migrations = SqliteMigrations::new(&path);
    assert!(migrations.list().await.unwrap().iter().all(|migration| !migration.applied));
    assert!(!path.exists());
    assert_eq!(migrations.up(&layout()).await, Err(StoreError::NeedsBootstrap));
    let (one, other) = tokio::join!(open(&path), open(&path));
    one.unwrap();
    other.unwrap();
    assert!(migrations.list().await.unwrap().iter().all(|migration| migration.applied));
    assert_eq!(migrations.bootstrap(&layout()).await, Ok(false));

    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("INSERT INTO moongate_migrations (version, name) VALUES (999, 'future')", ()).unwrap();
    assert_eq!(open(&path).await.map(drop), Err(StoreError::TooNew { found: 999, known: 1 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_changed_by_hand_is_seen() {
    let place = Place::sqlite();
    let store = place.open().await;
    store.write(vec![insert("services", serde_json::json!({"name": "a"}))]).await.unwrap();
    // What is there when the gateway begins to look is not new.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let before = store.dataset().version();
    let connection = rusqlite::Connection::open(place.file()).unwrap();
    connection.execute("UPDATE services SET name = 'b'", ()).unwrap();
    let is_seen = |dataset: &Dataset| dataset.rows("services").all(|row| row["name"] == "b");
    eventually(&*store, is_seen).await;
    assert_eq!((store.dataset().version().0, store.changes_since(before)), (before.0 + 1, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_do_not_take_each_other_for_a_person() {
    let place = Place::sqlite();
    let (one, other) = (place.open().await, place.open().await);
    for store in [&one, &other, &one] {
        tokio::time::sleep(Duration::from_millis(400)).await;
        store.write(vec![insert("services", serde_json::json!({}))]).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(one.load().await.unwrap().version().0, 3);
}

#[tokio::test]
async fn the_core_entities_have_tables() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = catalog(RouterFlavor::default()).build().unwrap();
    let layout = Arc::new(Layout::of(&catalog));
    let store = SqliteStore::open(&directory.path().join("core.db"), Arc::clone(&layout)).await.unwrap();
    assert!(store.dataset().is_empty());
    let names: Vec<&str> = layout.tables().iter().map(|table| &*table.name).collect();
    assert!(
        ["services", "routes", "plugins", "targets", "snis"].iter().all(|name| names.contains(name)),
        "{names:?}"
    );
    // What other rows have is no table.
    assert!(!names.contains(&"tags"));
}
