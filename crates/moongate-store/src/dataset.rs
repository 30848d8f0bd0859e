//! Everything in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use crate::change::{Effect, Version};
use crate::collection::Collection;
use crate::key::Key;
use crate::layout::{Layout, Table};
use crate::page::{Offset, Page, PageRequest, TagOffset, TagPage, TagRow};
use crate::record::Record;
use crate::{Row, StoreError};

/// All rows of all entities at one version.
///
/// Cloning it costs a few counts, whatever its size. A change to a clone copies a small part of the entity's rows.
#[derive(Debug, Clone)]
pub struct Dataset {
    layout: Arc<Layout>,
    version: Version,
    collections: Arc<BTreeMap<Arc<str>, Arc<Collection>>>,
}

impl Dataset {
    /// No rows, at version 0.
    pub fn new(layout: Arc<Layout>) -> Self {
        let collections = layout
            .tables()
            .iter()
            .map(|table| (Arc::clone(&table.name), Arc::new(Collection::new(Arc::clone(table)))));
        let collections = Arc::new(collections.collect());
        Self { layout, version: Version(0), collections }
    }

    /// Which entities there are.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Of which version of the store this is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How many rows `entity` has, with those that have expired and are not yet removed.
    pub fn len(&self, entity: &str) -> usize {
        self.collection(entity).map_or(0, Collection::len)
    }

    /// Whether no entity has a row.
    pub fn is_empty(&self) -> bool {
        self.collections.values().all(|collection| collection.len() == 0)
    }

    /// The row of `entity` with this id, expired or not.
    pub fn get(&self, entity: &str, id: Uuid) -> Option<&Arc<Record>> {
        self.collection(entity)?.get(id)
    }

    /// All rows of `entity` in the order of ids, expired or not. None if there is no such entity.
    pub fn rows(&self, entity: &str) -> impl Iterator<Item = &Arc<Record>> {
        self.collection(entity).into_iter().flat_map(|collection| collection.iter().map(|(_, record)| record))
    }

    /// The rows of `entity` whose foreign key `field` refers to `id`, in the order of ids, expired or not.
    pub fn referring(&self, entity: &str, field: &str, id: Uuid) -> impl Iterator<Item = &Arc<Record>> {
        let collection = self.collection(entity).into_iter();
        collection.flat_map(move |collection| collection.referring(field, id, None).map(|(_, record)| record))
    }

    /// The row of `entity` with this key, if it has one that is not expired at `now` (milliseconds since 1970).
    pub fn lookup(&self, entity: &str, key: &Key, now: u64) -> Option<&Arc<Record>> {
        let collection = self.collection(entity)?;
        match key {
            Key::Id(id) => collection.get(*id).filter(|record| !record.is_expired(now)),
            Key::Unique(fields) => collection.find(fields, now).map(|(_, record)| record),
        }
    }

    /// The row of `entity` that has this text in `field`, which is unique on its own, if it has one that is not expired
    /// at `now`. Made for requests: it costs less than [`Dataset::lookup`].
    pub fn lookup_text(&self, entity: &str, field: &str, text: &str, now: u64) -> Option<&Arc<Record>> {
        self.collection(entity)?.find_text(field, text).filter(|record| !record.is_expired(now))
    }

    /// What is known of `entity`, if there is one of this name.
    pub fn table(&self, entity: &str) -> Option<&Table> {
        self.collection(entity).map(|collection| &**collection.table())
    }

    /// As [`Dataset::lookup`], with the row as it is read from a store.
    ///
    /// # Errors
    /// [`StoreError::UnknownEntity`].
    pub fn find(&self, entity: &str, key: &Key, now: u64) -> Result<Option<Row>, StoreError> {
        let ttl = self.known(entity)?.table().ttl;
        Ok(self.lookup(entity, key, now).map(|record| record.read(now, ttl)))
    }

