//! Responses made by the gateway or a plugin.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response, response};
use moongate_hooks::{Exchange, Refusal, Reply};

use crate::body::ResponseBody;
use crate::error::{self, ErrorType, Failure};
use crate::response::Timing;

/// A response on its way out: its head, its body, and what is known of its making.
pub(crate) struct Answer {
    pub(crate) head: response::Parts,
    pub(crate) body: ResponseBody,
    /// `None` until the gateway knows how long it took.
    pub(crate) timing: Option<Timing>,
}

impl Answer {
    /// What a plugin answered.
    pub(crate) fn from_plugin(reply: Reply) -> Self {
        let mut head = head();
        head.status = reply.status;
        head.headers = reply.headers;
        Self { head, body: ResponseBody::Full(reply.body), timing: None }
    }

    /// What a plugin answered in the form of the gateway's own errors.
    pub(crate) fn from_refusal(refusal: Refusal, exchange: &Exchange) -> Self {
        let id = format!("{:032x}", exchange.id);
        let (content_type, body) = error::plugin_body(&refusal.message, &exchange.request.headers, &id);
        let mut head = head();
        head.status = refusal.status;
        head.headers = refusal.headers;
        head.headers.insert(CONTENT_TYPE, content_type);
        Self { head, body: ResponseBody::Full(body), timing: None }
    }

    /// What the gateway answers when a request fails.
    pub(crate) fn from_failure(failure: Failure, exchange: &Exchange, default: ErrorType) -> Self {
        Self::failure(failure, &exchange.request.headers, default, exchange.id)
    }

    /// As [`Answer::from_failure`], with the parts of the request that matter.
    pub(crate) fn failure(failure: Failure, request: &HeaderMap, default: ErrorType, id: u128) -> Self {
        let (content_type, body) = failure.body(request, default, &format!("{id:032x}"));
        let mut head = head();
        head.status = failure.status();
        head.headers.insert(CONTENT_TYPE, content_type);
        Self { head, body: ResponseBody::Full(body), timing: None }
    }
}

fn head() -> response::Parts {
    Response::new(()).into_parts().0
}
