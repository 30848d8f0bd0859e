//! A process that is killed while it writes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use moongate_store::{Change, Dataset, PostgresSettings, PostgresStore, SqliteStore, Store};
use serde_json::json;
use uuid::Uuid;

use crate::place::Place;
use crate::rows::{id, layout, reference, row};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_writer_loses_nothing_that_sqlite_acknowledged() {
    let place = Place::sqlite();
    drop(place.open().await);
    let file = place.file();
    let environment = [("TEST_SQLITE", file.to_str().unwrap())];
    let written = kill_in_between(&environment, async || place.open().await.load().await.unwrap());
    assert!(written.await > 0);
}

/// Starts a writer again and again, and kills each at another moment. `read` gives what is there after it.
/// Returns how many writes were acknowledged in all.
pub(crate) async fn kill_in_between(environment: &[(&str, &str)], read: impl AsyncFn() -> Dataset) -> usize {
    let mut acknowledged: Vec<Uuid> = Vec::new();
    for round in 0..5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut in_this_round = 0;
        // Some acknowledgements are waited for, so that it is killed at work.
        let wanted = 20 + round * 60;
        let mut take = |line: std::io::Result<String>| {
            let known = acknowledged.len();
            acknowledged.extend(line.unwrap().strip_prefix("done ").and_then(|id| id.parse::<Uuid>().ok()));
            acknowledged.len() - known
        };
        for line in lines.by_ref() {
            in_this_round += take(line);
            if in_this_round >= wanted {
                break;
            }
        }
        assert!(in_this_round >= wanted, "the writer ended by itself");
        tokio::time::sleep(Duration::from_micros(337 * round as u64)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines {
            take(line);
        }

        let left = read().await;
        for id in &acknowledged {
            assert!(left.get("services", *id).is_some(), "{id} was acknowledged, and is lost");
        }
        assert_eq!(left.len("services"), left.len("routes"), "half of a write is there");
        for service in left.rows("services") {
            assert_eq!(left.referring("routes", "service", service.id().unwrap()).count(), 1);
        }
        assert_eq!(left.version().0 as usize, left.len("services"));
    }
    acknowledged.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "not a test by itself: the process that is killed"]
async fn writes_until_it_is_killed() {
    let layout = Arc::new(layout());
    let store: Arc<dyn Store> = match std::env::var("TEST_SQLITE") {
        Ok(path) => Arc::new(SqliteStore::open(Path::new(&path), layout).await.unwrap()),
        Err(_) => {
            let setting = |name: &str| std::env::var(name).unwrap();
            let settings = PostgresSettings {
                port: setting("TEST_PORT").parse().unwrap(),
                password: Some(setting("TEST_PASSWORD")),
                schema: setting("TEST_SCHEMA"),
                ..PostgresSettings::default()
            };
            Arc::new(PostgresStore::open(settings, layout).await.unwrap())
        }
    };
    for _ in 0..5000 {
        let service = row(json!({"name": Uuid::new_v4().to_string()}));
        let route = row(json!({"service": reference(&service)}));
        let changes = vec![Change::insert("services", service.clone()), Change::insert("routes", route)];
        store.write(changes).await.unwrap();
        let mut out = std::io::stdout().lock();
        // A line of its own: the test harness has not ended the one with the name of the test.
        write!(out, "\ndone {}\n", id(&service)).unwrap();
        out.flush().unwrap();
    }
}
