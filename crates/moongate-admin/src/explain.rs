//! `POST /moongate/explain`: what the gateway would do with a request, without sending anything.

use std::net::Ipv4Addr;

use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use moongate_schema::Object;
use serde::Serialize;
use serde_json::Value;

use crate::access::Access;
use crate::api::to_value;
use crate::error::ApiError;

/// A request that somebody wonders about.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Method.
    pub method: Method,
    /// What the request line has: path and query.
    pub target: Uri,
    /// Whether it comes over TLS.
    pub tls: bool,
    /// The server name of the TLS handshake.
    pub server_name: Option<String>,
    /// Whether it comes over HTTP/2.
    pub http2: bool,
    /// Headers, with a host.
    pub headers: HeaderMap,
}

/// What would become of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// The request, as the gateway sees it.
    pub request: Seen,
    /// The plugin configurations that see it before its route is looked for. They may change it or answer it, which is
    /// not foreseen: the rest is what becomes of a request that they leave as it is.
    pub early: Vec<Run>,
    /// Why it is refused before the plugins of its route run.
    pub refusal: Option<Refusal>,
    /// The route that it takes.
    pub matched: Option<Matched>,
    /// The routes that would have come first, had they matched.
    pub missed: Vec<Candidate>,
    /// The routes that match as well, and rank below.
    pub beaten: Vec<Candidate>,
    /// The plugin configurations that run, in their order.
    pub plugins: Vec<Run>,
    /// Where it is forwarded to.
    pub upstream: Option<Forwarded>,
}

/// A request, as the gateway sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// Method.
    pub method: String,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Host, with the port if one was given.
    pub host: Option<String>,
    /// The path that routes are compared with.
    pub path: String,
    /// Text behind the `?`.
    pub query: Option<String>,
}

/// An answer that the gateway gives by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Status.
    pub status: u16,
    /// Why.
    pub message: String,
}

/// An entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Id.
    pub id: String,
    /// Name, if it has one.
    pub name: Option<String>,
}

/// The route that a request takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Matched {
    /// The route.
    pub route: Named,
    /// The part of the path that matched.
    pub prefix: String,
    /// Its service.
    pub service: Option<Named>,
    /// Whether the part is taken off.
    pub strip_path: bool,
    /// Whether the client's host is forwarded.
    pub preserve_host: bool,
}

/// A route that a request does not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The route.
    pub route: Named,
    /// The part of the path that matched.
    pub prefix: String,
    /// The conditions that are not met.
    pub unmet: Vec<String>,
}

/// A plugin configuration that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// Id of the configuration.
    pub id: String,
    /// Name of the plugin.
    pub name: String,
    /// Name of the configuration.
    pub instance_name: Option<String>,
    /// What it is applied to, such as `global` or `route and consumer`.
    pub level: String,
    /// Position among the plugins; the higher runs first.
    pub priority: i32,
    /// Hooks that are called.
    pub hooks: Vec<&'static str>,
    /// What its failure means: `closed` or `open`.
    pub on_failure: &'static str,
}

/// Where a request is forwarded to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forwarded {
    /// Protocol of the service.
    pub protocol: String,
    /// What the upstream is asked for.
    pub uri: String,
    /// The Host header that it sees; with several targets that of the first.
    pub host_header: String,
    /// How one of several targets is chosen.
    pub balancer: Option<Balanced>,
}

/// The targets of an upstream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Balanced {
    /// The upstream.
    pub upstream: Named,
    /// How a target is chosen.
    pub algorithm: String,
    /// The targets.
    pub targets: Vec<Target>,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// Host and port.
    pub target: String,
    /// Its weight.
    pub weight: u32,
    /// `healthy`, `unhealthy` ...
    pub health: String,
}

impl Asked {
    /// Reads `{"method": …, "url": …, "headers": …}`. The headers are an object, or a list of pairs. `server_name` is that
    /// of the TLS handshake, the host unless it says another or none; `http2` is whether HTTP/2 is spoken.
    ///
    /// # Errors
    /// What is wrong with which member.
    pub(crate) fn read(fields: &Object) -> Result<Self, ApiError> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let method = text("method").unwrap_or("GET").to_ascii_uppercase();
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| wrong("method: is no method"))?;
        let url = text("url").ok_or_else(|| wrong("url: is missing; a URL or a path"))?;
        let url: Uri = match url.starts_with('/') || url.contains("://") {
            true => url.parse(),
            false => format!("http://{url}").parse(),
        }
        .map_err(|_| wrong("url: is no URL and no path"))?;
        let tls = match url.scheme_str() {
            None | Some("http") => false,
            Some("https") => true,
            Some(_) => return Err(wrong("url: only http and https are spoken")),
        };
        let mut headers = read_headers(fields.get("headers"))?;
        if !headers.contains_key(http::header::HOST) {
            let host = url.authority().map_or("localhost", |authority| authority.as_str());
            let host = host.rsplit('@').next().unwrap_or(host);
            let host = HeaderValue::try_from(host).map_err(|_| wrong("url: has no usable host"))?;
            headers.insert(http::header::HOST, host);
        }
        let server_name = match fields.get("server_name") {
            None => headers.get(http::header::HOST).and_then(|host| name_of(host.to_str().ok()?)),
            Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name.to_ascii_lowercase()),
            Some(_) => return Err(wrong("server_name: must be a text")),
        };
        let http2 = match fields.get("http2") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(http2)) => *http2,
            Some(_) => return Err(wrong("http2: must be true or false")),
        };
        let target = url.path_and_query().map_or("/", |target| target.as_str());
        let target = target.parse().map_err(|_| wrong("url: has no usable path"))?;
        Ok(Self { method, target, tls, server_name: server_name.filter(|_| tls), http2, headers })
    }
}

