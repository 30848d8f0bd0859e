//! The schema language that entities and plugin configurations are declared in.
#![deny(missing_docs)]
