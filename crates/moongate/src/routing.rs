//! The router's own word on whether it can take a route, asked before the route is stored.

use std::collections::BTreeMap;

use moongate_model::core::RouterFlavor;
use moongate_model::{Protocol, SourceOrDestination};
use moongate_proxy::Flavour;
use moongate_router::{RouteFields, validate};
use moongate_schema::{CheckFailure, CheckFunction, Context, Object};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// The check of routes for a flavour of the router.
pub(crate) fn check(flavor: RouterFlavor) -> CheckFunction {
    let run = match flavor {
        RouterFlavor::Expressions => |route: &Object, _: &Context<'_>| fits(Flavour::Expressions, route),
        _ => |route: &Object, _: &Context<'_>| fits(Flavour::TraditionalCompatible, route),
    };
    CheckFunction { name: "route_for_router", run }
}

/// The router's name of a flavour.
pub(crate) fn flavour(flavor: RouterFlavor) -> Flavour {
    match flavor {
        RouterFlavor::TraditionalCompatible => Flavour::TraditionalCompatible,
        RouterFlavor::Traditional => Flavour::Traditional,
        RouterFlavor::Expressions => Flavour::Expressions,
    }
}

/// What a route is matched by. Other fields may be wrong when it is asked about.
#[derive(Debug, Deserialize)]
struct Matchers {
    protocols: Option<Vec<Protocol>>,
    methods: Option<Vec<String>>,
    hosts: Option<Vec<String>>,
    paths: Option<Vec<String>>,
    headers: Option<BTreeMap<String, Vec<String>>>,
    snis: Option<Vec<String>>,
    sources: Option<Vec<SourceOrDestination>>,
    destinations: Option<Vec<SourceOrDestination>>,
    regex_priority: Option<i64>,
    expression: Option<String>,
    priority: Option<u64>,
}

fn fits(flavour: Flavour, route: &Object) -> Result<(), CheckFailure> {
    // What cannot be read has a problem of its own, which is told.
    let Ok(matchers) = Matchers::deserialize(route) else { return Ok(()) };
    let id = route.get("id").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
    let fields = RouteFields {
        id: id.unwrap_or_default(),
        created_at: 0,
        protocols: matchers.protocols.as_deref().unwrap_or_default(),
        methods: matchers.methods.as_deref().unwrap_or_default(),
        hosts: matchers.hosts.as_deref().unwrap_or_default(),
        paths: matchers.paths.as_deref().unwrap_or_default(),
        headers: matchers.headers.as_ref(),
        snis: matchers.snis.as_deref().unwrap_or_default(),
        sources: matchers.sources.as_deref().unwrap_or_default(),
        destinations: matchers.destinations.as_deref().unwrap_or_default(),
        regex_priority: matchers.regex_priority.unwrap_or_default(),
        expression: matchers.expression.as_deref().filter(|_| flavour == Flavour::Expressions),
        priority: matchers.priority.unwrap_or_default(),
    };
    validate(flavour, &fields)
        .map_err(|reason| CheckFailure::Entity(format!("Router Expression failed validation: {reason}")))
}

#[cfg(test)]
mod tests {
    use moongate_model::core::catalog_with;
    use moongate_schema::{Operation, SeededRandomness};
    use serde_json::json;

    use super::*;

    /// What is wrong with a new route.
    fn problem(flavor: RouterFlavor, route: &Value) -> Option<Value> {
        let catalog = catalog_with(flavor, check(flavor)).build().unwrap();
        let schema = catalog.entity("routes").unwrap();
        let randomness = SeededRandomness::new(1);
        let context = Context::new(1_700_000_000_000, &randomness);
        let row = schema.complete(route.as_object().unwrap().clone(), Operation::Insert, &context).unwrap();
        schema.validate(&row, Operation::Insert, &context).err().map(|violations| violations.fields())
    }

    fn of_router(reason: &str) -> Value {
        json!({"@entity": [format!("Router Expression failed validation: {reason}")]})
    }

    #[test]
    fn what_the_router_cannot_take_is_a_matter_of_the_whole_route() {
        let flavor = RouterFlavor::TraditionalCompatible;
        for route in [
            json!({"paths": ["/a", "~/b\\d+$"], "headers": {"x": ["~*y"]}}),
            json!({"protocols": ["tcp"], "sources": [{"ip": "10.0.0.0/8", "port": null}]}),
            json!({"protocols": ["tls"], "snis": ["a.test"]}),
        ] {
            assert_eq!(problem(flavor, &route), None, "{route}");
        }
        let found = problem(flavor, &json!({"headers": {"x": []}})).unwrap();
        assert_eq!(found, of_router(" --> 1:2\n  |\n1 | ()\n  |  ^---\n  |\n  = expected term"));
        let found = problem(flavor, &json!({"paths": ["~/a(?=b)"], "strip_path": "x"})).unwrap();
        let text = found["@entity"][0].as_str().unwrap();
        assert!(text.contains("\n1 | (http.path ~ r#\"^/a(?=b)\"#)\n"), "{text}");
        assert_eq!(found["strip_path"], "expected a boolean");
    }

    #[test]
    fn expressions_are_checked_before_they_are_stored() {
        let flavor = RouterFlavor::Expressions;
        assert_eq!(problem(flavor, &json!({"expression": "http.path == \"/\"", "priority": 5})), None);
        for (route, reason) in [
            (json!({"expression": "http.foo == \"/\""}), "Unknown LHS field"),
            (
                json!({"expression": "http.path ==", }),
                " --> 1:13\n  |\n1 | http.path ==\n  |             ^---\n  |\n  = expected rhs",
            ),
            (
                json!({"expression": "http.path == \"/\"", "regex_priority": 1}),
                "cannot set 'regex_priority' with 'expression' simultaneously",
            ),
        ] {
            assert_eq!(problem(flavor, &route), Some(of_router(reason)), "{route}");
        }
        // Another flavour knows no expressions, and does not read them.
        let found = problem(RouterFlavor::TraditionalCompatible, &json!({"expression": "x", "paths": ["/"]}));
        assert_eq!(found, Some(json!({"expression": "unknown field"})));
    }
}
