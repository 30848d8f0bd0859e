//! How names of upstreams are resolved.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use moongate_proxy::Query;
use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::value::{Read, count, each, items, name_of, seconds, show_list, show_seconds, text, wrong};

/// Name servers: addresses, with or without a port.
pub(super) fn read_servers(value: &Value) -> Read<Vec<SocketAddr>> {
    each(&items(value)?, |item| {
        let address = item.parse().or_else(|_| {
            let ip: IpAddr = item.trim_start_matches('[').trim_end_matches(']').parse()?;
            Ok::<_, std::net::AddrParseError>(SocketAddr::new(ip, PORT))
        });
        address.or_else(|_| {
            wrong(format!("`{item}` is no address of a name server, such as 10.0.0.2 or [::1]:53"))
        })
    })
}

pub(super) fn show_servers(servers: &[SocketAddr]) -> Json {
    show_list(servers)
}

/// The types of records in the order in which they are asked for.
pub(super) fn read_order(value: &Value) -> Read<Vec<Query>> {
    let items = items(value)?;
    let order =
        each(&items, |item| match QUERIES.iter().find(|(name, _)| name.eq_ignore_ascii_case(item)) {
            Some((_, query)) => Ok(*query),
            None => wrong(format!("`{item}` is none of LAST, SRV, A, AAAA, CNAME")),
        })?;
    if order.iter().all(|query| matches!(query, Query::Last | Query::Cname)) {
        return wrong("names neither SRV nor A nor AAAA, so no name would have an address");
    }
    Ok(order)
}

/// The types of records that are asked for at all; the order in which they are is fixed.
pub(super) fn read_family(value: &Value) -> Read<Vec<Query>> {
    let named = each(&items(value)?, |item| {
        FAMILY
            .into_iter()
            .find(|query| name_of(query, &QUERIES).eq_ignore_ascii_case(item))
            .map_or_else(|| wrong(format!("`{item}` is none of SRV, A, AAAA")), Ok)
    })?;
    match FAMILY.into_iter().filter(|query| named.contains(query)).collect::<Vec<_>>() {
        order if order.is_empty() => wrong("is empty, so no name would have an address"),
        order => Ok(order),
    }
}

pub(super) fn show_order(order: &[Query]) -> Json {
    order.iter().map(|query| name_of(query, &QUERIES)).collect()
}

/// Seconds, or nothing.
pub(super) fn read_optional_seconds(value: &Value) -> Read<Option<Duration>> {
    match text(value)?.as_str() {
        "" => Ok(None),
        _ => seconds(value).map(Some),
    }
}

pub(super) fn show_optional_seconds(duration: &Option<Duration>) -> Json {
    duration.as_ref().map_or(Json::Null, show_seconds)
}

pub(super) fn read_cache_size(value: &Value) -> Read<usize> {
    count(value, 1, 10_000_000)
}

pub(super) fn show_cache_size(size: &usize) -> Json {
    json!(size)
}

const QUERIES: [(&str, Query); 5] = [
    ("LAST", Query::Last),
    ("SRV", Query::Srv),
    ("A", Query::A),
    ("AAAA", Query::Aaaa),
    ("CNAME", Query::Cname),
];

/// What `resolver_family` is made of, in the order in which it is asked for.
const FAMILY: [Query; 3] = [Query::Srv, Query::A, Query::Aaaa];

const PORT: u16 = 53;
