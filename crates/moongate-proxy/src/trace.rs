//! What became of one request, for whoever asked to be told with the header `Kong-Debug`.
//!
//! Only where a property allows it: the answer names routes, services and plugins, and what plugins changed.

use std::fmt::Write;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use moongate_hooks::{Decision, Exchange, HeaderEdit, HookError, Matched};
use serde::Serialize;
use tokio::time::Instant;

use crate::options::ProxyOptions;

/// The steps so far.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    steps: Vec<Step>,
    before: Before,
}

/// What one plugin did in one hook.
#[derive(Debug, Serialize)]
struct Step {
    plugin: String,
    hook: &'static str,
    /// Microseconds.
    took: u64,
    outcome: &'static str,
    /// Changes of the request.
    request: Vec<String>,
    /// Changes of the response, made now or asked for.
    response: Vec<String>,
}

/// The exchange as a plugin got it.
#[derive(Debug, Default)]
struct Before {
    at: Option<Instant>,
    request: HeaderMap,
    target: String,
    edits: usize,
    response: Option<(StatusCode, HeaderMap)>,
}

/// How a hook ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Continue,
    Respond,
    Failed,
}

impl Ended {
    /// How a request hook ended.
    pub(crate) fn of(decision: &Result<Decision, HookError>) -> Self {
        match decision {
            Ok(Decision::Continue) => Self::Continue,
            Ok(_) => Self::Respond,
            Err(_) => Self::Failed,
        }
    }
}

/// Keeps a trace with the exchange from now on, if one is asked for and allowed.
pub(crate) fn start(options: &ProxyOptions, exchange: &mut Exchange) {
    if options.allow_debug_header && exchange.kept.is_none() && exchange.request.headers.contains_key(DEBUG) {
        exchange.kept = Some(Box::<Trace>::default());
    }
}

/// A plugin is about to get the exchange.
pub(crate) fn begin(exchange: &mut Exchange) {
    let Some(mut kept) = exchange.kept.take() else { return };
    if let Some(trace) = kept.downcast_mut::<Trace>() {
        trace.begin(exchange);
    }
    exchange.kept = Some(kept);
}

/// The plugin gave it back.
pub(crate) fn end(exchange: &mut Exchange, plugin: &str, hook: &'static str, ended: Ended) {
    let Some(mut kept) = exchange.kept.take() else { return };
    if let Some(trace) = kept.downcast_mut::<Trace>() {
        trace.end(plugin, hook, exchange, ended);
    }
    exchange.kept = Some(kept);
}

/// Tells of it in the headers of the response.
pub(crate) fn tell(exchange: &mut Exchange, headers: &mut HeaderMap) {
    if let Some(trace) = exchange.kept.take().and_then(|kept| kept.downcast::<Trace>().ok()) {
        trace.tell(exchange.matched.as_deref(), headers);
    }
}

impl Trace {
    /// A plugin is about to get the exchange.
    fn begin(&mut self, exchange: &Exchange) {
        self.before = Before {
            at: Some(Instant::now()),
            request: exchange.request.headers.clone(),
            target: exchange.request.uri.to_string(),
            edits: exchange.response_edits.len(),
            response: exchange.response.as_ref().map(|head| (head.status, head.headers.clone())),
        };
    }

    /// The plugin gave it back.
    fn end(&mut self, plugin: &str, hook: &'static str, exchange: &Exchange, ended: Ended) {
        let before = std::mem::take(&mut self.before);
        let took = before.at.map_or(0, |at| at.elapsed().as_micros() as u64);
        let mut request = differences(&before.request, &exchange.request.headers);
        let target = exchange.request.uri.to_string();
        if target != before.target {
            request.push(format!("path: {target}"));
        }
        let mut response: Vec<String> = exchange.response_edits.iter().skip(before.edits).map(edit).collect();
        if let (Some((status, headers)), Some(head)) = (before.response, &exchange.response) {
            if head.status != status {
                response.push(format!("status: {}", head.status.as_u16()));
            }
            response.extend(differences(&headers, &head.headers));
        }
        let outcome = match ended {
            Ended::Continue => "continue",
            Ended::Respond => "respond",
            Ended::Failed => "failed",
        };
        self.steps.push(Step { plugin: plugin.to_owned(), hook, took, outcome, request, response });
    }

