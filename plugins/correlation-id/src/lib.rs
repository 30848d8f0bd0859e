//! Gives requests an id that goes upstream, and back to the client where that is wanted.

use std::cell::{Cell, OnceCell};

use moongate_sdk::{
    Decision, Error, OnRequest, OnResponse, Plugin, Problem, Request, Response, Schema, config, context,
    export,
};

/// What ids are like.
#[config]
#[derive(Clone)]
pub struct Config {
    /// The header that carries the id.
    #[serde(default = "header_name")]
    header_name: String,
    /// How ids are made.
    #[serde(default)]
    generator: Generator,
    /// Whether responses carry the id as well.
    #[serde(default)]
    echo_downstream: bool,
}

/// How ids are made.
#[config]
#[derive(Debug, Clone, Copy, Default)]
pub enum Generator {
    /// Each is a UUID.
    #[serde(rename = "uuid")]
    Uuid,
    /// A UUID of this instance of the plugin, and a number that counts up.
    #[default]
    #[serde(rename = "uuid#counter")]
    UuidCounter,
    /// Numbers that tell connections and requests apart, and the time.
    #[serde(rename = "tracker")]
    Tracker,
}

/// See the crate's description.
pub struct CorrelationId {
    config: Config,
    /// The UUID of this instance, and how many requests it has given an id.
    own: OnceCell<String>,
    count: Cell<u64>,
}

impl Plugin for CorrelationId {
    type Config = Config;
    const PRIORITY: i32 = 100_001;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self { config, own: OnceCell::new(), count: Cell::new(0) })
    }
}

impl OnRequest for CorrelationId {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let Config { header_name, echo_downstream, .. } = &self.config;
        let id = match request.header_text(header_name).filter(|id| !id.is_empty()) {
            Some(id) => id,
            None => {
                let id = self.generate(request);
                request.set_header(header_name, &id)?;
                id
            }
        };
        request.set_log_field("correlation_id", &id);
        if *echo_downstream {
            context::set(ID, &id);
        }
        Ok(Decision::Continue)
    }
}

impl OnResponse for CorrelationId {
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        if !self.config.echo_downstream {
            return Ok(());
        }
        // A request that ended early has no id yet.
        let id = context::get(ID).unwrap_or_else(|| {
            let request = response.request();
            let own = request.header(&self.config.header_name).filter(|id| !id.is_empty());
            own.unwrap_or_else(|| self.generate(&request).into_bytes())
        });
        response.set_header(&self.config.header_name, id)?;
        Ok(())
    }
}

impl CorrelationId {
    fn generate(&self, request: &Request) -> String {
        self.count.set(self.count.get() + 1);
        match self.config.generator {
            Generator::Uuid => uuid(&request.id()),
            Generator::UuidCounter => {
                format!("{}#{}", self.own.get_or_init(|| uuid(&request.id())), self.count.get())
            }
            Generator::Tracker => {
                let (address, port) = request.peer();
                let started = request.started();
                let instance = self.own.get_or_init(|| number(&request.id()).to_string());
                let (seconds, thousandths) = (started / 1000, started % 1000);
                let (count, listener) = (self.count.get(), request.port());
                format!("{address}-{listener}-{instance}-{port}-{count}-{seconds}.{thousandths:03}")
            }
        }
    }
}

/// The id of a request, 32 random hexadecimal digits, as a UUID.
fn uuid(id: &str) -> String {
    let digit = |at: usize| id.chars().nth(at).filter(char::is_ascii_hexdigit).unwrap_or('0');
    let variant = digit(16).to_digit(16).and_then(|digit| char::from_digit(digit & 3 | 8, 16)).unwrap_or('8');
    let mut uuid = String::with_capacity(36);
    for at in 0..32 {
        if matches!(at, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(match at {
            12 => '4',
            16 => variant,
            _ => digit(at),
        });
    }
    uuid
}

/// A number from the first digits of an id.
fn number(id: &str) -> u32 {
    id.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

fn header_name() -> String {
    "Kong-Request-ID".to_owned()
}

/// The key in the context of the id that goes to the client.
const ID: &str = "id";

export!(CorrelationId: OnRequest, OnResponse);

#[cfg(test)]
mod tests {
    use moongate_sdk::export::configure;
    use moongate_sdk::testing::{Gateway, RawRequest, RawResponse};
    use serde_json::{Value, json};

    use super::*;

    fn plugin(config: &Value) -> CorrelationId {
        configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
    }

    fn id(plugin: &CorrelationId, request: &RawRequest) -> String {
        assert_eq!(plugin.on_request(&request.as_request()).unwrap(), Decision::Continue);
        request.as_request().header_text(&plugin.config.header_name).unwrap()
    }

    #[test]
    fn a_request_without_an_id_gets_one() {
        let _gateway = Gateway::new();
        let counting = plugin(&json!({}));
        let first = id(&counting, &RawRequest::get("/"));
        let (uuid, count) = first.split_once('#').unwrap();
        assert_eq!((uuid.len(), count), (36, "1"));
        assert_eq!(id(&counting, &RawRequest::get("/")), format!("{uuid}#2"));
        assert_eq!(id(&plugin(&json!({"generator": "uuid"})), &RawRequest::get("/")).len(), 36);
        let tracker = id(&plugin(&json!({"generator": "tracker"})), &RawRequest::get("/"));
        assert_eq!(tracker.split('-').count(), 6, "{tracker}");
    }

    #[test]
    fn the_clients_id_is_kept() {
        let _gateway = Gateway::new();
        let plugin = plugin(&json!({"header_name": "x-corr", "echo_downstream": true}));
        let request = RawRequest::get("/").with_header("x-corr", "mine");
        assert_eq!(id(&plugin, &request), "mine");
        assert_eq!(request.outcome().log_fields["correlation_id"], "mine");
        let response = RawResponse::to(&request, 200);
        plugin.on_response(&response.as_response()).unwrap();
        assert_eq!(response.as_response().header_text("x-corr").unwrap(), "mine");
    }

    #[test]
    fn responses_carry_the_id_if_asked_to_also_of_requests_that_ended_early() {
        let _gateway = Gateway::new();
        let response = RawResponse::to(&RawRequest::get("/"), 404);
        plugin(&json!({})).on_response(&response.as_response()).unwrap();
        assert_eq!(response.as_response().header("kong-request-id"), None);
        plugin(&json!({"echo_downstream": true})).on_response(&response.as_response()).unwrap();
        assert!(response.as_response().header("kong-request-id").is_some());
    }

    #[test]
    fn an_id_of_a_request_is_made_a_uuid() {
        assert_eq!(uuid("0123456789abcdef0123456789abcdef"), "01234567-89ab-4def-8123-456789abcdef");
        assert_eq!(uuid("f".repeat(32).as_str()), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid("short").len(), 36);
    }
}
