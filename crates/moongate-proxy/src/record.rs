//! The record of a finished request, for log hooks.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Method, Uri, header};
use moongate_hooks::{Exchange, Identity, Matched, PluginRuntime, Source};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::body::Tail;
use crate::chain::Link;
use crate::response::Timing;
use crate::worker::Worker;

/// What of a request would be gone at its end.
pub(crate) struct Draft {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    started: Instant,
    /// What the upstream was asked for.
    pub(crate) upstream_uri: Option<String>,
    /// Who was asked: address and port.
    pub(crate) target: Option<String>,
    /// What it answered.
    pub(crate) upstream_status: Option<u16>,
}

impl Draft {
    /// Notes the request as it came and as plugins changed it, before the gateway's own headers.
    pub(crate) fn new(exchange: &Exchange, started: Instant) -> Box<Self> {
        let request = &exchange.request;
        Box::new(Self {
            method: request.method.clone(),
            uri: request.uri.clone(),
            headers: request.headers.clone(),
            started,
            upstream_uri: None,
            target: None,
            upstream_status: None,
        })
    }
}

/// Hands the record over to the plugins when the response has ended.
pub(crate) struct Recorder<R: PluginRuntime> {
    worker: Rc<Worker<R>>,
    links: Vec<Link<R>>,
    draft: Box<Draft>,
    facts: Facts,
    sent: u64,
}

/// What is known of the request when its response begins.
struct Facts {
    id: u128,
    client_ip: String,
    forwarded: (String, String, u16),
    tls: Option<Value>,
    matched: Option<Arc<Matched>>,
    identity: Option<Box<Identity>>,
    source: Source,
    status: u16,
    response_headers: HeaderMap,
    timing: Timing,
    fields: Vec<(String, Option<Value>)>,
    begun: Instant,
}

impl<R: PluginRuntime> Recorder<R> {
    /// `head` is the response's as the client gets it.
    pub(crate) fn new(
        worker: &Rc<Worker<R>>,
        links: Vec<Link<R>>,
        draft: Box<Draft>,
        exchange: &mut Exchange,
        head: &http::response::Parts,
        timing: Timing,
    ) -> Box<Self> {
        let tls = exchange.details.as_ref().and_then(|details| details.tls.as_deref());
        let facts = Facts {
            id: exchange.id,
            client_ip: exchange.client.address.to_string(),
            forwarded: exchange.forwarded(),
            tls: tls
                .map(|tls| json!({"version": tls.version, "cipher": tls.cipher, "client_verify": "NONE"})),
            matched: exchange.matched.clone(),
            identity: exchange.identity.take(),
            source: exchange.source,
            status: head.status.as_u16(),
            response_headers: head.headers.clone(),
            timing,
            fields: std::mem::take(&mut exchange.log_fields),
            begun: Instant::now(),
        };
        Box::new(Self { worker: Rc::clone(worker), links, draft, facts, sent: 0 })
    }

    fn record(&self) -> Arc<str> {
        let (draft, facts) = (&self.draft, &self.facts);
        let total = draft.started.elapsed();
        let (proxy, receive) = match facts.timing {
            Timing::Own(_) => (-1, 0),
            Timing::Proxied { upstream, .. } => (milliseconds(upstream), milliseconds(facts.begun.elapsed())),
        };
        let request = milliseconds(total);
        let gateway = (request - proxy.max(0) - receive).max(0);
        let started = SystemTime::now().checked_sub(total).unwrap_or(UNIX_EPOCH);
        let started = started.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let (scheme, host, port) = &facts.forwarded;
        let path = draft.uri.path_and_query().map_or("/", |path| path.as_str());
        let length =
            draft.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let mut record = json!({
            "request": {
                "id": format!("{:032x}", facts.id),
                "uri": path,
                "url": format!("{scheme}://{host}:{port}{path}"),
                "querystring": query(draft.uri.query().unwrap_or_default()),
                "method": draft.method.as_str(),
                "headers": headers(&draft.headers, true),
                "size": size(&draft.headers) + draft.method.as_str().len() + path.len() + 12 + length.unwrap_or(0_usize),
            },
            "response": {
                "status": facts.status,
                "headers": headers(&facts.response_headers, false),
                "size": size(&facts.response_headers) as u64 + 17 + self.sent,
            },
            "upstream_uri": draft.upstream_uri.as_deref().unwrap_or_default(),
            "upstream_status": draft.upstream_status.map(|status| status.to_string()).unwrap_or_default(),
            "latencies": {"kong": gateway, "proxy": proxy, "request": request, "receive": receive},
            "tries": tries(draft, started, gateway),
            "client_ip": facts.client_ip,
            "started_at": started,
            "source": if facts.source == Source::Upstream { "upstream" } else { "kong" },
            "workspace": WORKSPACE,
            "workspace_name": "default",
        });
        if let (Some(tls), Some(request)) = (&facts.tls, record.get_mut("request")) {
            request["tls"] = tls.clone();
        }
        let entity = |entity: &str, id: &str| {
            let text = self.worker.runtime.entity(entity, id)?;
            serde_json::from_str::<Value>(&text).ok()
        };
        if let Some(matched) = &facts.matched {
            put(&mut record, "route", entity("routes", &matched.route_id));
            put(&mut record, "service", matched.service_id.as_ref().and_then(|id| entity("services", id)));
        }
        if let Some(identity) = &facts.identity {
            put(
                &mut record,
                "consumer",
                identity.consumer.as_ref().and_then(|it| entity("consumers", &it.id)),
            );
            put(
                &mut record,
                "authenticated_entity",
                identity.credential.as_ref().map(|it| json!({"id": it.id})),
            );
        }
        for (key, value) in &facts.fields {
            set(&mut record, key, value.clone());
        }
        record.to_string().into()
    }
}

