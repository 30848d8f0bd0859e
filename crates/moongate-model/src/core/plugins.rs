//! Plugin configurations. What `config` holds is each plugin's own business.

use moongate_schema::{Field, Schema, types};
use serde_json::Value;

pub(super) fn schema() -> Schema {
    let scope = |entity: &str| Field::foreign(entity).cascade().default(Value::Null);
    Schema::entity("plugins")
        .endpoint_key("instance_name")
        .cache_key(&["name", "route", "service", "consumer"])
        .field("id", types::id())
        .field("name", Field::string().required())
        .field("instance_name", types::name())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("route", scope("routes"))
        .field("service", scope("services"))
        .field("consumer", scope("consumers"))
        .field("config", Field::record(Schema::record()).abstracted())
        .field("protocols", types::protocols())
        .field("enabled", Field::boolean().required().default(true))
        .field("tags", types::tags())
}
