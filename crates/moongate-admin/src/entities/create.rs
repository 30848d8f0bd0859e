//! New entities.

use moongate_schema::{Operation, Schema};
use moongate_store::Change;
use serde_json::{Value, json};

use super::input::Input;
use super::parent_id;
use crate::access::{Access, View};
use crate::body::Fields;
use crate::error::ApiError;
use crate::resource::Parent;

/// Makes an entity, below `parent` if one is named.
pub(crate) async fn create(
    access: &Access,
    schema: &Schema,
    parent: Option<&Parent>,
    fields: &Fields,
) -> Result<Value, ApiError> {
    let view = access.view().await?;
    let mut given = fields.typed(schema, None);
    if let Some(parent) = parent {
        let id = parent_id(access, &view, parent)?;
        given.insert(parent.field.clone(), json!({"id": id}));
    }
    let input = Input::prepare(access, &view, schema, given, None)?;
    input.names.check(&view, None)?;
    let entity = input.into_new(access, schema, Operation::Insert)?;
    access.check_writable("create", schema, None)?;
    let mut changes = vec![Change::insert(schema.name(), entity.row.clone())];
    changes.extend(entity.names.changes(access, &view, &entity.row, false)?);
    let written = access.write(changes).await?;
    let view = View::after(&written, access);
    Ok(access.show(&view, schema, &written.into_row()?))
}