/// `POST /moongate/explain`
pub(crate) fn explain(access: &Access, fields: &Object) -> Result<Value, ApiError> {
    let asked = Asked::read(fields)?;
    match access.node().explain(&asked) {
        Some(explained) => to_value(&explained),
        None => Err(ApiError::Message(StatusCode::NOT_IMPLEMENTED, "this node serves no requests".into())),
    }
}

/// The name that a client puts into a TLS handshake for this host: none for an address.
fn name_of(host: &str) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let name = authority.host();
    let is_address = name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok();
    (!is_address && !name.is_empty()).then(|| name.to_ascii_lowercase())
}

fn read_headers(value: Option<&Value>) -> Result<HeaderMap, ApiError> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &Value| {
        let invalid = || wrong(&format!("headers: {name:?} cannot be sent"));
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(invalid()),
        };
        let name = HeaderName::try_from(name).map_err(|_| invalid())?;
        headers.append(name, HeaderValue::try_from(text).map_err(|_| invalid())?);
        Ok(())
    };
    match value {
        None | Some(Value::Null) => {}
        Some(Value::Object(members)) => {
            for (name, value) in members {
                match value {
                    Value::Array(values) => values.iter().try_for_each(|value| add(name, value))?,
                    value => add(name, value)?,
                }
            }
        }
        Some(Value::Array(pairs)) => {
            for pair in pairs {
                match pair.as_array().map(Vec::as_slice) {
                    Some([Value::String(name), value]) => add(name, value)?,
                    _ => return Err(wrong("headers: must be an object, or a list of pairs")),
                }
            }
        }
        Some(_) => return Err(wrong("headers: must be an object, or a list of pairs")),
    }
    Ok(headers)
}

pub(crate) fn wrong(message: &str) -> ApiError {
    ApiError::refused(message.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Asked, String> {
        Asked::read(value.as_object().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_url_says_host_scheme_path_and_query() {
        let asked = read(json!({"method": "post", "url": "https://user@a.test:8443/x/y?z=1"})).unwrap();
        assert_eq!((asked.method, asked.tls), (Method::POST, true));
        assert_eq!(asked.target, "/x/y?z=1");
        assert_eq!(asked.headers["host"], "a.test:8443");
    }

    #[test]
    fn the_server_name_is_the_host_unless_something_else_is_said() {
        let name = |value| read(value).unwrap().server_name;
        assert_eq!(name(json!({"url": "https://A.test:8443/"})).as_deref(), Some("a.test"));
        let other = json!({"url": "https://a.test/", "headers": {"host": "b.test"}});
        assert_eq!(name(other).as_deref(), Some("b.test"));
        let said = json!({"url": "https://a.test/", "server_name": "C.test"});
        assert_eq!(name(said).as_deref(), Some("c.test"));
        for none in [
            json!({"url": "https://a.test/", "server_name": null}),
            json!({"url": "https://127.0.0.1:8443/"}),
            json!({"url": "https://[::1]/"}),
            json!({"url": "http://a.test/", "server_name": "c.test"}),
        ] {
            assert_eq!(name(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn a_path_alone_is_asked_of_this_host_unless_a_header_names_another() {
        let asked = read(json!({"url": "/x"})).unwrap();
        assert_eq!((asked.method, asked.tls), (Method::GET, false));
        assert_eq!(asked.headers["host"], "localhost");
        let asked = read(json!({"url": "/x", "headers": {"Host": "b.test", "a": ["1", 2]}})).unwrap();
        assert_eq!(asked.headers["host"], "b.test");
        assert_eq!(asked.headers.get_all("a").iter().collect::<Vec<_>>(), ["1", "2"]);
        let asked = read(json!({"url": "c.test", "headers": [["a", "1"], ["a", "2"]]})).unwrap();
        assert_eq!((asked.headers["host"].to_str().unwrap(), asked.target.path()), ("c.test", "/"));
        assert_eq!(asked.headers.get_all("a").iter().count(), 2);
    }

    #[test]
    fn what_cannot_be_a_request_is_told() {
        for (value, expected) in [
            (json!({}), "url: is missing; a URL or a path"),
            (json!({"url": "ftp://a.test/"}), "url: only http and https are spoken"),
            (json!({"url": "http://a b/"}), "url: is no URL and no path"),
            (json!({"url": "/", "method": "a b"}), "method: is no method"),
            (json!({"url": "/", "headers": {"a b": "c"}}), "headers: \"a b\" cannot be sent"),
            (json!({"url": "/", "headers": {"a": "b\nc"}}), "headers: \"a\" cannot be sent"),
            (json!({"url": "/", "server_name": 1}), "server_name: must be a text"),
            (json!({"url": "/", "http2": "yes"}), "http2: must be true or false"),
            (json!({"url": "/", "headers": "a: b"}), "headers: must be an object, or a list of pairs"),
        ] {
            assert_eq!(read(value).unwrap_err(), expected);
        }
    }
}
