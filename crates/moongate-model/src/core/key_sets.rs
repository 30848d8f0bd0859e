//! Sets of keys.

use moongate_schema::{Field, Schema, types};

pub(super) fn schema() -> Schema {
    Schema::entity("key_sets")
        .endpoint_key("name")
        .admin_name("key-sets")
        .field("id", types::id())
        .field("name", Field::string().optional().unique())
        .field("tags", types::tags())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .described(&DESCRIPTIONS)
}

const DESCRIPTIONS: [(&str, &str); 1] = [("name", "The unique name of the set of keys.")];
