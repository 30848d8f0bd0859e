//! The tables: reading and writing.

mod adopt;

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Error, Row, Statement};
use uuid::Uuid;

pub(super) use adopt::{adopt, adopt_within, one_at_a_time};

use super::cells::cell;
use super::connect::CHANNEL;
use super::error::{error, is_constraint, text};
use crate::StoreError;
use crate::cell::{cells_of, record_of};
use crate::change::{Effect, Version};
use crate::dataset::Dataset;
use crate::follow::{LISTED, News, REMEMBERED, grouped, referenced};
use crate::layout::{Kind, Layout, Table};
use crate::record::Record;
use crate::sql::Dialect;

/// What came of [`apply`].
#[derive(Debug)]
pub(super) enum Applied {
    /// It is done, and this is the version now.
    As(Version),
    /// A row of a table that is not in the layout refers to one that was to be removed. The transaction is to be rolled
    /// back.
    Referenced(StoreError),
    /// The database refused what should have been right. The transaction is to be rolled back.
    Unexpected(String),
}

pub(super) async fn version(client: &ClientWrapper) -> Result<Version, StoreError> {
    read_version(client, "SELECT version FROM moongate_state").await
}

/// Begins a transaction which no other writer is beside.
pub(super) async fn lock(client: &ClientWrapper) -> Result<Version, StoreError> {
    run(client, "BEGIN").await?;
    read_version(client, "SELECT version FROM moongate_state FOR UPDATE").await
}

pub(super) async fn roll_back(client: &ClientWrapper) -> Result<(), StoreError> {
    run(client, "ROLLBACK").await
}

/// Everything at one version, in a transaction of its own.
pub(super) async fn read_all(client: &ClientWrapper, layout: &Arc<Layout>) -> Result<Dataset, StoreError> {
    run(client, STEADY).await?;
    let version = version(client).await?;
    let dataset = read_rows(client, layout, version).await?;
    run(client, "COMMIT").await?;
    Ok(dataset)
}

/// What changed since `dataset`, in a transaction of its own.
pub(super) async fn news(client: &ClientWrapper, dataset: &Dataset) -> Result<News, StoreError> {
    run(client, STEADY).await?;
    let now = version(client).await?;
    let news = news_of(client, dataset, now).await?;
    run(client, "COMMIT").await?;
    Ok(news)
}

/// What changed since `dataset` up to `now`, in a transaction for which the version is `now` throughout.
pub(super) async fn news_of(
    client: &ClientWrapper,
    dataset: &Dataset,
    now: Version,
) -> Result<News, StoreError> {
    let (layout, known) = (dataset.layout(), dataset.version());
    if now == known {
        return Ok(News::None);
    }
    let Some(changed) = listed(client, known, now).await.map_err(|failure| error(&failure))? else {
        return Ok(News::Everything(Box::new(read_rows(client, layout, now).await?)));
    };
    let mut rows = Vec::new();
    for (entity, ids) in grouped(changed) {
        let Some(table) = layout.table(&entity) else { continue };
        let select = format!("{} WHERE \"id\" = ANY($1)", Dialect::select(table));
        let mut found = BTreeMap::new();
        for row in query(client, &select, &ids).await.map_err(|failure| error(&failure))? {
            let (id, record) = record(table, &row)?;
            found.insert(id, record);
        }
        rows.extend(ids.into_iter().map(|id| (Arc::clone(&table.name), id, found.remove(&id))));
    }
    Ok(News::of(dataset, now, rows))
}

