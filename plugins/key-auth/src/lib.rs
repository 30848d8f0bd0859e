//! Lets clients in that have a key.
//!
//! A key is looked for in headers, the query and the body, and belongs to a row of `keyauth_credentials`, which
//! belongs to a consumer.

mod config;
mod hide;
mod place;

use moongate_sdk::entities::{self, Reference};
use moongate_sdk::{Credential, Decision, Error, OnRequest, Plugin, Problem, Request, Schema, auth, export};
use serde::Deserialize;

use crate::config::Config;
use crate::place::{Found, Places};

/// The plugin, prepared for one configuration.
pub struct KeyAuth {
    config: Config,
    challenge: String,
}

impl Plugin for KeyAuth {
    type Config = Config;
    const PRIORITY: i32 = 1250;
    const ENTITIES: &'static [&'static str] = &[include_str!("keyauth_credentials.json")];

    fn schema() -> Schema {
        Schema::native(include_str!("schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let challenge = auth::challenge("Key", config.realm.as_deref());
        Ok(Self { config, challenge })
    }
}

impl OnRequest for KeyAuth {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let config = &self.config;
        if !config.run_on_preflight && request.method() == "OPTIONS" {
            return Ok(Decision::Continue);
        }
        let anonymous = config.anonymous.as_deref();
        if auth::is_settled(request, anonymous) {
            return Ok(Decision::Continue);
        }
        let mut places = Places::new(request, config);
        let refusal = match places.find() {
            Found::Nothing => "No API key found in request",
            Found::Several => "Duplicate API key found",
            Found::Key { name, key } => {
                if config.hide_credentials {
                    hide::hide(request, name, &places)?;
                }
                if key.is_empty() {
                    "No API key found in request"
                } else if let Some(row) = entities::find::<Row>("keyauth_credentials", "key", &key)? {
                    let credential = Credential { identifier: Some(row.id.clone()), id: row.id };
                    return Ok(auth::accept(request, &row.consumer.id, credential));
                } else {
                    "Unauthorized"
                }
            }
        };
        let refusal = Decision::fail(401, refusal).header("www-authenticate", self.challenge.as_str());
        Ok(auth::refuse(request, anonymous, refusal))
    }
}

/// What matters of a row of `keyauth_credentials`.
#[derive(Deserialize)]
struct Row {
    id: String,
    consumer: Reference,
}

export!(KeyAuth: OnRequest);

#[cfg(test)]
mod tests;
