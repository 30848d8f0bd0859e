//! Plays a case against a gateway.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::case::{Case, Listener, Mode, Step};
use crate::compare::differences;
use crate::document::Document;
use crate::exchange::{Answer, Request, latin1};
use crate::harness::Gateway;
use crate::normal::{Normaliser, pick};
use crate::upstream::Upstreams;

/// A gateway that plays one case after the other.
pub struct Player {
    gateway: Gateway,
    upstreams: Upstreams,
}

impl Player {
    pub fn new(gateway: Gateway, upstreams: Upstreams) -> Self {
        Self { gateway, upstreams }
    }

    /// The names of the plugins that the gateway has.
    pub fn plugins(&self) -> Vec<String> {
        let node = self.admin("GET", "/", None);
        let node: Value = serde_json::from_slice(&node.body).unwrap();
        node["plugins"]["available_on_server"].as_object().unwrap().keys().cloned().collect()
    }

    /// Plays `case` and says where the answers differ from those that were recorded.
    pub fn play(&self, case: &Case) -> Vec<String> {
        // Cases that only look at the configuration see the ports that they write.
        let upstreams = case.uses_proxy().then(|| self.upstreams.clone());
        let nonce = nonce();
        let mut words = BTreeMap::from([("nonce".to_owned(), nonce.clone())]);
        if let Err(refused) = self.configure(case, &words) {
            return vec![refused];
        }
        let mut normaliser = Normaliser::new(&nonce, upstreams.clone());
        let mut found = Vec::new();
        for (at, (step, want)) in case.steps.iter().zip(&case.answers).enumerate() {
            let step = self.step(case, step, &words);
            std::thread::sleep(pause(&step));
            let mut got = Vec::new();
            for _ in 0..step.repeat.unwrap_or(1) {
                let answer = self.send(&step).unwrap_or_else(|error| Answer {
                    status: 0,
                    headers: Vec::new(),
                    body: error.to_string().into_bytes(),
                });
                save(&answer, &step, &mut words);
                got.push(normaliser.normal(&answer, &step));
            }
            found.extend(differences(want, &summed(got, &step), &format!("step {at}"), &step));
        }
        found
    }

    /// Makes the gateway what it is before the first step of a case.
    pub fn configure(&self, case: &Case, words: &BTreeMap<String, String>) -> Result<(), String> {
        if case.mode == Mode::Db {
            self.clear();
            return Ok(());
        }
        // An empty configuration is a known start as well.
        let config = case.config.as_deref().unwrap_or("_format_version: '3.0'\n");
        let config = json!({"config": self.reach(case, &filled(config, words))});
        let loaded = self.admin("POST", "/config", Some(&config));
        match loaded.status {
            ..300 => Ok(()),
            _ => Err(format!("the configuration is refused: {}", String::from_utf8_lossy(&loaded.body))),
        }
    }

    /// A step, with what is only known now.
    pub fn step(&self, case: &Case, step: &Document, words: &BTreeMap<String, String>) -> Step {
        let step = self.reach(case, &filled(&step.to_string(), words));
        serde_json::from_str(&step).unwrap_or_else(|error| panic!("{error} in {step}"))
    }

    /// What is sent, with the ports that the upstreams really have.
    fn reach(&self, case: &Case, text: &str) -> String {
        if case.uses_proxy() { self.upstreams.reach(text) } else { text.to_owned() }
    }

    fn send(&self, step: &Step) -> std::io::Result<Answer> {
        self.deliver(&self.request(step), step)
    }

    fn address(&self, step: &Step) -> SocketAddr {
        match step.to {
            Listener::Admin => self.gateway.admin,
            Listener::Proxy => self.gateway.proxy,
            Listener::Tls => self.gateway.tls.expect("the gateway listens for TLS"),
        }
    }

    /// The request of a step, byte by byte.
    pub fn request(&self, step: &Step) -> Request {
        match &step.raw {
            Some(raw) => {
                let method = raw.split(' ').next().unwrap_or_default().to_owned();
                Request { method, bytes: latin1(raw) }
            }
            None => request(step, self.address(step)),
        }
    }

    /// Sends a request where a step goes to.
    pub fn deliver(&self, request: &Request, step: &Step) -> std::io::Result<Answer> {
        let address = self.address(step);
        let send = || match step.to {
            Listener::Tls => request.send_tls(address, step.sni.as_deref()),
            _ => request.send(address),
        };
        send().or_else(|_| send())
    }

