//! What authors of plugins need: templates, builds in each language, and tests through a gateway.

pub(crate) mod build;
pub(crate) mod cases;
pub(crate) mod language;
pub(crate) mod project;
pub(crate) mod sources;
pub(crate) mod template;
pub(crate) mod tools;
