//! Runs the plugins of a request.

use moongate_hooks::{Decision, Exchange, FailurePolicy, HookError, PluginRuntime, Reply};

use crate::snapshot::{Chain, Link};

/// How the request hooks of a chain ended.
pub(crate) enum Outcome {
    /// The request goes on.
    Continue,
    /// A plugin answered.
    Respond(Reply),
    /// A plugin failed whose failures are not to be overlooked.
    Failed,
}

/// Runs request hooks in order until one answers.
pub(crate) async fn on_request<R: PluginRuntime>(
    runtime: &R,
    worker: usize,
    chain: &Chain<R>,
    mut exchange: Box<Exchange>,
) -> (Box<Exchange>, Outcome) {
    for link in &chain.request {
        let (back, decision) = runtime.on_request(worker, &link.binding, exchange).await;
        exchange = back;
        match decision {
            Ok(Decision::Continue) => {}
            Ok(Decision::Respond(reply)) => return (exchange, Outcome::Respond(reply)),
            Err(error) if is_overlooked(link, &error) => {}
            Err(_) => return (exchange, Outcome::Failed),
        }
    }
    (exchange, Outcome::Continue)
}

/// Runs response hooks in order. Says whether none failed, or only such whose failures are overlooked.
pub(crate) async fn on_response<R: PluginRuntime>(
    runtime: &R,
    worker: usize,
    chain: &Chain<R>,
    mut exchange: Box<Exchange>,
) -> (Box<Exchange>, bool) {
    let mut sound = true;
    for link in &chain.response {
        let (back, result) = runtime.on_response(worker, &link.binding, exchange).await;
        exchange = back;
        if let Err(error) = result {
            sound &= is_overlooked(link, &error);
        }
    }
    (exchange, sound)
}

fn is_overlooked<R: PluginRuntime>(link: &Link<R>, error: &HookError) -> bool {
    let open = link.on_failure == FailurePolicy::Open;
    tracing::debug!(code = error.code(), open, "a plugin failed: {error}");
    open
}
