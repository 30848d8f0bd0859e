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
        .described(&DESCRIPTIONS)
}

const DESCRIPTIONS: [(&str, &str); 8] = [
    ("route", "The route whose requests the plugin is run for."),
    ("service", "The service whose requests the plugin is run for."),
    ("consumer", "The consumer whose requests the plugin is run for."),
    ("protocols", "The protocols whose requests the plugin is run for."),
    ("name", "The name of the plugin."),
    ("instance_name", "The unique name of this configuration."),
    ("config", "The configuration, as the plugin declares it."),
    ("enabled", "Whether the plugin is run with this configuration."),
];
