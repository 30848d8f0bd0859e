//! A ring on which addresses have points, and values find the next address downwards.
//!
//! Points depend on the addresses alone, not on their order or on chance, so every worker and every node sends a
//! value to the same address, and a new address takes over only the values that its own points catch.

use std::sync::Arc;

use twox_hash::XxHash32;

use crate::address::Address;
use crate::target::Target;

/// Fewest points on a ring.
const MIN_POINTS: u32 = 1000;

/// Points of an address, when all have the same weight.
const POINTS_EACH: f64 = 160.0;

/// The hash of a value, as [`crate::Request::hash`] takes it.
pub fn hash(value: &[u8]) -> u32 {
    XxHash32::oneshot(0, value)
}

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    size: u32,
    /// Points that are taken, ascending, with the index of the address.
    points: Box<[(u32, u32)]>,
}

impl Ring {
    /// A ring with `slots` points for the `addresses` of `targets`.
    pub(crate) fn build(slots: u32, targets: &[Target], addresses: &[Arc<Address>]) -> Self {
        let size = if slots >= MIN_POINTS { slots } else { MIN_POINTS };
        let mut sorted: Vec<(usize, &Arc<Address>)> =
            addresses.iter().enumerate().filter(|(_, address)| address.weight > 0).collect();
        // Where two addresses want the same point, the order decides.
        sorted.sort_by_cached_key(|(_, address)| {
            let target = targets.get(address.target);
            (target.map(|target| (&target.host, target.port)), address.authority())
        });
        let total: f64 = sorted.iter().map(|(_, address)| f64::from(address.weight)).sum();
        let mut taken: Vec<Option<u32>> = vec![None; size as usize];
        for (index, address) in sorted {
            let share = f64::from(address.weight) / total;
            let mut wanted = ((share * targets.len() as f64 * POINTS_EACH) as u32).max(1);
            let (ip, port) = (address.socket.ip(), address.socket.port());
            for number in 1..=size {
                if wanted == 0 {
                    break;
                }
                let point = hash(format!("{ip}::{port} {number}").as_bytes()) % size;
                if let Some(free) = taken.get_mut(point as usize).filter(|point| point.is_none()) {
                    *free = Some(index as u32);
                    wanted -= 1;
                }
            }
        }
        let points = taken
            .into_iter()
            .enumerate()
            .filter_map(|(point, index)| index.map(|index| (point as u32, index)))
            .collect();
        Self { size, points }
    }

    /// The index of the first address, downwards from where `hash` is, that is `usable`.
    pub(crate) fn find(&self, hash: u32, usable: impl Fn(u32) -> bool) -> Option<u32> {
        let place = hash % self.size.max(1);
        let (below, above) = self.points.split_at(self.points.partition_point(|(point, _)| *point <= place));
        below.iter().rev().chain(above.iter().rev()).map(|(_, index)| *index).find(|index| usable(*index))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::address::State;

    fn addresses(weights: &[u32]) -> Vec<Arc<Address>> {
        weights
            .iter()
            .enumerate()
            .map(|(at, weight)| {
                let ip = format!("10.0.0.{}", at + 1);
                let socket = format!("{ip}:8000").parse().unwrap();
                Arc::new(Address::new(socket, *weight, at, ip.into(), Arc::new(State::new())))
            })
            .collect()
    }

    fn ring(slots: u32, weights: &[u32]) -> Ring {
        let addresses = addresses(weights);
        let targets: Vec<_> =
            addresses.iter().map(|address| Target::parse(address.authority(), address.weight)).collect();
        Ring::build(slots, &targets, &addresses)
    }

    fn owners(ring: &Ring, values: u32) -> Vec<u32> {
        (0..values).map(|value| ring.find(hash(value.to_string().as_bytes()), |_| true).unwrap()).collect()
    }

    #[test]
    fn a_hash_is_xxh32_without_a_seed() {
        assert_eq!(hash(b""), 0x02cc_5d05);
        assert_eq!(hash(b"a"), 0x550d_7456);
        assert_eq!(hash(b"abc"), 0x32d1_53ff);
    }

    #[test]
    fn a_new_address_takes_over_its_share_and_nothing_else_moves() {
        let (before, after) =
            (owners(&ring(10_000, &[100; 9]), 20_000), owners(&ring(10_000, &[100; 10]), 20_000));
        let moved: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
        assert!((1_400..2_600).contains(&moved.len()), "{} of 20000 moved", moved.len());
        // Collisions of points let a few others move as well.
        let elsewhere = moved.iter().filter(|(_, after)| **after != 9).count();
        assert!(elsewhere < 300, "{elsewhere} moved to an address that is not new");
    }

    #[test]
    fn values_are_spread_by_weight() {
        let owners = owners(&ring(10_000, &[100, 200, 100]), 20_000);
        let count = |index| owners.iter().filter(|owner| **owner == index).count();
        assert!((8_000..12_000).contains(&count(1)), "{}", count(1));
        assert!((3_500..6_500).contains(&count(0)), "{}", count(0));
        assert!((3_500..6_500).contains(&count(2)), "{}", count(2));
    }

    #[test]
    fn an_address_of_little_weight_has_a_point_all_the_same() {
        let ring = ring(1_000, &[65_535, 1]);
        assert!(ring.points.iter().any(|(_, index)| *index == 1));
    }

    #[test]
    fn more_addresses_than_points_fit() {
        let ring = ring(10, &[100; 50]);
        assert_eq!(ring.size, 1000);
        assert_eq!(ring.points.len(), 1000);
    }

    #[test]
    fn an_unusable_address_is_passed_by_and_only_its_values_move() {
        let ring = ring(10_000, &[100; 4]);
        for value in 0..2_000_u32 {
            let hash = hash(&value.to_le_bytes());
            let (all, without) = (ring.find(hash, |_| true), ring.find(hash, |index| index != 2));
            assert_ne!(without, Some(2));
            assert!(all == Some(2) || all == without);
        }
        assert_eq!(ring.find(1, |_| false), None);
        assert_eq!(Ring::default().find(1, |_| true), None);
    }
}
