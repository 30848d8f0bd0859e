//! The health of upstreams, and all targets of one.

use moongate_balancer::{HealthWord, Target, TargetStatus, UpstreamStatus};
use moongate_schema::Schema;
use moongate_store::{Key, Row};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::{Access, View, id_of};
use crate::api::to_value;
use crate::arguments::{Arguments, encode};
use crate::entities;
use crate::error::ApiError;
use crate::node::{Announcement, HealthError};
use crate::paging::{self, Paging};
use crate::resource::OfUpstream;
use crate::targets;

/// What can be read of an upstream beside its fields.
pub(crate) async fn read(
    access: &Access,
    segment: &str,
    what: OfUpstream,
    arguments: &Arguments,
) -> Result<Value, ApiError> {
    let view = access.view().await?;
    let (id, _) = find(access, &view, segment)?;
    let schema = access.schema(targets::ENTITY)?;
    match what {
        OfUpstream::AllTargets => {
            let paging = Paging::of_children(arguments, "upstream", id)?;
            let path = format!("/upstreams/{}/targets/all", encode(segment));
            entities::page(access, schema, &paging, &path).await
        }
        OfUpstream::Health if matches!(arguments.one("balancer_health")?, Some("1" | "true")) => {
            Ok(json!({"data": whole(access, id)?, "next": null, "node_id": access.node().node_id()}))
        }
        OfUpstream::Health => {
            let path = format!("/upstreams/{}/health", encode(segment));
            let (rows, next) = targets::page(&view, id, arguments)?;
            let mut shown = paging::show(&path, by_target(access, &view, schema, id, &rows)?, next, "");
            if let Some(shown) = shown.as_object_mut() {
                shown.insert("node_id".to_owned(), json!(access.node().node_id()));
            }
            Ok(shown)
        }
        OfUpstream::TargetHealth { .. } => Err(ApiError::MethodNotAllowed),
    }
}

/// Calls a target or an address of it healthy or not, on all nodes.
pub(crate) async fn set_health(access: &Access, segment: &str, what: OfUpstream) -> Result<(), ApiError> {
    let OfUpstream::TargetHealth { target, address, healthy } = what else {
        return Err(ApiError::MethodNotAllowed);
    };
    let view = access.view().await?;
    let (id, name) = find(access, &view, segment)?;
    let row = targets::find(&view, id, &target)?.ok_or(ApiError::NotFound)?;
    let target = row.get("target").and_then(Value::as_str).unwrap_or_default();
    access.node().health().set(id, target, address.as_deref(), healthy).map_err(|error| match error {
        HealthError::NoBalancer => ApiError::refused(format!("Upstream {name} has no balancer")),
        HealthError::NoChecks => ApiError::refused(format!("no healthchecker found for {name}")),
        HealthError::UnknownAddress => ApiError::NotFound,
    })?;
    let target = target.to_owned();
    access.announce(&Announcement::TargetHealth { upstream: id, target, address, healthy }).await
}

/// The health of an upstream as a whole.
fn whole(access: &Access, id: Uuid) -> Result<Value, ApiError> {
    Ok(match access.node().health().upstream(id) {
        None => json!({"id": id, "health": HealthWord::Off}),
        Some(status) => json!({
            "id": id,
            "health": status.health(),
            "balancer_health": status.balancer_health(),
            "details": to_value(&status)?,
        }),
    })
}

/// The targets with their health.
fn by_target(
    access: &Access,
    view: &View,
    schema: &Schema,
    upstream: Uuid,
    rows: &[Row],
) -> Result<Vec<Value>, ApiError> {
    let status = access.node().health().upstream(upstream);
    let show = |row: &Row| {
        let mut shown = access.show(view, schema, row);
        let status = status.as_ref().and_then(|status| of_target(status, row));
        let health = status.map_or(HealthWord::Off, |status| status.health);
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("health".to_owned(), to_value(&health)?);
            if let Some(status) = status {
                shown.insert("data".to_owned(), to_value(status)?);
            }
        }
        Ok(shown)
    };
    rows.iter().map(show).collect()
}

fn of_target<'a>(status: &'a UpstreamStatus, row: &Row) -> Option<&'a TargetStatus> {
    let target = Target::parse(row.get("target")?.as_str()?, 0);
    status.targets.iter().find(|status| *status.host == *target.host && status.port == target.port)
}

/// The id and the name of the upstream that a path names.
fn find(access: &Access, view: &View, segment: &str) -> Result<(Uuid, String), ApiError> {
    let schema = access.schema("upstreams")?;
    let key: Key = entities::key_of(access, schema, segment)?;
    let row = view.find(schema.name(), &key)?.ok_or(ApiError::NotFound)?;
    let name = row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((id_of(&row).ok_or(ApiError::Unexpected)?, name))
}
