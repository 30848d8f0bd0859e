//! Whether the router can take a route, asked before the route is stored.

use crate::Flavour;
use crate::expression::{Program, Subsystem, text_of_fields};
use crate::matcher::Matcher;
use crate::pool::Compiler;
use crate::route::RouteFields;

/// Checks what a router of this flavour would say about a route.
///
/// # Errors
/// Returns what is wrong with the route's expression, with that which its fields stand for, or with setting both.
pub fn validate(flavour: Flavour, route: &RouteFields<'_>) -> Result<(), String> {
    if flavour == Flavour::Expressions {
        if route.expression.is_some() && route.has_conditions() {
            return Err(format!("cannot set 'expression' with {FIELDS} simultaneously"));
        }
        if route.expression.is_some() && route.regex_priority != 0 {
            return Err("cannot set 'regex_priority' with 'expression' simultaneously".to_owned());
        }
        if route.expression.is_none() && route.has_conditions() && route.priority != 0 {
            return Err(format!("cannot set 'priority' with {FIELDS} simultaneously"));
        }
    }
    let Err(reason) = Matcher::of_route(flavour, 0, route, &mut Compiler::new(None)) else { return Ok(()) };
    let by_fields = route.expression.is_none() || flavour != Flavour::Expressions;
    if by_fields && flavour != Flavour::Traditional {
        // Fields are compiled one by one, but people know messages about the whole.
        let subsystem = if route.is_http() { Subsystem::Http } else { Subsystem::Stream };
        Program::parse(&text_of_fields(route), subsystem)?;
    }
    Err(reason)
}

const FIELDS: &str = "'methods', 'hosts', 'paths', 'headers', 'snis', 'sources' or 'destinations'";

#[cfg(test)]
mod tests;
