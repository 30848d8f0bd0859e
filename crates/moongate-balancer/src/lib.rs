//! Which target of an upstream a request goes to, and which targets are healthy.
#![deny(missing_docs)]
