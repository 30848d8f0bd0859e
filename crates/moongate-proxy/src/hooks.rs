//! Runs the plugins of a request.

use moongate_hooks::{BodyView, Decision, Exchange, FailurePolicy, HookError, PluginRuntime, Refusal, Reply};

use crate::chain::{Chain, Link};
use crate::trace::{self, Ended};

/// How the request hooks of a chain ended.
pub(crate) enum Outcome {
    /// The request goes on.
    Continue,
    /// A plugin answered.
    Respond(Reply),
    /// A plugin answered, in the form of the gateway's own errors.
    Refuse(Refusal),
    /// A plugin failed whose failures are not to be overlooked.
    Failed,
}

/// The links that apply to a request where that depends on who sent it, in order.
pub(crate) type Picked<R> = Option<Vec<Link<R>>>;

/// Runs early-request hooks in order until one answers.
pub(crate) async fn on_early_request<R: PluginRuntime>(
    runtime: &R,
    worker: usize,
    links: &[Link<R>],
    mut exchange: Box<Exchange>,
) -> (Box<Exchange>, Outcome) {
    for link in links {
        trace::begin(&mut exchange);
        let (back, decision) = runtime.on_early_request(worker, &link.binding, exchange).await;
        exchange = back;
        trace::end(&mut exchange, &link.name, "early request", Ended::of(&decision));
        if let Some(outcome) = judged(link, decision) {
            return (exchange, outcome);
        }
    }
    (exchange, Outcome::Continue)
}

/// Runs request hooks in order until one answers.
pub(crate) async fn on_request<R: PluginRuntime>(
    runtime: &R,
    worker: usize,
    chain: &Chain<R>,
    mut exchange: Box<Exchange>,
) -> (Box<Exchange>, Outcome, Picked<R>) {
    if !chain.choices.is_empty() {
        let (exchange, outcome, picked) = Box::pin(on_chosen_request(runtime, worker, chain, exchange)).await;
        return (exchange, outcome, Some(picked));
    }
    for link in &chain.request {
        trace::begin(&mut exchange);
        let (back, decision) = runtime.on_request(worker, &link.binding, exchange).await;
        exchange = back;
        trace::end(&mut exchange, &link.name, "request", Ended::of(&decision));
        if let Some(outcome) = judged(link, decision) {
            return (exchange, outcome, None);
        }
    }
    (exchange, Outcome::Continue, None)
}

/// As [`on_request`], where it matters who sends the request: each plugin is chosen by what is known when its turn
/// comes. Those behind one that answered do not see the request, but its response.
async fn on_chosen_request<R: PluginRuntime>(
    runtime: &R,
    worker: usize,
    chain: &Chain<R>,
    mut exchange: Box<Exchange>,
) -> (Box<Exchange>, Outcome, Vec<Link<R>>) {
    let mut picked = Vec::with_capacity(chain.choices.len());
    let mut outcome = Outcome::Continue;
    for choice in &chain.choices {
        let Some(link) = choice.select(&exchange).cloned() else { continue };
        if link.hooks.request && matches!(outcome, Outcome::Continue) {
            trace::begin(&mut exchange);
            let (back, decision) = runtime.on_request(worker, &link.binding, exchange).await;
            exchange = back;
            trace::end(&mut exchange, &link.name, "request", Ended::of(&decision));
            if let Some(other) = judged(&link, decision) {
                outcome = other;
            }
        }
        picked.push(link);
    }
    (exchange, outcome, picked)
}

/// What follows from a decision, where the request does not go on.
fn judged<R: PluginRuntime>(link: &Link<R>, decision: Result<Decision, HookError>) -> Option<Outcome> {
    match decision {
        Ok(Decision::Continue) => None,
        Ok(Decision::Respond(reply)) => Some(Outcome::Respond(reply)),
        Ok(Decision::Fail(refusal)) => Some(Outcome::Refuse(refusal)),
        Err(error) if is_overlooked(link, &error) => None,
        Err(_) => Some(Outcome::Failed),
    }
}

/// A plugin that wants to see the body of a response.
pub(crate) struct Watcher<R: PluginRuntime> {
    pub(crate) link: Link<R>,
    pub(crate) view: BodyView,
}

/// How the response hooks of a chain ended.
pub(crate) struct Responded<R: PluginRuntime> {
    /// Whether none failed, or only such whose failures are overlooked.
    pub(crate) sound: bool,
    /// The plugins that want to see the body, in order.
    pub(crate) watchers: Vec<Watcher<R>>,
}

/// Runs response hooks in order.
pub(crate) async fn on_response<R: PluginRuntime>(
    runtime: &R,
    worker: usize,
    links: impl Iterator<Item = &Link<R>>,
    mut exchange: Box<Exchange>,
) -> (Box<Exchange>, Responded<R>) {
    let mut responded = Responded { sound: true, watchers: Vec::new() };
    for link in links {
        if link.hooks.response {
            trace::begin(&mut exchange);
            let (back, result) = runtime.on_response(worker, &link.binding, exchange).await;
            exchange = back;
            let ended = if result.is_ok() { Ended::Continue } else { Ended::Failed };
            trace::end(&mut exchange, &link.name, "response", ended);
            if let Err(error) = result {
                responded.sound &= is_overlooked(link, &error);
            }
        } else {
            exchange.body_view = Some(BodyView::Chunks);
        }
        if let Some(view) = exchange.body_view.take().filter(|_| link.hooks.response_body) {
            responded.watchers.push(Watcher { link: link.clone(), view });
        }
    }
    (exchange, responded)
}

pub(crate) fn is_overlooked<R: PluginRuntime>(link: &Link<R>, error: &HookError) -> bool {
    let open = link.on_failure == FailurePolicy::Open;
    tracing::debug!(code = error.code(), open, "a plugin failed: {error}");
    open
}
