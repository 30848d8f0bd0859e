//! Shows a request to whoever sent it.

use moongate_sdk::serde_json::{Map, Value, json};
use moongate_sdk::text::is_media_type;
use moongate_sdk::{Met, Request, serde_json};

/// What a request looks like from here, as JSON text. Slashes are escaped, so that the text can stand in a page.
pub(crate) fn show(request: &Request, message: Option<&str>) -> String {
    let raw_body = request.body(LARGEST).unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let entity = |which| request.entity(which).and_then(|entity| serde_json::from_str::<Value>(&entity).ok());
    let query = request.query().unwrap_or_default();
    let captures = request.captures();
    let mut shown_captures = Map::new();
    for (at, value) in captures.positional.iter().enumerate() {
        shown_captures.insert((at + 1).to_string(), json!(value));
    }
    for (name, value) in &captures.named {
        shown_captures.insert(name.clone(), json!(value));
    }
    let mut shown = json!({
        "message": message,
        "request": {
            "scheme": request.scheme(),
            "host": request.host(),
            "port": request.port(),
            "headers": gathered(request.headers().into_iter().map(|(name, value)| (name, json!(text(&value))))),
            "query": arguments(&query),
            "body": body(request, &raw_body),
            "raw_body": text(&raw_body),
            "method": request.method(),
            "path": request.normalised_path(),
            "uri_captures": shown_captures,
        },
        "matched_route": entity(Met::Route),
        "matched_service": entity(Met::Service),
    });
    forget_missing(&mut shown);
    shown.to_string().replace('/', "\\/")
}

/// What a request does not have is not shown; entities are shown as they are.
fn forget_missing(shown: &mut Value) {
    let Value::Object(members) = shown else { return };
    members.retain(|_, value| !value.is_null());
    if let Some(Value::Object(request)) = members.get_mut("request") {
        request.retain(|_, value| !value.is_null());
    }
}

/// The parsed body, where it is JSON or a form.
fn body(request: &Request, raw: &[u8]) -> Value {
    let kind = request.header_text("content-type").unwrap_or_default();
    if is_media_type(&kind, "application/json") {
        return serde_json::from_slice(raw).unwrap_or_default();
    }
    if is_media_type(&kind, "application/x-www-form-urlencoded") {
        return arguments(&String::from_utf8_lossy(raw));
    }
    Value::Null
}

/// Arguments of a query or a form; those without a value are true.
fn arguments(text: &str) -> Value {
    let decode = moongate_sdk::text::decode;
    gathered(text.split('&').filter(|part| !part.is_empty()).map(|part| match part.split_once('=') {
        Some((name, value)) => (decode(name), json!(decode(value))),
        None => (decode(part), json!(true)),
    }))
}

/// Values by their names; several of one name are a list.
fn gathered(pairs: impl Iterator<Item = (String, Value)>) -> Value {
    let mut gathered = Map::new();
    for (name, value) in pairs {
        match gathered.get_mut(&name) {
            None => {
                gathered.insert(name, value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(own) => *own = json!([own.take(), value]),
        }
    }
    Value::Object(gathered)
}

/// Bytes of a body that is shown.
const LARGEST: u64 = 1024 * 1024;
