//! The log, on standard error.

use crate::properties::{LogFormat, Properties};

/// Starts logging as the properties say. Once in a process; later calls change nothing.
pub(crate) fn start(properties: &Properties) {
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(properties.log_level.filter())
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let _ = match properties.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}
