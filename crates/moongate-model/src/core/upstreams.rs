//! Upstreams: groups of targets that share the load.

mod healthchecks;

use moongate_schema::{
    EntityCheck, Field, Object, Requirement, Schema, Shorthand, Violations, checks, types,
};
use serde_json::Value;

pub(super) fn schema() -> Schema {
    let schema = Schema::entity("upstreams")
        .endpoint_key("name")
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("name", Field::string().required().unique().check(checks::UPSTREAM_NAME))
        .field(
            "algorithm",
            Field::string()
                .one_of(["consistent-hashing", "least-connections", "round-robin", "latency"])
                .default("round-robin"),
        )
        .field("hash_on", Field::string().one_of(HASH_ON).default("none"))
        .field("hash_fallback", Field::string().one_of(HASH_ON).default("none"))
        .field("hash_on_header", types::header_name())
        .field("hash_fallback_header", types::header_name())
        .field("hash_on_cookie", types::cookie_name())
        .field("hash_on_cookie_path", types::path().default("/"))
        .field("hash_on_query_arg", Field::string())
        .field("hash_fallback_query_arg", Field::string())
        .field("hash_on_uri_capture", Field::string())
        .field("hash_fallback_uri_capture", Field::string())
        .field("slots", Field::integer().between(10, 65536).default(10_000))
        .field("healthchecks", healthchecks::field())
        .field("tags", types::tags())
        .field("host_header", Field::string().check(checks::HOST_WITH_PORT))
        .field("client_certificate", Field::foreign("certificates"))
        .field("use_srv_name", Field::boolean().default(false))
        .shorthand("algorithm", Shorthand::of_function(Field::string(), "upstream_algorithm", of_algorithm))
        .shorthand("hash_on", Shorthand::of_function(Field::string(), "upstream_hash_on", of_hash_on));
    let schema = schema.described(&DESCRIPTIONS);
    entity_checks().into_iter().fold(schema, Schema::entity_check)
}

fn entity_checks() -> Vec<EntityCheck> {
    let needs = |field: &str, kind: &str, companion: &str| {
        let is_kind = Requirement::matches(&format!("^{kind}$"));
        EntityCheck::conditional(field, is_kind, companion, Requirement::required())
    };
    let falls_back_to = |kind: &str, fallbacks: &[&str]| {
        let is_kind = Requirement::matches(&format!("^{kind}$"));
        let fallbacks = Requirement::one_of(fallbacks.iter().copied());
        EntityCheck::conditional("hash_on", is_kind, "hash_fallback", fallbacks)
    };
    let others = |but: &str| HASH_ON.iter().copied().filter(|kind| *kind != but).collect::<Vec<_>>();
    vec![
        needs("hash_on", "header", "hash_on_header"),
        needs("hash_fallback", "header", "hash_fallback_header"),
        needs("hash_on", "cookie", "hash_on_cookie"),
        needs("hash_fallback", "cookie", "hash_on_cookie"),
        falls_back_to("none", &["none"]),
        falls_back_to("cookie", &["none"]),
        falls_back_to("consumer", &others("consumer")),
        falls_back_to("ip", &others("ip")),
        falls_back_to("path", &others("path")),
        EntityCheck::distinct(&["hash_on_header", "hash_fallback_header"]),
        needs("hash_on", "query_arg", "hash_on_query_arg"),
        needs("hash_fallback", "query_arg", "hash_fallback_query_arg"),
        EntityCheck::distinct(&["hash_on_query_arg", "hash_fallback_query_arg"]),
        needs("hash_on", "uri_capture", "hash_on_uri_capture"),
        needs("hash_fallback", "uri_capture", "hash_fallback_uri_capture"),
        EntityCheck::distinct(&["hash_on_uri_capture", "hash_fallback_uri_capture"]),
    ]
}

/// Setting an algorithm that does not hash takes back what is hashed on.
fn of_algorithm(algorithm: &Value, _upstream: &Object) -> Result<Object, Violations> {
    let mut fields = Object::from_iter([("algorithm".to_owned(), algorithm.clone())]);
    if matches!(algorithm.as_str(), Some("least-connections" | "latency")) {
        fields.insert("hash_on".to_owned(), Value::Null);
    }
    Ok(fields)
}

/// Setting what is hashed on sets the algorithm.
fn of_hash_on(hash_on: &Value, _upstream: &Object) -> Result<Object, Violations> {
    let fields = match hash_on.as_str() {
        None => vec![("hash_on".to_owned(), Value::from("none"))],
        Some("none") => vec![
            ("hash_on".to_owned(), Value::from("none")),
            ("algorithm".to_owned(), Value::from("round-robin")),
        ],
        Some(kind) => vec![
            ("hash_on".to_owned(), Value::from(kind)),
            ("algorithm".to_owned(), Value::from("consistent-hashing")),
        ],
    };
    Ok(fields.into_iter().collect())
}

const HASH_ON: [&str; 8] = ["none", "consumer", "ip", "header", "cookie", "path", "query_arg", "uri_capture"];

const DESCRIPTIONS: [(&str, &str); 17] = [
    ("name", "The host name that services use for this upstream."),
    ("algorithm", "How a target is chosen for a request."),
    ("hash_on", "What of a request decides about its target."),
    ("hash_fallback", "What decides when a request does not have what is hashed on."),
    ("hash_on_header", "The header that decides."),
    ("hash_fallback_header", "The header that decides when the first choice is missing."),
    ("hash_on_cookie", "The cookie that decides. It is set when a request does not have it."),
    ("hash_on_cookie_path", "The path of the cookie that is set."),
    ("hash_on_query_arg", "The argument of the query that decides."),
    ("hash_fallback_query_arg", "The argument of the query that decides when the first choice is missing."),
    ("hash_on_uri_capture", "The group of the expression of the route that decides."),
    (
        "hash_fallback_uri_capture",
        "The group of the expression of the route that decides when the first choice is missing.",
    ),
    ("slots", "How many places there are on the ring that hashes point to."),
    ("healthchecks", "How the health of targets is found out."),
    ("host_header", "The host that is forwarded instead of the name of the target."),
    ("client_certificate", "The certificate that is shown to targets."),
    ("use_srv_name", "Whether the name of an SRV record is used as the host."),
];
