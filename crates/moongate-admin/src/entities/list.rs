//! Lists of entities.

use moongate_schema::Schema;
use moongate_store::Key;
use serde_json::{Value, json};

use super::parent_id;
use crate::access::Access;
use crate::arguments::{Arguments, encode};
use crate::error::ApiError;
use crate::paging::Paging;
use crate::resource::Parent;
use crate::targets;

/// One page of a kind of entities, or of the children of one entity.
pub(crate) async fn list(
    access: &Access,
    schema: &Schema,
    parent: Option<&Parent>,
    arguments: &Arguments,
) -> Result<Value, ApiError> {
    let Some(parent) = parent else {
        if let Some(found) = by_custom_id(access, schema, arguments).await? {
            return Ok(found);
        }
        let paging = Paging::of_collection(arguments, schema.field_named("tags").is_some())?;
        return page(access, schema, &paging, &format!("/{}", schema.admin_path())).await;
    };
    let view = access.view().await?;
    let id = parent_id(access, &view, parent)?;
    let path = format!("/{}/{}/{}", parent.schema.admin_path(), encode(&parent.key), schema.nested_path());
    if schema.name() == targets::ENTITY {
        return targets::list(access, &view, schema, id, arguments, &path);
    }
    let paging = Paging::of_children(arguments, &parent.field, id)?;
    page(access, schema, &paging, &path).await
}

/// A page of the list at `path`.
pub(crate) async fn page(
    access: &Access,
    schema: &Schema,
    paging: &Paging,
    path: &str,
) -> Result<Value, ApiError> {
    let view = access.view().await?;
    let page = view.data.page(schema.name(), paging.request(), view.now)?;
    let data = page.rows.iter().map(|row| access.show(&view, schema, row)).collect();
    Ok(paging.show(path, data, page.next))
}

/// The consumer with the id that it has elsewhere, as a list.
async fn by_custom_id(
    access: &Access,
    schema: &Schema,
    arguments: &Arguments,
) -> Result<Option<Value>, ApiError> {
    let Some(custom_id) = arguments.one("custom_id")?.filter(|_| schema.name() == "consumers") else {
        return Ok(None);
    };
    if custom_id.is_empty() {
        return Err(ApiError::refused("custom_id must be an unempty string"));
    }
    let view = access.view().await?;
    let found = view.find(schema.name(), &Key::field("custom_id", custom_id))?;
    let data: Vec<Value> = found.iter().map(|row| access.show(&view, schema, row)).collect();
    Ok(Some(json!({"data": data, "next": null})))
}
