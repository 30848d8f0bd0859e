//! From a request to the handler of what it names, and the headers that every answer has.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, CONTENT_TYPE, ORIGIN, SERVER,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use moongate_hooks::PluginCatalog;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::access::Access;
use crate::arguments::Arguments;
use crate::body::{self, Fields};
use crate::error::ApiError;
use crate::events::Observer;
use crate::node::Node;
use crate::resource::{Fixed, Resource};
use crate::status::Page;
use crate::{
    SharedNode, SharedPlugins, declarative, entities, fixed, plugins, status, token, upload, upstream,
};

/// The Admin API of `node`, with the endpoints that the plugins of `plugins` declare.
///
/// Both are asked at each request, so a new configuration or plugin shows at once. Paths are matched by the
/// API itself, not by axum, because plugins add and remove some of them while the node runs.
pub fn router(node: Arc<dyn Node>, plugins: Arc<dyn PluginCatalog>) -> axum::Router {
    observed_router(node, plugins).0
}

/// As [`router`], with what watches the node for those who listen to its events. It starts with the first of them; whoever
/// wants what was before calls [`Observer::watch`].
pub fn observed_router(
    node: Arc<dyn Node>,
    plugins: Arc<dyn PluginCatalog>,
) -> (axum::Router, Arc<Observer>) {
    let observer = Observer::new(node.clone(), plugins.clone());
    let api = Api { node, plugins, status_only: false, observer: Arc::clone(&observer) };
    (axum::Router::new().fallback(answer).with_state(api), observer)
}

/// The part of the Admin API of `node` that tells how it is, for a listener of its own: `/status`, `/status/dns`,
/// `/status/ready`, `/metrics`, and with a declarative configuration the targets of upstreams and their health.
///
/// Where an admin token is set it is asked for here as well, but not of probes, which read `/status/ready`.
pub fn status_router(node: Arc<dyn Node>, plugins: Arc<dyn PluginCatalog>) -> axum::Router {
    let observer = Observer::new(node.clone(), plugins.clone());
    axum::Router::new().fallback(answer).with_state(Api { node, plugins, status_only: true, observer })
}

#[derive(Clone)]
struct Api {
    node: SharedNode,
    plugins: SharedPlugins,
    status_only: bool,
    observer: Arc<Observer>,
}

