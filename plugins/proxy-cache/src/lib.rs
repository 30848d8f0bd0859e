//! Keeps responses and answers with them.
//!
//! The request hook looks for a response, the response hook decides whether one is kept, and the body hook keeps it.
//! Responses are in the memory of the node, which its workers share.

mod config;
mod directives;
mod entry;
mod key;

use std::time::Duration;

use moongate_sdk::text::is_media_type;
use moongate_sdk::{
    Admin, AdminRequest, AdminRoute, BodyView, Decision, Error, OnRequest, OnResponse, OnResponseBody,
    Plugin, Problem, Reply, Request, Response, Schema, clock, context, export, kv,
};

pub use crate::config::{Config, Memory, ResponseHeaders, Strategy};
use crate::directives::{Directives, http_time};
use crate::entry::{Entry, Head};

/// See the crate's description.
pub struct ProxyCache(Config);

impl Plugin for ProxyCache {
    type Config = Config;
    const PRIORITY: i32 = 100;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self(config))
    }
}

impl OnRequest for ProxyCache {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let method = request.method();
        let asked = self.asked(request);
        if !self.0.request_method.contains(&method) || asked.no_store || asked.no_cache {
            self.tell(request, "Bypass")?;
            return Ok(Decision::Continue);
        }
        let key = key::of(request, &method, &self.0);
        if self.0.response_headers.key {
            request.set_response_header("x-cache-key", &key)?;
        }
        let now = clock::now().as_secs();
        let found = kv::get(&stored_under(&key)).and_then(|stored| Entry::decode(&stored));
        let status = match found {
            Some(entry) if self.is_fresh(&entry.head, &asked, now) => return Ok(self.hit(entry, now).into()),
            Some(_) => "Refresh",
            None if asked.only_if_cached => return Ok(not_there(request)),
            None => "Miss",
        };
        if method != "HEAD" {
            context::set(KEY, &key);
        }
        context::set(IS_ASKED, []);
        self.tell(request, status)?;
        Ok(Decision::Continue)
    }
}

impl OnResponse for ProxyCache {
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        if context::get(IS_ASKED).is_none() {
            return Ok(());
        }
        let Some(ttl) = self.ttl(response) else {
            context::remove(KEY);
            if self.0.response_headers.status {
                response.set_header("x-cache-status", "Bypass")?;
            }
            return Ok(());
        };
        if context::get(KEY).is_some() {
            context::set(TTL, ttl.to_string());
            response.watch_body(BodyView::Whole(LARGEST));
        }
        Ok(())
    }
}

impl OnResponseBody for ProxyCache {
    fn on_response_body(
        &self,
        response: &Response,
        piece: Vec<u8>,
        _: bool,
    ) -> Result<Option<Vec<u8>>, Error> {
        let text = |key| context::get(key).and_then(|value| String::from_utf8(value).ok());
        let (Some(key), Some(ttl)) = (text(KEY), text(TTL).and_then(|ttl| ttl.parse().ok())) else {
            return Ok(None);
        };
        let mut headers = response.headers();
        headers.retain(|(name, _)| !OWN.contains(&name.as_str()));
        let head = Head::new(response.status(), headers, clock::now().as_secs(), ttl);
        let kept = self.0.storage_ttl.unwrap_or(ttl);
        // Without room it is not kept, and fetched again.
        kv::set(&stored_under(&key), Entry::encode(&head, &piece), Some(Duration::from_secs(kept)));
        Ok(None)
    }
}

impl Admin for ProxyCache {
    const ROUTES: &'static [AdminRoute] = &[
        AdminRoute::new("DELETE", "/proxy-cache"),
        AdminRoute::new("GET", "/proxy-cache/{cache_key}"),
        AdminRoute::new("DELETE", "/proxy-cache/{cache_key}"),
        // All configurations keep responses in one place, where keys tell them apart.
        AdminRoute::new("GET", "/proxy-cache/{plugin_id}/caches/{cache_key}"),
        AdminRoute::new("DELETE", "/proxy-cache/{plugin_id}/caches/{cache_key}"),
    ];

    fn on_admin(request: &AdminRequest) -> Result<Reply, Error> {
        let key = match request.path.strip_prefix("/proxy-cache/") {
            // Forgets everything: what was kept before has other names from then on.
            None => {
                kv::set(AGE, (age() + 1).to_string(), None);
                return Ok(Reply::new(204));
            }
            Some(below) => below.rsplit('/').next().unwrap_or_default(),
        };
        let name = stored_under(key);
        let Some(entry) = kv::get(&name).and_then(|stored| Entry::decode(&stored)) else {
            return Ok(Reply::message(404, "Not found"));
        };
        if request.method == "DELETE" {
            kv::delete(&name);
            return Ok(Reply::new(204));
        }
        Ok(Reply::json(200, &entry.show()))
    }
}