/// Takes all `steps` in the transaction begun by [`lock`], and commits it.
pub(super) async fn apply(
    client: &ClientWrapper,
    layout: &Layout,
    base: Version,
    steps: &[Effect],
    effects: &[Effect],
) -> Result<Applied, StoreError> {
    let next = Version(base.0 + 1);
    let written = async {
        if let Some(why) = take(client, layout, steps).await? {
            return Ok(Some(why));
        }
        note(client, next, effects).await.map(|()| None)
    };
    match written.await {
        Ok(Some(why)) => return Ok(Applied::Unexpected(why)),
        Err(failure) if is_constraint(&failure) => return Ok(refused(layout, steps, &failure)),
        Err(failure) => return Err(error(&failure)),
        Ok(None) => {}
    }
    match client.batch_execute("COMMIT").await {
        Ok(()) => Ok(Applied::As(next)),
        Err(failure) if is_constraint(&failure) => Ok(refused(layout, steps, &failure)),
        Err(failure) => Err(match error(&failure) {
            StoreError::Unavailable { why } => {
                StoreError::Unavailable { why: format!("{why}; it is not known whether the change was made") }
            }
            other => other,
        }),
    }
}

/// What it means that a constraint was broken.
fn refused(layout: &Layout, steps: &[Effect], failure: &Error) -> Applied {
    let by = failure.as_db_error().filter(|error| *error.code() == SqlState::FOREIGN_KEY_VIOLATION);
    let by = by.and_then(DbError::table).filter(|table| layout.table(table).is_none());
    match by.and_then(|by| referenced(steps, by)) {
        Some(error) => Applied::Referenced(error),
        None => Applied::Unexpected(text(failure)),
    }
}

/// Sends the steps one after the other without waiting between. Returns what did not go as expected.
async fn take(client: &ClientWrapper, layout: &Layout, steps: &[Effect]) -> Result<Option<String>, Error> {
    let mut statements = Statements { client, prepared: BTreeMap::new() };
    for steps in steps.chunks(IN_FLIGHT) {
        let mut sent = Vec::with_capacity(steps.len());
        for step in steps {
            let Some(table) = layout.table(&step.entity) else { continue };
            let statement = statements.of(table, step).await?;
            let cells = match &step.after {
                Some(record) => cells_of(table, record),
                None => vec![crate::cell::Cell::Uuid(step.id)],
            };
            let mut answer: Pin<Box<dyn Future<Output = Result<u64, Error>> + Send>> =
                Box::pin(async move { client.execute_raw(&statement, cells).await });
            // The first look at it sends it.
            match poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await {
                Poll::Ready(result) => drop(result?),
                Poll::Pending => sent.push((step, answer)),
            }
        }
        let mut unexpected = None;
        for (step, answer) in sent {
            if answer.await? == 0 && step.after.is_some() {
                unexpected = Some(format!("{} of `{}` is not there", step.id, step.entity));
            }
        }
        if unexpected.is_some() {
            return Ok(unexpected);
        }
    }
    Ok(None)
}

/// The statements of one transaction, each prepared once.
struct Statements<'a> {
    client: &'a ClientWrapper,
    prepared: BTreeMap<(Arc<str>, bool, bool), Statement>,
}

impl Statements<'_> {
    async fn of(&mut self, table: &Table, step: &Effect) -> Result<Statement, Error> {
        let key = (Arc::clone(&table.name), step.before.is_some(), step.after.is_some());
        if let Some(statement) = self.prepared.get(&key) {
            return Ok(statement.clone());
        }
        let sql = match key {
            (_, _, false) => Dialect::Postgres.delete(table),
            (_, false, true) => Dialect::Postgres.insert(table),
            (_, true, true) => Dialect::Postgres.update(table),
        };
        let statement = self.client.prepare_cached(&sql).await?;
        self.prepared.insert(key, statement.clone());
        Ok(statement)
    }
}

