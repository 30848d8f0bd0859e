//! Tags: which entities have them. Made from the entities, and only read.

use moongate_schema::{Field, Schema, checks};

pub(super) fn schema() -> Schema {
    Schema::entity("tags")
        .endpoint_key("tag")
        .not_stored()
        .field("tag", Field::string().required().check(checks::TAG))
        .field("entity_name", Field::string().required())
        .field("entity_id", Field::string().uuid().required())
}
