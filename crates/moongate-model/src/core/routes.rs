//! Routes: which requests go to which service.

mod groups;

use moongate_schema::checks::{regex_problem, unsupported_in_router};
use moongate_schema::{
    CheckFailure, CheckFunction, Context, CustomCheck, EntityCheck, Field, Object, Requirement, Schema,
    Subschemas, checks, types,
};
use serde_json::{Value, json};

use super::RouterFlavor;

pub(super) fn schema(flavor: RouterFlavor, router: CheckFunction) -> Schema {
    let schema = Schema::entity("routes")
        .endpoint_key("name")
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("name", types::name())
        .field(
            "protocols",
            Field::set(types::protocol())
                .len_min(1)
                .required()
                .mutually_exclusive_subsets(&[
                    &["http", "https"],
                    &["tcp", "tls", "udp"],
                    &["tls_passthrough"],
                    &["grpc", "grpcs"],
                ])
                .default(json!(["http", "https"])),
        )
        .field(
            "https_redirect_status_code",
            Field::integer().one_of([426, 301, 302, 307, 308]).required().default(426),
        )
        .field("strip_path", Field::boolean().required().default(true))
        .field("preserve_host", Field::boolean().required().default(false))
        .field("request_buffering", Field::boolean().required().default(true))
        .field("response_buffering", Field::boolean().required().default(true))
        .field("tags", types::tags())
        .field("service", Field::foreign("services"))
        .field("snis", Field::set(server_name(flavor)))
        .field("sources", addresses())
        .field("destinations", addresses())
        .field("methods", Field::set(types::method()))
        .field("hosts", Field::array(host()))
        .field("paths", Field::array(path()))
        .field("headers", headers())
        .field("regex_priority", Field::integer().default(0))
        .field("path_handling", Field::string().one_of(["v0", "v1"]).default("v0"))
        .entity_check(EntityCheck::conditional_with_text(
            "protocols",
            Requirement::elements(Field::string().not_one_of(["grpcs", "https", "tls", "tls_passthrough"])),
            "snis",
            Requirement::len_eq(0),
            "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'",
        ))
        .subschemas(Subschemas {
            key: "protocols".to_owned(),
            unknown: "unknown type: %s".to_owned(),
            schemas: groups::schemas(flavor),
        });
    let schema = schema.described(&DESCRIPTIONS);
    match flavor {
        RouterFlavor::Traditional => schema,
        RouterFlavor::TraditionalCompatible => schema.entity_check(router_check(&MATCHERS, router)),
        RouterFlavor::Expressions => schema
            .field("expression", Field::string())
            .field("priority", Field::integer().between(0, MOST_PRIORITY).required().default(0))
            .entity_check(router_check(&EXPRESSION_MATCHERS, router)),
    }
}

fn server_name(flavor: RouterFlavor) -> Field {
    match flavor {
        RouterFlavor::Traditional => types::sni(),
        RouterFlavor::TraditionalCompatible | RouterFlavor::Expressions => types::wildcard_host(),
    }
}

fn host() -> Field {
    Field::string()
        .match_all("^[^*]*%*?[^*]*$", "invalid wildcard: must have at most one wildcard")
        .match_any(["^%*%.", "%.%*$", "%.%*:%d+$", "^[^*]*$"])
        .match_any_err("invalid wildcard: must be placed at leftmost or rightmost label")
        .check(checks::ROUTE_HOST)
}

fn path() -> Field {
    Field::string()
        .match_any(["^/", "^~/"])
        .match_any_err("should start with: / (fixed path) or ~/ (regex path)")
        .match_none("//", "must not have empty segments")
        .check(checks::ROUTER_PATH)
}

fn addresses() -> Field {
    let address = Schema::record()
        .field("ip", types::ip_or_cidr())
        .field("port", types::port())
        .entity_check(EntityCheck::at_least_one_of(&["ip", "port"]));
    Field::set(Field::record(address))
}

fn headers() -> Field {
    let name = types::header_name().match_none("^[Hh][Oo][Ss][Tt]$", NO_HOST_HEADER);
    Field::map(name, Field::array(Field::string()))
}

/// Whether the router can use what is right by itself.
fn router_check(fields: &[&str], function: CheckFunction) -> EntityCheck {
    EntityCheck::Custom(CustomCheck {
        field_sources: fields.iter().map(|field| (*field).to_owned()).collect(),
        run_with_missing_fields: true,
        run_with_invalid_fields: false,
        function: Some(function),
    })
}

