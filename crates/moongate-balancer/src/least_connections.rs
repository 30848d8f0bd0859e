//! Chooses the address with the fewest requests under way for its weight.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::address::{Address, AddressId};

/// Of equals, the first from `start` on is chosen, so that idle addresses take turns.
pub(crate) fn choose<'a>(
    addresses: &'a [Arc<Address>],
    available: &[u32],
    tried: &[AddressId],
    start: usize,
) -> Option<&'a Arc<Address>> {
    let (behind, before) = available.split_at_checked(start % available.len().max(1))?;
    let mut best: Option<(u64, &Arc<Address>)> = None;
    for index in before.iter().chain(behind) {
        let Some(address) = addresses.get(*index as usize) else { continue };
        if tried.contains(&address.id()) {
            continue;
        }
        let load = u64::from(address.state.active.load(Ordering::Relaxed)) + 1;
        let is_better = best.is_none_or(|(known, chosen)| {
            load * u64::from(chosen.weight) < known * u64::from(address.weight)
        });
        if is_better {
            best = Some((load, address));
        }
    }
    best.map(|(_, address)| address)
}
