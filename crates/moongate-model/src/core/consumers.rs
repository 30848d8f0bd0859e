//! Consumers: who uses the services.

use moongate_schema::{EntityCheck, Field, Schema, types};

pub(super) fn schema() -> Schema {
    Schema::entity("consumers")
        .endpoint_key("username")
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("username", Field::string().unique())
        .field("custom_id", Field::string().unique())
        .field("tags", types::tags())
        .entity_check(EntityCheck::at_least_one_of(&["custom_id", "username"]))
        .described(&DESCRIPTIONS)
}

const DESCRIPTIONS: [(&str, &str); 2] = [
    ("username", "The unique name of the consumer."),
    ("custom_id", "The unique id that the consumer has elsewhere."),
];
