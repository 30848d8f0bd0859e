//! A map that is cheap to clone and cheap to change after it was cloned.
//!
//! The entries are spread over sixty-four maps, each behind a count of its own. A change to a clone copies one of them,
//! so one write to fifty thousand rows copies less than a thousand pointers.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use uuid::Uuid;

/// What can be spread evenly over the shards.
pub(crate) trait Spread: Ord + Clone {
    /// A number below [`SHARDS`].
    fn spread(&self) -> usize;
}

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Sharded<K, V> {
    shards: Arc<[Shard<K, V>]>,
    len: usize,
}

type Shard<K, V> = Arc<BTreeMap<K, V>>;

impl<K: Spread, V: Clone> Sharded<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.shards.get(key.spread())?.get(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let old = self.shard_mut(&key)?.insert(key, value);
        if old.is_none() {
            self.len += 1;
        }
        old
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        // A look first: a shard that does not have the key need not be copied.
        self.get(key)?;
        let old = self.shard_mut(key)?.remove(key);
        self.len -= usize::from(old.is_some());
        old
    }

    /// All entries. In the order of keys if shards follow the order of keys, as they do for ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    /// The entries after `key`, for keys whose shards follow their order.
    pub(crate) fn after<'a>(&'a self, key: &K) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V> {
        let at = key.spread();
        let own = self.shards.get(at).into_iter();
        let own = own.flat_map({
            let key = key.clone();
            move |shard| shard.range((Bound::Excluded(key.clone()), Bound::Unbounded))
        });
        own.chain(self.shards.iter().skip(at + 1).flat_map(|shard| shard.iter()))
    }

    /// The entries from `first` to `last`, which must be of one shard.
    pub(crate) fn range<'a>(
        &'a self,
        first: &K,
        last: &K,
    ) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V> {
        let bounds = (Bound::Included(first.clone()), Bound::Included(last.clone()));
        self.shards.get(first.spread()).into_iter().flat_map(move |shard| shard.range(bounds.clone()))
    }

    fn shard_mut(&mut self, key: &K) -> Option<&mut BTreeMap<K, V>> {
        Arc::make_mut(&mut self.shards).get_mut(key.spread()).map(Arc::make_mut)
    }
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        let empty = Arc::new(BTreeMap::new());
        Self { shards: (0..SHARDS).map(|_| Arc::clone(&empty)).collect(), len: 0 }
    }
}

impl Spread for Uuid {
    fn spread(&self) -> usize {
        let [first, ..] = self.as_bytes();
        usize::from(first >> 2)
    }
}

/// All pairs with the same first id are in one shard.
impl Spread for (Uuid, Uuid) {
    fn spread(&self) -> usize {
        self.0.spread()
    }
}

impl Spread for String {
    fn spread(&self) -> usize {
        let hash = self.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        usize::try_from((hash >> 32) % 64).unwrap_or(0)
    }
}

const SHARDS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_in_the_order_of_their_ids() {
        let mut map = Sharded::default();
        let mut ids: Vec<Uuid> = (0..500).map(|_| Uuid::new_v4()).collect();
        for id in &ids {
            map.insert(*id, id.to_string());
        }
        ids.sort();
        assert_eq!(map.len(), 500);
        assert!(map.iter().map(|(id, _)| id).eq(ids.iter()));
        assert!(map.after(&ids[123]).map(|(id, _)| id).eq(ids[124..].iter()));
    }

    #[test]
    fn a_change_leaves_clones_as_they_were() {
        let mut map = Sharded::default();
        map.insert("a".to_owned(), 1);
        let before = map.clone();
        assert_eq!(map.insert("a".to_owned(), 2), Some(1));
        assert_eq!(map.insert("b".to_owned(), 3), None);
        assert_eq!(map.remove(&"zzz".to_owned()), None);
        assert_eq!(
            (before.len(), before.get(&"a".to_owned()), before.get(&"b".to_owned())),
            (1, Some(&1), None)
        );
        assert_eq!((map.len(), map.get(&"a".to_owned()), map.get(&"b".to_owned())), (2, Some(&2), Some(&3)));
        assert_eq!(map.remove(&"a".to_owned()), Some(2));
        assert_eq!(map.len(), 1);
    }

    #[test]
    fn a_change_copies_one_shard() {
        let mut map = Sharded::default();
        for _ in 0..1000 {
            map.insert(Uuid::new_v4(), ());
        }
        let before = map.clone();
        map.insert(Uuid::new_v4(), ());
        let copied = map.shards.iter().zip(before.shards.iter()).filter(|(a, b)| !Arc::ptr_eq(a, b)).count();
        assert_eq!(copied, 1);
    }

    #[test]
    fn pairs_are_found_by_their_first_id() {
        let (a, b) = (Uuid::from_u128(7 << 120), Uuid::from_u128((7 << 120) + 1));
        let mut map = Sharded::default();
        for n in 0..10_u128 {
            map.insert((a, Uuid::from_u128(n)), ());
            map.insert((b, Uuid::from_u128(n)), ());
        }
        let found = map.range(&(a, Uuid::nil()), &(a, Uuid::max()));
        assert!(found.map(|(key, ())| *key).eq((0..10).map(|n| (a, Uuid::from_u128(n)))));
    }
}
