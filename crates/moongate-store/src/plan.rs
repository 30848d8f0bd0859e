//! What a write does, worked out on the dataset before anything is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::change::{Change, Effect, Outcome};
use crate::dataset::Dataset;
use crate::fit::{Ttl, fit};
use crate::key::Key;
use crate::layout::{OnDelete, Table};
use crate::record::Record;
use crate::{Row, StoreError};

/// A write that is allowed.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Everything after the write, still with the version from before.
    pub(crate) next: Dataset,
    /// Single steps which a database can take in this order: parents are there before children, and what was unique
    /// is gone before it comes again.
    pub(crate) steps: Vec<Effect>,
    /// All rows that are other than before, each once.
    pub(crate) effects: Arc<[Effect]>,
    /// What comes of each change.
    pub(crate) outcomes: Vec<Outcome>,
}

impl Plan {
    /// Works out what `changes` do to `base` at `now`, in milliseconds since 1970.
    pub(crate) fn new(base: &Dataset, changes: Vec<Change>, now: u64) -> Result<Self, StoreError> {
        let mut planner = Planner { dataset: base.clone(), steps: Vec::new(), now };
        let outcomes = changes.into_iter().map(|change| planner.change(change)).collect::<Result<_, _>>()?;
        Ok(planner.finish(outcomes))
    }

    /// Works out the removal of all rows that have expired at `now`.
    pub(crate) fn purge(base: &Dataset, now: u64) -> Result<Self, StoreError> {
        let mut planner = Planner { dataset: base.clone(), steps: Vec::new(), now };
        let layout = Arc::clone(base.layout());
        for table in layout.tables().iter().filter(|table| table.ttl) {
            let expired = base.rows(&table.name).filter(|record| record.is_expired(now));
            for id in expired.filter_map(|record| record.id()) {
                planner.remove(table, id)?;
            }
        }
        Ok(planner.finish(Vec::new()))
    }
}

struct Planner {
    dataset: Dataset,
    steps: Vec<Effect>,
    now: u64,
}

impl Planner {
    fn finish(self, outcomes: Vec<Outcome>) -> Plan {
        let effects = net(&self.steps).into();
        Plan { next: self.dataset, steps: self.steps, effects, outcomes }
    }

    fn change(&mut self, change: Change) -> Result<Outcome, StoreError> {
        match change {
            Change::Insert { entity, row } => {
                let table = self.table(&entity)?;
                let (row, ttl) = fit(&table, row)?;
                self.insert(&table, row, ttl)
            }
            Change::Update { entity, before, after } => self.update(&entity, before, after),
            Change::Upsert { entity, key, row } => self.upsert(&entity, &key, row),
            Change::Delete { entity, id } => {
                let table = self.table(&entity)?;
                self.live(&table, id).ok_or(StoreError::NotFound)?;
                self.remove(&table, id)?;
                Ok(Outcome::Deleted)
            }
            Change::Clear => {
                self.clear();
                Ok(Outcome::Deleted)
            }
        }
    }

    fn insert(&mut self, table: &Arc<Table>, row: Row, ttl: Ttl) -> Result<Outcome, StoreError> {
        let id = self.id_of(table, &row)?;
        if self.live(table, id).is_some() {
            return Err(StoreError::PrimaryKeyViolation { entity: table.name.to_string(), id });
        }
        self.remove(table, id)?;
        let expires_at = self.expiry(ttl);
        let row = self.put(table, id, row, expires_at)?;
        Ok(Outcome::Created(row))
    }

    fn update(&mut self, entity: &str, before: Row, after: Row) -> Result<Outcome, StoreError> {
        let table = self.table(entity)?;
        let (before, _) = fit(&table, before)?;
        let (after, ttl) = fit(&table, after)?;
        let id = self.id_of(&table, &before)?;
        if self.id_of(&table, &after)? != id {
            let why = "an id cannot be changed".to_owned();
            return Err(StoreError::Unfit { entity: entity.to_owned(), field: "id".to_owned(), why });
        }
        let current = self.live(&table, id).ok_or(StoreError::NotFound)?;
        if *current.row() != before {
            return Err(StoreError::Conflict { entity: entity.to_owned(), id });
        }
        let expires_at = if ttl == Ttl::Unsaid { current.expires_at() } else { self.expiry(ttl) };
        let row = self.put(&table, id, after, expires_at)?;
        Ok(Outcome::Replaced(row))
    }

    fn upsert(&mut self, entity: &str, key: &Key, mut row: Row) -> Result<Outcome, StoreError> {
        let table = self.table(entity)?;
        let found = self.dataset.lookup(entity, key, self.now).and_then(|record| record.id());
        let id = match key {
            Key::Id(id) => Some(*id),
            Key::Unique(_) => found,
        };
        if let Some(id) = id {
            row.insert("id".to_owned(), id.to_string().into());
        }
        let (row, ttl) = fit(&table, row)?;
        match found {
            None => self.insert(&table, row, ttl),
            Some(id) => {
                let expires_at = self.expiry(ttl);
                let row = self.put(&table, id, row, expires_at)?;
                Ok(Outcome::Replaced(row))
            }
        }
    }

