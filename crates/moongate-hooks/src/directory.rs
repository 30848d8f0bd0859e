//! What plugins can look up of the configuration.

use crate::Consumer;

/// The configuration that is served, as plugins see it.
///
/// Object-safe and in memory: nothing here waits.
pub trait Directory: Send + Sync + 'static {
    /// The consumer with this id or username.
    fn consumer(&self, id_or_username: &str) -> Option<Consumer>;

    /// The entity whose id or unique field has this value, as JSON text.
    ///
    /// # Errors
    /// See [`LookupError`].
    fn find(&self, entity: &str, field: &str, value: &str) -> Result<Option<String>, LookupError>;

    /// The entities whose field refers to the entity with this id, as JSON texts.
    ///
    /// # Errors
    /// See [`LookupError`].
    fn referring(&self, entity: &str, field: &str, id: &str) -> Result<Vec<String>, LookupError>;

    /// Whether there is an upstream entity of this name.
    fn has_upstream(&self, name: &str) -> bool;

    /// What a vault reference stands for.
    ///
    /// # Errors
    /// What is wrong with the reference, or with the vault.
    fn secret(&self, reference: &str) -> Result<String, String>;
}

/// Why nothing could be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// There is no such entity.
    #[error("there is no such entity")]
    UnknownEntity,
    /// The entity has no such field, or no index over it.
    #[error("the entity has no such field, or it is neither unique nor a reference")]
    UnknownField,
}
