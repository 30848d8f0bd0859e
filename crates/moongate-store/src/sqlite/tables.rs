//! The tables: making, reading, writing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::{
    Connection, ErrorCode, OptionalExtension as _, Row as SqlRow, Transaction, TransactionBehavior, params,
};
use uuid::Uuid;

use super::connection::{cell, error};
use crate::StoreError;
use crate::cell::{cells_of, record_of};
use crate::change::{Effect, Version};
use crate::dataset::Dataset;
use crate::follow::{LISTED, News, REMEMBERED, grouped, referenced};
use crate::layout::{Kind, Layout, Table};
use crate::record::Record;
use crate::sql::{Dialect, EXPIRY, quoted};

/// What came of [`apply`].
#[derive(Debug)]
pub(super) enum Applied {
    /// It is done, and this is the version now.
    As(Version),
    /// Another process wrote first. Nothing was done.
    Overtaken,
    /// A row of a table that is not in the layout refers to one that was to be removed. Nothing was done.
    Referenced(StoreError),
    /// The database refused what should have been right. Nothing was done.
    Unexpected(String),
}

/// Makes the tables and columns that are missing.
pub(super) fn adopt(connection: &mut Connection, layout: &Layout) -> Result<(), StoreError> {
    let transaction = begin(connection, TransactionBehavior::Immediate)?;
    for table in layout.tables() {
        for statement in missing(&columns_of(&transaction, table).map_err(error)?, table, layout)? {
            transaction.execute(&statement, ()).map_err(error)?;
        }
        for (_, index) in Dialect::Sqlite.indexes(table) {
            transaction.execute(&index, ()).map_err(error)?;
        }
    }
    transaction.commit().map_err(error)
}

/// The statements for what a table lacks which has these columns; none means that it is not there.
fn missing(
    columns: &BTreeMap<String, String>,
    table: &Table,
    layout: &Layout,
) -> Result<Vec<String>, StoreError> {
    let sql = Dialect::Sqlite;
    if columns.is_empty() {
        return Ok(vec![sql.create(table, layout)]);
    }
    let mut statements = Vec::new();
    let expiry = table.ttl.then(|| (EXPIRY, &Kind::Moment, sql.expiry()));
    let wanted = table.columns.iter();
    let wanted = wanted.map(|column| (column.name.as_str(), &column.kind, sql.column(column, layout)));
    for (column, kind, definition) in wanted.chain(expiry) {
        match columns.get(column) {
            None => statements.push(format!("ALTER TABLE {} ADD COLUMN {definition}", quoted(&table.name))),
            Some(found) => sql.check_type(table, column, kind, found)?,
        }
    }
    Ok(statements)
}

pub(super) fn version(connection: &Connection) -> rusqlite::Result<Version> {
    let mut statement = connection.prepare_cached("SELECT version FROM moongate_state")?;
    statement.query_row((), |row| row.get(0)).map(|version: i64| Version(version.cast_unsigned()))
}

/// A number that is another after somebody else has written to the file, in whatever way.
pub(super) fn foreign_writes(connection: &Connection) -> Result<i64, StoreError> {
    connection.query_row("PRAGMA data_version", (), |row| row.get(0)).map_err(error)
}

/// Makes a new version of what was changed without one, if the version is still `known`.
pub(super) fn record_unrecorded(connection: &mut Connection, known: Version) -> Result<(), StoreError> {
    let transaction = begin(connection, TransactionBehavior::Immediate)?;
    if version(&transaction).map_err(error)? != known {
        return Ok(());
    }
    let set = |sql: &str| transaction.execute(sql, [(known.0 + 1).cast_signed()]).map_err(error);
    set("UPDATE moongate_state SET version = ?1")?;
    set("INSERT INTO moongate_changes (version, position) VALUES (?1, 0)")?;
    transaction.commit().map_err(error)
}

/// Everything at one version.
pub(super) fn read_all(connection: &mut Connection, layout: &Arc<Layout>) -> Result<Dataset, StoreError> {
    let transaction = begin(connection, TransactionBehavior::Deferred)?;
    let mut dataset = Dataset::new(Arc::clone(layout));
    let version = version(&transaction).map_err(error)?;
    for table in layout.tables() {
        let mut statement = transaction.prepare_cached(&Dialect::select(table)).map_err(error)?;
        let mut rows = statement.query(()).map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            let (id, record) = record(table, row)?;
            dataset.put(&table.name, id, Arc::new(record));
        }
    }
    dataset.apply(&[], version);
    Ok(dataset)
}

/// What changed since `dataset`.
pub(super) fn news(connection: &mut Connection, dataset: &Dataset) -> Result<News, StoreError> {
    let layout = dataset.layout();
    let (now, known) = (version(connection).map_err(error)?, dataset.version());
    if now == known {
        return Ok(News::None);
    }
    let transaction = begin(connection, TransactionBehavior::Deferred)?;
    let now = version(&transaction).map_err(error)?;
    let Some(changed) = listed(&transaction, known, now).map_err(error)? else {
        drop(transaction);
        return Ok(News::Everything(Box::new(read_all(connection, layout)?)));
    };
    let mut rows = Vec::new();
    for (entity, ids) in grouped(changed) {
        let Some(table) = layout.table(&entity) else { continue };
        let select = format!("{} WHERE \"id\" = ?1", Dialect::select(table));
        let mut statement = transaction.prepare_cached(&select).map_err(error)?;
        for id in ids {
            let read = statement.query_row([id.to_string()], |row| Ok(record(table, row)));
            let after = read.optional().map_err(error)?.transpose()?;
            rows.push((Arc::clone(&table.name), id, after.map(|(_, record)| record)));
        }
    }
    Ok(News::of(dataset, now, rows))
}

