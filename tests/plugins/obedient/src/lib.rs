//! Fixture: does with each request what its headers say, and tells what came of it in headers of the response.

use std::time::Duration;

use moongate_sdk::entities::LookupError;
use moongate_sdk::metrics::{self, Kind};
use moongate_sdk::{
    BodyView, Decision, Error, HeaderError, Met, OnRequest, OnResponse, OnResponseBody, Plugin, Problem,
    Request, Response, Row, config, consumers, entities, export, kv,
};

/// Nothing.
#[config]
pub struct Config {}

/// The fixture.
pub struct Obedient;

impl Plugin for Obedient {
    type Config = Config;
    const ENTITIES: &'static [&'static str] = &[include_str!("task.json")];

    fn new(_: Config) -> Result<Self, Vec<Problem>> {
        metrics::describe("obedient_level", Kind::Gauge, "What requests say.");
        Ok(Self)
    }
}

impl OnRequest for Obedient {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let said = |name| request.header_text(name);
        forward(request)?;
        if let Some(key) = said("x-delete") {
            kv::delete(&key);
        }
        if let Some(key) = said("x-add") {
            let ttl = said("x-ttl").and_then(|ttl| ttl.parse().ok()).map(Duration::from_millis);
            let added = kv::add(&key, said("x-value").unwrap_or_default(), ttl);
            request.set_response_header("x-added", added.to_string())?;
        }
        if let Some(key) = said("x-get") {
            let kept = kv::get(&key).unwrap_or_else(|| b"nothing".to_vec());
            request.set_response_header("x-kept", kept)?;
        }
        let number = |name| said(name).and_then(|number| number.parse().ok());
        if let Some(level) = number("x-level") {
            metrics::set("obedient_level", &[("of", "requests")], level);
        }
        if let Some(more) = number("x-rise") {
            metrics::record("obedient_level", &[("of", "requests")], more);
        }
        if let Some(name) = said("x-as") {
            let found = consumers::authenticate_as(request, &name, None);
            request.set_response_header("x-found", found.to_string())?;
        }
        if let Some(field) = said("x-referring") {
            let consumer = request.consumer_id().unwrap_or_default();
            request.set_response_header("x-tasks", tasks(&field, &consumer))?;
        }
        if said("x-meet").is_some() {
            for (header, which) in [
                ("x-met-route", Met::Route),
                ("x-met-service", Met::Service),
                ("x-met-consumer", Met::Consumer),
            ] {
                request.set_response_header(header, request.entity(which).unwrap_or_default())?;
            }
        }
        Ok(Decision::Continue)
    }
}

impl OnResponse for Obedient {
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        match response.request().header_text("x-watch").as_deref() {
            Some("chunks") => response.watch_body(BodyView::Chunks),
            Some(limit) => response.watch_body(BodyView::Whole(limit.parse().unwrap_or(0))),
            None => {}
        }
        Ok(())
    }
}

impl OnResponseBody for Obedient {
    /// Puts each piece into brackets, and a full stop behind the last.
    fn on_response_body(&self, _: &Response, piece: Vec<u8>, last: bool) -> Result<Option<Vec<u8>>, Error> {
        let end: &[u8] = if last { b"]." } else { b"]" };
        Ok(Some([b"[".as_slice(), &piece, end].concat()))
    }
}

/// Chooses where the request goes, and how hard is tried.
fn forward(request: &Request) -> Result<(), HeaderError> {
    let said = |name| request.header_text(name);
    if let Some(name) = said("x-upstream") {
        let known = request.set_upstream(&name);
        request.set_response_header("x-upstream-known", known.to_string())?;
    }
    if let Some(scheme) = said("x-scheme") {
        let known = request.set_scheme(&scheme);
        request.set_response_header("x-scheme-known", known.to_string())?;
    }
    let times = said("x-timeouts").unwrap_or_default();
    let times: Vec<_> = times.split(',').flat_map(str::parse).map(Duration::from_millis).collect();
    if let [connect, write, read] = times.as_slice() {
        request.set_timeouts(*connect, *write, *read);
    }
    if let Some(retries) = said("x-retries").and_then(|retries| retries.parse().ok()) {
        request.set_retries(retries);
    }
    Ok(())
}

/// The titles of tasks that refer to a consumer.
fn tasks(field: &str, consumer: &str) -> String {
    match entities::referring::<Row>("obedient_tasks", field, consumer) {
        Ok(rows) => {
            let titles = rows.iter().filter_map(|row| row.get("title")?.as_str());
            let mut titles: Vec<_> = titles.collect();
            titles.sort_unstable();
            titles.join(",")
        }
        Err(LookupError::UnknownField) => "unknown field".to_owned(),
        Err(error) => error.to_string(),
    }
}

export!(Obedient: OnRequest, OnResponse, OnResponseBody);
