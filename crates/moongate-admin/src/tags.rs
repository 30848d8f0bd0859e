//! The tags of all entities.

use moongate_schema::Violations;
use serde_json::{Value, json};

use crate::access::Access;
use crate::arguments::{Arguments, encode};
use crate::entities;
use crate::error::ApiError;
use crate::paging;

/// That tags change with the entities that have them, and not by themselves.
pub(crate) fn unchangeable() -> ApiError {
    Violations::of_field("tags", "does not support insert/upsert/update/delete operations").into()
}

/// A page of all tags, or of the entities with one tag.
pub(crate) async fn list(
    access: &Access,
    tag: Option<&str>,
    arguments: &Arguments,
) -> Result<Value, ApiError> {
    if let Some(tag) = tag {
        entities::check_value(access, access.schema("tags")?, "tag", &Value::from(tag))?;
    }
    let (size, offset) = (paging::size(arguments)?, paging::offset(arguments)?);
    let page = access.store().tags(tag, size, offset).await?;
    let show =
        |row: moongate_store::TagRow| json!({"tag": row.tag, "entity_name": row.entity, "entity_id": row.id});
    let data = page.rows.into_iter().map(show).collect();
    let path = tag.map_or_else(|| "/tags".to_owned(), |tag| format!("/tags/{}", encode(tag)));
    let size = arguments.one("size")?.map_or_else(String::new, |size| format!("&size={}", encode(size)));
    Ok(paging::show(&path, data, page.next.map(|next| next.to_string()), &size))
}