/// The workspace that everything is in; its id is the one that Kong's users know from entities.
const WORKSPACE: &str = "0dc6f45b-8f8d-40d2-a504-473544ee190b";

fn put(record: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(value), Some(members)) = (value, record.as_object_mut()) {
        members.insert(name.to_owned(), value);
    }
}

/// Sets or removes a field. Dots lead into objects, a backslash before a dot makes it an ordinary character.
fn set(record: &mut Value, key: &str, value: Option<Value>) {
    let mut steps = vec![String::new()];
    let mut characters = key.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, steps.last_mut()) {
            ('\\', Some(step)) if characters.peek() == Some(&'.') => step.extend(characters.next()),
            ('.', _) => steps.push(String::new()),
            (other, Some(step)) => step.push(other),
            (_, None) => {}
        }
    }
    let Some(last) = steps.pop() else { return };
    let mut at = record;
    for step in steps {
        let Some(members) = at.as_object_mut() else { return };
        at = members.entry(step).or_insert_with(|| Value::Object(Map::new()));
    }
    let Some(members) = at.as_object_mut() else { return };
    match value {
        Some(value) => drop(members.insert(last, value)),
        None => drop(members.remove(&last)),
    }
}

fn tries(draft: &Draft, started: u64, gateway: i64) -> Value {
    let Some((ip, port)) = draft.target.as_deref().and_then(|target| target.rsplit_once(':')) else {
        return Value::Array(Vec::new());
    };
    let start = started + gateway as u64;
    json!([{
        "balancer_start": start,
        "balancer_start_ns": start * 1_000_000,
        "balancer_latency": 0,
        "balancer_latency_ns": 0,
        "ip": ip.trim_matches(['[', ']']),
        "port": port.parse::<u16>().unwrap_or_default(),
    }])
}

fn milliseconds(time: Duration) -> i64 {
    time.as_millis() as i64
}

/// Headers as an object; those that come several times as lists. Credentials are not shown.
fn headers(headers: &HeaderMap, is_request: bool) -> Value {
    let mut members = Map::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let hidden = is_request && (*name == header::AUTHORIZATION || *name == header::PROXY_AUTHORIZATION);
        let text = |value: &http::HeaderValue| match hidden {
            true => Value::from("REDACTED"),
            false => Value::from(String::from_utf8_lossy(value.as_bytes())),
        };
        let mut values: Vec<Value> = headers.get_all(name).iter().map(text).collect();
        let value = if values.len() == 1 { values.remove(0) } else { Value::Array(values) };
        members.insert(name.as_str().to_owned(), value);
    }
    Value::Object(members)
}

/// Arguments as an object: lists for repeated names, `true` for those without a value.
fn query(query: &str) -> Value {
    let mut members = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (decoded(name), Value::from(decoded(value))),
            None => (decoded(pair), Value::from(true)),
        };
        match members.get_mut(&name) {
            None => drop(members.insert(name, value)),
            Some(Value::Array(values)) => values.push(value),
            Some(single) => *single = Value::Array(vec![single.take(), value]),
        }
    }
    Value::Object(members)
}

/// What headers take on the wire, in bytes.
fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() + 2
}

impl<R: PluginRuntime> Tail for Recorder<R> {
    fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }
}

impl<R: PluginRuntime> Drop for Recorder<R> {
    fn drop(&mut self) {
        let record = self.record();
        for link in &self.links {
            self.worker.runtime.log(&link.binding, &record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_nest_at_dots_and_can_be_removed() {
        let mut record = json!({"request": {"method": "GET"}});
        set(&mut record, "a.b\\.c", Some(json!(1)));
        set(&mut record, "request.method", None);
        set(&mut record, "request.method.x", Some(json!(2)));
        assert_eq!(record, json!({"request": {"method": {"x": 2}}, "a": {"b.c": 1}}));
    }

    #[test]
    fn arguments_and_headers_that_come_twice_are_lists() {
        assert_eq!(query("a=1&b&a=2%20x&a=3+y"), json!({"a": ["1", "2 x", "3 y"], "b": true}));
        let mut map = HeaderMap::new();
        map.append("x", "1".parse().unwrap());
        map.append("x", "2".parse().unwrap());
        map.insert(header::AUTHORIZATION, "secret".parse().unwrap());
        assert_eq!(headers(&map, true), json!({"x": ["1", "2"], "authorization": "REDACTED"}));
    }
}
