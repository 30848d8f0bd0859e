//! Making the tables that a layout asks for.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, Row};

use super::super::error::error;
use super::{roll_back, run};
use crate::StoreError;
use crate::layout::{Kind, Layout, Table};
use crate::sql::{Dialect, EXPIRY, quoted};

/// Makes what is missing, in a transaction of its own.
pub(in super::super) async fn adopt(client: &ClientWrapper, layout: &Layout) -> Result<(), StoreError> {
    // Most often there is nothing to do, and nobody has to wait.
    if missing(client, layout).await?.is_empty() {
        return Ok(());
    }
    one_at_a_time(client).await?;
    match adopt_within(client, layout).await {
        Ok(()) => run(client, "COMMIT").await,
        Err(error) => {
            roll_back(client).await?;
            Err(error)
        }
    }
}

/// Begins a transaction that makes tables or migrates. There is only one such at a time.
pub(in super::super) async fn one_at_a_time(client: &ClientWrapper) -> Result<(), StoreError> {
    run(client, &format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})")).await
}

/// Makes what is missing, in the transaction that was begun.
pub(in super::super) async fn adopt_within(
    client: &ClientWrapper,
    layout: &Layout,
) -> Result<(), StoreError> {
    // Without writers: they would wait for tables that are being changed, and those for others that they wrote to.
    run(client, "SELECT version FROM moongate_state FOR UPDATE").await?;
    for statement in missing(client, layout).await? {
        run(client, &statement).await?;
    }
    Ok(())
}

/// The statements for what is missing.
async fn missing(client: &ClientWrapper, layout: &Layout) -> Result<Vec<String>, StoreError> {
    let present = Present::read(client).await.map_err(|failure| error(&failure))?;
    let mut statements = Vec::new();
    for table in layout.tables() {
        present.complete(table, layout, &mut statements)?;
    }
    Ok(statements)
}

/// What the schema has.
struct Present {
    /// The types of columns by table and name.
    columns: BTreeMap<String, BTreeMap<String, String>>,
    indexes: BTreeSet<String>,
    /// The tables which record changes that are made by hand.
    watched: BTreeSet<String>,
}

impl Present {
    async fn read(client: &ClientWrapper) -> Result<Self, Error> {
        let mut columns: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for row in client.query(COLUMNS, &[]).await? {
            columns.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?, row.try_get(2)?);
        }
        let names =
            |rows: Vec<Row>| rows.iter().map(|row| row.try_get::<_, String>(0)).collect::<Result<_, Error>>();
        let indexes = names(client.query(INDEXES, &[]).await?)?;
        let watched = names(client.query(WATCHED, &[]).await?)?;
        Ok(Self { columns, indexes, watched })
    }

    fn complete(
        &self,
        table: &Table,
        layout: &Layout,
        statements: &mut Vec<String>,
    ) -> Result<(), StoreError> {
        let sql = Dialect::Postgres;
        let name = quoted(&table.name);
        match self.columns.get(&*table.name) {
            None => statements.push(sql.create(table, layout)),
            Some(columns) => {
                let expiry = table.ttl.then(|| (EXPIRY, &Kind::Moment, sql.expiry()));
                let wanted = table
                    .columns
                    .iter()
                    .map(|column| (column.name.as_str(), &column.kind, sql.column(column, layout)));
                for (column, kind, definition) in wanted.chain(expiry) {
                    match columns.get(column) {
                        None => statements.push(format!("ALTER TABLE {name} ADD COLUMN {definition}")),
                        Some(found) => sql.check_type(table, column, kind, found)?,
                    }
                }
            }
        }
        let indexes = sql.indexes(table).into_iter().filter(|(index, _)| !self.indexes.contains(index));
        statements.extend(indexes.map(|(_, statement)| statement));
        if !self.watched.contains(&*table.name) {
            statements.push(format!(
                "CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name} \
                 FOR EACH STATEMENT EXECUTE FUNCTION moongate_changed()"
            ));
        }
        Ok(())
    }
}

const COLUMNS: &str = "
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped";

const INDEXES: &str = "SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema()";

const WATCHED: &str = "
SELECT c.relname::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND t.tgname = 'moongate_changed'";

const TRIGGER: &str = "moongate_changed";

/// Which of the locks that Postgres has for programs: any number that others are not likely to choose.
const LOCK: i64 = 0x6d6f_6f6e_6761_7465;
