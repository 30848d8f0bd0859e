//! What time it is.
//!
//! In a component the gateway's clock, in a test the one of [`crate::testing::Gateway`], which the test may set.

use std::time::Duration;

/// Time since 1970.
///
/// [`Request::started`](crate::Request::started) is often what is wanted instead: it does not move during a
/// request.
pub fn now() -> Duration {
    #[cfg(target_family = "wasm")]
    return std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    #[cfg(not(target_family = "wasm"))]
    crate::testing::clock::now()
}
