//! The status API: what probes and scrapers may see, on a listener of its own. Plugins may add to it.
//!
//! It changes nothing but whether the node calls itself ready, so it can be open to more than the Admin API is.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::access::Access;
use crate::api::{allowed_methods, json_response, read};
use crate::arguments::Arguments;
use crate::body::{self, Fields};
use crate::error::ApiError;
use crate::resource::{Fixed, OfUpstream, Resource};

/// What can be asked of it.
#[derive(Debug, Clone)]
pub(crate) enum Page {
    /// `/status/ready`: whether requests should be sent here.
    Ready,
    /// What the Admin API has as well, to be read.
    Shared(Resource),
}

impl Page {
    /// What `path` names.
    pub(crate) fn find(access: &Access, path: &str) -> Option<Self> {
        if path.strip_suffix('/').unwrap_or(path) == "/status/ready" {
            return Some(Self::Ready);
        }
        let resource = Resource::find(access.catalog(), path)?;
        let is_shared = match &resource {
            Resource::Fixed(fixed) => matches!(fixed, Fixed::Status | Fixed::Dns | Fixed::Metrics),
            // With a database there is an Admin API where these are seen.
            _ if access.node().declarative().is_none() => false,
            Resource::Upstream { what, .. } => matches!(what, OfUpstream::Health | OfUpstream::AllTargets),
            Resource::Collection { schema, parent } | Resource::Entity { schema, parent, .. } => {
                schema.name() == "targets"
                    && parent.as_ref().is_some_and(|parent| parent.schema.name() == "upstreams")
            }
            _ => false,
        };
        is_shared.then_some(Self::Shared(resource))
    }

    fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Ready => &["GET", "HEAD", "OPTIONS", "POST"],
            Self::Shared(_) => &["GET", "HEAD", "OPTIONS"],
        }
    }
}

/// Answers a request whose path is `page`.
pub(crate) async fn answer(
    access: &Access,
    page: Page,
    request: axum::extract::Request,
) -> Result<Response, ApiError> {
    if !page.methods().contains(&request.method().as_str()) {
        return Err(ApiError::MethodNotAllowed);
    }
    if *request.method() == Method::OPTIONS {
        return Ok(allowed_methods(page.methods(), request.headers()));
    }
    match page {
        Page::Ready if *request.method() == Method::POST => {
            let (parts, body) = request.into_parts();
            let fields = Fields::parse(&parts.headers, &body::read(body).await?)?.into_object();
            let arguments = Arguments::parse(parts.uri.query().unwrap_or_default())?;
            let status = fields.get("status").and_then(Value::as_str);
            match status.or(arguments.one("status")?) {
                Some("draining") => access.node().drain(),
                _ => return Err(ApiError::refused("status: expected draining")),
            }
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Page::Ready => Ok(match not_ready(access).await {
            None => json_response(StatusCode::OK, &json!({"message": "ready"})),
            Some(why) => json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({"message": why})),
        }),
        Page::Shared(resource) => {
            let arguments = Arguments::parse(request.uri().query().unwrap_or_default())?;
            read(access, resource, &arguments).await
        }
    }
}

/// Why requests should go elsewhere.
async fn not_ready(access: &Access) -> Option<Cow<'static, str>> {
    let node = access.node();
    if node.is_draining() {
        return Some("draining".into());
    }
    if let Some(why) = node.unserved() {
        return Some(format!("nothing is served: {why}").into());
    }
    match node.declarative() {
        Some(declarative) => (declarative.hash().bytes().all(|digit| digit == b'0'))
            .then(|| "no configuration available (empty configuration present)".into()),
        None => (!access.store().status().await.reachable).then(|| "failed to connect to database".into()),
    }
}
