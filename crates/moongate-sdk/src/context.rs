//! Values that live as long as one request.
//!
//! Keys and values of a request may take 64 KiB together. Outside of requests reads give nothing and writes
//! say `false`.

use crate::raw::context as raw;

/// A value that this plugin stored earlier in the same request.
pub fn get(key: &str) -> Option<Vec<u8>> {
    raw::get(key)
}

/// Stores a value for this plugin's later hooks. Says `false`, and changes nothing, when there is no room.
pub fn set(key: &str, value: impl AsRef<[u8]>) -> bool {
    raw::set(key, Some(value.as_ref()))
}

/// Forgets a value of this plugin.
pub fn remove(key: &str) {
    raw::set(key, None);
}

/// A value that any plugin of the request shared.
pub fn get_shared(key: &str) -> Option<Vec<u8>> {
    raw::get_shared(key)
}

/// Stores a value that all plugins of the request see; as [`set`] otherwise.
pub fn set_shared(key: &str, value: impl AsRef<[u8]>) -> bool {
    raw::set_shared(key, Some(value.as_ref()))
}

/// Forgets a shared value.
pub fn remove_shared(key: &str) {
    raw::set_shared(key, None);
}