    /// Some rows of `entity` that are not expired at `now`.
    ///
    /// # Errors
    /// [`StoreError::UnknownEntity`].
    pub fn page(&self, entity: &str, request: &PageRequest, now: u64) -> Result<Page, StoreError> {
        let collection = self.known(entity)?;
        let after = request.offset.map(|Offset(id)| id);
        let records: Box<dyn Iterator<Item = (Uuid, &Arc<Record>)>> = match (&request.foreign, after) {
            (Some((field, parent)), after) => Box::new(collection.referring(field, *parent, after)),
            (None, Some(after)) => Box::new(collection.after(after)),
            (None, None) => Box::new(collection.iter()),
        };
        let chosen = |record: &Record| {
            !record.is_expired(now)
                && request.tags.as_ref().is_none_or(|filter| filter.accepts(record.get("tags")))
        };
        let mut records = records.filter(|(_, record)| chosen(record));
        let (mut rows, mut last) = (Vec::new(), after);
        for (id, record) in records.by_ref().take(request.size) {
            rows.push(record.read(now, collection.table().ttl));
            last = Some(id);
        }
        let next = records.next().and(last.or(Some(Uuid::nil()))).map(Offset);
        Ok(Page { rows, next })
    }

    /// Some tags of all rows that are not expired at `now`; with `tag`, only where it is this one.
    pub fn tags(&self, tag: Option<&str>, size: usize, offset: Option<TagOffset>, now: u64) -> TagPage {
        let mut holders = BTreeMap::new();
        for (name, collection) in
            self.collections.iter().filter(|(_, collection)| collection.table().has_tags())
        {
            let rows: Box<dyn Iterator<Item = (Uuid, &Arc<Record>)>> = match offset {
                Some(offset) => Box::new(
                    collection
                        .get(offset.id)
                        .map(|record| (offset.id, record))
                        .into_iter()
                        .chain(collection.after(offset.id)),
                ),
                None => Box::new(collection.iter()),
            };
            let tagged = rows.filter(|(_, record)| !record.is_expired(now) && !tags_of(record).is_empty());
            // No page needs more rows of one entity than it has places, and one to know whether there is more.
            let wanted = tagged
                .filter(|(_, record)| tag.is_none_or(|tag| tags_of(record).iter().any(|one| one == tag)));
            holders.extend(wanted.take(size + 2).map(|(id, record)| ((id, name), record)));
        }
        let all = holders.iter().flat_map(|((id, name), record)| {
            let tags = tags_of(record).iter().filter_map(Value::as_str).enumerate();
            tags.map(move |(at, tag)| (*id, *name, at, tag))
        });
        let mut wanted = all.filter(|(id, _, at, one)| {
            tag.is_none_or(|tag| *one == tag)
                && offset.is_none_or(|offset| *id > offset.id || *at >= offset.seen)
        });
        let (mut rows, mut last) = (Vec::new(), offset);
        for (id, name, at, tag) in wanted.by_ref().take(size) {
            rows.push(TagRow { tag: tag.to_owned(), entity: name.to_string(), id });
            last = Some(TagOffset { id, seen: at + 1 });
        }
        let next = wanted.next().and(last);
        TagPage { rows, next }
    }

    /// Takes over what a write did, and its version. Effects on entities that are not known are left out.
    pub fn apply(&mut self, effects: &[Effect], version: Version) {
        for effect in effects {
            match &effect.after {
                Some(record) => self.put(&effect.entity, effect.id, Arc::clone(record)),
                None => drop(self.remove(&effect.entity, effect.id)),
            }
        }
        self.version = version;
    }

    pub(crate) fn put(&mut self, entity: &str, id: Uuid, record: Arc<Record>) {
        if let Some(collection) = self.collection_mut(entity) {
            collection.put(id, record);
        }
    }

    pub(crate) fn remove(&mut self, entity: &str, id: Uuid) -> Option<Arc<Record>> {
        self.collection_mut(entity)?.remove(id)
    }

    pub(crate) fn known(&self, entity: &str) -> Result<&Collection, StoreError> {
        self.collection(entity).ok_or_else(|| StoreError::UnknownEntity(entity.to_owned()))
    }

    /// The same rows in another layout. Rows of entities that it does not have are left out.
    pub(crate) fn relaid(&self, layout: Arc<Layout>) -> Self {
        let mut next = Self::new(Arc::clone(&layout));
        next.version = self.version;
        for table in layout.tables() {
            let Some(old) = self.collection(&table.name) else { continue };
            for (id, record) in old.iter() {
                next.put(&table.name, id, Arc::new(record.relaid(table)));
            }
        }
        next
    }

    fn collection(&self, entity: &str) -> Option<&Collection> {
        self.collections.get(entity).map(|collection| &**collection)
    }

    fn collection_mut(&mut self, entity: &str) -> Option<&mut Collection> {
        Arc::make_mut(&mut self.collections).get_mut(entity).map(Arc::make_mut)
    }
}

fn tags_of(record: &Record) -> &[Value] {
    record.get("tags").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
