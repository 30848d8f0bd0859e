//! Targets of upstreams, which have a list and names of their own.

use std::net::IpAddr;

use moongate_schema::checks::Host;
use moongate_schema::{Object, Schema, Violations};
use moongate_store::Row;
use serde_json::Value;
use uuid::Uuid;

use crate::access::{Access, View, id_of};
use crate::arguments::Arguments;
use crate::entities::parse_id;
use crate::error::ApiError;
use crate::{infer, paging};

/// The kind of entities that this is about.
pub(crate) const ENTITY: &str = "targets";

/// The target of an upstream that a path names by its id, or by its host and port.
pub(crate) fn find(view: &View, upstream: Uuid, segment: &str) -> Result<Option<Row>, ApiError> {
    let rows = view.children(ENTITY, "upstream", upstream)?;
    if let Some(id) = parse_id(segment) {
        return Ok(rows.into_iter().find(|row| id_of(row) == Some(id)));
    }
    let named = |row: &Row, name: &str| row.get("target").and_then(Value::as_str) == Some(name);
    if let Some(row) = rows.iter().find(|row| named(row, segment)) {
        return Ok(Some(row.clone()));
    }
    let usual = normal(segment);
    Ok(usual.and_then(|usual| rows.into_iter().find(|row| named(row, &usual))))
}

/// A page of the targets of an upstream, the newest first.
pub(crate) fn list(
    access: &Access,
    view: &View,
    schema: &Schema,
    upstream: Uuid,
    arguments: &Arguments,
    path: &str,
) -> Result<Value, ApiError> {
    let (rows, next) = page(view, upstream, arguments)?;
    let data = rows.iter().map(|row| access.show(view, schema, row)).collect();
    Ok(paging::show(path, data, next, ""))
}

/// Some targets of an upstream, the newest first, and where the next ones begin.
///
/// Kong counts here instead of remembering a place.
pub(crate) fn page(
    view: &View,
    upstream: Uuid,
    arguments: &Arguments,
) -> Result<(Vec<Row>, Option<String>), ApiError> {
    let count = |name, default| match arguments.one(name)? {
        None => Ok(default),
        Some(text) => {
            let count = infer::number(text).and_then(|number| usize::try_from(number.as_u64()?).ok());
            count.ok_or(if name == "size" {
                ApiError::InvalidSize("a number")
            } else {
                ApiError::InvalidOffset { offset: text.to_owned(), why: "bad number encoding".to_owned() }
            })
        }
    };
    let (size, offset) = (count("size", paging::DEFAULT_SIZE)?, count("offset", 0)?);
    let mut rows = view.children(ENTITY, "upstream", upstream)?;
    let age = |row: &Row| (row.get("created_at").and_then(Value::as_f64).unwrap_or_default(), id_of(row));
    rows.sort_by(|one, other| age(other).partial_cmp(&age(one)).unwrap_or(std::cmp::Ordering::Equal));
    let end = offset.saturating_add(size);
    let next = (rows.len() > end).then(|| end.to_string());
    Ok((rows.into_iter().skip(offset).take(size).collect(), next))
}

/// Writes the target of a request in the usual form: with a port, and addresses of IPv6 at full length.
///
/// # Errors
/// [`ApiError::Invalid`] for what is neither a name nor an address.
pub(crate) fn normalize(fields: &mut Object) -> Result<(), ApiError> {
    let Some(Value::String(target)) = fields.get_mut("target") else { return Ok(()) };
    let problem = "Invalid target; not a valid hostname or ip address";
    *target = normal(target).ok_or_else(|| Violations::of_field("target", problem))?;
    Ok(())
}

fn normal(target: &str) -> Option<String> {
    let Host { name, address, port, .. } = Host::parse(target).ok()?;
    let port = port.unwrap_or(DEFAULT_PORT);
    Some(match address {
        Some(IpAddr::V6(address)) => {
            let groups: Vec<String> = address.segments().iter().map(|group| format!("{group:04x}")).collect();
            format!("[{}]:{port}", groups.join(":"))
        }
        Some(IpAddr::V4(address)) => format!("{address}:{port}"),
        None => format!("{name}:{port}"),
    })
}

const DEFAULT_PORT: u16 = 8000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_gets_a_port_and_a_long_address() {
        for (target, expected) in [
            ("10.0.0.1:80", "10.0.0.1:80"),
            ("10.0.0.2", "10.0.0.2:8000"),
            ("h.test", "h.test:8000"),
            ("a.test:0", "a.test:0"),
            ("[::1]:99", "[0000:0000:0000:0000:0000:0000:0000:0001]:99"),
            ("fe80::a", "[fe80:0000:0000:0000:0000:0000:0000:000a]:8000"),
        ] {
            assert_eq!(normal(target).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_host_is_no_target() {
        for target in ["", "a b", "a.test:99999", "a..b"] {
            assert_eq!(normal(target), None, "{target}");
        }
    }
}
