//! Reads secrets from vaults. Needs the grant `secrets`.

use crate::raw::secrets as raw;

/// The value that a reference such as `{vault://env/my-secret}` stands for. References in a configuration are
/// replaced before the plugin sees it; this is for those that come from elsewhere.
///
/// # Errors
/// Why there is no such value.
pub fn get(reference: &str) -> Result<String, String> {
    raw::get(reference)
}
