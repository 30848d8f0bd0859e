//! Lets browsers of other sites use a service.
//!
//! Preflight requests are answered by the request hook. All other responses get their headers from the response hook,
//! so that those of plugins that run earlier, and of the gateway, get them too.

mod origins;

use moongate_sdk::{
    Decision, Error, OnRequest, OnResponse, Plugin, Problem, Reply, Request, Response, Schema, config,
    context, export,
};

use crate::origins::{Allowed, Origins};

/// What browsers are told.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Origins that may read responses: plain ones, regular expressions, or `*` for any.
    origins: Option<Vec<String>>,
    /// What `Access-Control-Allow-Headers` says; the headers that the client asked for otherwise.
    headers: Option<Vec<String>>,
    /// What `Access-Control-Expose-Headers` says.
    exposed_headers: Option<Vec<String>>,
    /// What `Access-Control-Allow-Methods` says.
    methods: Option<Vec<String>>,
    /// Seconds for which the answer to a preflight request may be kept.
    max_age: Option<f64>,
    /// Whether browsers may send credentials.
    #[serde(default)]
    credentials: bool,
    /// Whether sites of public networks may ask for this one in a private network.
    #[serde(default)]
    private_network: bool,
    /// Whether preflight requests go upstream.
    #[serde(default)]
    preflight_continue: bool,
}

/// See the crate's description.
pub struct Cors {
    origins: Origins,
    credentials: bool,
    private_network: bool,
    preflight_continue: bool,
    /// The values of headers; empty ones are not sent.
    allow_headers: String,
    expose_headers: String,
    allow_methods: String,
    max_age: String,
}

impl Plugin for Cors {
    type Config = Config;
    const PRIORITY: i32 = 2000;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let joined = |list: Option<Vec<String>>| list.unwrap_or_default().join(",");
        Ok(Self {
            origins: Origins::parse(config.origins.as_deref().unwrap_or_default())?,
            credentials: config.credentials,
            private_network: config.private_network,
            preflight_continue: config.preflight_continue,
            allow_headers: joined(config.headers),
            expose_headers: joined(config.exposed_headers),
            allow_methods: config.methods.map_or_else(|| METHODS.to_owned(), |methods| methods.join(",")),
            max_age: config.max_age.map(|seconds| seconds.to_string()).unwrap_or_default(),
        })
    }
}

impl OnRequest for Cors {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        if request.method() != "OPTIONS" {
            return Ok(Decision::Continue);
        }
        let Some(origin) = request.header_text("origin").filter(|origin| !origin.is_empty()) else {
            return Ok(Decision::Continue);
        };
        if request.header("access-control-request-method").is_none_or(|method| method.is_empty()) {
            return Ok(Decision::Continue);
        }
        context::set(IS_PREFLIGHT, []);
        if self.preflight_continue {
            return Ok(Decision::Continue);
        }
        Ok(self.preflight(request, &origin).into())
    }
}

impl OnResponse for Cors {
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        if context::get(IS_PREFLIGHT).is_some() {
            return Ok(());
        }
        // Without a choice the origin does not matter, and is not fetched.
        let origin = if self.origins.depend_on_request() || self.credentials {
            response.request().header_text("origin")
        } else {
            None
        };
        let head = self.head(origin.as_deref());
        if head.vary {
            response.add_header("vary", "Origin")?;
        }
        match head.allow_origin {
            Some(origin) => response.set_header(ALLOW_ORIGIN, origin)?,
            None => response.remove_header(ALLOW_ORIGIN)?,
        }
        if head.credentials {
            response.set_header(ALLOW_CREDENTIALS, "true")?;
        }
        if !self.expose_headers.is_empty() {
            response.set_header("access-control-expose-headers", &self.expose_headers)?;
        }
        Ok(())
    }
}

/// The headers that depend on where a request comes from.
#[derive(Debug, PartialEq, Eq)]
struct Head<'a> {
    vary: bool,
    allow_origin: Option<&'a str>,
    credentials: bool,
}

impl Cors {
    fn head<'a>(&'a self, origin: Option<&'a str>) -> Head<'a> {
        let vary = self.origins.vary();
        match (self.origins.allowed(origin), origin) {
            // A browser takes no credentials to `*`.
            (Allowed::Any, Some(origin)) if self.credentials => {
                Head { vary: true, allow_origin: Some(origin), credentials: true }
            }
            (Allowed::Any, _) => Head { vary, allow_origin: Some("*"), credentials: false },
            (Allowed::Origin(origin), _) => {
                Head { vary, allow_origin: Some(origin), credentials: self.credentials }
            }
            (Allowed::None, _) => Head { vary, allow_origin: None, credentials: self.credentials },
        }
    }

    fn preflight(&self, request: &Request, origin: &str) -> Reply {
        let Head { vary, allow_origin, credentials } = self.head(Some(origin));
        let mut reply = Reply::new(200);
        let mut put = |name: &str, value: &[u8]| {
            if !value.is_empty() {
                reply.headers.push((name.to_owned(), value.to_owned()));
            }
        };
        if vary {
            put("vary", b"Origin");
        }
        put(ALLOW_ORIGIN, allow_origin.unwrap_or_default().as_bytes());
        if credentials {
            put(ALLOW_CREDENTIALS, b"true");
        }
        if self.allow_headers.is_empty() {
            put(ALLOW_HEADERS, &request.header("access-control-request-headers").unwrap_or_default());
        } else {
            put(ALLOW_HEADERS, self.allow_headers.as_bytes());
        }
        put("access-control-allow-methods", self.allow_methods.as_bytes());
        put("access-control-max-age", self.max_age.as_bytes());
        let asks = || request.header("access-control-request-private-network");
        if self.private_network && asks().is_some_and(|asks| asks == b"true") {
            put("access-control-allow-private-network", b"true");
        }
        reply
    }
}

const METHODS: &str = "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS,TRACE,CONNECT";
const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";
const ALLOW_HEADERS: &str = "access-control-allow-headers";
/// The key in the context of preflight requests.
const IS_PREFLIGHT: &str = "preflight";

export!(Cors: OnRequest, OnResponse);

#[cfg(test)]
mod tests;
