//! What request hooks want to be other than route and service say.

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use moongate_hooks::{Exchange, PluginRuntime, RequestBody, Source as Origin, UpstreamEdits};
use tokio::time::Instant;

use crate::body::{ClientStream, Source};
use crate::error::Failure;
use crate::handler::{Found, Handler, target};
use crate::record::Draft;
use crate::snapshot::{Snapshot, Upstream};

/// A request on its way to an upstream.
pub(crate) struct Way<'a, 's, R: PluginRuntime> {
    pub(crate) body: Source,
    pub(crate) found: Found<'s, R>,
    pub(crate) started: Instant,
    pub(crate) request_id: Option<&'a HeaderValue>,
}

/// What came of edits.
pub(crate) struct Edited {
    /// In place of the service's.
    pub(crate) upstream: Option<Upstream>,
    /// The Host header.
    pub(crate) host: Option<HeaderValue>,
}

impl<R: PluginRuntime> Handler<R> {
    /// Applies edits to what the upstream is asked for, and finds the upstream that they ask for.
    ///
    /// # Errors
    /// When they make no target of a request.
    pub(crate) fn alter(
        &self,
        exchange: &Exchange,
        edits: UpstreamEdits,
        found: &mut Found<'_, R>,
        snapshot: &Snapshot<R>,
    ) -> Result<Edited, Failure> {
        if edits.path.is_some() || edits.query {
            let path = edits.path.as_deref().unwrap_or_else(|| found.target.path());
            found.target = target(&exchange.request.uri, path).map_err(|_| Failure::Internal)?;
        }
        let elsewhere = edits.upstream.is_some()
            || edits.target.is_some()
            || edits.tls.is_some()
            || edits.timeouts.is_some()
            || edits.retries.is_some();
        let own = found.route.upstream.as_deref();
        let upstream = if elsewhere { Upstream::altered(own, &edits, &snapshot.balancers) } else { None };
        Ok(Edited { upstream, host: edits.host })
    }
}

/// Lets hooks have the body of a request.
pub(crate) fn lend(exchange: &mut Exchange, body: &mut Source) {
    if let Source::Client(_) = body
        && let Source::Client(incoming) = std::mem::replace(body, Source::Nothing)
    {
        exchange.body = RequestBody::unread(Box::new(ClientStream(incoming)), PAUSE);
    }
}

/// How long a client may pause within a body that a hook reads.
const PAUSE: Duration = Duration::from_secs(60);

/// Takes what hooks left of the body of a request.
pub(crate) fn take_back(exchange: &mut Exchange, body: &mut Source) {
    let leftover = exchange.body.take();
    if leftover.rest.is_some() || leftover.replaced.is_some() || !leftover.read.is_empty() {
        *body = Source::of(leftover);
    }
}

/// Notes that the upstream has answered.
pub(crate) fn note_answer(exchange: &mut Exchange, draft: Option<&mut Draft>, status: StatusCode) {
    exchange.source = Origin::Upstream;
    if let Some(draft) = draft {
        draft.upstream_status = Some(status.as_u16());
    }
}
