//! Certificates of authorities that services' certificates are checked against.

use moongate_schema::{Field, Schema, types};

pub(super) fn schema() -> Schema {
    Schema::entity("ca_certificates")
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("cert", Field::string().required())
        .field("cert_digest", Field::string().unique())
        .field("tags", types::tags())
}
