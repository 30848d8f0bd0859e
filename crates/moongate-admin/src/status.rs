//! The status API: what probes and scrapers may see, on a listener of its own. Plugins may add to it.
//!
//! It changes nothing, so it can be open to more than the Admin API is.

use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::json;

use crate::access::Access;
use crate::api::json_response;
use crate::arguments::Arguments;
use crate::error::ApiError;
use crate::{information, metrics};

/// What can be asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// `/status`, as on the Admin API.
    Status,
    /// `/status/ready`: whether requests should be sent here.
    Ready,
    /// `/metrics`: figures for Prometheus.
    Metrics,
}

impl Page {
    pub(crate) fn find(path: &str) -> Option<Self> {
        match path.strip_suffix('/').unwrap_or(path) {
            "/status" => Some(Self::Status),
            "/status/ready" => Some(Self::Ready),
            "/metrics" => Some(Self::Metrics),
            _ => None,
        }
    }
}

/// Answers a request whose path is `page`.
pub(crate) async fn answer(
    access: &Access,
    page: Page,
    request: axum::extract::Request,
) -> Result<Response, ApiError> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(ApiError::MethodNotAllowed);
    }
    match page {
        Page::Status => {
            let arguments = Arguments::parse(request.uri().query().unwrap_or_default())?;
            let status = information::status(access, &arguments).await?;
            Ok(json_response(StatusCode::OK, &status))
        }
        Page::Ready => Ok(match not_ready(access).await {
            None => json_response(StatusCode::OK, &json!({"message": "ready"})),
            Some(why) => json_response(StatusCode::SERVICE_UNAVAILABLE, &json!({"message": why})),
        }),
        Page::Metrics => metrics::answer(access, request.method().clone()).await,
    }
}

/// Why requests should go elsewhere.
async fn not_ready(access: &Access) -> Option<&'static str> {
    let node = access.node();
    if node.is_draining() {
        return Some("draining");
    }
    match node.declarative() {
        Some(declarative) => (declarative.hash().bytes().all(|digit| digit == b'0'))
            .then_some("no configuration available (empty configuration present)"),
        None => (!access.store().status().await.reachable).then_some("failed to connect to database"),
    }
}
