//! Fields that many schemas have.

use serde_json::Value;

use crate::{Auto, Field, Schema, checks};

/// A UUID made by the gateway.
pub fn id() -> Field {
    Field::string().uuid().auto(Auto::Uuid).describe("The unique id.")
}

/// When the object was made, in seconds.
pub fn created_at() -> Field {
    Field::integer().timestamp().auto(Auto::CreatedAt).describe("When it was made, in seconds since 1970.")
}

/// When the object was changed last, in seconds.
pub fn updated_at() -> Field {
    Field::integer()
        .timestamp()
        .auto(Auto::UpdatedAt)
        .describe("When it was changed last, in seconds since 1970.")
}

/// A unique name.
pub fn name() -> Field {
    Field::string().unique().check(checks::NAME)
}

/// A set of tags.
pub fn tags() -> Field {
    Field::set(Field::string().required().check(checks::TAG)).describe("Words to find it by.")
}

/// A protocol between client and gateway, or gateway and service.
pub fn protocol() -> Field {
    Field::string().one_of(PROTOCOLS)
}

/// The protocols of a plugin that works on HTTP.
pub fn protocols_http() -> Field {
    protocols_of(&HTTP_PROTOCOLS)
}

/// The protocols of a plugin that works on streams as well.
pub fn protocols() -> Field {
    protocols_of(&PROTOCOLS)
}

fn protocols_of(protocols: &[&str]) -> Field {
    Field::set(Field::string().required().one_of(protocols.iter().copied()))
        .required()
        .default(Value::from(HTTP_PROTOCOLS.as_slice()))
}

/// A host name or an address.
pub fn host() -> Field {
    Field::string().check(checks::HOST)
}

/// A host name with at most one wildcard.
pub fn wildcard_host() -> Field {
    Field::string().check(checks::WILDCARD_HOST)
}

/// A TLS server name.
pub fn sni() -> Field {
    Field::string().check(checks::SNI)
}

/// A port.
pub fn port() -> Field {
    Field::integer().between(0, 65535)
}

/// A path.
pub fn path() -> Field {
    Field::string().starts_with("/").match_none("//", "must not have empty segments").check(checks::PATH)
}

/// A time in milliseconds.
pub fn timeout() -> Field {
    Field::integer().between(0, 2_147_483_646)
}

/// The name of a header.
pub fn header_name() -> Field {
    Field::string().check(checks::HEADER_NAME)
}

/// The name of a cookie.
pub fn cookie_name() -> Field {
    Field::string().check(checks::COOKIE_NAME)
}

/// A method of a request.
pub fn method() -> Field {
    Field::string().matches("^%u+$")
}

/// A URL.
pub fn url() -> Field {
    Field::string().check(checks::URL)
}

/// An address or a range of addresses.
pub fn ip_or_cidr() -> Field {
    Field::string().check(checks::IP_OR_CIDR)
}

/// Values of a header that a request must have, by its name.
pub fn headers() -> Field {
    Field::map(header_name(), Field::array(Field::string()))
}

/// A reference to a consumer that must not be given: the plugin cannot be bound to one.
pub fn no_consumer() -> Field {
    Field::foreign("consumers").eq(Value::Null)
}

/// A reference to a route that must not be given.
pub fn no_route() -> Field {
    Field::foreign("routes").eq(Value::Null)
}

/// A reference to a service that must not be given.
pub fn no_service() -> Field {
    Field::foreign("services").eq(Value::Null)
}

/// The configuration of a plugin or vault.
pub fn config(fields: Schema) -> Field {
    Field::record(fields).required()
}

/// All protocols.
pub const PROTOCOLS: [&str; 8] = ["grpc", "grpcs", "http", "https", "tcp", "tls", "tls_passthrough", "udp"];

/// Those that carry HTTP.
pub const HTTP_PROTOCOLS: [&str; 4] = ["grpc", "grpcs", "http", "https"];
