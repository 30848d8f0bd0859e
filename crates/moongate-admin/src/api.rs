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
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::arguments::Arguments;
use crate::body::{self, Fields};
use crate::error::ApiError;
use crate::node::Node;
use crate::resource::Resource;
use crate::{SharedCatalog, SharedNode, entities, information, plugins};

/// The Admin API of `node`, with the endpoints that the plugins of `catalog` declare.
///
/// Both are asked at each request, so a new configuration or plugin shows at once. Paths are matched by the
/// API itself, not by axum, because plugins add and remove some of them while the node runs.
pub fn router(node: Arc<dyn Node>, catalog: Arc<dyn PluginCatalog>) -> axum::Router {
    axum::Router::new().fallback(answer).with_state(Api { node, catalog })
}

#[derive(Clone)]
struct Api {
    node: SharedNode,
    catalog: SharedCatalog,
}

async fn answer(State(api): State<Api>, request: Request) -> Response {
    let started = Instant::now();
    let origin = request.headers().get(ORIGIN).cloned().unwrap_or(HeaderValue::from_static("*"));
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
        let Some(resource) = Resource::find(request.uri().path()) else {
            return plugins::answer(&*self.catalog, request).await;
        };
        let methods = resource.methods();
        if !methods.contains(&request.method().as_str()) {
            return Err(ApiError::MethodNotAllowed);
        }
        let arguments = Arguments::parse(request.uri().query().unwrap_or_default())?;
        match *request.method() {
            Method::OPTIONS => Ok(allowed_methods(methods, request.headers())),
            // The server leaves out the body of an answer to HEAD.
            Method::GET | Method::HEAD => {
                Ok(json_response(StatusCode::OK, &self.read(resource, &arguments)?))
            }
            _ => self.write(resource, request).await,
        }
    }

    fn read(&self, resource: Resource, arguments: &Arguments) -> Result<Value, ApiError> {
        let (node, catalog) = (&*self.node, &*self.catalog);
        match resource {
            Resource::Information => Ok(information::node(node, catalog)),
            Resource::Status => information::status(node, arguments),
            Resource::Endpoints => Ok(information::endpoints(catalog)),
            Resource::EnabledPlugins => Ok(information::enabled_plugins(catalog)),
            Resource::PluginStates => plugins::states(catalog),
            Resource::PluginState(name) => plugins::state(catalog, &name),
            Resource::Collection { collection, parent } => {
                entities::list(&node.entities(), collection, parent.as_ref(), arguments)
            }
            Resource::Entity { collection, key, parent } => {
                entities::read(&node.entities(), collection, &key, parent.as_ref())
            }
            Resource::Related { collection, key, relation } => {
                entities::read_related(&node.entities(), collection, &key, relation)
            }
            Resource::Reload => Err(ApiError::MethodNotAllowed),
        }
    }

    /// Reloads in a task of its own: a client that goes away must not cut a reload in half.
    async fn reload(&self) -> Result<Response, ApiError> {
        let node = self.node.clone();
        let reloaded = tokio::spawn(async move { node.reload().await }).await.map_err(|error| {
            tracing::error!(%error, "reload did not end");
            ApiError::Unexpected
        })?;
        reloaded.map_err(ApiError::Refused)?;
        Ok(json_response(StatusCode::OK, &json!({"message": "reloaded"})))
    }

    async fn write(&self, resource: Resource, request: Request) -> Result<Response, ApiError> {
        if let Resource::Reload = resource {
            return self.reload().await;
        }
        let (parts, body) = request.into_parts();
        let method = parts.method;
        let fields = match method {
            Method::DELETE => Fields::Opaque,
            _ => Fields::parse(&parts.headers, &body::read(body).await?)?,
        };
        let entities = self.node.entities();
        let status = match resource {
            Resource::Collection { collection, parent } => {
                entities::create(&entities, collection, parent.as_ref())
            }
            Resource::Entity { collection, key, parent } => {
                entities::change(&entities, collection, &key, parent.as_ref(), &method, &fields)
            }
            Resource::Related { collection, key, relation } => {
                entities::change_related(&entities, collection, &key, relation, &method)
            }
            _ => Err(ApiError::MethodNotAllowed),
        }?;
        Ok(status.into_response())
    }
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
