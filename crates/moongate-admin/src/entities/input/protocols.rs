//! Whether a plugin's protocols and those of what it is configured for have anything in common.

use moongate_schema::{Object, Violations};
use moongate_store::{Key, Row};
use serde_json::Value;
use uuid::Uuid;

use super::references::id_in;
use crate::access::View;
use crate::error::ApiError;

/// Checks the protocols of a plugin configuration, if they are given, against its route, else against its service.
///
/// # Errors
/// [`ApiError::Invalid`].
pub(super) fn check(view: &View, fields: &Object, existing: Option<&Object>) -> Result<(), ApiError> {
    let field = |name: &str| fields.get(name).or_else(|| existing?.get(name));
    let Some(protocols) = field("protocols").and_then(Value::as_array) else { return Ok(()) };
    let problem = if let Some(route) = id_in(field("route")) {
        let route = view.find("routes", &Key::Id(route))?;
        route.is_some_and(|route| !have_common(protocols, &route)).then_some(NOT_THE_ROUTES)
    } else if let Some(service) = id_in(field("service")) {
        let routes = routes_of(view, service)?;
        let apart = !routes.is_empty() && !routes.iter().any(|route| have_common(protocols, route));
        apart.then_some(NOT_THE_SERVICES)
    } else {
        None
    };
    match problem {
        Some(problem) => Err(Violations::of_field("protocols", problem).into()),
        None => Ok(()),
    }
}

fn routes_of(view: &View, service: Uuid) -> Result<Vec<Row>, ApiError> {
    view.children("routes", "service", service)
}

fn have_common(protocols: &[Value], route: &Row) -> bool {
    let of_route = route.get("protocols").and_then(Value::as_array);
    of_route.is_some_and(|of_route| protocols.iter().any(|protocol| of_route.contains(protocol)))
}

const NOT_THE_ROUTES: &str = "must match the associated route's protocols";
const NOT_THE_SERVICES: &str =
    "must match the protocols of at least one route pointing to this Plugin's service";