    /// Tells of it in the headers of the response.
    fn tell(mut self, matched: Option<&Matched>, headers: &mut HeaderMap) {
        let mut add = |name, value: Option<&str>| {
            if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
                headers.insert(name, value);
            }
        };
        if let Some(matched) = matched {
            add(ROUTE_ID, Some(&matched.route_id));
            add(ROUTE_NAME, matched.route_name.as_deref());
            add(SERVICE_ID, matched.service_id.as_deref());
            add(SERVICE_NAME, matched.service_name.as_deref());
        }
        let mut text = serde_json::to_string(&self.steps).unwrap_or_default();
        if text.len() > LONGEST {
            for step in &mut self.steps {
                step.request.clear();
                step.response = vec!["more than fits".to_owned()];
            }
            text = serde_json::to_string(&self.steps).unwrap_or_default();
        }
        if text.len() <= LONGEST {
            add(TRACE, Some(&text));
        }
    }
}

/// What was added, changed and removed.
fn differences(before: &HeaderMap, after: &HeaderMap) -> Vec<String> {
    let mut differences = Vec::new();
    for name in after.keys() {
        let (old, new) = (joined(before, name), joined(after, name));
        if old != new {
            let sign = if before.contains_key(name) { '~' } else { '+' };
            differences.push(format!("{sign} {name}: {new}"));
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    differences.extend(gone.map(|name| format!("- {name}")));
    differences
}

fn edit(edit: &HeaderEdit) -> String {
    match edit {
        HeaderEdit::Set(name, value) => format!("~ {name}: {}", shown(name, value)),
        HeaderEdit::Add(name, value) => format!("+ {name}: {}", shown(name, value)),
        HeaderEdit::Remove(name) => format!("- {name}"),
    }
}

/// All values of a header. Those that must not be seen are told apart by their length alone.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let mut all = String::new();
    for value in headers.get_all(name) {
        let _ = write!(all, "{}{}", if all.is_empty() { "" } else { ", " }, shown(name, value));
    }
    all
}

fn shown(name: &HeaderName, value: &HeaderValue) -> String {
    if [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE].contains(name) || value.is_sensitive() {
        return format!("({} bytes)", value.len());
    }
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

const DEBUG: HeaderName = HeaderName::from_static("kong-debug");
const ROUTE_ID: HeaderName = HeaderName::from_static("kong-route-id");
const ROUTE_NAME: HeaderName = HeaderName::from_static("kong-route-name");
const SERVICE_ID: HeaderName = HeaderName::from_static("kong-service-id");
const SERVICE_NAME: HeaderName = HeaderName::from_static("kong-service-name");
const TRACE: HeaderName = HeaderName::from_static("moongate-trace");

/// Bytes of the trace. Clients have limits for the length of a header.
const LONGEST: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn changes_are_told_and_secrets_are_not() {
        let before = headers(&[("a", "1"), ("b", "2"), ("authorization", "Bearer x")]);
        let after = headers(&[("a", "1"), ("b", "3"), ("c", "4"), ("cookie", "secret")]);
        assert_eq!(
            differences(&before, &after),
            ["~ b: 3", "+ c: 4", "+ cookie: (6 bytes)", "- authorization"]
        );
    }

    #[test]
    fn a_trace_that_is_too_long_leaves_out_the_changes() {
        let step = |response| Step {
            plugin: "p".to_owned(),
            hook: "request",
            took: 1,
            outcome: "continue",
            request: Vec::new(),
            response,
        };
        let trace = Trace { steps: vec![step(vec!["x".repeat(LONGEST)])], ..Trace::default() };
        let mut told = HeaderMap::new();
        trace.tell(None, &mut told);
        assert!(told["moongate-trace"].to_str().unwrap().contains("more than fits"));
    }
}
