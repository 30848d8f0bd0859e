//! The state of the plugins, and the endpoints that they declare.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::Method;
use moongate_hooks::{AdminRequest, AdminRoute, PluginCatalog, PluginState};
use serde_json::{Value, json};

use crate::api::{allowed_methods, to_value};
use crate::arguments::encode;
use crate::body;
use crate::error::ApiError;
use crate::resource::segments;

/// `GET /moongate/plugins`
pub(crate) fn states(catalog: &dyn PluginCatalog) -> Result<Value, ApiError> {
    Ok(json!({"data": to_value(&catalog.plugins())?}))
}

/// `GET /moongate/plugins/{name}`
///
/// Two files may claim one name; the answer is then about the one in use.
pub(crate) fn state(catalog: &dyn PluginCatalog, name: &str) -> Result<Value, ApiError> {
    let mut named: Vec<_> = catalog.plugins().into_iter().filter(|plugin| plugin.name == name).collect();
    named.sort_by_key(|plugin| (plugin.generation == 0, plugin.state != PluginState::Ready));
    to_value(named.first().ok_or(ApiError::NotFound)?)
}

/// Lets a plugin answer, where one declares the path.
///
/// Looked up for each request, because plugins come and go while the node runs.
pub(crate) async fn answer(catalog: &dyn PluginCatalog, request: Request) -> Result<Response, ApiError> {
    answer_from(catalog, catalog.admin_routes(), request).await
}

/// As [`answer`], for the status listener: where a plugin declares the path for that one too.
pub(crate) async fn answer_openly(
    catalog: &dyn PluginCatalog,
    request: Request,
) -> Result<Response, ApiError> {
    let mut declared = catalog.admin_routes();
    declared.retain(|route| route.status);
    answer_from(catalog, declared, request).await
}

async fn answer_from(
    catalog: &dyn PluginCatalog,
    mut declared: Vec<AdminRoute>,
    request: Request,
) -> Result<Response, ApiError> {
    let path = segments(request.uri().path()).ok_or(ApiError::NotFound)?;
    declared.retain(|route| matches(&route.path, &path));
    // The path itself is meant rather than a pattern that it matches.
    if declared.iter().any(|route| !route.path.contains('{')) {
        declared.retain(|route| !route.path.contains('{'));
    }
    if declared.is_empty() {
        return Err(ApiError::NotFound);
    }
    if *request.method() == Method::OPTIONS && !declares(&declared, &Method::OPTIONS) {
        return Ok(allowed_methods(&methods(&declared), request.headers()));
    }
    let method = match request.method() {
        &Method::HEAD if !declares(&declared, &Method::HEAD) => Method::GET,
        method => method.clone(),
    };
    let route = declared.into_iter().find(|route| route.method == method.as_str());
    let AdminRoute { plugin, method, path: declared, .. } = route.ok_or(ApiError::MethodNotAllowed)?;
    let path = if declared.contains('{') {
        path.iter().map(|segment| format!("/{}", encode(segment))).collect()
    } else {
        declared
    };
    let (parts, body) = request.into_parts();
    let request = AdminRequest {
        method,
        path,
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body: body::read(body).await?,
    };
    let reply = catalog.admin(&plugin, request).await.map_err(|error| {
        tracing::error!(plugin, code = error.code(), %error, "admin hook failed");
        ApiError::Unexpected
    })?;
    if reply.status.is_informational() {
        tracing::error!(plugin, status = reply.status.as_u16(), "admin hook answered with an interim status");
        return Err(ApiError::Unexpected);
    }
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    Ok(response)
}

/// Whether a path is the declared one; a segment in braces stands for any.
fn matches(declared: &str, path: &[String]) -> bool {
    let Some(declared) = segments(declared) else { return false };
    let same = |(declared, segment): (&String, &String)| {
        declared == segment || (declared.starts_with('{') && declared.ends_with('}'))
    };
    declared.len() == path.len() && declared.iter().zip(path).all(same)
}

fn declares(routes: &[AdminRoute], method: &Method) -> bool {
    routes.iter().any(|route| route.method == method.as_str())
}

/// What can be asked of one path, in alphabetical order.
fn methods(routes: &[AdminRoute]) -> Vec<&str> {
    let mut methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    methods.push("OPTIONS");
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.dedup();
    methods
}
