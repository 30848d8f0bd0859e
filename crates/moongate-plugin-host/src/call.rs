//! Runs one call of a guest within its budgets, and says what went wrong in the host's words.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use moongate_hooks::HookError;
use tokio::time::Instant;

use crate::settings::{PluginSettings, bounds};
use crate::state::{GuestState, Waits};

/// Waits for `future`, but not longer than `budget`; the time that the guest waits for the network is not counted.
///
/// Most calls end at the first poll, so the timer is only made for those that did not.
pub(crate) async fn within<F: Future>(budget: Duration, waits: &Waits, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let first = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
    if let Poll::Ready(output) = first {
        return Some(output);
    }
    let (started, longest) = (Instant::now(), Duration::from_secs(bounds::WAITING));
    loop {
        let spent = started.elapsed().saturating_sub(waits.total());
        let left = if waits.are_under_way() { budget } else { budget.saturating_sub(spent) };
        match tokio::time::timeout(left, future.as_mut()).await {
            Ok(output) => return Some(output),
            Err(_) if started.elapsed() > budget + longest => return None,
            Err(_) if waits.are_under_way() => {}
            Err(_) if started.elapsed().saturating_sub(waits.total()) >= budget => return None,
            Err(_) => {}
        }
    }
}

/// Adds up how long `future` runs, if that is asked for: the time inside of it, not the time that it waits.
pub(crate) async fn timed<F: Future>(mut ran: Option<&mut Duration>, future: F) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| {
        let Some(ran) = &mut ran else { return future.as_mut().poll(cx) };
        let began = Instant::now();
        let polled = future.as_mut().poll(cx);
        **ran += began.elapsed();
        polled
    })
    .await
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

/// The name of a function as its author wrote it, if it is a symbol of Rust: without the hash at its end.
fn demangle(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}