impl ProxyCache {
    /// What the client says of caches, as far as it is obeyed.
    fn asked(&self, request: &Request) -> Directives {
        if self.0.cache_control {
            Directives::parse(&request.header_values("cache-control"))
        } else {
            Directives::default()
        }
    }

    fn is_fresh(&self, head: &Head, asked: &Directives, now: u64) -> bool {
        let age = now.saturating_sub(head.kept);
        if !self.0.cache_control {
            return age <= self.0.cache_ttl;
        }
        asked.max_age.is_none_or(|most| age <= most)
            && asked.max_stale.is_none_or(|most| age.saturating_sub(head.ttl) <= most)
            && asked.min_fresh.is_none_or(|least| head.ttl.saturating_sub(age) >= least)
    }

    /// The response that was kept.
    fn hit(&self, entry: Entry, now: u64) -> Reply {
        let mut reply = Reply::new(entry.head.status).body(entry.body);
        for (name, value) in entry.head.headers() {
            reply = reply.header(name, value);
        }
        // It counts as an upstream's answer, which it is.
        reply = reply.header("x-kong-upstream-latency", "0");
        let shown = &self.0.response_headers;
        if shown.age {
            reply = reply.header("age", now.saturating_sub(entry.head.kept).to_string());
        }
        if shown.status {
            reply = reply.header("x-cache-status", "Hit");
        }
        reply
    }

    fn tell(&self, request: &Request, status: &str) -> Result<(), Error> {
        if self.0.response_headers.status {
            request.set_response_header("x-cache-status", status)?;
        }
        Ok(())
    }

    /// For how many seconds a response is fresh; nothing where it is not kept.
    fn ttl(&self, response: &Response) -> Option<u64> {
        let content_type = response.header_text("content-type")?;
        let is_kept = self.0.content_type.iter().any(|kept| is_kind(&content_type, kept));
        if !is_kept || !self.0.response_code.contains(&response.status()) {
            return None;
        }
        if !self.0.cache_control {
            return Some(self.0.cache_ttl);
        }
        let said = Directives::parse(&response.header_values("cache-control"));
        if said.private || said.no_store || said.no_cache {
            return None;
        }
        let until_expiry = || {
            let expires = http_time(&response.header_text("expires")?)?;
            Some(expires.saturating_sub(clock::now().as_secs()))
        };
        said.s_maxage.or(said.max_age).or_else(until_expiry).filter(|ttl| *ttl > 0)
    }
}

/// Whether a content type is of a kind, which has the same parameters, and may have `*` for any part.
fn is_kind(content_type: &str, kind: &str) -> bool {
    let (own, parameters) = parsed(content_type);
    let (wanted, wanted_parameters) = parsed(kind);
    let Some(((own_type, own_subtype), (wanted_type, wanted_subtype))) =
        own.split_once('/').zip(wanted.split_once('/'))
    else {
        return false;
    };
    let fits = |own: &str, wanted: &str| wanted == "*" || own == wanted;
    let has_wildcard = wanted_subtype == "*";
    fits(own_type, wanted_type)
        && fits(own_subtype, wanted_subtype)
        && (parameters == wanted_parameters || has_wildcard && wanted_parameters.is_empty())
}

/// A content type in lower case, and its parameters in their order by name.
fn parsed(content_type: &str) -> (String, Vec<String>) {
    let mut parts = content_type.split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().unwrap_or_default();
    let mut parameters: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parameters.sort();
    (kind, parameters)
}

/// The answer to a client that wants a response which was kept, or none.
fn not_there(request: &Request) -> Decision {
    let message = "The upstream server is timing out";
    let is_plain = |kind: String| is_media_type(&kind, "text/plain");
    if request.header("accept").is_none() && request.header_text("content-type").is_none_or(is_plain) {
        return Reply::text(504, format!("{message}\nrequest_id: {}\n", request.id())).into();
    }
    Decision::fail(504, message)
}

/// The name under which a response is stored. It changes when everything is to be forgotten.
fn stored_under(key: &str) -> String {
    format!("{}:{key}", age())
}

/// How often everything was forgotten.
fn age() -> u64 {
    let age = kv::get(AGE).and_then(|age| String::from_utf8(age).ok()?.parse().ok());
    age.unwrap_or(0)
}

/// The key in the context of what the response is kept under.
const KEY: &str = "key";
/// The key in the context of a request that was looked for.
const IS_ASKED: &str = "asked";
/// The key in the context of how long the response is fresh.
const TTL: &str = "ttl";
/// The key of how often everything was forgotten.
const AGE: &str = "age";
/// Headers that tell of the cache, or of one request only.
const OWN: [&str; 6] =
    ["age", "via", "x-cache-key", "x-cache-status", "x-kong-request-id", "x-kong-upstream-latency"];
/// Bytes of a body that is kept.
const LARGEST: u64 = 2 * 1024 * 1024;

export!(ProxyCache: OnRequest, OnResponse, OnResponseBody, Admin);

#[cfg(test)]
mod tests;
