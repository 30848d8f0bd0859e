//! Vaults: where references to secrets lead.

use moongate_schema::{Field, Schema, types};

pub(super) fn schema() -> Schema {
    let prefix = Field::string().required().unique().matches("^[a-z][a-z%d-]-[a-z%d]+$").not_one_of(KINDS);
    Schema::entity("vaults")
        .endpoint_key("prefix")
        .cache_key(&["prefix"])
        .field("id", types::id())
        .field("prefix", Field { unique_across_ws: true, ..prefix })
        .field("name", Field::string().required())
        .field("description", Field::string())
        .field("config", Field::record(Schema::record()).abstracted())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("tags", types::tags())
        .described(&DESCRIPTIONS)
}

/// A vault of environment variables.
pub(super) fn env() -> Schema {
    let fields = Schema::record().field("prefix", Field::string().matches("^[%a_-][%a%d_-]*$"));
    Schema::record().field("config", types::config(fields))
}

/// The kinds of vaults, whose names lead to them without an entity.
const KINDS: [&str; 1] = ["env"];

const DESCRIPTIONS: [(&str, &str); 4] = [
    ("prefix", "The unique name that references to secrets begin with."),
    ("name", "The kind of the vault."),
    ("description", "What the vault is for."),
    ("config", "The settings of the vault, as its kind declares them."),
];
