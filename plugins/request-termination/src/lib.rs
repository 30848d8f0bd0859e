//! Answers requests instead of the upstream.

mod echo;
mod page;

use moongate_sdk::text::is_media_type;
use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Reply, Request, Schema, config, export};

/// The answer.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Status of the response.
    #[serde(default = "unavailable")]
    status_code: u16,
    /// Message in the body of the response.
    message: Option<String>,
    /// Content type of `body`.
    content_type: Option<String>,
    /// The whole body of the response.
    body: Option<String>,
    /// Whether the response shows the request.
    #[serde(default)]
    echo: bool,
    /// Only requests with a header or a query argument of this name are answered.
    trigger: Option<String>,
}

/// See the crate's description.
pub struct RequestTermination(Config);

impl Plugin for RequestTermination {
    type Config = Config;
    const PRIORITY: i32 = 2;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self(config))
    }
}

impl OnRequest for RequestTermination {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let Config { status_code, message, content_type, body, echo, trigger } = &self.0;
        if trigger.as_ref().is_some_and(|trigger| !has(request, trigger)) {
            return Ok(Decision::Continue);
        }
        let status = *status_code;
        let message = message.as_deref().or_else(|| usual_message(status));
        if *echo {
            let shown = echo::show(request, message);
            let reply = Reply::new(status).header("content-type", "application/json; charset=utf-8");
            return Ok(reply.body(shown).into());
        }
        if let Some(body) = body {
            let reply = Reply::new(status).body(body.clone());
            let typed = content_type.as_ref().map(|kind| reply.clone().header("content-type", kind.clone()));
            return Ok(typed.unwrap_or(reply).into());
        }
        Ok(match message {
            Some(message) => Reply::message(status, message).into(),
            None => without_message(request, status),
        })
    }
}

/// Whether a request has a header or a query argument of this name.
fn has(request: &Request, name: &str) -> bool {
    request.header(name).is_some() || request.query_value(name).is_some()
}

/// The answer with a status that has no message of its own here.
fn without_message(request: &Request, status: u16) -> Decision {
    if let Some(message) = page::gateways_message(status) {
        // What the gateway says by itself is plain text, unless the client wants something else or sends it.
        let is_plain = |kind: String| is_media_type(&kind, "text/plain");
        if request.header("accept").is_none() && request.header_text("content-type").is_none_or(is_plain) {
            let reply = Reply::text(status, format!("{message}\nrequest_id: {}\n", request.id()));
            return with_end(reply.into(), status);
        }
        return with_end(Decision::fail(status, message), status);
    }
    let reply = match page::title(status) {
        Some(title) => Reply::new(status)
            .header("content-type", "text/html; charset=UTF-8")
            .body(page::html(status, title)),
        None => Reply::new(status),
    };
    with_end(reply.into(), status)
}

/// Ends the connection after an answer which says that the end of the request is not certain, or that somebody is at
/// fault who may be so again.
fn with_end(decision: Decision, status: u16) -> Decision {
    if matches!(status, 400 | 413 | 414 | 494 | 501) {
        decision.header("connection", "close")
    } else {
        decision
    }
}

fn usual_message(status: u16) -> Option<&'static str> {
    Some(match status {
        401 => "Unauthorized",
        404 => "Not found",
        405 => "Method not allowed",
        500 => "An unexpected error occurred",
        502 => "Bad Gateway",
        503 => "Service unavailable",
        _ => return None,
    })
}

fn unavailable() -> u16 {
    503
}

export!(RequestTermination: OnRequest);

#[cfg(test)]
mod tests;