/// What is known of it without a router.
pub(super) const FITS_ROUTER: CheckFunction = CheckFunction { name: "route_for_router", run: fits_router };

fn fits_router(route: &Object, _context: &Context<'_>) -> Result<(), CheckFailure> {
    let refused = |reason: String| {
        let text = format!("Router Expression failed validation: {reason}");
        Err(CheckFailure::Entity(text))
    };
    if let Some(reason) = contradiction(route) {
        return refused(reason);
    }
    for path in texts(route.get("paths")) {
        if let Some(reason) = unsupported_in_router(path) {
            return refused(format!("{path}: {reason}"));
        }
    }
    let Some(headers) = route.get("headers").and_then(Value::as_object) else { return Ok(()) };
    for (name, values) in headers {
        let texts: Vec<&str> = texts(Some(values)).collect();
        match texts.as_slice() {
            [] => return refused(format!("header '{name}' has no values")),
            [one] => {
                if let Some(reason) = one.strip_prefix("~*").and_then(regex_problem) {
                    return refused(format!("{one}: {reason}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Ways to match that exclude each other.
fn contradiction(route: &Object) -> Option<String> {
    let is_set = |field: &str| route.get(field).is_some_and(|value| !value.is_null());
    let is_nonzero = |field: &str| route.get(field).and_then(Value::as_i64).is_some_and(|value| value != 0);
    let has_fields = FIELD_MATCHERS.iter().any(|field| is_set(field));
    let fields = "'methods', 'hosts', 'paths', 'headers', 'snis', 'sources' or 'destinations' simultaneously";
    if is_set("expression") {
        if has_fields {
            return Some(format!("cannot set 'expression' with {fields}"));
        }
        if is_nonzero("regex_priority") {
            return Some("cannot set 'regex_priority' with 'expression' simultaneously".to_owned());
        }
    } else if has_fields && is_nonzero("priority") {
        return Some(format!("cannot set 'priority' with {fields}"));
    }
    None
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

const NO_HOST_HEADER: &str = "cannot contain 'host' header, which must be specified in the 'hosts' attribute";

const MOST_PRIORITY: f64 = 70_368_744_177_663.0;

const FIELD_MATCHERS: [&str; 7] = ["methods", "hosts", "paths", "headers", "snis", "sources", "destinations"];

const MATCHERS: [&str; 10] = [
    "id",
    "protocols",
    "snis",
    "sources",
    "destinations",
    "methods",
    "hosts",
    "paths",
    "headers",
    "regex_priority",
];

const EXPRESSION_MATCHERS: [&str; 12] = [
    "id",
    "protocols",
    "snis",
    "sources",
    "destinations",
    "methods",
    "hosts",
    "paths",
    "headers",
    "regex_priority",
    "expression",
    "priority",
];

const DESCRIPTIONS: [(&str, &str); 17] = [
    ("name", "The name of the route, which plugins can refer to it by."),
    ("protocols", "The protocols that the route takes requests of."),
    (
        "https_redirect_status_code",
        "The status of the answer to a request whose protocol alone does not match.",
    ),
    ("strip_path", "Whether the part of the path that matched is taken off before the request is forwarded."),
    ("preserve_host", "Whether the host of the request is forwarded instead of that of the service."),
    ("request_buffering", "Whether the body of a request is read whole before it is forwarded."),
    ("response_buffering", "Whether the body of an answer is read whole before it is forwarded."),
    ("service", "The service that matching requests are forwarded to."),
    ("snis", "Server names of TLS of which one must match."),
    ("sources", "Addresses and ports of clients of which one must match."),
    ("destinations", "Addresses and ports of the gateway of which one must match."),
    ("methods", "Methods of which one must match."),
    ("hosts", "Hosts of which one must match. The first or last label can be a wildcard."),
    ("paths", "Prefixes of paths, or regular expressions behind a ~, of which one must match."),
    ("headers", "Headers that must all be there, with the values of which one must match."),
    (
        "regex_priority",
        "Which route comes first when the regular expressions of several match: the one with the greater number.",
    ),
    ("path_handling", "How the paths of the service, the route and the request are put together."),
];
