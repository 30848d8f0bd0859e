//! Chains of Proxy-Wasm filters. The gateway does not run any; the schema is there for tools that ask for it.

use moongate_schema::{CustomCheck, EntityCheck, Field, FieldType, Schema, types};
use serde_json::{Value, json};

pub(super) fn schema() -> Schema {
    let scope = |entity: &str| Field::foreign(entity).unique().cascade().default(Value::Null);
    let json_schema = json!({
        "parent_subschema_key": "name",
        "namespace": "proxy-wasm-filters",
        "optional": true,
        "default": {"$schema": "http://json-schema.org/draft-04/schema#", "type": ["string", "null"]}
    });
    let no_filters: [&str; 0] = [];
    let filter = Schema::record()
        .field("name", Field::string().required().one_of(no_filters).err("no such filter"))
        .field("enabled", Field::boolean().required().default(true))
        .field("config", Field::of(FieldType::Json(Some(json_schema))).optional());
    Schema::entity("filter_chains")
        .endpoint_key("name")
        .cache_key(&["route", "service"])
        .admin_name("filter-chains")
        .not_stored()
        .field("id", types::id())
        .field("name", types::name())
        .field("enabled", Field::boolean().required().default(true))
        .field("route", scope("routes"))
        .field("service", scope("services"))
        .field("filters", Field::array(Field::record(filter)).required().len_min(1))
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("tags", types::tags())
        .entity_check(EntityCheck::mutually_exclusive(&["service", "route"]))
        .entity_check(EntityCheck::at_least_one_of(&["service", "route"]))
        .entity_check(EntityCheck::Custom(CustomCheck {
            field_sources: vec!["filters".to_owned()],
            run_with_missing_fields: false,
            run_with_invalid_fields: true,
            function: None,
        }))
}
