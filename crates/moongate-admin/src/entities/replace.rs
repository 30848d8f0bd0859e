//! Entities that are made, or take the place of the one with their key.

use moongate_schema::{Operation, Schema};
use moongate_store::{Change, Key};
use serde_json::{Value, json};
use uuid::Uuid;

use super::input::{Input, set_key};
use super::key::key_below;
use super::{key_of, parent_id, update};
use crate::access::{Access, View, id_of};
use crate::body::Fields;
use crate::error::ApiError;
use crate::resource::Parent;
use crate::{certificates, targets};

/// Puts an entity in the place that a path names.
pub(crate) async fn replace(
    access: &Access,
    schema: &Schema,
    segment: &str,
    parent: Option<&Parent>,
    fields: &Fields,
) -> Result<Value, ApiError> {
    if schema.name() == targets::ENTITY {
        return update(access, schema, segment, parent, fields).await;
    }
    let view = access.view().await?;
    let mut given = fields.typed(schema, None);
    let mut below = None;
    if let Some(parent) = parent {
        let id = parent_id(access, &view, parent)?;
        given.insert(parent.field.clone(), json!({"id": id}));
        below = key_below(schema, segment, &parent.field, id);
    }
    if schema.name() == certificates::ENTITY {
        let (id, name) = certificates::place_of(access, &view, segment)?;
        certificates::add_name(&mut given, name);
        return replace_with(access, &view, schema, &Key::Id(id), given, Vec::new()).await;
    }
    let key = match below {
        Some(key) => key,
        None => key_of(access, schema, segment)?,
    };
    replace_with(access, &view, schema, &key, given, Vec::new()).await
}

/// Puts an entity in the place of `key`, and makes `further` changes with it.
pub(super) async fn replace_with(
    access: &Access,
    view: &View,
    schema: &Schema,
    key: &Key,
    given: moongate_schema::Object,
    further: Vec<Change>,
) -> Result<Value, ApiError> {
    let mut input = Input::prepare(access, view, schema, given, None)?;
    set_key(&mut input, key);
    let place = place(view, schema, key)?;
    input.names.check(view, place)?;
    let entity = input.into_new(access, schema, Operation::Upsert)?;
    access.check_writable("create or update", schema, Some(key))?;
    let mut changes = vec![Change::upsert(schema.name(), key.clone(), entity.row.clone())];
    changes.extend(entity.names.changes(access, view, &entity.row, true)?);
    changes.extend(further);
    let written = access.write(changes).await?;
    let view = View::after(&written, access);
    Ok(access.show(&view, schema, &written.into_row()?))
}

/// The id of the entity that has the key.
fn place(view: &View, schema: &Schema, key: &Key) -> Result<Option<Uuid>, ApiError> {
    Ok(match key {
        Key::Id(id) => Some(*id),
        key => view.find(schema.name(), key)?.as_ref().and_then(id_of),
    })
}
