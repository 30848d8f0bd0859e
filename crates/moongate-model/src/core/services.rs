//! Services: what requests are forwarded to.

use moongate_schema::checks::Url;
use moongate_schema::{EntityCheck, Field, Object, Requirement, Schema, Shorthand, Violations, types};
use serde_json::Value;

pub(super) fn schema() -> Schema {
    let schema = Schema::entity("services")
        .endpoint_key("name")
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("name", types::name())
        .field("retries", Field::integer().between(0, 32767).default(5))
        .field("protocol", types::protocol().required().default("http"))
        .field("host", types::host().required())
        .field("port", types::port().required().default(80))
        .field("path", types::path())
        .field("connect_timeout", timeout())
        .field("write_timeout", timeout())
        .field("read_timeout", timeout())
        .field("tags", types::tags())
        .field("client_certificate", Field::foreign("certificates"))
        .field("tls_verify", Field::boolean())
        .field("tls_verify_depth", Field::integer().between(0, 64).default(Value::Null))
        .field("ca_certificates", Field::array(Field::string().uuid().required()))
        .field("enabled", Field::boolean().required().default(true))
        .shorthand("url", Shorthand::of_function(Field::string(), "service_url", expand_url))
        .entity_check(EntityCheck::conditional(
            "protocol",
            Requirement::one_of(["tcp", "tls", "udp", "grpc", "grpcs"]),
            "path",
            Requirement::eq(Value::Null),
        ));
    let schema = schema.described(&DESCRIPTIONS);
    let of_tls = ["client_certificate", "tls_verify", "tls_verify_depth", "ca_certificates"];
    of_tls.iter().fold(schema, |schema, field| {
        let is_plain = Requirement::not_one_of(["https", "tls"]);
        schema.entity_check(EntityCheck::conditional(
            "protocol",
            is_plain,
            field,
            Requirement::eq(Value::Null),
        ))
    })
}

fn timeout() -> Field {
    Field::integer().between(1, 2_147_483_646).default(60_000)
}

/// The fields that a `url` stands for.
///
/// The parts are taken as they come, so that a bad part is reported under the field that it would fill.
fn expand_url(value: &Value, _service: &Object) -> Result<Object, Violations> {
    let Value::String(text) = value else { return Ok(Object::new()) };
    let url = Url::parts(text);
    let number = url.port.map(|port| port.parse::<i64>().map_or_else(|_| Value::from(port), Value::from));
    let protocol = url.scheme.unwrap_or(if url.port == Some("443") { "https" } else { "http" });
    let default_port = if protocol == "https" { 443 } else { 80 };
    Ok(Object::from_iter([
        ("protocol".to_owned(), Value::from(protocol)),
        ("host".to_owned(), none_if_empty(url.host)),
        ("port".to_owned(), number.unwrap_or_else(|| Value::from(default_port))),
        ("path".to_owned(), none_if_empty(url.path)),
    ]))
}

fn none_if_empty(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::from(text) }
}

const DESCRIPTIONS: [(&str, &str); 14] = [
    ("name", "The name of the service, which routes and plugins can refer to it by."),
    ("retries", "How often a request is tried again on another connection when a connection fails."),
    ("protocol", "The protocol that is spoken with the service."),
    (
        "host",
        "The host name or address of the service, or the name of an upstream whose targets share the load.",
    ),
    ("port", "The port of the service."),
    ("path", "The path that comes before the path of each request."),
    ("connect_timeout", "How long connecting may take, in milliseconds."),
    ("write_timeout", "How long the service may take to accept more of a request, in milliseconds."),
    ("read_timeout", "How long the service may take to send more of an answer, in milliseconds."),
    ("client_certificate", "The certificate that is shown to the service."),
    (
        "tls_verify",
        "Whether the certificate of the service is checked. When not set, the setting of the gateway holds.",
    ),
    (
        "tls_verify_depth",
        "How many authorities may stand between the certificate of the service and a trusted one.",
    ),
    ("ca_certificates", "The ids of the authorities that the certificate of the service is checked against."),
    (
        "enabled",
        "Whether requests are forwarded to the service. Routes of a service that is not enabled match nothing.",
    ),
];
