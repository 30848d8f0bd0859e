//! Statements for tables of a layout, for both databases.

use crate::StoreError;
use crate::layout::{Column, Kind, Layout, OnDelete, Table, Unique};

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The statement that makes the table, where it is not there yet. Its indexes are not part of it.
    pub(crate) fn create(self, table: &Table, layout: &Layout) -> String {
        let columns = table.columns.iter().map(|column| self.column(column, layout));
        let expiry = table.ttl.then(|| self.expiry());
        let columns: Vec<String> = columns.chain(expiry).collect();
        format!("CREATE TABLE IF NOT EXISTS {} (\n  {}\n)", quoted(&table.name), columns.join(",\n  "))
    }

    /// The names of all indexes of the table, and the statements that make them where they are not there yet.
    pub(crate) fn indexes(self, table: &Table) -> Vec<(String, String)> {
        let name = quoted(&table.name);
        let mut indexes = Vec::new();
        let mut add = |what: &str, fields: &[String], suffix: &str, rest: &str| {
            let index = index_name(table, fields, suffix);
            let statement = format!("CREATE {what} IF NOT EXISTS {} ON {name} {rest}", quoted(&index));
            indexes.push((index, statement));
        };
        // What cannot be indexed is still checked before each write.
        for unique in table.uniques.iter().filter(|unique| is_indexable(table, unique)) {
            let columns = self.unique_columns(table, unique);
            add("UNIQUE INDEX", &unique.fields, "key", &format!("({columns})"));
        }
        for (column, _) in table.foreigns() {
            let fields = std::slice::from_ref(&column.field);
            add("INDEX", fields, "idx", &format!("({})", quoted(&column.name)));
        }
        if self == Self::Postgres && table.column("tags").is_some_and(|column| column.kind == Kind::Texts) {
            add("INDEX", &["tags".to_owned()], "idx", "USING gin (\"tags\")");
        }
        indexes
    }

    /// The definition of a column.
    pub(crate) fn column(self, column: &Column, layout: &Layout) -> String {
        let name = quoted(&column.name);
        let kind = self.type_name(&column.kind);
        let more = match &column.kind {
            _ if column.field == "id" => " PRIMARY KEY NOT NULL".to_owned(),
            // Checked at the end of the transaction: what is allowed was worked out before.
            Kind::Foreign(foreign) if layout.table(&foreign.references).is_some() => {
                let on_delete = match foreign.on_delete {
                    OnDelete::Restrict => "NO ACTION",
                    OnDelete::Cascade => "CASCADE",
                    OnDelete::SetNull => "SET NULL",
                };
                let references = quoted(&foreign.references);
                format!(
                    " REFERENCES {references} (\"id\") ON DELETE {on_delete} DEFERRABLE INITIALLY DEFERRED"
                )
            }
            _ => String::new(),
        };
        format!("{name} {kind}{more}")
    }

    /// The definition of the column for the expiry of rows.
    pub(crate) fn expiry(self) -> String {
        format!("\"{EXPIRY}\" {}", self.type_name(&Kind::Moment))
    }

    pub(crate) fn type_name(self, kind: &Kind) -> &'static str {
        match (self, kind) {
            (Self::Postgres, Kind::Uuid | Kind::Foreign(_)) => "uuid",
            (Self::Postgres, Kind::Text) => "text",
            (Self::Postgres, Kind::Integer) => "bigint",
            (Self::Postgres, Kind::Number) => "double precision",
            (Self::Postgres, Kind::Boolean) => "boolean",
            (Self::Postgres, Kind::Timestamp | Kind::Moment) => "timestamp with time zone",
            (Self::Postgres, Kind::Texts) => "text[]",
            (Self::Postgres, Kind::Json) => "jsonb",
            (Self::Sqlite, Kind::Integer | Kind::Timestamp) => "INTEGER",
            (Self::Sqlite, Kind::Number | Kind::Moment) => "REAL",
            (Self::Sqlite, Kind::Boolean) => "BOOLEAN",
            (Self::Sqlite, _) => "TEXT",
        }
    }

    /// Checks that a column that is there has the type that its kind asks for.
    pub(crate) fn check_type(
        self,
        table: &Table,
        column: &str,
        kind: &Kind,
        found: &str,
    ) -> Result<(), StoreError> {
        let wanted = self.type_name(kind);
        if found == wanted {
            return Ok(());
        }
        let table = &table.name;
        Err(StoreError::Corrupt(format!(
            "column `{column}` of table `{table}` is {found}, {wanted} is needed"
        )))
    }

    /// Reads all rows; the columns come in the order of cells.
    pub(crate) fn select(table: &Table) -> String {
        format!("SELECT {} FROM {}", names(table).join(", "), quoted(&table.name))
    }

    /// Writes a new row, with the cells as parameters.
    pub(crate) fn insert(self, table: &Table) -> String {
        let names = names(table);
        let places: Vec<String> = (1..=names.len()).map(|at| self.place(at)).collect();
        format!("INSERT INTO {} ({}) VALUES ({})", quoted(&table.name), names.join(", "), places.join(", "))
    }

    /// Writes all columns of the row whose id is the first parameter.
    pub(crate) fn update(self, table: &Table) -> String {
        let names = names(table);
        let sets = names.iter().enumerate().map(|(at, name)| format!("{name} = {}", self.place(at + 1)));
        // The id is set too, to what it is: so that every parameter is used, also in a table of ids only.
        let sets: Vec<String> = sets.collect();
        format!("UPDATE {} SET {} WHERE \"id\" = {}", quoted(&table.name), sets.join(", "), self.place(1))
    }

    /// Removes the row whose id is the parameter.
    pub(crate) fn delete(self, table: &Table) -> String {
        format!("DELETE FROM {} WHERE \"id\" = {}", quoted(&table.name), self.place(1))
    }

    fn place(self, at: usize) -> String {
        match self {
            Self::Postgres => format!("${at}"),
            Self::Sqlite => format!("?{at}"),
        }
    }

    /// What is indexed for a unique: of several fields, nulls are equal to nulls.
    fn unique_columns(self, table: &Table, unique: &Unique) -> String {
        let columns = unique.fields.iter().filter_map(|field| table.column(field)).map(|column| {
            let name = quoted(&column.name);
            match &column.kind {
                _ if unique.fields.len() == 1 => name,
                Kind::Text => format!("coalesce({name}, '')"),
                _ if self == Self::Sqlite => format!("coalesce({name}, '')"),
                _ => format!("coalesce({name}::text, '')"),
            }
        });
        columns.collect::<Vec<_>>().join(", ")
    }
}

fn is_indexable(table: &Table, unique: &Unique) -> bool {
    let plain = |kind: &Kind| {
        matches!(kind, Kind::Uuid | Kind::Foreign(_) | Kind::Text | Kind::Integer | Kind::Boolean)
    };
    unique.fields.iter().all(|field| table.column(field).is_some_and(|column| plain(&column.kind)))
}

/// A name as SQL takes it whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The quoted names of all columns in the order of cells.
fn names(table: &Table) -> Vec<String> {
    let expiry = table.ttl.then_some(EXPIRY);
    table.columns.iter().map(|column| column.name.as_str()).chain(expiry).map(quoted).collect()
}

/// The name of an index. Postgres knows 63 bytes of a name, so longer ones end in a digest.
fn index_name(table: &Table, fields: &[String], suffix: &str) -> String {
    let name = format!("{}_{}_{suffix}", table.name, fields.join("_"));
    if name.len() <= 63 {
        return name;
    }
    let digest = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).simple();
    let start: String = name.chars().take_while(char::is_ascii).take(30).collect();
    format!("{start}_{digest}")
}

/// The column for the expiry of rows.
pub(crate) const EXPIRY: &str = "expires_at";
