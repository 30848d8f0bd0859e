//! Ids that follow from what an entity is called.
//!
//! A declarative file rarely carries ids. Deriving them from names keeps them the same over restarts,
//! over the nodes of a cluster and over both ways of nesting, so that a log line or a database row
//! written yesterday still names the entity that it named then.

use uuid::Uuid;

/// The id of an entity without one of its own, from its collection's name and its identifying text.
///
/// The text is the entity's unique name, or for a plugin configuration
/// `plugins:*:<name>:<route>:<service>:<consumer>`. Equal arguments give equal ids, everywhere and forever.
pub fn generated_id(entity: &str, key: &str) -> Uuid {
    Uuid::new_v5(&Uuid::new_v5(&NAMESPACE, entity.as_bytes()), key.as_bytes())
}

const NAMESPACE: Uuid = Uuid::from_u128(0xfd02801f_0957_4a15_a55a_c8d9606f30b5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_the_collection_and_the_name() {
        for (entity, key, id) in [
            ("services", "my-service", "0855b320-0dd2-547d-891d-601e9b38647f"),
            ("services", "foo", "2933fbcc-9d7c-54a7-a984-fe2bde836cea"),
            ("routes", "my-route", "481a9539-f49c-51b6-b2e2-fe99ee68866c"),
            ("consumers", "bobby", "d885e256-1abe-5e24-80b6-8f68fe59ea8e"),
            ("consumers", "my-user", "4b1b701d-de2b-5588-9aa2-3b97061d9f52"),
            ("plugins", "plugins:*:key-auth:::", "6b4f38d1-e026-540b-a5ea-8634739dd2a7"),
            (
                "plugins",
                "plugins:*:file-log::0855b320-0dd2-547d-891d-601e9b38647f:",
                "ff5af6e2-7c22-5b6c-834e-594211031e23",
            ),
        ] {
            assert_eq!(generated_id(entity, key).to_string(), id, "{entity} {key}");
        }
    }
}
