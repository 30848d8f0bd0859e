//! Writes to the gateway's log.
//!
//! Lines longer than 4 KiB are cut, and lines beyond 100 per second and plugin on one worker are dropped.

use crate::raw::log as raw;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Steps of interest to the plugin's author only.
    Trace,
    /// Facts that help to find a fault.
    Debug,
    /// What an operator wants to know in ordinary times.
    Info,
    /// Something is off, and was dealt with.
    Warn,
    /// Something failed.
    Error,
}

/// Writes a line.
pub fn write(level: Level, message: &str) {
    raw::write(level.into(), message);
}

/// Whether lines of this level are written at all; saves composing one for nothing.
pub fn enabled(level: Level) -> bool {
    raw::enabled(level.into())
}

/// Writes a line for the plugin's author.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Writes a line for ordinary times.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Writes a warning.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Writes that something failed.
pub fn error(message: &str) {
    write(Level::Error, message);
}
