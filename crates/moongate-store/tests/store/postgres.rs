//! Everything against a real server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use moongate_model::core::{RouterFlavor, catalog};
use moongate_store::testing::PostgresServer;
use moongate_store::{
    Change, Dataset, Effect, Guard, Layout, Migration, Migrations as _, PostgresMigrations, PostgresSettings,
    PostgresStore, Store, StoreError, Tls, Trust,
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::durable::{self, eventually, for_each_durable_rule};
use crate::killed::kill_in_between;
use crate::place::Place;
use crate::rows::{id, insert, layout, reference, row, services, table};
use crate::rules::{self, assert_same, for_each_rule};

/// The server, or the end of the test if Postgres is not installed.
macro_rules! server {
    () => {
        match PostgresServer::start().unwrap() {
            Some(server) => server,
            None => return,
        }
    };
}

macro_rules! hold {
    ($($rule:ident)*) => {
        /// All on one server, each in a schema of its own: starting one takes longer than most rules.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_rule_holds() {
            let server = server!();
            $(
                eprintln!("{}", stringify!($rule));
                rules::$rule(Place::postgres(server.settings(stringify!($rule))).await).await;
            )*
        }
    };
}

macro_rules! hold_durably {
    ($($rule:ident)*) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn every_durable_rule_holds() {
            let server = server!();
            $(
                eprintln!("{}", stringify!($rule));
                durable::$rule(Place::postgres(server.settings(stringify!($rule))).await).await;
            )*
        }
    };
}

