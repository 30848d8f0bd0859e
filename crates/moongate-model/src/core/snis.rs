//! Server names that certificates are chosen by.

use moongate_schema::{Field, Schema, types};

pub(super) fn schema() -> Schema {
    let name = types::wildcard_host().required().unique();
    Schema::entity("snis")
        .endpoint_key("name")
        .field("id", types::id())
        .field("name", Field { unique_across_ws: true, ..name })
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("tags", types::tags())
        .field("certificate", Field::foreign("certificates").required())
        .described(&DESCRIPTIONS)
}

const DESCRIPTIONS: [(&str, &str); 2] = [
    ("name", "The server name that clients ask for."),
    ("certificate", "The certificate that is shown to clients that ask for the name."),
];