/// Takes all `steps` in one transaction, if the database is still at version `base`.
pub(super) fn apply(
    connection: &mut Connection,
    layout: &Layout,
    base: Version,
    steps: &[Effect],
    effects: &[Effect],
) -> Result<Applied, StoreError> {
    let transaction = begin(connection, TransactionBehavior::Immediate)?;
    if version(&transaction).map_err(error)? != base {
        return Ok(Applied::Overtaken);
    }
    let next = Version(base.0 + 1);
    let done = take(&transaction, layout, steps).and_then(|unexpected| match unexpected {
        Some(why) => Ok(Applied::Unexpected(why)),
        None => {
            note(&transaction, next, effects)?;
            commit(&transaction, layout, steps).map(|refused| refused.unwrap_or(Applied::As(next)))
        }
    });
    done.or_else(|failure| match failure.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => Ok(Applied::Unexpected(failure.to_string())),
        _ => Err(error(failure)),
    })
}

pub(super) fn begin(
    connection: &mut Connection,
    how: TransactionBehavior,
) -> Result<Transaction<'_>, StoreError> {
    connection.transaction_with_behavior(how).map_err(error)
}

/// Commits, unless a row of a table that is not in the layout refers to nothing then.
fn commit(
    transaction: &Transaction<'_>,
    layout: &Layout,
    steps: &[Effect],
) -> rusqlite::Result<Option<Applied>> {
    let Err(failure) = transaction.execute_batch("COMMIT") else { return Ok(None) };
    if failure.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
        let mut statement = transaction.prepare("SELECT DISTINCT \"table\" FROM pragma_foreign_key_check")?;
        for table in statement.query_map((), |row| row.get::<_, String>(0))? {
            let table = table?;
            if layout.table(&table).is_none() {
                return Ok(referenced(steps, &table).map(Applied::Referenced));
            }
        }
    }
    Err(failure)
}

/// Takes the steps. Returns what did not go as expected.
fn take(
    transaction: &Transaction<'_>,
    layout: &Layout,
    steps: &[Effect],
) -> rusqlite::Result<Option<String>> {
    let sql = Dialect::Sqlite;
    for step in steps {
        let Some(table) = layout.table(&step.entity) else { continue };
        match &step.after {
            None => drop(transaction.prepare_cached(&sql.delete(table))?.execute([step.id.to_string()])?),
            Some(record) => {
                let statement = if step.before.is_none() { sql.insert(table) } else { sql.update(table) };
                let cells = cells_of(table, record);
                let count =
                    transaction.prepare_cached(&statement)?.execute(rusqlite::params_from_iter(cells))?;
                if count == 0 {
                    return Ok(Some(format!("{} of `{}` is not there", step.id, step.entity)));
                }
            }
        };
    }
    Ok(None)
}

/// Sets the version, and writes down what it changed.
fn note(transaction: &Transaction<'_>, version: Version, effects: &[Effect]) -> rusqlite::Result<()> {
    let number = version.0.cast_signed();
    transaction.prepare_cached("UPDATE moongate_state SET version = ?1")?.execute([number])?;
    let forget = "DELETE FROM moongate_changes WHERE version <= ?1";
    transaction.prepare_cached(forget)?.execute([version.0.saturating_sub(REMEMBERED).cast_signed()])?;
    let insert =
        "INSERT INTO moongate_changes (version, position, entity, entity_id) VALUES (?1, ?2, ?3, ?4)";
    let mut insert = transaction.prepare_cached(insert)?;
    if effects.len() > LISTED {
        insert.execute(params![number, 0, None::<&str>, None::<&str>])?;
        return Ok(());
    }
    for (position, effect) in effects.iter().enumerate() {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        insert.execute(params![number, position, &*effect.entity, effect.id.to_string()])?;
    }
    Ok(())
}

/// The rows that changed after version `known` up to `now`, or `None` if that is not written down.
fn listed(
    transaction: &Transaction<'_>,
    known: Version,
    now: Version,
) -> rusqlite::Result<Option<Vec<(String, Uuid)>>> {
    let select =
        "SELECT version, entity, entity_id FROM moongate_changes WHERE version > ?1 ORDER BY version";
    let mut statement = transaction.prepare_cached(select)?;
    let mut rows = statement.query([known.0.cast_signed()])?;
    let (mut changed, mut versions) = (Vec::new(), BTreeSet::new());
    while let Some(row) = rows.next()? {
        versions.insert(row.get::<_, i64>(0)?);
        let (entity, id): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let id = id.and_then(|id| Uuid::parse_str(&id).ok());
        let Some(one) = entity.zip(id) else { return Ok(None) };
        changed.push(one);
    }
    let is_whole = now > known && versions.len() as u64 == now.0 - known.0 && changed.len() <= LISTED;
    Ok(is_whole.then_some(changed))
}

fn record(table: &Table, row: &SqlRow<'_>) -> Result<(Uuid, Record), StoreError> {
    let kinds = table.columns.iter().map(|column| &column.kind).chain(table.ttl.then_some(&Kind::Moment));
    let mut cells = Vec::with_capacity(table.columns.len() + 1);
    for (at, kind) in kinds.enumerate() {
        let cell = cell(kind, row.get_ref(at).map_err(error)?);
        let column = table.columns.get(at).map_or(EXPIRY, |column| &column.name);
        let wrong =
            || StoreError::Corrupt(format!("`{column}` of `{}` has something else in it", table.name));
        cells.push(cell.ok_or_else(wrong)?);
    }
    record_of(table, cells)
}

/// The types of the columns that a table has, by their names; none if it is not there.
fn columns_of(transaction: &Transaction<'_>, table: &Table) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut statement = transaction.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
    statement.query_map([&*table.name], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
