//! The log, on standard error.

use std::sync::OnceLock;
use std::time::Duration;

use moongate_admin::LogLevel as Level;
use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt, reload};

use crate::properties::{LogFormat, LogLevel, Properties};

/// What the log can be told while it runs.
struct Control {
    filter: reload::Handle<LevelFilter, Registry>,
    levels: Mutex<Levels>,
}

struct Levels {
    /// As the properties say.
    configured: Level,
    current: Level,
    /// Counts the changes, so that an older one does not end a newer one.
    changes: u64,
}

static CONTROL: OnceLock<Control> = OnceLock::new();

/// Starts logging as the properties say. Once in a process; later calls change nothing.
pub(crate) fn start(properties: &Properties) {
    let level = level_of(properties.log_level);
    let (filter, handle) = reload::Layer::new(filter_of(level));
    let log = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    let registry = tracing_subscriber::registry().with(filter);
    let started = match properties.log_format {
        LogFormat::Text => registry.with(log).try_init(),
        LogFormat::Json => registry.with(log.json().flatten_event(true)).try_init(),
    };
    if started.is_ok() {
        let levels = Levels { configured: level, current: level, changes: 0 };
        // The log has been started just now, for the first time.
        let _ = CONTROL.set(Control { filter: handle, levels: Mutex::new(levels) });
    }
}

/// From which level on messages are logged.
pub(crate) fn level() -> Level {
    CONTROL.get().map_or(Level::Notice, |control| control.levels.lock().current)
}

/// Logs from `level` on for so long, then as the properties say. Within a tokio runtime.
pub(crate) fn set_level(level: Level, timeout: Duration) {
    let Some(control) = CONTROL.get() else { return };
    let change = {
        let mut levels = control.levels.lock();
        levels.current = level;
        levels.changes += 1;
        levels.changes
    };
    apply(control, level);
    tokio::spawn(async move {
        tokio::time::sleep(timeout).await;
        let mut levels = control.levels.lock();
        if levels.changes == change {
            levels.current = levels.configured;
            apply(control, levels.configured);
        }
    });
}

fn apply(control: &Control, level: Level) {
    if let Err(error) = control.filter.reload(filter_of(level)) {
        tracing::warn!(%error, "the log level cannot be changed");
    }
}

fn level_of(level: LogLevel) -> Level {
    match level {
        LogLevel::Debug => Level::Debug,
        LogLevel::Info => Level::Info,
        LogLevel::Notice => Level::Notice,
        LogLevel::Warn => Level::Warn,
        LogLevel::Error => Level::Error,
        LogLevel::Crit => Level::Critical,
        LogLevel::Alert => Level::Alert,
        LogLevel::Emerg => Level::Emergency,
    }
}

/// The level at which the gateway logs the same things; it knows fewer than syslog.
fn filter_of(level: Level) -> LevelFilter {
    match level {
        Level::Debug => LevelFilter::DEBUG,
        Level::Info | Level::Notice => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error | Level::Critical | Level::Alert | Level::Emergency => LevelFilter::ERROR,
    }
}
