//! Targets: the addresses of an upstream.

use moongate_schema::{Auto, Field, Schema, checks, types};

pub(super) fn schema() -> Schema {
    Schema::entity("targets")
        .endpoint_key("target")
        .cache_key(&["upstream", "target"])
        .field("id", types::id())
        .field("created_at", Field::number().timestamp().auto(Auto::CreatedAt))
        .field("updated_at", Field::number().timestamp().auto(Auto::UpdatedAt))
        .field("upstream", Field::foreign("upstreams").required().cascade())
        .field("target", Field::string().required().check(checks::TARGET))
        .field("weight", Field::integer().between(0, 65535).default(100))
        .field("tags", types::tags())
        .described(&DESCRIPTIONS)
}

const DESCRIPTIONS: [(&str, &str); 5] = [
    ("created_at", "When it was made, in seconds since 1970 with milliseconds."),
    ("updated_at", "When it was changed last, in seconds since 1970 with milliseconds."),
    ("upstream", "The upstream that the target belongs to."),
    ("target", "The host name or address of the target, and its port."),
    ("weight", "The share of requests that the target gets, among the weights of all targets. 0 means none."),
];
