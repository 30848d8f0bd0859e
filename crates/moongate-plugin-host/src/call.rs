//! Runs one call of a guest within its budgets, and says what went wrong in the host's words.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use moongate_hooks::HookError;

use crate::settings::PluginSettings;
use crate::state::GuestState;

/// Waits for `future`, but not longer than `budget`.
///
/// Most calls end at the first poll, so the timer is only made for those that did not.
pub(crate) async fn within<F: Future>(budget: Duration, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let first = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
    match first {
        Poll::Ready(output) => Some(output),
        Poll::Pending => tokio::time::timeout(budget, future).await.ok(),
    }
}

/// Names the failure of a call that trapped or was cut off. The instance must not be used again.
pub(crate) fn classify(
    error: Option<&wasmtime::Error>,
    state: &GuestState,
    settings: &PluginSettings,
) -> HookError {
    let Some(error) = error else {
        return HookError::WallBudget { budget_ms: settings.wall_budget.as_millis() as u64 };
    };
    if state.meter.exhausted() {
        return HookError::CpuBudget { budget_ms: settings.cpu_budget.as_millis() as u64 };
    }
    if state.memory.refused {
        return HookError::Memory { limit: state.memory.limit };
    }
    HookError::Trap { message: describe(error, state) }
}

/// The cause of a trap: what the guest wrote last, the trap itself, and the guest's backtrace.
fn describe(error: &wasmtime::Error, state: &GuestState) -> String {
    let mut text = state.output.take().trim().to_owned();
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&error.root_cause().to_string());
    if let Some(backtrace) = error.downcast_ref::<wasmtime::WasmBacktrace>() {
        for frame in backtrace.frames() {
            let name = frame.func_name().map_or_else(|| format!("function {}", frame.func_index()), demangle);
            text.push_str("\n  at ");
            text.push_str(&name);
        }
    }
    text
}

fn demangle(name: &str) -> String {
    // Hashes at the end of Rust's names differ between builds and tell nobody anything.
    let name = name.split("::h").next().unwrap_or(name);
    name.to_owned()
}
