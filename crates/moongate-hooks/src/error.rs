//! What can go wrong with a hook, and what follows from it.

use serde::{Deserialize, Serialize};

/// Why a hook gave no decision.
///
/// The instance that ran it is gone when this is returned, except for [`HookError::Plugin`]; the request
/// gets the [`FailurePolicy`] of its plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HookError {
    /// The plugin itself reported a failure.
    #[error("{0}")]
    Plugin(String),
    /// The guest trapped: a panic, an unreachable, a stack overflow, an access out of bounds.
    #[error("trapped: {message}")]
    Trap {
        /// The cause, with the guest's backtrace where there is one.
        message: String,
    },
    /// The guest computed for longer than its CPU budget.
    #[error("used more than {budget_ms} ms of CPU time")]
    CpuBudget {
        /// The budget, in milliseconds.
        budget_ms: u64,
    },
    /// The hook took longer than its wall-clock budget.
    #[error("took longer than {budget_ms} ms")]
    WallBudget {
        /// The budget, in milliseconds.
        budget_ms: u64,
    },
    /// The guest asked for more memory than it may have.
    #[error("asked for more than {limit} bytes of memory")]
    Memory {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Every instance that the plugin may have on this worker is busy.
    #[error("all {limit} instances are busy")]
    Saturated {
        /// The limit.
        limit: usize,
    },
    /// It failed again and again, and is not called for a while.
    #[error("is not called for a while, because it failed again and again")]
    Resting,
    /// No instance could be made.
    #[error("could not be instantiated: {0}")]
    Instantiate(String),
    /// The plugin refused a configuration that it had accepted at admission.
    #[error("refused its configuration: {0}")]
    Configure(String),
    /// The plugin does not export the hook.
    #[error("does not export this hook")]
    NotExported,
}

impl HookError {
    /// A stable word for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Plugin(_) => "plugin_error",
            Self::Trap { .. } => "plugin_trap",
            Self::CpuBudget { .. } => "plugin_cpu_budget",
            Self::WallBudget { .. } => "plugin_wall_budget",
            Self::Memory { .. } => "plugin_memory",
            Self::Saturated { .. } => "plugin_saturated",
            Self::Resting => "plugin_resting",
            Self::Instantiate(_) => "plugin_instantiate",
            Self::Configure(_) => "plugin_configure",
            Self::NotExported => "plugin_hook_missing",
        }
    }
}

/// Who caused a failed request; part of every access-log line and error metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The client sent something wrong, or went away.
    Client,
    /// The upstream refused, failed or was too slow.
    Upstream,
    /// A plugin failed.
    Plugin,
    /// The gateway itself, by configuration or fault.
    Gateway,
}

/// What a request gets when one of its plugins fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FailurePolicy {
    /// The request is answered with 500; the default, because a check that did not run was not passed.
    #[default]
    Closed,
    /// The request goes on as if the plugin were not there.
    Open,
}

/// Why a plugin configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// No plugin of that name is loaded.
    #[error("plugin '{name}' not enabled; put its .wasm file into one of the plugin directories")]
    UnknownPlugin {
        /// The name in the configuration.
        name: String,
    },
    /// The newest artifact of that name was refused and no older one serves.
    #[error("plugin '{name}' cannot be loaded: {reason}")]
    RefusedPlugin {
        /// The name in the configuration.
        name: String,
        /// Why its artifact was refused.
        reason: String,
    },
    /// The plugin did not accept the configuration.
    #[error("plugin '{name}' refuses its configuration: {}", Problem::list(.problems))]
    Refused {
        /// The name in the configuration.
        name: String,
        /// What is wrong, one entry for each place.
        problems: Vec<Problem>,
    },
    /// The plugin failed while it looked at the configuration.
    #[error("plugin '{name}' failed while being configured: {error}")]
    Failed {
        /// The name in the configuration.
        name: String,
        /// What happened.
        error: HookError,
    },
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where, as a dotted path into the configuration; empty for the whole.
    pub path: String,
    /// What, and what would be right.
    pub message: String,
}

impl Problem {
    /// Several problems in one line.
    pub fn list(problems: &[Self]) -> String {
        problems.iter().map(Self::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}
