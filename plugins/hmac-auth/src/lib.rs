//! Lets clients in that sign their requests.
//!
//! A client signs a text of some headers and the first line of its request, and puts the signature into
//! `Proxy-Authorization` or `Authorization`. The secret is that of a row of `hmacauth_credentials`, which belongs to
//! a consumer.

mod config;
mod date;
mod digest;
mod signature;

use moongate_sdk::crypto;
use moongate_sdk::entities::{self, Reference};
use moongate_sdk::{
    Credential, Decision, Error, OnRequest, Plugin, Problem, Request, Schema, auth, clock, export,
};
use serde::Deserialize;

use crate::config::Config;
use crate::signature::Signature;

/// The plugin, prepared for one configuration.
pub struct HmacAuth {
    config: Config,
    challenge: String,
}

impl Plugin for HmacAuth {
    type Config = Config;
    const PRIORITY: i32 = 1030;
    const ENTITIES: &'static [&'static str] = &[include_str!("hmacauth_credentials.json")];

    fn schema() -> Schema {
        Schema::native(include_str!("schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let challenge = auth::challenge("hmac", config.realm.as_deref());
        Ok(Self { config, challenge })
    }
}

impl OnRequest for HmacAuth {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let anonymous = self.config.anonymous.as_deref();
        if auth::is_settled(request, anonymous) {
            return Ok(Decision::Continue);
        }
        match self.authenticate(request)? {
            Ok((credential, consumer)) => Ok(auth::accept(request, &consumer, credential)),
            Err(message) => {
                let refusal =
                    Decision::fail(401, message).header("www-authenticate", self.challenge.as_str());
                Ok(auth::refuse(request, anonymous, refusal))
            }
        }
    }
}

impl HmacAuth {
    /// The credential that signed the request and the id of its consumer, or what is wrong.
    fn authenticate(&self, request: &Request) -> Result<Result<(Credential, String), &'static str>, Error> {
        let values = HEADERS.map(|header| request.header_text(header));
        if values.iter().all(Option::is_none) {
            return Ok(Err("Unauthorized"));
        }
        if !self.is_timely(request) {
            return Ok(Err(UNTIMELY));
        }
        let mut signature = None;
        for (header, value) in HEADERS.into_iter().zip(&values) {
            let Some(value) = value else { continue };
            if self.config.hide_credentials {
                request.remove_header(header)?;
            }
            signature = Signature::parse(value);
            if signature.is_some() {
                break;
            }
        }
        let Some(signature) = signature.filter(|signature| self.accepts(signature)) else {
            return Ok(Err(UNVERIFIABLE));
        };
        let Some(row) = entities::find::<Row>("hmacauth_credentials", "username", signature.username)? else {
            return Ok(Err(UNVERIFIABLE));
        };
        let expected = crypto::hmac(signature.algorithm.hash(), &row.secret, signature.text(request));
        let given = digest::decode(signature.signature).unwrap_or_default();
        if !crypto::equal(&expected, &given) {
            return Ok(Err(MISMATCH));
        }
        if self.config.validate_request_body && !digest::is_body(request) {
            return Ok(Err(MISMATCH));
        }
        Ok(Ok((Credential { id: row.id, identifier: Some(row.username) }, row.consumer.id)))
    }

    /// Whether one of the dates of a request is near enough.
    fn is_timely(&self, request: &Request) -> bool {
        let now = clock::now().as_secs_f64().floor();
        ["x-date", "date"].into_iter().any(|header| {
            let date = request.header_text(header).and_then(|text| date::parse(&text));
            date.is_some_and(|date| (now - date).abs() <= self.config.clock_skew)
        })
    }

    fn accepts(&self, signature: &Signature<'_>) -> bool {
        let signed = |enforced: &String| signature.headers().any(|header| header == enforced);
        self.config.enforce_headers.iter().all(signed)
            && self.config.algorithms.contains(&signature.algorithm)
    }
}

/// What matters of a row of `hmacauth_credentials`.
#[derive(Deserialize)]
struct Row {
    id: String,
    username: String,
    secret: String,
    consumer: Reference,
}

const HEADERS: [&str; 2] = ["proxy-authorization", "authorization"];
const UNVERIFIABLE: &str = "HMAC signature cannot be verified";
const UNTIMELY: &str =
    "HMAC signature cannot be verified, a valid date or x-date header is required for HMAC Authentication";
const MISMATCH: &str = "HMAC signature does not match";

export!(HmacAuth: OnRequest);

#[cfg(test)]
mod tests;