for_each_rule!(hold);
for_each_durable_rule!(hold_durably);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_can_read_the_tables() {
    let server = server!();
    let store = Place::postgres(server.settings("public")).await.open().await;
    let service = row(json!({"name": "orders", "host": "a.test", "port": 80, "created_at": 1_700_000_000}));
    let route = row(json!({"paths": ["/x", "/y z"], "service": reference(&service)}));
    let plugin =
        row(json!({"name": "cors", "enabled": true, "config": {"max": 1}, "route": reference(&route)}));
    let rows = [("services", &service), ("routes", &route), ("plugins", &plugin)];
    store.write(rows.map(|(entity, row)| Change::insert(entity, row.clone())).to_vec()).await.unwrap();
    store.write(vec![insert("keys", json!({"key": "k", "ttl": 60}))]).await.unwrap();

    let psql = |sql: &str| server.psql(sql).unwrap();
    assert_eq!(psql("SELECT name, host, port FROM services"), "orders|a.test|80");
    let own = service["id"].as_str().unwrap();
    assert_eq!(psql("SELECT id, host, port FROM services"), format!("{own}|a.test|80"));
    assert_eq!(psql("SELECT service_id, paths FROM routes"), format!("{own}|{{/x,\"/y z\"}}"));
    assert_eq!(psql("SELECT name, enabled FROM plugins"), "cors|t");
    assert_eq!(psql("SELECT config->'max' FROM plugins"), "1");
    assert_eq!(psql("SELECT created_at AT TIME ZONE 'UTC' FROM services"), "2023-11-14 22:13:20");
    assert_eq!(psql("SELECT count(*) FROM keys WHERE expires_at < '2023-11-14 22:14:21Z'"), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_core_entities_have_tables() {
    let server = server!();
    let catalog = catalog(RouterFlavor::default()).build().unwrap();
    let layout = Layout::of(&catalog);
    PostgresMigrations::new(server.settings("public")).unwrap().bootstrap(&layout).await.unwrap();
    let columns = |table: &str| {
        let sql = format!(
            "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) \
             FROM information_schema.columns WHERE table_name = '{table}'"
        );
        server.psql(&sql).unwrap()
    };
    let text = "name text, retries bigint, protocol text, host text, port bigint, path text";
    assert!(columns("services").contains(text), "{}", columns("services"));
    let targets = columns("targets");
    for column in ["created_at timestamp with time zone", "upstream_id uuid", "weight bigint", "tags ARRAY"] {
        assert!(targets.contains(column), "{targets}");
    }
    assert!(columns("plugins").contains("config jsonb"));
    assert!(columns("routes").contains("service_id uuid"));
    assert!(!columns("certificates").contains("snis"));
    assert_eq!(columns("tags"), "");
    // Nothing is left to do.
    let store = PostgresStore::open(server.settings("public"), Arc::new(layout)).await.unwrap();
    assert!(store.dataset().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_answer_is_not_waited_for_forever() {
    let server = server!();
    drop(Place::postgres(server.settings("public")).await);
    let proxy = Proxy::start(server.port()).await;
    let timeout = Duration::from_millis(400);
    let settings = PostgresSettings { port: proxy.port, timeout, ..server.settings("public") };
    let behind = PostgresStore::open(settings, Arc::new(layout())).await.unwrap();
    let beside = PostgresStore::open(server.settings("public"), Arc::new(layout())).await.unwrap();
    behind.write(vec![insert("services", json!({"name": "a"}))]).await.unwrap();

    // Cut off while it has its turn to write.
    struct Cut(Arc<AtomicBool>);
    #[async_trait]
    impl Guard for Cut {
        async fn check(&self, _: &Dataset, _: &[Effect]) -> Result<(), StoreError> {
            self.0.store(true, Ordering::SeqCst);
            Ok(())
        }
    }
    let start = Instant::now();
    let cut = behind
        .write_if(vec![insert("services", json!({"name": "b"}))], &Cut(Arc::clone(&proxy.is_cut)))
        .await;
    assert!(matches!(cut, Err(StoreError::Unavailable { .. })), "{cut:?}");
    assert!(matches!(behind.load().await, Err(StoreError::Unavailable { .. })));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    // The others get their turn.
    beside.write(vec![insert("services", json!({"name": "b"}))]).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());

    proxy.is_cut.store(false, Ordering::SeqCst);
    eventually(&behind, |dataset| dataset.len("services") == 2).await;
    behind.write(vec![insert("services", json!({"name": "c"}))]).await.unwrap();
}

/// Something between a client and the server, which can swallow everything.
struct Proxy {
    port: u16,
    is_cut: Arc<AtomicBool>,
}

impl Proxy {
    async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = Arc::clone(&is_cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let ((from, to), (back, forth)) = (client.into_split(), server.into_split());
                tokio::spawn(pass(from, forth, Arc::clone(&cut)));
                tokio::spawn(pass(back, to, Arc::clone(&cut)));
            }
        });
        Self { port, is_cut }
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_cut: Arc<AtomicBool>) {
    let mut buffer = vec![0; 65536];
    let mut was_cut = false;
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        was_cut |= is_cut.load(Ordering::SeqCst);
        // Of what was swallowed once, the rest makes no sense either.
        if !was_cut && to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    if was_cut {
        // Nor does the other side hear that this one has gone.
        std::future::pending::<()>().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_changed_by_hand_is_seen() {
    let server = server!();
    let store = Place::postgres(server.settings("public")).await.open().await;
    let service = row(json!({"name": "orders", "port": 80}));
    store.write(vec![Change::insert("services", service.clone())]).await.unwrap();
    let before = store.dataset().version();
    server.psql("UPDATE services SET port = 81; INSERT INTO consumers (id, username) VALUES (gen_random_uuid(), 'eve')").unwrap();
    eventually(&*store, |dataset| dataset.len("consumers") == 1).await;
    assert_eq!(store.dataset().get("services", id(&service)).unwrap()["port"], json!(81));
    assert_eq!(store.changes_since(before), None);
    // With the triggers off nobody notices, and the next write still does the right thing.
    server.psql("SET session_replication_role = replica; INSERT INTO services (id, name) VALUES (gen_random_uuid(), 'hidden')").unwrap();
    let taken = store.write(vec![insert("services", json!({"name": "hidden"}))]).await.unwrap_err();
    assert!(matches!(taken, StoreError::UniqueViolation { .. }), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_outlives_its_database() {
    let server = server!();
    let place = Place::postgres(server.settings("public")).await;
    let (one, other) = (place.open().await, place.open().await);
    one.write(vec![insert("services", json!({"name": "a"}))]).await.unwrap();
    assert!(one.status().await.reachable);

    server.stop().unwrap();
    let start = Instant::now();
    for result in [
        one.load().await.map(drop),
        one.write(vec![insert("services", json!({"name": "b"}))]).await.map(drop),
        one.find("services", &uuid::Uuid::new_v4().into()).await.map(drop),
        PostgresStore::open(server.settings("public"), Arc::new(layout())).await.map(drop),
    ] {
        assert!(matches!(result, Err(StoreError::Unavailable { .. })), "{result:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(6));
    let status = one.status().await;
    assert!(!status.reachable && status.why.is_some());
    assert_eq!(one.dataset().len("services"), 1);

    server.resume().unwrap();
    one.write(vec![insert("services", json!({"name": "b"}))]).await.unwrap();
    eventually(&*other, |dataset| dataset.len("services") == 2).await;
    assert!(one.status().await.reachable && one.status().await.why.is_none());
    // It is heard again too, not only looked for.
    sleep(Duration::from_millis(2500)).await;
    let written = one.write(vec![insert("services", json!({"name": "c"}))]).await.unwrap();
    let start = Instant::now();
    eventually(&*other, |dataset| dataset.version() == written.version).await;
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_found_without_notifications() {
    let server = server!();
    let place = Place::postgres(server.settings("public")).await;
    let (one, other) = (place.open().await, place.open().await);
    one.write(vec![insert("services", json!({"name": "a"}))]).await.unwrap();
    eventually(&*other, |dataset| dataset.len("services") == 1).await;
    // As the gateway does it, but without a word.
    server.psql(
        "SET moongate.writer TO 'on'; BEGIN; UPDATE moongate_state SET version = 2; \
         INSERT INTO consumers (id, username) VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'eve'); \
         INSERT INTO moongate_changes VALUES (2, 1, 'consumers', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'); COMMIT",
    ).unwrap();
    eventually(&*other, |dataset| dataset.len("consumers") == 1).await;
    assert_same(&one.load().await.unwrap(), &other.dataset());
    assert!(other.changes_since(moongate_store::Version(1)).is_some_and(|(_, effects)| effects.len() == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_are_taken_once() {
    let server = server!();
    let settings = server.settings("gateway");
    let migrations = Arc::new(PostgresMigrations::new(settings.clone()).unwrap());
    let open = async || PostgresStore::open(settings.clone(), Arc::new(layout())).await.map(drop);
    assert_eq!(open().await, Err(StoreError::NeedsBootstrap));
    assert_eq!(migrations.up(&layout()).await, Err(StoreError::NeedsBootstrap));
    assert!(migrations.list().await.unwrap().iter().all(|migration| !migration.applied));

    let racing: Vec<_> = (0..4)
        .map(|_| {
            let settings = settings.clone();
            tokio::spawn(async move { PostgresMigrations::new(settings).unwrap().bootstrap(&layout()).await })
        })
        .collect();
    let mut made = 0;
    for task in racing {
        made += usize::from(task.await.unwrap().unwrap());
    }
    assert_eq!(made, 1);
    assert!(migrations.list().await.unwrap().iter().all(|migration| migration.applied));
    assert_eq!(migrations.up(&layout()).await, Ok(Vec::<Migration>::new()));
    open().await.unwrap();

    server.psql("INSERT INTO gateway.moongate_migrations (version, name) VALUES (999, 'future')").unwrap();
    let too_new = StoreError::TooNew { found: 999, known: 1 };
    assert_eq!(open().await, Err(too_new.clone()));
    assert_eq!(migrations.list().await, Err(too_new));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stores_that_bring_new_entities_at_once_do_not_collide() {
    let server = server!();
    PostgresMigrations::new(server.settings("public"))
        .unwrap()
        .bootstrap(&Layout::new([services()]))
        .await
        .unwrap();
    let racing: Vec<_> = (0..4)
        .map(|_| {
            let settings = server.settings("public");
            tokio::spawn(async move { PostgresStore::open(settings, Arc::new(layout())).await.map(drop) })
        })
        .collect();
    for task in racing {
        task.await.unwrap().unwrap();
    }
    // A table of that name which is something else.
    server.psql("CREATE TABLE planets (id uuid PRIMARY KEY, name integer)").unwrap();
    let planets = table("planets", [moongate_store::Column::new("name", moongate_store::Kind::Text)]);
    let refused = PostgresStore::open(server.settings("public"), Arc::new(Layout::new([planets]))).await;
    let Err(StoreError::Corrupt(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("`name`") && why.contains("integer"), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_encrypted_and_servers_verified() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (cert.pem(), signing_key.serialize_pem());
    let files = [("server.crt", cert.as_bytes()), ("server.key", key.as_bytes())];
    let Some(server) = PostgresServer::start_with(&files, &[("ssl", "on")]).unwrap() else { return };
    let stranger = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap().cert.pem();
    let with = |tls| PostgresSettings { tls, ..server.settings("public") };
    PostgresMigrations::new(with(Tls::Required(Trust::Any))).unwrap().bootstrap(&layout()).await.unwrap();
    let encrypted = "SELECT string_agg(DISTINCT s.ssl::text, ',') FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) \
                     WHERE application_name = 'moongate'";
    for (tls, expected) in [
        (Tls::Off, "false"),
        (Tls::Preferred(Trust::Any), "true"),
        (Tls::Required(Trust::Any), "true"),
        (Tls::Required(Trust::Authorities(cert.into_bytes())), "true"),
    ] {
        let store = PostgresStore::open(with(tls.clone()), Arc::new(layout())).await.unwrap();
        store.write(vec![insert("services", json!({}))]).await.unwrap();
        assert_eq!(server.psql(encrypted).unwrap(), expected, "{tls:?}");
        drop(store);
        sleep(Duration::from_millis(200)).await;
    }
    for trust in [Trust::System, Trust::Authorities(stranger.into_bytes())] {
        let refused = PostgresStore::open(with(Tls::Required(trust)), Arc::new(layout())).await;
        assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    }
    let wrong = PostgresSettings { password: Some("wrong".to_owned()), ..server.settings("public") };
    let refused = PostgresStore::open(wrong.clone(), Arc::new(layout())).await.map(drop);
    let Err(StoreError::Unavailable { why }) = refused else { panic!("{refused:?}") };
    assert!(why.contains("password"), "{why}");
    assert!(!format!("{wrong:?}").contains("wrong"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_writer_loses_nothing_that_was_acknowledged() {
    let server = server!();
    let place = Place::postgres(server.settings("killed")).await;
    let port = server.port().to_string();
    let environment =
        [("TEST_PORT", &*port), ("TEST_PASSWORD", server.password()), ("TEST_SCHEMA", "killed")];
    let written = kill_in_between(&environment, async || place.open().await.load().await.unwrap());
    assert!(written.await > 0);
}
