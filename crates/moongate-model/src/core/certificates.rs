//! Certificates that the gateway shows to clients, or to services.

use moongate_schema::{EntityCheck, Field, Schema, types};

pub(super) fn schema() -> Schema {
    Schema::entity("certificates")
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("cert", Field::string().required().referenceable())
        .field("key", Field::string().required().referenceable().encrypted())
        .field("cert_alt", Field::string().optional().referenceable())
        .field("key_alt", Field::string().optional().referenceable().encrypted())
        .field("tags", types::tags())
        .field("snis", Field::array(types::wildcard_host().required()).optional().transient())
        .entity_check(EntityCheck::mutually_required(&["cert_alt", "key_alt"]))
}