async fn answer(State(api): State<Api>, request: Request) -> Response {
    let started = Instant::now();
    if request.uri().path() == "/robots.txt" && matches!(*request.method(), Method::GET | Method::HEAD) {
        return robots();
    }
    let origin = allowed_origin(&*api.node, request.headers());
    let mut response = match api.dispatch(request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(ADMIN_LATENCY, HeaderValue::from(started.elapsed().as_millis() as u64));
    if let Ok(server) = HeaderValue::try_from(format!("moongate/{}", api.node.version())) {
        headers.insert(SERVER, server);
    }
    // Not over what a plugin says of its own endpoint.
    headers.entry(ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(origin);
    headers.entry(ACCESS_CONTROL_ALLOW_CREDENTIALS).or_insert(HeaderValue::from_static("true"));
    response
}

impl Api {
    async fn dispatch(&self, request: Request) -> Result<Response, ApiError> {
        let access = Access::new(self.node.clone(), self.plugins.clone());
        let page = self.status_only.then(|| Page::find(&access, request.uri().path()));
        let probes = matches!(page, Some(Some(Page::Ready))) && *request.method() != Method::POST;
        // A browser asks for the allowed methods without showing secrets.
        if let Some(token) = self.node.admin_token()
            && *request.method() != Method::OPTIONS
            && !probes
            && !token::is_shown(token, request.headers())
        {
            return Err(ApiError::Unauthorized);
        }
        match page {
            Some(Some(page)) => return status::answer(&access, page, request).await,
            Some(None) => return plugins::answer_openly(&*self.plugins, request).await,
            None => {}
        }
        let resource = match Resource::find(access.catalog(), request.uri().path()) {
            None => return plugins::answer(&*self.plugins, request).await,
            Some(Resource::Nowhere) => return Err(ApiError::NotFound),
            Some(Resource::Filters) => return Err(ApiError::refused(NO_FILTERS)),
            Some(resource) => resource,
        };
        if !resource.takes(request.method().as_str()) {
            return Err(ApiError::MethodNotAllowed);
        }
        let arguments = Arguments::parse(request.uri().query().unwrap_or_default())?;
        match *request.method() {
            Method::OPTIONS => {
                entities::exists_to_ask(&access, &resource).await?;
                Ok(allowed_methods(resource.methods(), request.headers()))
            }
            Method::GET if resource_is(&resource, &Fixed::Events) => Ok(self.observer.listen()),
            // The server leaves out the body of an answer to HEAD.
            Method::GET | Method::HEAD => read(&access, resource, &arguments).await,
            _ => {
                let (parts, body) = request.into_parts();
                let observer = Arc::clone(&self.observer);
                let change = Change {
                    resource,
                    method: parts.method,
                    headers: parts.headers,
                    arguments,
                    body,
                    observer,
                };
                // In a task of its own: a client that goes away must not cut a change in half.
                tokio::spawn(async move { change.make(&access).await }).await.map_err(|error| {
                    tracing::error!(%error, "a change did not end");
                    ApiError::Unexpected
                })?
            }
        }
    }
}

pub(crate) async fn read(
    access: &Access,
    resource: Resource,
    arguments: &Arguments,
) -> Result<Response, ApiError> {
    let value = match resource {
        Resource::Fixed(fixed) => return fixed::read(access, fixed, arguments).await,
        Resource::Collection { schema, parent } => {
            entities::list(access, &schema, parent.as_ref(), arguments).await?
        }
        Resource::Entity { schema, key, parent } => {
            entities::read(access, &schema, &key, parent.as_ref()).await?
        }
        Resource::Related { schema, key, field } => {
            entities::read_related(access, &schema, &key, &field).await?
        }
        Resource::Upstream { key, what } => upstream::read(access, &key, what, arguments).await?,
        Resource::Nowhere | Resource::Filters => return Err(ApiError::NotFound),
    };
    Ok(json_response(StatusCode::OK, &value))
}

/// A request that changes something.
struct Change {
    resource: Resource,
    method: Method,
    headers: HeaderMap,
    arguments: Arguments,
    body: Body,
    observer: Arc<Observer>,
}

impl Change {
    async fn make(self, access: &Access) -> Result<Response, ApiError> {
        let Self { resource, method, headers, arguments, body, observer } = self;
        if resource_is(&resource, &Fixed::PluginStates) {
            return upload::install(access, &observer, &arguments, body).await;
        }
        if resource_is(&resource, &Fixed::Configuration) {
            return declarative::load(access, &headers, arguments, &body::read(body).await?).await;
        }
        let fields = match (&method, &resource) {
            (&Method::DELETE, _)
            | (_, Resource::Fixed(Fixed::Reload | Fixed::PluginReload(_)) | Resource::Upstream { .. }) => {
                Fields::None
            }
            _ => Fields::parse(&headers, &body::read(body).await?)?,
        };
        let (status, value) = match (resource, method) {
            (Resource::Fixed(fixed), _) => return fixed::change(access, fixed, fields, &arguments).await,
            (Resource::Upstream { key, what }, _) => {
                upstream::set_health(access, &key, what).await?;
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
            (Resource::Collection { schema, parent }, _) => {
                (StatusCode::CREATED, entities::create(access, &schema, parent.as_ref(), &fields).await?)
            }
            (Resource::Entity { schema, key, parent }, Method::DELETE) => {
                entities::remove(access, &schema, &key, parent.as_ref()).await?;
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
            (Resource::Entity { schema, key, parent }, Method::PUT) => {
                (StatusCode::OK, entities::replace(access, &schema, &key, parent.as_ref(), &fields).await?)
            }
            (Resource::Entity { schema, key, parent }, _) => {
                (StatusCode::OK, entities::update(access, &schema, &key, parent.as_ref(), &fields).await?)
            }
            (Resource::Related { schema, key, field }, method) => (
                StatusCode::OK,
                entities::change_related(access, &schema, &key, &field, &method, &fields).await?,
            ),
            (Resource::Nowhere | Resource::Filters, _) => return Err(ApiError::NotFound),
        };
        Ok(json_response(status, &value))
    }
}

fn resource_is(resource: &Resource, fixed: &Fixed) -> bool {
    matches!(resource, Resource::Fixed(named) if named == fixed)
}

/// The origin that may use the answer: whoever asks, unless only some may.
fn allowed_origin(node: &dyn Node, headers: &HeaderMap) -> HeaderValue {
    let origin = headers.get(ORIGIN);
    let allowed = node.allowed_origins();
    let named = |origin: &&HeaderValue| allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
    let any = HeaderValue::from_static("*");
    match allowed.first() {
        None => origin.cloned().unwrap_or(any),
        Some(first) => match origin.filter(named) {
            Some(origin) => origin.clone(),
            None => HeaderValue::try_from(first).unwrap_or(any),
        },
    }
}

fn robots() -> Response {
    let mut response = Response::new(Body::from("User-agent: *\nDisallow: /"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8"));
    response
}

/// An answer with a JSON body.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// The answer to `OPTIONS`, for a path that takes `methods`.
pub(crate) fn allowed_methods(methods: &[&str], request: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    if let Ok(methods) = HeaderValue::try_from(methods.join(", ")) {
        headers.insert(ALLOW, methods.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    let wanted = request.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(HeaderValue::from_static("Content-Type")));
    response
}

/// The JSON form of something of our own.
pub(crate) fn to_value(value: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(value).map_err(|error| {
        tracing::error!(%error, "answer has no JSON form");
        ApiError::Unexpected
    })
}

const ADMIN_LATENCY: HeaderName = HeaderName::from_static("x-kong-admin-latency");
const NO_FILTERS: &str = "this endpoint is only available when wasm is enabled";