    /// Removes a row with all that goes with it. Does nothing if there is no such row.
    fn remove(&mut self, table: &Arc<Table>, id: Uuid) -> Result<(), StoreError> {
        if self.dataset.get(&table.name, id).is_none() {
            return Ok(());
        }
        let layout = Arc::clone(self.dataset.layout());
        for (child, field, foreign) in layout.referring(&table.name) {
            let referring: Vec<Arc<Record>> =
                self.dataset.referring(&child.name, field, id).map(Arc::clone).collect();
            for record in referring {
                let Some(child_id) =
                    record.id().filter(|child_id| child.name != table.name || *child_id != id)
                else {
                    continue;
                };
                match foreign.on_delete {
                    _ if record.is_expired(self.now) => self.remove(child, child_id)?,
                    OnDelete::Cascade => self.remove(child, child_id)?,
                    OnDelete::SetNull => {
                        let mut row = (**record).clone();
                        row.insert(field.to_owned(), serde_json::Value::Null);
                        self.put(child, child_id, row, record.expires_at())?;
                    }
                    OnDelete::Restrict => {
                        let (entity, by) = (table.name.to_string(), child.name.to_string());
                        return Err(StoreError::ForeignKeyReferenced { entity, by });
                    }
                }
            }
        }
        let before = self.dataset.remove(&table.name, id);
        self.steps.push(Effect { entity: Arc::clone(&table.name), id, before, after: None });
        Ok(())
    }

    fn clear(&mut self) {
        let layout = Arc::clone(self.dataset.layout());
        for table in layout.tables().iter().rev() {
            let all: Vec<Uuid> = self.dataset.rows(&table.name).filter_map(|record| record.id()).collect();
            for id in all {
                let before = self.dataset.remove(&table.name, id);
                self.steps.push(Effect { entity: Arc::clone(&table.name), id, before, after: None });
            }
        }
    }

    /// Checks and puts a row, and gives it as it is read.
    fn put(
        &mut self,
        table: &Arc<Table>,
        id: Uuid,
        row: Row,
        expires_at: Option<u64>,
    ) -> Result<Row, StoreError> {
        self.check_uniques(table, id, &row)?;
        self.check_foreigns(table, id, &row)?;
        let record = Arc::new(Record::new(row, expires_at));
        let before = self.dataset.get(&table.name, id).map(Arc::clone);
        self.dataset.put(&table.name, id, Arc::clone(&record));
        let read = record.read(self.now, table.ttl);
        self.steps.push(Effect { entity: Arc::clone(&table.name), id, before, after: Some(record) });
        Ok(read)
    }

    fn check_uniques(&mut self, table: &Arc<Table>, id: Uuid, row: &Row) -> Result<(), StoreError> {
        for (at, unique) in table.uniques.iter().enumerate() {
            let holder = self.dataset.known(&table.name)?.holder(at, unique, row);
            let Some((holder, record)) = holder.filter(|(holder, _)| *holder != id) else { continue };
            if record.is_expired(self.now) {
                self.remove(table, holder)?;
                continue;
            }
            let fields = unique
                .fields
                .iter()
                .map(|field| (field.clone(), row.get(field).cloned().unwrap_or_default()));
            return Err(StoreError::UniqueViolation {
                entity: table.name.to_string(),
                fields: fields.collect(),
            });
        }
        Ok(())
    }

    fn check_foreigns(&self, table: &Table, id: Uuid, row: &Row) -> Result<(), StoreError> {
        for (column, foreign) in table.foreigns() {
            let Some(parent) = crate::record::foreign_id(row.get(&column.field)) else { continue };
            let is_itself = foreign.references == *table.name && parent == id;
            let referred = self.dataset.get(&foreign.references, parent);
            if !is_itself && referred.is_none_or(|record| record.is_expired(self.now)) {
                return Err(StoreError::ForeignKeyMissing {
                    entity: table.name.to_string(),
                    field: column.field.clone(),
                    id: parent,
                    references: foreign.references.clone(),
                });
            }
        }
        Ok(())
    }

    fn table(&self, entity: &str) -> Result<Arc<Table>, StoreError> {
        self.dataset.known(entity).map(|collection| Arc::clone(collection.table()))
    }

    fn live(&self, table: &Table, id: Uuid) -> Option<&Arc<Record>> {
        self.dataset.get(&table.name, id).filter(|record| !record.is_expired(self.now))
    }

    fn expiry(&self, ttl: Ttl) -> Option<u64> {
        match ttl {
            Ttl::Unsaid | Ttl::Never => None,
            Ttl::In(milliseconds) => Some(self.now.saturating_add(milliseconds)),
        }
    }

    fn id_of(&self, table: &Table, row: &Row) -> Result<Uuid, StoreError> {
        crate::record::id_of(row.get("id")).ok_or_else(|| StoreError::Unfit {
            entity: table.name.to_string(),
            field: "id".to_owned(),
            why: "a row without an id".to_owned(),
        })
    }
}

/// The steps with one for each row, without those that were undone.
fn net(steps: &[Effect]) -> Vec<Effect> {
    let mut at: BTreeMap<(&str, Uuid), usize> = BTreeMap::new();
    let mut effects: Vec<Effect> = Vec::new();
    for step in steps {
        let known = at.get(&(&*step.entity, step.id)).and_then(|at| effects.get_mut(*at));
        match known {
            Some(effect) => effect.after.clone_from(&step.after),
            None => {
                at.insert((&step.entity, step.id), effects.len());
                effects.push(step.clone());
            }
        }
    }
    effects.retain(|effect| effect.before != effect.after);
    effects
}

#[cfg(test)]
mod tests;
