//! Where the entities are kept.
#![deny(missing_docs)]
