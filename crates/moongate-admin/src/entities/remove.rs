//! Entities that go.

use moongate_schema::Schema;
use moongate_store::{Change, Row};
use serde_json::Value;
use uuid::Uuid;

use super::find;
use crate::access::{Access, View, id_of};
use crate::certificates;
use crate::error::ApiError;
use crate::resource::Parent;

/// Removes the entity that a path names. What is not there is removed already, except below a parent.
pub(crate) async fn remove(
    access: &Access,
    schema: &Schema,
    segment: &str,
    parent: Option<&Parent>,
) -> Result<(), ApiError> {
    let view = access.view().await?;
    let (key, row) = find(access, &view, schema, segment, parent)?;
    let Some(id) = row.as_ref().and_then(id_of) else { return Ok(()) };
    access.check_writable("remove", schema, Some(&key))?;
    let mut changes = Vec::new();
    match schema.name() {
        certificates::ENTITY => changes.extend(certificates::removal_of_names(&view, id)?),
        "ca_certificates" => check_unlisted(&view, id)?,
        _ => {}
    }
    changes.push(Change::delete(schema.name(), id));
    access.write(changes).await?;
    Ok(())
}

/// Refuses to remove an authority that a service or a plugin lists: those are no references that a store knows.
fn check_unlisted(view: &View, id: Uuid) -> Result<(), ApiError> {
    let id = Value::from(id.to_string());
    let lists = |list: Option<&Value>| list.and_then(Value::as_array).is_some_and(|list| list.contains(&id));
    let of_service = |row: &Row| lists(row.get("ca_certificates"));
    let of_plugin = |row: &Row| lists(row.get("config").and_then(|config| config.get("ca_certificates")));
    let service = view.data.rows("services").find(|row| of_service(row));
    let plugin = view.data.rows("plugins").find(|row| of_plugin(row));
    for (entity, row) in [("services", service), ("plugins", plugin)] {
        let Some(row) = row else { continue };
        let by = row.get("id").and_then(Value::as_str).unwrap_or_default();
        let id = id.as_str().unwrap_or_default();
        return Err(ApiError::Listed(format!(
            "ca certificate {id} is still referenced by {entity} (id = {by})"
        )));
    }
    Ok(())
}
