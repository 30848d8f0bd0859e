//! Fixture: exports every hook and calls every capability.

use std::time::Duration;

use moongate_sdk::counters::{self, Allowance, Counter};
use moongate_sdk::crypto::{self, Hash};
use moongate_sdk::http_client::Outgoing;
use moongate_sdk::metrics::{self, Kind};
use moongate_sdk::serde_json::json;
use moongate_sdk::{
    Admin, AdminRequest, AdminRoute, BodyView, Credential, Decision, Error, OnEarlyRequest, OnEntityWrite,
    OnLog, OnRequest, OnResponse, OnResponseBody, OnTimer, Plugin, Problem, Reply, Request, Response, Row,
    config, consumers, entities, export, kv, secrets,
};

/// What the fixture asks others for.
#[config]
pub struct Config {
    /// A variable of the environment that requests find out the value of.
    variable: Option<String>,
    /// A server that requests ask.
    url: Option<String>,
}

/// The fixture.
pub struct EveryHook(Config);

impl Plugin for EveryHook {
    type Config = Config;
    const ENTITIES: &'static [&'static str] = &[include_str!("note.json")];

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        metrics::describe("every_hook_requests", Kind::Counter, "Requests that the fixture saw.");
        Ok(Self(config))
    }
}

impl OnEarlyRequest for EveryHook {
    /// Sends `/early` to the route of `/x`, and reads or replaces the body where the query says so.
    fn on_early_request(&self, request: &Request) -> Result<Decision, Error> {
        if request.path() == "/early" {
            request.set_path("/x");
        }
        if let Some(limit) = request.query_value("read").and_then(|limit| limit.parse().ok()) {
            request.set_response_header("x-early-body", body(request, limit))?;
        }
        if let Some(other) = request.query_value("replace") {
            request.set_body(other.as_bytes());
        }
        Ok(Decision::Continue)
    }
}

/// The body as text, or why there is none.
fn body(request: &Request, limit: u64) -> String {
    request.body(limit).map_or_else(
        |error| format!("error: {error}"),
        |body| format!("`{}`", String::from_utf8_lossy(&body)),
    )
}

impl OnRequest for EveryHook {
    /// Tells what each capability says in a header of the response.
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        if request.query_value("fail").is_some() {
            return Ok(Decision::fail(418, "told to fail").header("x-failed", "yes"));
        }
        if let Some(target) = request.query_value("target") {
            let (host, port) = target.rsplit_once(':').unwrap_or((&target, "80"));
            request.set_target(host, port.parse().unwrap_or(80));
            return Ok(Decision::Continue);
        }
        let counted = counters::add(&[Counter::new("requests", request.started() + 60_000)], 1);
        request.set_response_header("x-count", counted.iter().sum::<u64>().to_string())?;
        let note = entities::find::<Row>("every_notes", "title", "first")?;
        let text = note.and_then(|note| note.get("text")?.as_str().map(str::to_owned));
        request.set_response_header("x-note", text.unwrap_or_default())?;
        request.set_response_header("x-body", body(request, 1024))?;
        let digest = crypto::digest(Hash::Sha256, request.body(1024).unwrap_or_default());
        request.set_response_header("x-digest", digest.first().map(u8::to_string).unwrap_or_default())?;
        if let Some(variable) = &self.0.variable {
            let secret = secrets::get(&format!("{{vault://env/{variable}}}")).unwrap_or_else(|error| error);
            request.set_response_header("x-secret", secret)?;
        }
        if let Some(url) = &self.0.url {
            let status =
                Outgoing::get(url).timeout(Duration::from_secs(5)).send().map(|response| response.status);
            request.set_response_header(
                "x-fetched",
                status.map_or_else(|error| error.to_string(), |status| status.to_string()),
            )?;
        }
        let credential = request.query_value("credential").map(|id| Credential { identifier: None, id });
        if credential.is_some() {
            consumers::authenticate_as(request, "ann", credential);
        } else if let Some(consumer) = consumers::find("ann") {
            consumers::authenticate(request, Some(consumer), None);
        }
        let who = [request.consumer_id(), request.credential_id()].map(Option::unwrap_or_default);
        request.set_response_header("x-who", who.join("/"))?;
        let allowance = Allowance { name: "taken".to_owned(), ends: request.started() + 60_000, limit: 2 };
        let (taken, values) = counters::take(vec![allowance], 1);
        request.set_response_header("x-taken", format!("{taken} {values:?}"))?;
        metrics::record("every_hook_requests", &[("method", &request.method())], 1.0);
        request.set_log_field("every.hook", &counted);
        Ok(Decision::Continue)
    }
}

impl OnResponse for EveryHook {
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        response.set_header("x-source", response.source().name())?;
        response.set_header("x-path", response.request().path())?;
        response.set_header("x-late-body", body(&response.request(), 1024))?;
        response.watch_body(BodyView::Whole(1024));
        Ok(())
    }
}

impl OnResponseBody for EveryHook {
    /// Puts the status before the body.
    fn on_response_body(
        &self,
        response: &Response,
        piece: Vec<u8>,
        _: bool,
    ) -> Result<Option<Vec<u8>>, Error> {
        Ok(Some([format!("{}:", response.status()).into_bytes(), piece].concat()))
    }
}

impl OnLog for EveryHook {
    /// Keeps the last record.
    fn on_log(&self, records: &[String]) -> Result<(), Error> {
        if let Some(record) = records.last() {
            kv::set("record", record, None);
        }
        Ok(())
    }
}

impl OnTimer for EveryHook {
    const INTERVAL: Duration = Duration::from_millis(100);

    fn on_timer(&self) -> Result<(), Error> {
        let ticks = kv::get("ticks").and_then(|ticks| String::from_utf8(ticks).ok()?.parse().ok());
        kv::set("ticks", (ticks.unwrap_or(0_u64) + 1).to_string(), None);
        Ok(())
    }
}

impl Admin for EveryHook {
    const ROUTES: &'static [AdminRoute] = &[AdminRoute::get("/every-hook/kept").on_status()];

    fn on_admin(_: &AdminRequest) -> Result<Reply, Error> {
        let text = |key| String::from_utf8(kv::get(key).unwrap_or_default()).unwrap_or_default();
        Ok(Reply::json(200, &json!({ "ticks": text("ticks"), "record": text("record") })))
    }
}

impl OnEntityWrite for EveryHook {
    /// Turns a new text round, and refuses a title.
    fn on_write(_: &str, mut row: Row, changed: &[String]) -> Result<Row, Vec<Problem>> {
        if row.get("title").and_then(|title| title.as_str()) == Some("refused") {
            return Err(vec![Problem::at("title", "is one that is refused")]);
        }
        if changed.iter().any(|field| field == "text")
            && let Some(text) = row.get("text").and_then(|text| text.as_str())
        {
            let turned: String = text.chars().rev().collect();
            row.insert("text".to_owned(), turned.into());
        }
        Ok(row)
    }
}

export!(EveryHook: OnEarlyRequest, OnRequest, OnResponse, OnResponseBody, OnLog, OnTimer, Admin, OnEntityWrite);
