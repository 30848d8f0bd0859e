//! The declarative format: a whole configuration in one file.
//!
//! A file is taken as a whole or not at all, and everything that is wrong with it is reported at once.
//! Reading happens in two steps. First every item becomes a draft, with problems collected on the way
//! and parents remembered as they are written; then, when all names are known, the parents are looked
//! up. A reference may therefore point forward, and it is checked even in a file that has other problems.

mod collector;
mod document;
mod error;
mod migrate;
mod plugin;
mod problems;
mod protocol_rule;
mod reader;
mod resolve;
mod route;
mod rules;
mod service;

pub use error::DeclarativeError;
pub use problems::Problems;

use std::fmt::Write;

use md5::{Digest, Md5};

use crate::Entities;
use collector::Collector;

/// A configuration that was read without a problem.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Declaration {
    /// Everything that the file declares, with defaults filled in and references resolved.
    pub entities: Entities,
    /// MD5 of the file's text in hex, or 32 zeros when it declares no entity.
    pub hash: String,
}

/// Reads a declarative configuration, in YAML or JSON.
///
/// `now`, in Unix seconds, becomes the time at which the entities were created, unless they have one.
/// Formats `1.1` and `2.1` are upgraded on the way. The settings of plugins are handed on as they are:
/// only a plugin's own schema can tell whether they are right.
///
/// # Errors
/// [`DeclarativeError::Syntax`] when the text is no document of the right shape at all, otherwise
/// [`DeclarativeError::Invalid`] with everything that is wrong with its content.
pub fn parse(text: &str, now: i64) -> Result<Declaration, DeclarativeError> {
    let mut document = document::read(text)?;
    migrate::upgrade(&mut document);
    let mut collector = Collector::new(now);
    collector.document(&document);
    let entities = resolve::resolve(collector).map_err(DeclarativeError::Invalid)?;
    let hash = if entities == Entities::default() { "0".repeat(32) } else { md5_hex(text) };
    Ok(Declaration { entities, hash })
}

fn md5_hex(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests;
