//! A wheel on which each address has as many places as its weight says, spread evenly.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Largest number of places. Weights that would need more are rounded; nobody sees the difference.
const MAX_PLACES: u64 = 1 << 16;

/// The wheel of `(index, weight)` pairs: indices, in the order in which requests go to them.
pub(crate) fn build(weights: &[(u32, u32)]) -> Box<[u32]> {
    let divisor = weights.iter().fold(0, |divisor, (_, weight)| gcd(divisor, *weight)).max(1);
    let total: u64 = weights.iter().map(|(_, weight)| u64::from(weight / divisor)).sum();
    let places = |weight: u32| {
        let places = u64::from(weight / divisor);
        if total <= MAX_PLACES || places == 0 { places } else { (places * MAX_PLACES / total).max(1) }
    };
    // An address with n places wants them at 1/2n, 3/2n, 5/2n ... of the wheel. Whoever wants the earliest place
    // gets the next one.
    let mut next: BinaryHeap<Reverse<Wish>> = weights
        .iter()
        .filter(|(_, weight)| *weight > 0)
        .enumerate()
        .map(|(order, (index, weight))| {
            Reverse(Wish { at: 1, of: 2 * places(*weight), order, index: *index })
        })
        .collect();
    let mut wheel = Vec::with_capacity(total.min(MAX_PLACES) as usize + weights.len());
    while let Some(Reverse(wish)) = next.pop() {
        wheel.push(wish.index);
        if wish.at + 2 < wish.of {
            next.push(Reverse(Wish { at: wish.at + 2, ..wish }));
        }
    }
    wheel.into()
}

/// A place that an address wants, as a fraction of the wheel.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Wish {
    at: u64,
    of: u64,
    order: usize,
    index: u32,
}

impl Ord for Wish {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at * other.of).cmp(&(other.at * self.of)).then(self.order.cmp(&other.order))
    }
}

impl PartialOrd for Wish {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_spread_evenly() {
        assert_eq!(*build(&[(0, 100), (1, 100), (2, 100)]), [0, 1, 2]);
        assert_eq!(*build(&[(0, 25), (1, 75)]), [1, 0, 1, 1]);
        assert_eq!(*build(&[(0, 1), (1, 2)]), [1, 0, 1]);
        assert_eq!(*build(&[(7, 5), (9, 0)]), [7]);
        assert!(build(&[(0, 0)]).is_empty());
        assert!(build(&[]).is_empty());
    }

    #[test]
    fn a_wheel_does_not_grow_beyond_measure() {
        let wheel = build(&[(0, 65535), (1, 65534), (2, 65533), (3, 1)]);
        assert!(wheel.len() <= MAX_PLACES as usize + 4, "{}", wheel.len());
        assert_eq!(wheel.iter().filter(|index| **index == 3).count(), 1);
    }

    proptest! {
        #[test]
        fn each_address_has_places_in_proportion_to_its_weight(
            weights in prop::collection::vec(0_u32..1000, 1..10)
        ) {
            let pairs: Vec<_> = weights.iter().enumerate().map(|(at, weight)| (at as u32, *weight)).collect();
            let wheel = build(&pairs);
            let total: u32 = weights.iter().sum();
            for (index, weight) in pairs {
                let places = wheel.iter().filter(|at| **at == index).count() as u64;
                prop_assert_eq!(places * u64::from(total), u64::from(weight) * wheel.len() as u64);
            }
        }
    }
}
