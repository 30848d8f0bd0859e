//! How a plugin is made.

use crate::{Problem, Schema};

/// What every plugin implements: how it is made from a configuration.
///
/// The name and version in the manifest are those of the crate, unless [`Plugin::NAME`] says otherwise.
pub trait Plugin: Sized + 'static {
    /// The configuration, usually a struct with [`macro@crate::config`].
    type Config: serde::de::DeserializeOwned + schemars::JsonSchema;

    /// Name by which configurations refer to the plugin; the crate's name when `None`.
    const NAME: Option<&'static str> = None;

    /// Position among the plugins of a request: the higher runs earlier. Kong's authentication plugins have
    /// 1000 to 1500, its transformers 800.
    const PRIORITY: i32 = 0;

    /// Entities that the plugin adds, each a schema in the gateway's own form as JSON text; usually
    /// `include_str!` of a file beside the code. They get tables, endpoints of the Admin API and a place in
    /// declarative configuration; [`crate::entities`] finds their rows.
    const ENTITIES: &'static [&'static str] = &[];

    /// Schema of the configuration: that of [`Plugin::Config`], where nothing else is said.
    fn schema() -> Schema {
        Schema::of::<Self::Config>()
    }

    /// Prepares what requests will need.
    ///
    /// Called for each configuration when it is checked, and once in each new instance.
    ///
    /// # Errors
    /// What is wrong with the configuration. It is then refused, and whatever ran before goes on.
    fn new(config: Self::Config) -> Result<Self, Vec<Problem>>;
}
