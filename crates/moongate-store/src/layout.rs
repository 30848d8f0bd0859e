//! Which tables there are.

mod of_catalog;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The tables of all entities, those that are referred to before those that refer to them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layout {
    tables: Vec<Arc<Table>>,
    by_name: BTreeMap<String, usize>,
}

impl Layout {
    /// The layout with these tables. A table that is given twice is taken once.
    pub fn new(tables: impl IntoIterator<Item = Table>) -> Self {
        let given: BTreeMap<String, Arc<Table>> =
            tables.into_iter().map(|table| (table.name.to_string(), Arc::new(table))).collect();
        let mut ordered = Order { given: &given, seen: BTreeSet::new(), tables: Vec::new() };
        for name in given.keys() {
            ordered.visit(name);
        }
        let tables = ordered.tables;
        let by_name = tables.iter().enumerate().map(|(at, table)| (table.name.to_string(), at)).collect();
        Self { tables, by_name }
    }

    /// All tables, those that are referred to first.
    pub fn tables(&self) -> &[Arc<Table>] {
        &self.tables
    }

    /// The table of an entity.
    pub fn table(&self, entity: &str) -> Option<&Arc<Table>> {
        self.tables.get(*self.by_name.get(entity)?)
    }

    /// The tables which have foreign keys to `entity`, with those foreign keys.
    pub fn referring<'a>(
        &'a self,
        entity: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<Table>, &'a str, &'a Foreign)> {
        self.tables.iter().flat_map(move |table| {
            table
                .foreigns()
                .filter(move |(_, foreign)| foreign.references == entity)
                .map(move |(column, foreign)| (table, column.field.as_str(), foreign))
        })
    }
}

/// The table of one entity. Its first column is `id`.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Name of the entity, and of the table.
    pub name: Arc<str>,
    /// One column for each field, without `ttl`.
    pub columns: Vec<Column>,
    /// What must be unique, in the order in which it is checked.
    pub uniques: Vec<Unique>,
    /// Whether rows can expire.
    pub ttl: bool,
}

impl Table {
    /// The column of a field.
    pub fn column(&self, field: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == field)
    }

    /// Whether rows have `tags`.
    pub fn has_tags(&self) -> bool {
        self.column("tags").is_some()
    }

    /// The columns that are foreign keys.
    pub fn foreigns(&self) -> impl Iterator<Item = (&Column, &Foreign)> {
        self.columns.iter().filter_map(|column| match &column.kind {
            Kind::Foreign(foreign) => Some((column, foreign)),
            _ => None,
        })
    }
}

/// One field in its table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name of the field.
    pub field: String,
    /// Name of the column: that of the field, with `_id` after it for foreign keys.
    pub name: String,
    /// What is in it.
    pub kind: Kind,
}

impl Column {
    /// The column of `field`.
    pub fn new(field: impl Into<String>, kind: Kind) -> Self {
        let field = field.into();
        let name = if matches!(kind, Kind::Foreign(_)) { format!("{field}_id") } else { field.clone() };
        Self { field, name, kind }
    }
}

/// What is in a column. Every column except `id` can also have null.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A UUID, kept in lower case.
    Uuid,
    /// A string.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// Any number. What has no fraction is read as a whole number.
    Number,
    /// True or false.
    Boolean,
    /// Seconds since 1970 as a whole number; a time of day for whoever looks into the database.
    Timestamp,
    /// Seconds since 1970 with a fraction, kept to the microsecond.
    Moment,
    /// A list of strings.
    Texts,
    /// Any JSON.
    Json,
    /// The id of a row of another entity, `{"id": "<uuid>"}` in a row.
    Foreign(Foreign),
}

/// What a foreign key refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Name of the entity.
    pub references: String,
    /// What happens when the row that is referred to is removed.
    pub on_delete: OnDelete,
}

/// What happens to a row when one that it refers to is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnDelete {
    /// The removal is refused.
    #[default]
    Restrict,
    /// The row is removed too.
    Cascade,
    /// The foreign key becomes null.
    SetNull,
}

/// Fields whose values no two rows share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// The fields. Of one field nulls do not count; of several a null is equal to a null.
    pub fields: Vec<String>,
}

impl Unique {
    /// Fields that are unique together.
    pub fn new(fields: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { fields: fields.into_iter().map(Into::into).collect() }
    }

    /// Whether this is `field` and no other.
    pub fn is_alone(&self, field: &str) -> bool {
        matches!(self.fields.as_slice(), [only] if only == field)
    }
}

struct Order<'a> {
    given: &'a BTreeMap<String, Arc<Table>>,
    seen: BTreeSet<&'a str>,
    tables: Vec<Arc<Table>>,
}

impl<'a> Order<'a> {
    fn visit(&mut self, name: &'a str) {
        let Some(table) = self.given.get(name) else { return };
        if !self.seen.insert(name) {
            return;
        }
        for (_, foreign) in table.foreigns() {
            self.visit(&foreign.references);
        }
        self.tables.push(Arc::clone(table));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, refers: &[&str]) -> Table {
        let mut columns = vec![Column::new("id", Kind::Uuid)];
        columns.extend(refers.iter().map(|to| {
            let foreign = Foreign { references: (*to).to_owned(), on_delete: OnDelete::Cascade };
            Column::new(*to, Kind::Foreign(foreign))
        }));
        Table { name: name.into(), columns, uniques: Vec::new(), ttl: false }
    }

    #[test]
    fn tables_that_are_referred_to_come_first() {
        let layout = Layout::new([
            table("a", &["b", "c"]),
            table("b", &["c"]),
            table("c", &[]),
            table("d", &["a", "d"]),
        ]);
        let names: Vec<&str> = layout.tables().iter().map(|table| &*table.name).collect();
        assert_eq!(names, ["c", "b", "a", "d"]);
        let to_c: Vec<_> = layout.referring("c").map(|(table, field, _)| (&*table.name, field)).collect();
        assert_eq!(to_c, [("b", "c"), ("a", "c")]);
        assert_eq!(layout.table("a").unwrap().column("b").unwrap().name, "b_id");
    }
}