    /// Removes all entities.
    fn clear(&self) {
        for collection in COLLECTIONS {
            loop {
                let page = self.admin("GET", &format!("/{collection}?size=1000"), None);
                let page: Value = serde_json::from_slice(&page.body).unwrap_or_default();
                let Some(rows) = page["data"].as_array().filter(|rows| !rows.is_empty()) else { break };
                for row in rows {
                    let id = row["id"].as_str().unwrap();
                    let path = match (collection, row["upstream"]["id"].as_str()) {
                        ("targets", Some(upstream)) => format!("/upstreams/{upstream}/targets/{id}"),
                        _ => format!("/{collection}/{id}"),
                    };
                    let removed = self.admin("DELETE", &path, None);
                    assert_eq!(removed.status, 204, "{path}: {}", String::from_utf8_lossy(&removed.body));
                }
            }
        }
    }

    pub fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
        let body = body.map(|body| body.to_string().into_bytes());
        let request = Request::new(method, path, self.gateway.admin, &headers, body.as_deref());
        request.send(self.gateway.admin).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }
}

fn request(step: &Step, address: SocketAddr) -> Request {
    let mut headers = Vec::new();
    for (name, values) in step.headers.as_ref().map_or(&[][..], Document::members) {
        for value in values.items() {
            headers.push((name.clone(), value.text().unwrap().to_owned()));
        }
    }
    let (kind, body) = match (&step.json, &step.form, &step.text) {
        (Some(document), _, _) => (Some("application/json"), Some(document.to_string().into_bytes())),
        (_, Some(form), _) => (Some("application/x-www-form-urlencoded"), Some(form.clone().into_bytes())),
        (_, _, Some(text)) => (None, Some(latin1(text))),
        _ => (None, None),
    };
    let has_kind = headers.iter().any(|(name, _)| name == "Content-Type");
    if let Some(kind) = kind.filter(|_| !has_kind) {
        headers.push(("Content-Type".to_owned(), kind.to_owned()));
    }
    Request::new(&step.method, step.path.as_deref().unwrap(), address, &headers, body.as_deref())
}

/// The answers of one step as they were recorded.
fn summed(mut got: Vec<Value>, step: &Step) -> Value {
    let values =
        |place: &String| got.iter().map(|answer| pick(answer, place).to_string()).collect::<Vec<_>>();
    if let Some(place) = &step.tally {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for value in values(place) {
            *counts.entry(value).or_default() += 1;
        }
        return json!(counts);
    }
    if let Some(place) = &step.distinct {
        return json!(values(place).into_iter().collect::<std::collections::BTreeSet<_>>().len());
    }
    if step.repeat.is_some() { got.into() } else { got.remove(0) }
}

fn save(answer: &Answer, step: &Step, words: &mut BTreeMap<String, String>) {
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    for (word, place) in &step.save {
        let at = |value: &Value, key: &str| match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?).cloned(),
            value => value.get(key).cloned(),
        };
        let value = place.split('.').try_fold(document.clone(), |value, key| at(&value, key));
        let value = match value {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => "unsaved".to_owned(),
        };
        words.insert(word.clone(), value);
    }
}

fn filled(text: &str, words: &BTreeMap<String, String>) -> String {
    words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(&format!("{{{{{word}}}}}"), value))
}

fn pause(step: &Step) -> Duration {
    let settle = if step.settle { 0.3 } else { 0.0 };
    Duration::from_secs_f64(settle + step.sleep.unwrap_or(0.0).min(5.0))
}

fn nonce() -> String {
    let letter = || fastrand::choice(b"abcdefghijkmnpqrstuvwxyz").copied().map_or('a', char::from);
    format!("n{}", std::iter::repeat_with(letter).take(9).collect::<String>())
}

/// What a gateway can have, children before their parents where removing parents is refused.
const COLLECTIONS: [&str; 22] = [
    "plugins",
    "routes",
    "services",
    "targets",
    "upstreams",
    "snis",
    "certificates",
    "ca_certificates",
    "acls",
    "key-auths",
    "basic-auths",
    "hmac-auths",
    "jwts",
    "oauth2",
    "oauth2_tokens",
    "sessions",
    "acme_storage",
    "consumers",
    "vaults",
    "keys",
    "key-sets",
    "filter-chains",
];
