//! Who goes first where there are fewer cores than work.

/// How far threads stand back; 0 is as others, 19 as far as can be.
const NICENESS: i32 = 5;

/// Lets the threads that serve requests go before this one, and before those that it starts.
///
/// What is asked of the Admin API can take a core for a while. Where the system does not let threads stand back, they
/// share with the others.
pub(crate) fn stand_back() {
    let _ = rustix::process::nice(NICENESS);
}