/// Sets the version, and writes down what it changed for other nodes, which hear of it when it is committed.
async fn note(client: &ClientWrapper, version: Version, effects: &[Effect]) -> Result<(), Error> {
    let number = version.0.cast_signed();
    let forget = version.0.saturating_sub(REMEMBERED).cast_signed();
    let listed = if effects.len() > LISTED { &[] } else { effects };
    let entities: Vec<&str> = listed.iter().map(|effect| &*effect.entity).collect();
    let ids: Vec<Uuid> = listed.iter().map(|effect| effect.id).collect();
    let set = client.prepare_cached("UPDATE moongate_state SET version = $1").await?;
    let delete = client.prepare_cached("DELETE FROM moongate_changes WHERE version <= $1").await?;
    let insert = client.prepare_cached(NOTE).await?;
    client.execute(&set, &[&number]).await?;
    client.execute(&delete, &[&forget]).await?;
    client.execute(&insert, &[&number, &entities, &ids]).await?;
    client.batch_execute(&format!("NOTIFY {CHANNEL}")).await
}

/// The rows that changed after version `known` up to `now`, or `None` if that is not written down.
async fn listed(
    client: &ClientWrapper,
    known: Version,
    now: Version,
) -> Result<Option<Vec<(String, Uuid)>>, Error> {
    let select =
        "SELECT version, entity, entity_id FROM moongate_changes WHERE version > $1 ORDER BY version";
    let select = client.prepare_cached(select).await?;
    let (mut changed, mut versions) = (Vec::new(), BTreeSet::new());
    for row in client.query(&select, &[&known.0.cast_signed()]).await? {
        versions.insert(row.try_get::<_, i64>(0)?);
        let (entity, id): (Option<String>, Option<Uuid>) = (row.try_get(1)?, row.try_get(2)?);
        let Some(one) = entity.zip(id) else { return Ok(None) };
        changed.push(one);
    }
    let is_whole = now > known && versions.len() as u64 == now.0 - known.0 && changed.len() <= LISTED;
    Ok(is_whole.then_some(changed))
}

async fn read_rows(
    client: &ClientWrapper,
    layout: &Arc<Layout>,
    version: Version,
) -> Result<Dataset, StoreError> {
    let mut dataset = Dataset::new(Arc::clone(layout));
    for table in layout.tables() {
        let rows = async {
            let select = client.prepare_cached(&Dialect::select(table)).await?;
            client.query(&select, &[]).await
        };
        for row in rows.await.map_err(|failure| error(&failure))? {
            let (id, record) = record(table, &row)?;
            dataset.put(&table.name, id, Arc::new(record));
        }
    }
    dataset.apply(&[], version);
    Ok(dataset)
}

fn record(table: &Table, row: &Row) -> Result<(Uuid, Record), StoreError> {
    let kinds = table.columns.iter().map(|column| &column.kind).chain(table.ttl.then_some(&Kind::Moment));
    let cells = kinds.enumerate().map(|(at, kind)| cell(kind, row, at)).collect::<Result<_, _>>();
    record_of(table, cells.map_err(|failure| error(&failure))?)
}

async fn query(client: &ClientWrapper, sql: &str, ids: &Vec<Uuid>) -> Result<Vec<Row>, Error> {
    let statement = client.prepare_cached(sql).await?;
    client.query(&statement, &[ids]).await
}

async fn read_version(client: &ClientWrapper, sql: &str) -> Result<Version, StoreError> {
    let row = async { client.query_one(&client.prepare_cached(sql).await?, &[]).await };
    let version: Result<i64, Error> = row.await.and_then(|row| row.try_get(0));
    version.map(|version| Version(version.cast_unsigned())).map_err(|failure| error(&failure))
}

async fn run(client: &ClientWrapper, sql: &str) -> Result<(), StoreError> {
    client.batch_execute(sql).await.map_err(|failure| error(&failure))
}

/// A transaction that sees one state of everything.
const STEADY: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A list of changes. Without one, the version gets a row without an entity.
const NOTE: &str = "
INSERT INTO moongate_changes (version, position, entity, entity_id)
SELECT $1::bigint, position, entity, entity_id
FROM unnest($2::text[], $3::uuid[]) WITH ORDINALITY AS list (entity, entity_id, position)
UNION ALL SELECT $1::bigint, 0, NULL, NULL WHERE cardinality($2::text[]) = 0";

/// How many statements are under way at once.
const IN_FLIGHT: usize = 500;
